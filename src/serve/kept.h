/* Answers that are given again without asking the hub: whole responses of libmicrohttpd, shared by
 * all connections, so that a warm GET copies and allocates nothing.
 *
 * At most SERVE_KEPT bytes and SERVE_KEPT_BLOBS descriptors; what was unused for longest goes. What
 * was given out is counted for each client, and reported from time to time.
 */
#ifndef CK_SERVE_KEPT_H
#define CK_SERVE_KEPT_H

#include "serve/wire.h"

struct MHD_Response;

struct ck_kept_key {
    uint64_t session;
    enum ck_ask_kind kind; /* MANIFEST or BLOB */
    ck_view ns, host, repository, reference;
};

/* Owned by the table; lives as long as somebody has it. Constant once it is there. */
struct ck_kept_entry {
    struct MHD_Response *whole;     /* 200, with all headers */
    struct MHD_Response *unchanged; /* 304 */
    char digest[CK_DIGEST_TEXT];
    uint64_t size;
    int fd; /* of blobs; -1 */
    size_t bytes; /* in memory */
    /* The table's own. */
    struct ck_kept_own *own;
};

struct ck_kept;
struct ck_kept *ck_kept_new(void (*destroy)(struct MHD_Response *));
void ck_kept_free(struct ck_kept *k);

/* With `count` it is given to `client`, and that is reported. NULL: it is not there, too old, or so
 * many clients had it that the hub must hear of them first. */
struct ck_kept_entry *ck_kept_find(struct ck_kept *k, const struct ck_kept_key *key,
                                   ck_view client, bool count, int64_t now_ms);
void ck_kept_put_back(struct ck_kept *k, struct ck_kept_entry *e);
/* Takes over what *e holds and returns the entry, which is the caller's to put back. until_ms 0: it
 * is for this one request only. */
struct ck_kept_entry *ck_kept_add(struct ck_kept *k, const struct ck_kept_key *key,
                                  const struct ck_kept_entry *e, int64_t until_ms);
void ck_kept_forget(struct ck_kept *k);

/* What was given out since the last call, one entry and client at a time. */
typedef void ck_kept_pull(void *ctx, const struct ck_kept_key *key, const char *digest,
                          ck_view client, uint64_t count);
void ck_kept_report(struct ck_kept *k, ck_kept_pull *pull, void *ctx);

void ck_kept_size(struct ck_kept *k, size_t *ret_entries, size_t *ret_bytes);

#endif
