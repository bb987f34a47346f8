/* Reading the advisory database piece by piece, for matching: a statement is read without its
 * advisory, since most statements are decided by their version alone. db.h is for everybody else.
 */
#ifndef CK_ADVISORY_DB_READ_H
#define CK_ADVISORY_DB_READ_H

#include "advisory/db_layout.h"

/* A package entry while its statements are read. */
struct ck_db_package {
    const struct ck_db *db;
    ck_view ecosystem, name;
    enum ck_name_kind kind;
    uint64_t left;      /* statements not read yet */
    uint32_t advisory;  /* of the last one */
    ck_cur statements;
    ck_cur table_bytes; /* the version table, decoded when it is first needed */
    ck_view *table;
    size_t n_table;
};

/* False where the database says nothing about it. */
CK_MUST ck_err *ck_db_package(const struct ck_db *db, ck_view ecosystem, enum ck_name_kind kind,
                              ck_view name, struct ck_db_package *ret, bool *ret_found);

/* A statement; `affected` is complete but for its versions. */
struct ck_db_entry {
    uint32_t advisory; /* ordinal */
    struct ck_affected affected;
    ck_cur runs; /* of the versions */
};
/* The next statement; *ret_end after the last one. */
CK_MUST ck_err *ck_db_next(struct ck_db_package *p, struct ck_arena *a, struct ck_db_entry *ret,
                           bool *ret_end);
/* Whether the statement lists this version. */
CK_MUST ck_err *ck_db_lists(struct ck_db_package *p, const struct ck_db_entry *e, ck_view version,
                            struct ck_arena *a, bool *ret);
/* Fills in the versions. */
CK_MUST ck_err *ck_db_versions(struct ck_db_package *p, struct ck_db_entry *e, struct ck_arena *a);

CK_MUST ck_err *ck_db_advisory(const struct ck_db *db, uint32_t ordinal, struct ck_arena *a,
                               struct ck_advisory *ret);
/* The same without ids: what it says of severity. */
CK_MUST ck_err *ck_db_advisory_rating(const struct ck_db *db, uint32_t ordinal, struct ck_arena *a,
                                      struct ck_advisory *ret);
/* The feed of an advisory. */
size_t ck_db_advisory_feed(const struct ck_db *db, uint32_t ordinal);
/* How many statements the feed makes about the ecosystem. */
uint64_t ck_db_feed_covers(const struct ck_db *db, size_t feed, ck_view ecosystem);

/* All statements of one advisory, those about one package one after the other. */
CK_MUST ck_err *ck_db_find_ordinal(const struct ck_db *db, uint32_t ordinal, struct ck_arena *a,
                                   struct ck_statements *ret);

/* The advisories that carry an id. */
struct ck_db_id {
    bool known, kev;
    uint32_t *advisories;
    size_t n;
};
CK_MUST ck_err *ck_db_id(const struct ck_db *db, ck_view id, struct ck_arena *a,
                         struct ck_db_id *ret);

/* --- all of it (db_each.c); in no order that means anything ----------------------------------- */

/* Every package name; `p` and what is in `a` until the call returns. */
CK_MUST ck_err *ck_db_each_package(const struct ck_db *db,
                                   ck_err *(*each)(void *ctx, struct ck_db_package *p,
                                                   struct ck_arena *a),
                                   void *ctx);
/* Every id of a vulnerability or advisory. */
CK_MUST ck_err *ck_db_each_id(const struct ck_db *db,
                              ck_err *(*each)(void *ctx, ck_view id, const struct ck_db_id *what),
                              void *ctx);
/* Every ecosystem, with the number of statements that each feed makes about it. */
CK_MUST ck_err *ck_db_each_ecosystem(const struct ck_db *db,
                                     ck_err *(*each)(void *ctx, ck_view name,
                                                     const uint64_t *counts),
                                     void *ctx);
/* The bytes of a statement's runs, right after ck_db_next, and of the package's version table: what
 * both say together depends on the versions only. */
ck_view ck_db_runs(const struct ck_db_package *p, const struct ck_db_entry *e);
CK_MUST ck_err *ck_db_table(const struct ck_db_package *p, ck_view *ret);

#endif
