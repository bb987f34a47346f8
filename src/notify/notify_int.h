/* Shared by the files of notify/ only. */
#ifndef CK_NOTIFY_NOTIFY_INT_H
#define CK_NOTIFY_NOTIFY_INT_H

#include "notify/notify.h"
#include "proc/spawn.h"
#include "room/notify_jobs.h"

#include <stdatomic.h>

enum { CK_UUID_TEXT = 37 };
void ck_uuid_of(const uint8_t random[16], char out[CK_UUID_TEXT]); /* version 4 (RFC 9562) */

/* --- ways.c, target.c ------------------------------------------------------------------------- */

enum ck_way { CK_WAY_WEBHOOK, CK_WAY_SLACK, CK_WAY_SMTP, CK_WAY_COMMAND, CK_WAY_COUNT_ };
enum ck_way ck_way_of(ck_view name); /* CK_WAY_COUNT_: it is none */
size_t ck_way_most(enum ck_way way); /* events of one delivery */

/* What "smtp://user@host:port/?to=a@b&to=c@d&from=e@f&starttls=try" says. */
struct ck_mail_target {
    ck_view server; /* URL for libcurl: without a login, with the name that we greet with */
    ck_view user;   /* or empty */
    ck_view from;
    ck_view *to;
    size_t n_to;
    enum ck_notify_tls tls;
};
CK_MUST ck_err *ck_mail_target_parse(ck_view target, struct ck_arena *a,
                                     struct ck_mail_target *ret);
/* http: or https:, visible ASCII, with a host. */
CK_MUST ck_err *ck_web_target_check(ck_view target);

/* --- form.c, mail.c, sign.c ------------------------------------------------------------------- */

/* What one delivery says. */
struct ck_notice {
    ck_view key;
    const char *store; /* UUID of the store that the events are numbered in */
    const struct ck_event *events;
    size_t n; /* at least 1 */
    int64_t time;
};
/* One event, or a batch (JSON array) where there are several. */
void ck_form_cloudevents(const struct ck_notice *n, struct ck_buf *out);
void ck_form_slack(const struct ck_notice *n, struct ck_buf *out);
void ck_form_mail(const struct ck_notice *n, const struct ck_mail_target *t, struct ck_buf *out);
/* "critical", or NULL. */
const char *ck_form_severity(const struct ck_event *e);

/* The value of webhook-signature: "v1," and the HMAC-SHA256 of "id.timestamp.body" (Standard
 * Webhooks). A secret "whsec_..." is Base64, any other one is taken as it is. */
CK_MUST ck_err *ck_sign(ck_view secret, ck_view id, int64_t timestamp, ck_view body,
                        struct ck_buf *out);

/* --- send.c ----------------------------------------------------------------------------------- */

/* Whoever tries deliveries of one subscription, one after the other. */
struct ck_sender {
    const struct ck_notify_options *o;
    const struct ck_subscription *s;
    const atomic_bool *ending; /* broken off where it becomes true */
    struct ck_room_proc *room;
};
void ck_sender_close(struct ck_sender *w);
/* One try. An error says why it did not work; *ret_retry_after in seconds, 0: not said.
 * *ret_broken_off: it was not tried to its end, which says nothing of the receiver. */
CK_MUST ck_err *ck_send(struct ck_sender *w, const struct ck_notice *n, uint32_t *ret_retry_after,
                        bool *ret_broken_off);

unsigned ck_try_seconds(const struct ck_notify_options *o);

/* --- outbox.c --------------------------------------------------------------------------------- */

/* The UUID of the store, which is made where there is none. */
CK_MUST ck_err *ck_outbox_store_id(struct ck_store *s, char out[CK_UUID_TEXT]);
/* Seconds until the next try of what was tried `tries` times. */
int64_t ck_outbox_pause(const struct ck_notify_options *o, unsigned tries, uint32_t retry_after,
                        uint8_t random);
/* Tries one delivery and writes down what came of it. *ret_failed. */
CK_MUST ck_err *ck_outbox_try(struct ck_store *s, struct ck_sender *w, const char *store_id,
                              const struct ck_delivery *d, int64_t (*clock)(void *ctx), void *ctx,
                              bool *ret_failed);

#endif
