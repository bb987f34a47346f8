/* Shared by the files of watch/ only. */
#ifndef CK_WATCH_WATCH_INT_H
#define CK_WATCH_WATCH_INT_H

#include "base/text.h"
#include "policy/facts.h"
#include "store/inventory.h"
#include "store/standing.h"
#include "verdict/verdict.h"
#include "watch/watch.h"

/* --- judge.c: one image judged again ---------------------------------------------------------- */

/* `was` NULL: nothing was known of it before. `is` NULL: nothing new is; what is kept is judged. */
struct ck_judging {
    struct ck_store *store;
    const struct ck_policy *policy;
    int64_t now;
    const struct ck_digest *image;
    const struct ck_standing *standing;
    const struct ck_facts *was, *is;
};
struct ck_judgement {
    bool decide; /* the state changes, to: */
    enum ck_state_of_image state;
    ck_view reason;
    bool withdrawn;
    bool has_event; /* "verdict" or "withdrawn" */
    struct ck_event event;
};
CK_MUST ck_err *ck_judge_again(const struct ck_judging *j, struct ck_arena *a,
                               struct ck_judgement *ret);

/* --- event.c ---------------------------------------------------------------------------------- */

/* An event about an image; the summary is completed by " in NAME". Everything in `a`. */
struct ck_event ck_watch_event(const char *kind, const struct ck_digest *d,
                               const struct ck_standing *st, int64_t now, const char *summary,
                               ck_view data, struct ck_arena *a);
/* "docker.io/library/alpine" of "docker.io/library/alpine:3" or "...@sha256:...". */
ck_view ck_watch_repository(ck_view name);

/* --- for all ---------------------------------------------------------------------------------- */

static inline bool ck_watch_stopped(const struct ck_watch_options *o)
{
    return o->stop && atomic_load(o->stop);
}
static inline void ck_watch_note(const struct ck_watch_options *o, const char *text)
{
    if (o->note)
        o->note(o->ctx, text);
}
static inline void ck_watch_progress(const struct ck_watch_options *o, enum ck_watch_phase phase,
                                     uint64_t done, uint64_t total)
{
    if (o->progress)
        o->progress(o->ctx, phase, done, total);
}

#endif
