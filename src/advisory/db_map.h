/* The mapped file, for the files that read it: db_open.c, db_read.c, db_find.c. */
#ifndef CK_ADVISORY_DB_MAP_H
#define CK_ADVISORY_DB_MAP_H

#include "advisory/db_read.h"

struct ck_db {
    ck_view file;
    bool mapped;
    int64_t built;
    struct ck_db_counts counts;
    struct ck_db_key key;
    ck_view section[CK_DB_SECTION_COUNT_];
    struct ck_arena arena;
    struct ck_db_feed *feeds;
    uint32_t *first; /* ordinal of each feed's first advisory */
    size_t n_feeds;
};

CK_MUST ck_err *ck_db_damaged(const char *what, uint64_t at);

/* A cursor at an offset of a section; bad where that lies outside. */
static inline ck_cur ck_db_at(const struct ck_db *db, enum ck_db_section s, uint64_t at)
{
    ck_cur c = ck_cur_of(db->section[s]);
    ck_cur_seek(&c, at > SIZE_MAX ? SIZE_MAX : (size_t)at);
    return c;
}
/* The string that the reference at the cursor leads to; the cursor is bad where it leads astray. */
ck_view ck_db_string(const struct ck_db *db, enum ck_db_section s, ck_cur *c);
/* A count of elements that take at least one byte each. */
size_t ck_cur_count(ck_cur *c);
/* Entry i of a table of 32-bit numbers; 0 outside. */
static inline uint32_t ck_db_slot_at(ck_view table, size_t i)
{
    ck_cur c = ck_cur_of(table);
    ck_cur_seek(&c, i * 4);
    return ck_cur_le32(&c);
}

/* The package entry at an offset. */
CK_MUST ck_err *ck_db_package_at(const struct ck_db *db, uint64_t at, struct ck_db_package *ret);
/* Reads an advisory, without its ids where `ids` is false, and leaves the cursor (may be NULL) at
 * the packages that it names. */
CK_MUST ck_err *ck_db_read_advisory(const struct ck_db *db, uint32_t ordinal, bool ids,
                                    struct ck_arena *a, struct ck_advisory *ret,
                                    ck_cur *ret_packages);
/* Reads what stands behind the id of an entry of IDS. */
CK_MUST ck_err *ck_db_read_carriers(const struct ck_db *db, ck_cur *c, struct ck_arena *a,
                                    struct ck_db_id *ret);

#endif
