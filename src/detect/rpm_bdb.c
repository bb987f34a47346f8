/* rpm's Packages file as a Berkeley DB hash (rpm up to 4.15; Berkeley DB's dbinc/db_page.h):
 * buckets of pages, keys of four bytes (the header's number, 0 for a counter), headers mostly in
 * chains of overflow pages. Written in the byte order of the machine that made it.
 */
#include "detect/detect.h"

#include "detect/rpm_header.h"
#include "detect/rpm_pages.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    HASH_MAGIC = 0x061561,
    BTREE_MAGIC = 0x053162,
    META_TYPE = 8,
    META_CHECKSUM = 1,
    LAST_PGNO = 32, /* offset in the meta page */
    PAGE_HEADER = 26,
    PAGE_NONE = 0, /* allocated, never written: an empty bucket */
    PAGE_HASH_UNSORTED = 2,
    PAGE_OVERFLOW = 7,
    PAGE_HASH = 13,
    ITEM_INLINE = 1,
    ITEM_OFFPAGE = 3,
    SPARES = 32,
};

struct bdb {
    struct ck_rpm rpm;
    struct ck_pages pages;
    struct ck_buf blob; /* a header put together from overflow pages */
    bool big;
    uint32_t page_size, max_bucket;
    uint32_t spares[SPARES]; /* first page of each doubling of the buckets, less its first bucket */
};

static uint32_t u32(const struct bdb *db, ck_view v, size_t at)
{
    ck_cur c = ck_cur_of(v);
    ck_cur_seek(&c, at);
    return db->big ? ck_cur_be32(&c) : ck_cur_le32(&c);
}

static uint16_t u16(const struct bdb *db, ck_view v, size_t at)
{
    ck_cur c = ck_cur_of(v);
    ck_cur_seek(&c, at);
    return db->big ? ck_cur_be16(&c) : ck_cur_le16(&c);
}

static uint8_t u8(ck_view v, size_t at)
{
    ck_cur c = ck_cur_of(v);
    ck_cur_seek(&c, at);
    return ck_cur_u8(&c);
}

static ck_err *read_magic(ck_view file, struct bdb *db)
{
    if (file.n < 512)
        return ck_err_new(CK_ERR_HOSTILE, "a file of %zu bytes has no meta page", file.n);
    db->big = u32(db, file, 12) != HASH_MAGIC;
    if (u32(db, file, 12) == HASH_MAGIC)
        return NULL;
    bool btree = u32(db, file, 12) == BTREE_MAGIC;
    db->big = false;
    btree = btree || u32(db, file, 12) == BTREE_MAGIC;
    return ck_err_new(CK_ERR_HOSTILE, btree ? "a Berkeley DB b-tree, where rpm writes a hash"
                                            : "no Berkeley DB hash: the magic number is another");
}

static ck_err *read_meta(ck_view file, struct bdb *db)
{
    CK_TRY(read_magic(file, db));
    uint32_t version = u32(db, file, 16), size = u32(db, file, 20);
    if (version < 7 || version > 10)
        return ck_err_new(CK_ERR_HOSTILE, "Berkeley DB hash version %u (7 to 10 are known)",
                          version);
    if (size < 512 || size > 65536 || (size & (size - 1)))
        return ck_err_new(CK_ERR_HOSTILE, "a page size of %u bytes", size);
    if (u8(file, 24) != 0)
        return ck_err_new(CK_ERR_HOSTILE, "the database is encrypted");
    if (u8(file, 25) != META_TYPE || (u8(file, 26) & META_CHECKSUM))
        return ck_err_new(CK_ERR_HOSTILE, "a meta page of type %u, flags %u", u8(file, 25),
                          u8(file, 26));
    db->page_size = size;
    db->max_bucket = u32(db, file, 72);
    for (size_t i = 0; i < SPARES; i++)
        db->spares[i] = u32(db, file, 96 + 4 * i);
    if (db->max_bucket >= file.n / size)
        return ck_err_new(CK_ERR_HOSTILE, "%u buckets in a file of %zu pages", db->max_bucket,
                          file.n / size);
    return NULL;
}

/* Buckets are added in doublings; each doubling is one run of pages. */
static uint64_t bucket_page(const struct bdb *db, uint32_t bucket)
{
    size_t doubling = 0;
    while (doubling < SPARES - 1 && (1ull << doubling) < bucket + 1ull)
        doubling++;
    return (uint64_t)bucket + db->spares[doubling];
}

static ck_err *take_page(struct bdb *db, uint64_t number, ck_view *ret)
{
    CK_TRY(ck_pages_claim(&db->pages, number));
    *ret = ck_pages_get(&db->pages, number);
    return NULL;
}

static ck_err *add_overflow(struct bdb *db, ck_view page, uint64_t number)
{
    uint16_t length = u16(db, page, 22);
    if (u8(page, 25) != PAGE_OVERFLOW)
        return ck_err_new(CK_ERR_HOSTILE, "page %llu of a chain is of type %u, not overflow",
                          (unsigned long long)number, u8(page, 25));
    if (PAGE_HEADER + (size_t)length > page.n)
        return ck_err_new(CK_ERR_HOSTILE, "overflow page %llu claims %u bytes",
                          (unsigned long long)number, length);
    return ck_buf_add(&db->blob, ck_view_head(ck_view_from(page, PAGE_HEADER), length));
}

static ck_err *read_chain(struct bdb *db, uint32_t number, uint32_t total)
{
    ck_buf_clear(&db->blob);
    if (total > CK_MAX_RPM_HEADER)
        return ck_err_limit(CK_LIMIT_RPM_HEADER, "an item of %u bytes", total);
    while (number != 0 && db->blob.n < total) {
        ck_view page = { 0 };
        CK_TRY(take_page(db, number, &page));
        CK_TRY(add_overflow(db, page, number));
        number = u32(db, page, 16);
    }
    if (db->blob.n != total)
        return ck_err_new(CK_ERR_HOSTILE, "a chain of %zu bytes, where %u were announced",
                          db->blob.n, total);
    return NULL;
}

/* Items grow from the end of the page downwards: each ends where the one before it begins. */
static ck_err *item(const struct bdb *db, ck_view page, size_t i, size_t n, ck_view *ret)
{
    size_t begin = u16(db, page, PAGE_HEADER + 2 * i);
    size_t end = i == 0 ? page.n : u16(db, page, PAGE_HEADER + 2 * (i - 1));
    if (begin < PAGE_HEADER + 2 * n || begin >= end || end > page.n)
        return ck_err_new(CK_ERR_HOSTILE, "item %zu lies from byte %zu to %zu", i, begin, end);
    *ret = ck_view_from(ck_view_head(page, end), begin);
    return NULL;
}

/* The header of one pair; empty for the counter. */
static ck_err *pair(struct bdb *db, ck_view page, size_t i, size_t n, ck_view *ret)
{
    ck_view key = { 0 }, data = { 0 };
    CK_TRY(item(db, page, i, n, &key));
    CK_TRY(item(db, page, i + 1, n, &data));
    *ret = CK_V("");
    if (key.n != 5 || u8(key, 0) != ITEM_INLINE)
        return ck_err_new(CK_ERR_HOSTILE, "item %zu is no key of four bytes", i);
    if (u32(db, key, 1) == 0)
        return NULL;
    if (u8(data, 0) == ITEM_INLINE) {
        *ret = ck_view_from(data, 1);
        return NULL;
    }
    if (u8(data, 0) != ITEM_OFFPAGE || data.n < 12)
        return ck_err_new(CK_ERR_HOSTILE, "item %zu is of type %u", i + 1, u8(data, 0));
    CK_TRY(read_chain(db, u32(db, data, 4), u32(db, data, 8)));
    *ret = ck_buf_view(&db->blob);
    return NULL;
}

static ck_err *say_page(struct bdb *db, ck_view page, uint64_t number)
{
    size_t n = u16(db, page, 20);
    if (PAGE_HEADER + 2 * n > page.n || n % 2)
        return ck_say_gap(&db->rpm.say, "page %llu: %zu items", (unsigned long long)number, n);
    for (size_t i = 0; i < n && !ck_say_enough(&db->rpm.say); i += 2) {
        char place[64];
        ck_view blob = { 0 };
        snprintf(place, sizeof place, "page %llu item %zu", (unsigned long long)number, i);
        ck_err *e = pair(db, page, i, n, &blob);
        if (e)
            CK_TRY(ck_say_err(&db->rpm.say, ck_err_wrap(e, "%s", place)));
        else if (blob.n)
            CK_TRY(ck_rpm_say_header(&db->rpm, blob, place));
    }
    return NULL;
}

static ck_err *say_bucket(struct bdb *db, uint32_t bucket)
{
    uint64_t number = bucket_page(db, bucket);
    do {
        ck_view page = { 0 };
        ck_err *e = take_page(db, number, &page);
        if (e)
            return ck_say_err(&db->rpm.say, ck_err_wrap(e, "bucket %u", bucket));
        uint8_t type = u8(page, 25);
        if (type == PAGE_NONE)
            return NULL;
        if (type != PAGE_HASH && type != PAGE_HASH_UNSORTED)
            return ck_say_gap(&db->rpm.say, "bucket %u: page %llu is of type %u, not hash", bucket,
                              (unsigned long long)number, type);
        CK_TRY(say_page(db, page, number));
        number = u32(db, page, 16);
    } while (number != 0);
    return NULL;
}

static ck_err *say_all(struct bdb *db, ck_view file)
{
    ck_err *e = read_meta(file, db);
    if (e)
        return ck_say_err(&db->rpm.say, e);
    db->pages = ck_pages_new(file, db->page_size, 0);
    ck_err_free(ck_pages_claim(&db->pages, 0)); /* the meta page */
    uint64_t last = u32(db, file, LAST_PGNO), pages = file.n / db->page_size;
    if (last >= pages)
        CK_TRY(ck_say_gap(&db->rpm.say, "the last page is %llu in a file of %llu pages: it was cut",
                          (unsigned long long)last, (unsigned long long)pages));
    for (uint64_t b = 0; b <= db->max_bucket && !ck_say_enough(&db->rpm.say); b++)
        CK_TRY(say_bucket(db, (uint32_t)b));
    return ck_say_end(&db->rpm.say, ck_say_enough(&db->rpm.say));
}

ck_err *ck_detect_rpm_bdb(ck_view content, struct ck_buf *out)
{
    struct bdb db = {
        .rpm = ck_rpm_new("rpm database (Berkeley DB)", content, out),
        .blob = ck_buf_new(CK_LIMIT_RPM_HEADER),
    };
    ck_err *e = say_all(&db, content);
    ck_pages_free(&db.pages);
    ck_buf_free(&db.blob);
    ck_rpm_free(&db.rpm);
    return e;
}
