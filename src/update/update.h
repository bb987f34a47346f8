/* Feeds to database: fetched in the fetch room, verified, parsed in the feed room, kept as
 * segments, built into one file that replaces the old one atomically.
 */
#ifndef CK_UPDATE_UPDATE_H
#define CK_UPDATE_UPDATE_H

#include "advisory/db.h"
#include "base/arena.h"

enum ck_feed_kind {
    CK_KIND_DEBIAN_ARCHIVE, /* debian-archive=URL|DIR,SUITE[,SUITE...] */
    CK_KIND_DEBIAN_TRACKER, /* debian-tracker=FILE|URL */
    CK_KIND_ALPINE_SECDB, /* alpine-secdb=FILE|DIR|URL; also Wolfi's and Chainguard's security.json
                           */
    CK_KIND_OSV, /* osv=ZIP|JSON|DIR|URL */
    CK_KIND_KEV, /* kev=FILE|URL */
    CK_KIND_COUNT_
};
const char *ck_feed_kind_name(enum ck_feed_kind k);

struct ck_feed_spec {
    enum ck_feed_kind kind;
    const char *source;  /* without the suites */
    const char **suites; /* debian-archive only */
    size_t n_suites;
};
/* "KIND=SOURCE"; usage error that lists the kinds. */
CK_MUST ck_err *ck_feed_spec_parse(ck_view text, struct ck_arena *a, struct ck_feed_spec *ret);

struct ck_feed_specs {
    struct ck_feed_spec *v;
    size_t n;
};
/* feeds.conf: a spec a line, "#" comments. An error names the line. */
CK_MUST ck_err *ck_feed_config_read(const char *path, struct ck_arena *a,
                                    struct ck_feed_specs *ret);

/* The user's own ($XDG_CONFIG_HOME/cocket/feeds.conf), else the system's. Class USAGE where there
 * is neither. */
CK_MUST ck_err *ck_feed_config_default(struct ck_arena *a, struct ck_feed_specs *ret);

struct ck_update_options {
    const char *keyring; /* debian-archive; NULL: Debian's own */
    bool complete;       /* debian-archive: every source's changelog, not only wanted ones */
    bool no_sandbox;
    int64_t now;         /* seconds since the epoch */
    /* For people; both may be NULL. `note`: something went wrong and the work goes on. `progress`:
     * where it stands: "debian-archive bookworm-security: 12 of 40 changelogs". */
    void (*note)(void *ctx, const char *text);
    void (*progress)(void *ctx, const char *text);
    /* How many of the feeds were read, or could not be; all: the database is built. Or NULL. */
    void (*feeds)(void *ctx, size_t done, size_t total);
    void *ctx;
};

/* A feed as read: its facts and its records, each [length 32 bit, advisory]. */
struct ck_segment {
    struct ck_db_feed feed; /* views live in the arena that was given */
    struct ck_buf records;
};
void ck_segment_free(struct ck_segment *s);

/* Reads one feed. */
CK_MUST ck_err *ck_feed_read(const struct ck_feed_spec *spec, const struct ck_update_options *o,
                             struct ck_arena *a, struct ck_segment *ret);

/* `db build`: every feed must be had. */
CK_MUST ck_err *ck_db_build(const struct ck_feed_specs *specs, const struct ck_update_options *o,
                            const char *out);

/* `db update`: a feed that fails, or has lost more than half of its records, keeps its last good
 * state from `state_dir` and says so in the database; *ret_failed counts them. A feed that failed
 * and has no older state is left out and counted too. */
CK_MUST ck_err *ck_db_update(const struct ck_feed_specs *specs, const struct ck_update_options *o,
                             const char *state_dir, const char *out, size_t *ret_failed);

#endif
