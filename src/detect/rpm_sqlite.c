/* rpm's rpmdb.sqlite: the table Packages (hnum INTEGER PRIMARY KEY, blob BLOB), read by the SQLite
 * file format alone (sqlite.org/fileformat2.html; sections are named below). Only what is needed to
 * walk one table: table b-trees, records, overflow chains.
 */
#include "detect/detect.h"

#include "base/mem.h"
#include "detect/rpm_header.h"
#include "detect/rpm_pages.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    FILE_HEADER = 100,
    PAGE_INTERIOR = 5,
    PAGE_LEAF = 13,
    ENCODING_UTF8 = 1,
    COLUMNS_MAX = 5, /* sqlite_schema has five, Packages two */
};

struct sqlite;
/* One row of the table that is walked. */
typedef ck_err *(*row_fn)(struct sqlite *db, ck_view payload, const char *place);

struct sqlite {
    struct ck_rpm rpm;
    struct ck_pages pages;
    CK_VEC(uint32_t) stack; /* pages of the b-tree that are still to be read, all of them claimed */
    struct ck_buf payload;  /* a row put together from overflow pages */
    size_t usable;          /* bytes of a page without the reserved ones at its end */
    uint32_t root;          /* of Packages; 0 until it is found */
};

/* Section 1.3, "The Database Header". */
static ck_err *open_file(ck_view file, struct sqlite *db, size_t *ret_page)
{
    ck_cur c = ck_cur_of(file);
    ck_view magic = ck_cur_take(&c, 16);
    size_t page = ck_cur_be16(&c);
    ck_cur_skip(&c, 2); /* versions: 1 journal, 2 write-ahead log; the same for readers */
    size_t reserved = ck_cur_u8(&c);
    ck_cur_seek(&c, 56);
    uint32_t encoding = ck_cur_be32(&c);
    ck_cur_seek(&c, FILE_HEADER);
    if (!ck_cur_ok(&c) || !ck_view_eq(magic, ck_view_of("SQLite format 3", 16)))
        return ck_err_new(CK_ERR_HOSTILE, "the file does not begin as an SQLite database does");
    if (page == 1)
        page = 65536;
    if (page < 512 || (page & (page - 1)) || page - reserved < 480)
        return ck_err_new(CK_ERR_HOSTILE, "pages of %zu bytes, %zu of them reserved", page,
                          reserved);
    if (encoding > ENCODING_UTF8)
        return ck_err_new(CK_ERR_HOSTILE, "text encoding %u, where rpm writes UTF-8", encoding);
    db->usable = page - reserved;
    *ret_page = page;
    return NULL;
}

/* Section 1.6: seven bits a byte, the ninth byte has eight. */
static uint64_t varint(ck_cur *c)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) {
        uint8_t b = ck_cur_u8(c);
        value = value << 7 | (b & 0x7F);
        if (!(b & 0x80))
            return value;
    }
    return value << 8 | ck_cur_u8(c);
}

struct column {
    uint64_t type;
    ck_view bytes;
};

/* Section 2.1, "Record Format": the size that a serial type stands for. */
static uint64_t size_of_type(uint64_t type)
{
    static const uint8_t small[12] = { 0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0 };
    return type < 12 ? small[type] : (type - 12) / 2;
}

static bool is_blob(const struct column *c) { return c->type >= 12 && c->type % 2 == 0; }
static bool is_text(const struct column *c) { return c->type >= 13 && c->type % 2 == 1; }

/* Reads the first `n` columns; those that the record does not have are NULL (type 0). */
static ck_err *read_record(ck_view payload, struct column *ret, size_t n)
{
    ck_cur types = ck_cur_of(payload);
    uint64_t header = varint(&types);
    if (!ck_cur_ok(&types) || header < types.at || header > payload.n)
        return ck_err_new(CK_ERR_HOSTILE, "a record of %zu bytes has a header of %llu", payload.n,
                          (unsigned long long)header);
    types.v = ck_view_head(payload, header);
    ck_cur values = ck_cur_of(payload);
    ck_cur_seek(&values, header);
    for (size_t i = 0; i < n; i++) {
        ret[i] = (struct column){ 0 };
        if (ck_cur_end(&types))
            continue;
        ret[i].type = varint(&types);
        ret[i].bytes = ck_cur_take(&values, size_of_type(ret[i].type));
    }
    if (!ck_cur_ok(&types) || !ck_cur_ok(&values))
        return ck_err_new(CK_ERR_HOSTILE, "the columns of a record leave its %zu bytes", payload.n);
    return NULL;
}

static uint64_t integer(const struct column *c)
{
    uint64_t value = c->type == 9;
    for (size_t i = 0; i < c->bytes.n; i++)
        value = value << 8 | c->bytes.p[i];
    return value;
}

static bool is_packages(ck_view name)
{
    static const char want[] = "packages";
    if (name.n != sizeof want - 1)
        return false;
    for (size_t i = 0; i < name.n; i++)
        if ((name.p[i] | 0x20) != want[i])
            return false;
    return true;
}

/* Section 2.6, "Storage Of The SQL Database Schema": type, name, tbl_name, rootpage, sql. */
static ck_err *schema_row(struct sqlite *db, ck_view payload, const char *place)
{
    struct column c[COLUMNS_MAX];
    ck_err *e = read_record(payload, c, 4);
    if (e)
        return ck_say_err(&db->rpm.say, ck_err_wrap(e, "%s", place));
    if (!is_text(&c[0]) || !ck_view_eq(c[0].bytes, CK_V("table")) || !is_packages(c[1].bytes))
        return NULL;
    uint64_t root = integer(&c[3]);
    if (is_text(&c[3]) || is_blob(&c[3]) || root < 2 || root > UINT32_MAX)
        return ck_say_gap(&db->rpm.say, "%s: the table Packages has no root page", place);
    if (db->root == 0)
        db->root = (uint32_t)root;
    return NULL;
}

static ck_err *package_row(struct sqlite *db, ck_view payload, const char *place)
{
    struct column c[COLUMNS_MAX];
    ck_err *e = read_record(payload, c, 2);
    if (!e && !is_blob(&c[1]))
        e = ck_err_new(CK_ERR_HOSTILE, "the second column is no blob");
    if (e)
        return ck_say_err(&db->rpm.say, ck_err_wrap(e, "%s", place));
    return ck_rpm_say_header(&db->rpm, c[1].bytes, place);
}

/* Section 1.5: how many bytes of a payload stand in the cell itself. */
static size_t local_size(const struct sqlite *db, uint64_t total)
{
    size_t most = db->usable - 35;
    if (total <= most)
        return total;
    size_t least = (db->usable - 12) * 32 / 255 - 23;
    size_t fit = least + (total - least) % (db->usable - 4);
    return fit <= most ? fit : least;
}

/* Section 1.5.2, "Cell Payload Overflow Pages". */
static ck_err *read_overflow(struct sqlite *db, uint32_t number, uint64_t total)
{
    while (number != 0 && db->payload.n < total) {
        CK_TRY(ck_pages_claim(&db->pages, number));
        ck_view page = ck_view_head(ck_pages_get(&db->pages, number), db->usable);
        ck_cur c = ck_cur_of(page);
        number = ck_cur_be32(&c);
        ck_view part = ck_view_head(ck_view_from(page, 4), total - db->payload.n);
        CK_TRY(ck_buf_add(&db->payload, part));
    }
    if (db->payload.n != total)
        return ck_err_new(CK_ERR_HOSTILE, "a payload of %llu bytes ends after %zu",
                          (unsigned long long)total, db->payload.n);
    return NULL;
}

static ck_err *read_cell(struct sqlite *db, ck_view page, size_t at, ck_view *ret)
{
    ck_cur c = ck_cur_of(page);
    ck_cur_seek(&c, at);
    uint64_t total = varint(&c);
    (void)varint(&c); /* the row's number */
    size_t local = local_size(db, total);
    ck_view part = ck_cur_take(&c, local);
    uint32_t next = local < total ? ck_cur_be32(&c) : 0;
    if (!ck_cur_ok(&c))
        return ck_err_new(CK_ERR_HOSTILE, "a cell at byte %zu leaves its page", at);
    *ret = part;
    if (local == total)
        return NULL;
    if (total > CK_MAX_RPM_HEADER)
        return ck_err_limit(CK_LIMIT_RPM_HEADER, "a row of %llu bytes", (unsigned long long)total);
    ck_buf_clear(&db->payload);
    CK_TRY(ck_buf_add(&db->payload, part));
    CK_TRY(read_overflow(db, next, total));
    *ret = ck_buf_view(&db->payload);
    return NULL;
}

static ck_err *read_leaf(struct sqlite *db, ck_view page, uint32_t number, ck_cur pointers,
                         size_t n, row_fn row)
{
    for (size_t i = 0; i < n; i++) {
        char place[64];
        ck_view payload;
        snprintf(place, sizeof place, "page %u cell %zu", number, i);
        ck_err *e = read_cell(db, page, ck_cur_be16(&pointers), &payload);
        if (e)
            CK_TRY(ck_say_err(&db->rpm.say, ck_err_wrap(e, "%s", place)));
        else
            CK_TRY(row(db, payload, place));
    }
    return NULL;
}

static ck_err *push(struct sqlite *db, uint32_t number)
{
    ck_err *e = ck_pages_claim(&db->pages, number);
    if (e)
        return ck_say_err(&db->rpm.say, ck_err_wrap(e, "b-tree"));
    *ck_push(&db->stack) = number;
    return NULL;
}

/* Pushes the children so that the first one is read next. */
static ck_err *read_interior(struct sqlite *db, ck_view page, uint32_t right, ck_cur pointers,
                             size_t n)
{
    CK_TRY(push(db, right));
    size_t first = pointers.at;
    for (size_t i = n; i-- > 0;) {
        ck_cur_seek(&pointers, first + 2 * i);
        ck_cur cell = ck_cur_of(page);
        ck_cur_seek(&cell, ck_cur_be16(&pointers));
        CK_TRY(push(db, ck_cur_be32(&cell)));
    }
    return NULL;
}

/* Section 1.5, "B-tree Pages". */
static ck_err *read_page(struct sqlite *db, uint32_t number, row_fn row)
{
    ck_view page = ck_view_head(ck_pages_get(&db->pages, number), db->usable);
    ck_cur c = ck_cur_of(page);
    ck_cur_seek(&c, number == 1 ? FILE_HEADER : 0);
    uint8_t type = ck_cur_u8(&c);
    ck_cur_skip(&c, 2);
    size_t cells = ck_cur_be16(&c);
    ck_cur_skip(&c, 3);
    uint32_t right = type == PAGE_INTERIOR ? ck_cur_be32(&c) : 0;
    if (type != PAGE_INTERIOR && type != PAGE_LEAF)
        return ck_say_gap(&db->rpm.say, "page %u is of type %u, not of a table", number, type);
    if (ck_cur_left(&c) < 2 * cells)
        return ck_say_gap(&db->rpm.say, "page %u claims %zu cells", number, cells);
    if (type == PAGE_INTERIOR)
        return read_interior(db, page, right, c, cells);
    return read_leaf(db, page, number, c, cells, row);
}

static ck_err *walk(struct sqlite *db, uint32_t root, row_fn row)
{
    CK_TRY(push(db, root));
    while (db->stack.n)
        CK_TRY(read_page(db, db->stack.v[--db->stack.n], row));
    return NULL;
}

static ck_err *say_all(struct sqlite *db, ck_view file)
{
    size_t page = 0;
    ck_err *e = open_file(file, db, &page);
    if (e)
        return ck_say_err(&db->rpm.say, e);
    db->pages = ck_pages_new(file, page, 1);
    CK_TRY(walk(db, 1, schema_row));
    if (db->root)
        CK_TRY(walk(db, db->root, package_row));
    else
        CK_TRY(ck_say_gap(&db->rpm.say, "there is no table Packages"));
    return ck_say_end(&db->rpm.say);
}

ck_err *ck_detect_rpm_sqlite(ck_view content, struct ck_buf *out)
{
    struct sqlite db = {
        .rpm = ck_rpm_new("rpm database (SQLite)", content, out),
        .payload = ck_buf_new(CK_LIMIT_RPM_HEADER),
    };
    ck_err *e = say_all(&db, content);
    ck_pages_free(&db.pages);
    ck_buf_free(&db.payload);
    ck_rpm_free(&db.rpm);
    free(db.stack.v);
    return e;
}
