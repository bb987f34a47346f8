/* Layout of the advisory database, shared by db_write.c and db_read.c.
 *
 * header     fixed size, little endian: magic, layout version, SHA-256 of all that follows, time
 *            of building, length, counts, hash key, table of sections
 * STRINGS    strings that are referred to, most used first, so that their references are short
 * TEXTS      the same for what only a person reads (summaries, addresses, notes)
 * FEEDS      struct ck_db_feed, and the ordinal of the feed's first advisory
 * ECOSYSTEMS name, and how many statements each feed makes about it
 * PACKAGES   one entry per (ecosystem, kind, name): its statements, then a table of the versions
 *            that they list one by one
 * PKG_INDEX  hash table of offsets into PACKAGES
 * IDS        one entry per vulnerability or advisory id: the id, known-exploited mark, ordinals of
 *            the advisories that carry it
 * ID_INDEX   hash table of offsets into IDS
 * ADVISORIES what an advisory says of itself, and the offsets of the packages that it names
 * ADV_INDEX  offset of every advisory by ordinal
 *
 * A reference is the offset of the thing in its section, as a varint (LEB128). Ordinals of
 * advisories go by feed, id and content, so that an ordinal tells the feed.
 *
 * package    ref ecosystem, u8 kind, str name, n statements, length of the statements, statements,
 *            n versions, versions (each: bytes shared with the one before, rest)
 * statement  advisory (difference to the one before), u8 head [u8 extra [module] [note]], ranges,
 *            [runs of the version table]
 * id         short form: CVE-2024-1234 takes 3 bytes, a GHSA id 8, others their length and 1
 *
 * Why a layout of our own: bench/db-formats builds the same 21,282 OSV records (AlmaLinux, Bitnami,
 * Go, PyPI, crates.io: 68.6 MB of JSON, an eighth is 8.58 MB) in three formats and looks up 1,000
 * names of AlmaLinux:8 with their 6,700 statements and advisories, opening included, on 2 busy
 * cores:
 *
 *     format                                         bytes   build ms   lookup ms
 *     this one                                   3,830,428        180         2.4
 *     SQLite, immutable, WITHOUT ROWID, mmap     7,876,608        783         6.6
 *     LMDB, records packed, strings not shared  13,836,288        199        11.5
 *
 * SQLite would have met the sum, but not the bar for every feed by itself (Go takes 1.27 MB, an
 * eighth is 0.99; PyPI 1.01, an eighth is 0.63), and knows nothing of the short ids, the shared
 * beginnings of versions and the runs that make the difference (PyPI lists 140,847 versions; here
 * they take 0.1 MB). Both alternatives bring a parser of a writable format into a process that only
 * reads. 1,000 packages match in 2.4 ms where every tenth lacks an erratum, in 5.8 ms where all do
 * (1,647 findings).
 *
 * Everything is read through cursors; an offset or count that leads outside gives an error of class
 * CK_ERR_OURS. Opening reads header and feeds, nothing else.
 */
#ifndef CK_ADVISORY_DB_LAYOUT_H
#define CK_ADVISORY_DB_LAYOUT_H

#include "advisory/db.h"

#define CK_DB_MAGIC "cocketdb"

enum {
    CK_DB_LAYOUT = 1,
    CK_DB_SHA256_AT = 16, /* the digest covers what is behind it */
    CK_DB_DIGESTED_FROM = 48,
    CK_DB_SUMMARY_MAX = 100, /* longer ones are clipped */
    CK_DB_NOTE_MAX = 200,
};

enum ck_db_section {
    CK_DB_STRINGS,
    CK_DB_TEXTS,
    CK_DB_FEEDS,
    CK_DB_ECOSYSTEMS,
    CK_DB_PACKAGES,
    CK_DB_PKG_INDEX,
    CK_DB_IDS,
    CK_DB_ID_INDEX,
    CK_DB_ADVISORIES,
    CK_DB_ADV_INDEX,
    CK_DB_SECTION_COUNT_
};

/* magic, layout, sections, digest; built, length, 4 counts, key, table of sections */
enum { CK_DB_HEADER = CK_DB_DIGESTED_FROM + 8 * 8 + CK_DB_SECTION_COUNT_ * 16 };

/* The head of a statement: state in bits 0-2, shape of the ranges in bits 3-5. */
enum {
    CK_DB_HEAD_SHAPE = 3,
    CK_DB_HEAD_VERSIONS = 1 << 6,
    CK_DB_HEAD_EXTRA = 1 << 7,
};
/* Shapes: one range is by far the commonest. */
enum ck_db_shape {
    CK_DB_SHAPE_NONE,
    CK_DB_SHAPE_FIXED,       /* [, upper) */
    CK_DB_SHAPE_OPEN,        /* [, */
    CK_DB_SHAPE_LAST,        /* [, upper] */
    CK_DB_SHAPE_FROM_FIXED,  /* [introduced, upper) */
    CK_DB_SHAPE_FROM_OPEN,
    CK_DB_SHAPE_FROM_LAST,
    CK_DB_SHAPE_LIST, /* n, then for each range its shape and strings */
};
/* Extra: severity in bits 0-2. */
enum { CK_DB_EXTRA_UNIMPORTANT = 1 << 3, CK_DB_EXTRA_MODULE = 1 << 4, CK_DB_EXTRA_NOTE = 1 << 5 };

/* The two bytes of flags of an advisory: severity in bits 0-2. */
enum {
    CK_DB_ADV_WITHDRAWN = 1 << 3,
    CK_DB_ADV_ALIASES = 1 << 4,
    CK_DB_ADV_FIXES = 1 << 5,
    CK_DB_ADV_CVSS = 1 << 6,
    CK_DB_ADV_WORD = 1 << 7, /* severity_text */
    CK_DB_ADV_URL = 1 << 8,
    CK_DB_ADV_SUMMARY = 1 << 9,
    CK_DB_ADV_DATES = 1 << 10,
    CK_DB_ADV_URL_ID = 1 << 11, /* the id stands behind the address */
};

/* LEB128. Reading: at most 64 bits, else the cursor goes bad. */
void ck_put_varint(struct ck_buf *b, uint64_t x);
uint64_t ck_cur_long_varint(ck_cur *c);
static inline uint64_t ck_cur_varint(ck_cur *c) /* mostly a byte */
{
    if (c->bad || c->at >= c->v.n || c->v.p[c->at] > 0x7f)
        return ck_cur_long_varint(c);
    return c->v.p[c->at++];
}
/* Signed: zigzag. */
void ck_put_svarint(struct ck_buf *b, int64_t x);
int64_t ck_cur_svarint(ck_cur *c);
/* A string with a varint length. */
void ck_put_vstr(struct ck_buf *b, ck_view v);
ck_view ck_cur_vstr(ck_cur *c);

/* An id in its short form. Reading: the text lives in `a`, or in the cursor's view. */
void ck_put_id(struct ck_buf *b, ck_view id);
ck_view ck_cur_id(ck_cur *c, struct ck_arena *a);

/* SipHash-1-3: who writes a feed cannot aim names at one slot. */
struct ck_db_key {
    uint64_t k0, k1;
};
uint64_t ck_db_hash(const struct ck_db_key *key, ck_view v);
/* Hash of a package's key. */
uint64_t ck_db_package_hash(const struct ck_db_key *key, ck_view ecosystem, enum ck_name_kind kind,
                            ck_view name);
/* The slot in which a search begins. */
static inline size_t ck_db_slot(uint64_t hash, size_t slots)
{
    return (size_t)(((hash >> 32) * slots) >> 32);
}

#endif
