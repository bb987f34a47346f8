/* Looking again: a verdict is true for one day's knowledge. What a new database changes for the
 * images of the store, without touching a blob; what became of upstream tags and of base images.
 * What changed is written down as events (store/events.h), in the same transaction as what it
 * changes, so that a kill at any moment loses and doubles nothing: what was done stays, and the
 * next call goes on from there.
 */
#ifndef CK_WATCH_WATCH_H
#define CK_WATCH_WATCH_H

#include "advisory/db.h"
#include "policy/policy.h"
#include "scan/scan.h"
#include "source/remote.h"
#include "store/store.h"
#include "update/update.h"

#include <stdatomic.h>

struct ck_watch_counts {
    uint64_t matched;   /* images whose inventory was matched again */
    uint64_t judged;    /* images that were judged again, matched or not */
    uint64_t changed;   /* images with other findings than before */
    uint64_t first;     /* images that were matched for the first time: no change */
    uint64_t added, gone; /* findings */
    uint64_t verdicts;  /* images whose state changed */
    uint64_t withdrawn; /* images that were cleared and no longer pass */
    uint64_t asked, unasked, moved; /* upstream tags: asked about, not to be had, moved */
    uint64_t bases;     /* images with a base that has a newer build */
    uint64_t without, stale; /* could not be matched: no inventory, one of another version */
    uint64_t scanned, unscanned; /* of these: scanned, could not be */
    uint64_t feeds_failed;
};

/* What a round goes through, in this order; who makes it leaves out what it does not do. */
enum ck_watch_phase {
    CK_WATCH_FEEDS,    /* told by ck_update_options */
    CK_WATCH_DATABASE, /* the same: built from them */
    CK_WATCH_SCANS,    /* images that cannot be matched */
    CK_WATCH_MATCHES,
    CK_WATCH_VERDICTS, /* images that need no matching */
    CK_WATCH_TAGS,
    CK_WATCH_BASES,
    CK_WATCH_PHASE_COUNT_
};
const char *ck_watch_phase_name(enum ck_watch_phase p);

struct ck_watch_options {
    const char *store; /* directory, as ck_store_open: each thread has a connection of its own */
    const struct ck_db *db;
    const struct ck_policy *policy;
    int64_t now;
    unsigned threads;         /* 0: as many as cores */
    const atomic_bool *stop;  /* becomes true: comes back soon, without an error; or NULL */
    /* All may be NULL; called from any thread, one at a time. `note`: something could not be done,
     * and the rest goes on. */
    void (*note)(void *ctx, const char *text);
    /* What is kept of the image cannot be read by this version: it stays unmatched until it is
     * scanned again. */
    void (*stale)(void *ctx, const struct ck_digest *d);
    void (*progress)(void *ctx, enum ck_watch_phase phase, uint64_t done, uint64_t total);
    void *ctx;
};

/* One process at a time looks again at a store: *ret_lock is -1 where another does. close() */
CK_MUST ck_err *ck_watch_lock(const struct ck_store *s, int *ret_lock);

/* Brings the feeds up to date, as `cocket db update` does (`feeds` n 0: the configured ones), into
 * the database `db`, and says which fail and which work again. That none could be had leaves the
 * database as it is and is no error. */
CK_MUST ck_err *ck_watch_feeds(struct ck_store *s, const struct ck_feed_specs *feeds,
                               const struct ck_update_options *u, const char *db, int64_t now,
                               struct ck_watch_counts *counts);

/* Scans images again from the store: those of the list, or (v NULL) those that were examined before
 * there were inventories. What cannot be scanned is noted and passed over. */
CK_MUST ck_err *ck_watch_scan(struct ck_store *s, const struct ck_digest *v, size_t n,
                              const struct ck_scan_options *so, const struct ck_watch_options *o,
                              struct ck_watch_counts *counts);

/* Matches with this database what it may say something else of than the one before, and judges all
 * images again, whose outcome may change by time and policy too. Adds to *counts. */
CK_MUST ck_err *ck_watch_rematch(struct ck_store *s, const struct ck_watch_options *o,
                                 struct ck_watch_counts *counts);

/* The same for one image that somebody waits for. *ret_matched is false where it has no inventory,
 * or too little of it can be read: it is to be scanned. */
CK_MUST ck_err *ck_watch_image(struct ck_store *s, const struct ck_digest *d,
                               const struct ck_watch_options *o, struct ck_watch_counts *counts,
                               bool *ret_matched);

struct ck_watch_tags {
    struct ck_remote_options remote;
    int64_t every; /* seconds: tags that were asked about since are not asked about */
    const char *const *upstreams; /* only these registries; n 0: all */
    size_t n_upstreams;
    unsigned pause_ms; /* between two questions to one registry, half of it by chance; 0: 200 */
};
/* What the tags of the store mean at their registries now. A registry that fails three times in a
 * row is left alone until the next time. Names that cannot be had are said once. */
CK_MUST ck_err *ck_watch_tags(struct ck_store *s, const struct ck_watch_tags *t,
                              const struct ck_watch_options *o, struct ck_watch_counts *counts);

/* Images that begin with the layers of another whose tag means a newer one by now. Each is said
 * once for each newer one. */
CK_MUST ck_err *ck_watch_bases(struct ck_store *s, const struct ck_watch_options *o,
                               struct ck_watch_counts *counts);

#endif
