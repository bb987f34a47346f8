/* The advisory database: one immutable file, memory-mapped, without locks (DESIGN, section 5).
 * Layout and the reasons for it: db_layout.h. */
#ifndef CK_ADVISORY_DB_H
#define CK_ADVISORY_DB_H

#include "advisory/record.h"

struct ck_db_feed {
    ck_view kind;   /* "debian-tracker" */
    ck_view source; /* path or URL as configured, without credentials */
    ck_view detail; /* for debian-archive the suites, comma separated; else empty */
    int64_t time;   /* the feed's own time, else when it was read */
    ck_view digest; /* "sha256:..." of what was read */
    uint64_t records;
    ck_view failure; /* empty, or why the last update kept the older state */
};

/* Building. Records may come in any order and any number of feeds; equal strings are stored once.
 * The result depends only on feeds, records and `built`. */
struct ck_db_writer;
struct ck_db_writer *ck_db_writer_new(int64_t built);
void ck_db_writer_free(struct ck_db_writer *w);
/* Following records belong to this feed. Copies. */
void ck_db_writer_feed(struct ck_db_writer *w, const struct ck_db_feed *feed);
CK_MUST ck_err *ck_db_writer_add(struct ck_db_writer *w, const struct ck_advisory *adv);
/* Writes path.tmp, fsync, rename; mode 0644. */
CK_MUST ck_err *ck_db_writer_finish(struct ck_db_writer *w, const char *path);

struct ck_db;
/* Opens: reads the header and the feeds only, however large the file is. Every other part is
 * checked when it is read; damage is an error of class CK_ERR_OURS. */
CK_MUST ck_err *ck_db_open(const char *path, struct ck_db **ret);
/* The same over bytes in memory, which must outlive it. */
CK_MUST ck_err *ck_db_open_view(ck_view bytes, struct ck_db **ret);
void ck_db_close(struct ck_db *db);
int64_t ck_db_built(const struct ck_db *db);
size_t ck_db_feeds(const struct ck_db *db);
CK_MUST ck_err *ck_db_feed(const struct ck_db *db, size_t i, struct ck_db_feed *ret);
/* Counts of advisories, affected entries, package names; for `db status`. */
struct ck_db_counts { uint64_t advisories, statements, packages, bytes; };
struct ck_db_counts ck_db_counts(const struct ck_db *db);
/* Verifies the checksum of the whole file and every offset in it; `db import`, `db status`. */
CK_MUST ck_err *ck_db_verify(const struct ck_db *db);

/* Whether any feed says anything about this ecosystem ("Debian:12"). */
bool ck_db_covers(const struct ck_db *db, ck_view ecosystem);
/* Whether the id is in a known-exploited list. */
bool ck_db_kev(const struct ck_db *db, ck_view id);

/* One advisory's word about one package. Views live as long as the database and `a`, arrays in `a`.
 * A record comes back as it went in, but that "0" in `introduced` is empty, versions are in another
 * order, and a summary or note may have been clipped. */
struct ck_statement {
    size_t feed;
    struct ck_advisory advisory; /* without its affected array */
    struct ck_affected affected;
};
struct ck_statements {
    struct ck_statement *v;
    size_t n;
};
/* All statements about a package name of an ecosystem, in the order of the file. */
CK_MUST ck_err *ck_db_find(const struct ck_db *db, ck_view ecosystem, enum ck_name_kind kind,
                           ck_view name, struct ck_arena *a, struct ck_statements *ret);
/* All advisories that carry this id, as id, alias or among their fixes; for --explain. */
CK_MUST ck_err *ck_db_find_id(const struct ck_db *db, ck_view id, struct ck_arena *a,
                              struct ck_statements *ret);

#endif
