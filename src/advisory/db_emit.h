/* What the writer of the advisory database keeps; shared by db_write.c and db_emit.c only. Numbers
 * are those of the pools; 0 is the empty string. */
#ifndef CK_ADVISORY_DB_EMIT_H
#define CK_ADVISORY_DB_EMIT_H

#include "advisory/db_pool.h"

struct ck_w_advisory {
    uint32_t feed, id, word, url, summary;
    uint32_t *aliases, *fixes, *cvss;
    uint32_t n_aliases, n_fixes, n_cvss;
    uint32_t ordinal; /* in the file */
    uint8_t severity;
    bool withdrawn;
    bool url_id; /* the id was cut from the end of the address */
    bool duplicate; /* of the one before it in the order */
    int64_t published, modified;
    uint64_t hash;
};

struct ck_w_range {
    uint32_t introduced, upper;
    uint8_t end;
};

struct ck_w_statement {
    uint32_t advisory; /* index while adding, ordinal when sorted */
    uint32_t order;    /* of arrival; decides only within one advisory */
    uint32_t ecosystem, name, module, note;
    uint8_t kind, state, severity;
    bool unimportant;
    uint32_t n_ranges, n_versions;
    struct ck_w_range *ranges;
    uint32_t *versions;
};

struct ck_db_writer {
    int64_t built;
    struct ck_arena arena;
    struct ck_buf scratch;
    struct ck_pool strings, texts, ids;
    struct {
        struct ck_db_feed *v;
        size_t n, cap;
    } feeds;
    struct {
        struct ck_w_advisory *v;
        size_t n, cap;
    } advisories;
    struct {
        struct ck_w_statement *v;
        size_t n, cap;
    } statements;
    struct {
        uint32_t *v;
        size_t n, cap;
    } kev;
};

#endif
