#include "layer/tar_parts.h"

/* Reads one record, "LENGTH KEY=VALUE\n" (POSIX.1-2017 pax, pax Extended Header). */
static ck_err *next_record(ck_view *rest, ck_view *ret_key, ck_view *ret_value)
{
    ck_view body;
    uint64_t n;
    ck_view digits = ck_view_split(*rest, ' ', &body);
    size_t head = digits.n + 1;
    if (digits.n > 20 || !ck_view_u64(digits, &n))
        return ck_err_new(CK_ERR_HOSTILE, "pax record without a length");
    if (n <= head || n > rest->n)
        return ck_err_new(CK_ERR_HOSTILE, "pax record of %llu bytes with %zu left",
                          (unsigned long long)n, rest->n);
    body = ck_view_head(body, n - head);
    if (!ck_view_ends(body, CK_V("\n")))
        return ck_err_new(CK_ERR_HOSTILE, "pax record does not end with a line feed");
    body.n--;
    size_t equals = ck_view_find(body, '=');
    if (equals == 0 || equals == body.n || ck_view_find(body, 0) < equals)
        return ck_err_new(CK_ERR_HOSTILE, "pax record without a keyword");
    *rest = ck_view_from(*rest, n);
    *ret_key = ck_view_head(body, equals);
    *ret_value = ck_view_from(body, equals + 1);
    return NULL;
}

static ck_err *bad_value(ck_view key, ck_view value)
{
    return ck_err_new(CK_ERR_HOSTILE, "pax %.*s: bad value %.*s", CK_VF(key),
                      CK_VF(ck_view_head(value, 64)));
}

static ck_err *take_number(ck_view key, ck_view value, uint64_t *ret)
{
    return ck_view_u64(value, ret) && *ret <= INT64_MAX ? NULL : bad_value(key, value);
}

/* A name: given once, not empty, no NUL, and within PATH. */
static ck_err *take_name(ck_view key, ck_view value, ck_view *ret)
{
    if (ret->p)
        return ck_err_new(CK_ERR_HOSTILE, "pax %.*s is given twice", CK_VF(key));
    if (!value.n || ck_view_find(value, 0) < value.n)
        return bad_value(key, value);
    if (value.n > CK_MAX_PATH)
        return ck_err_limit(CK_LIMIT_PATH, "pax %.*s of %zu bytes", CK_VF(key), value.n);
    *ret = value;
    return NULL;
}

/* Each of these reads one keyword. */
typedef ck_err *take_fn(ck_view key, ck_view value, struct ck_tar_pax *p);

static ck_err *take_path(ck_view key, ck_view value, struct ck_tar_pax *p)
{
    return take_name(key, value, &p->path);
}

static ck_err *take_link(ck_view key, ck_view value, struct ck_tar_pax *p)
{
    return take_name(key, value, &p->link);
}

static ck_err *take_size(ck_view key, ck_view value, struct ck_tar_pax *p)
{
    if (p->has_size)
        return ck_err_new(CK_ERR_HOSTILE, "pax size is given twice");
    p->has_size = true;
    return take_number(key, value, &p->size);
}

static ck_err *take_uid(ck_view key, ck_view value, struct ck_tar_pax *p)
{
    p->has_uid = value.n != 0;
    return value.n ? take_number(key, value, &p->uid) : NULL;
}

static ck_err *take_gid(ck_view key, ck_view value, struct ck_tar_pax *p)
{
    p->has_gid = value.n != 0;
    return value.n ? take_number(key, value, &p->gid) : NULL;
}

/* Seconds, perhaps negative, perhaps with a fraction, which is dropped. */
static ck_err *take_mtime(ck_view key, ck_view value, struct ck_tar_pax *p)
{
    ck_view fraction;
    uint64_t n = 0, f;
    bool negative = ck_view_starts(value, CK_V("-"));
    ck_view whole = ck_view_split(ck_view_from(value, negative), '.', &fraction);

    p->has_mtime = value.n != 0;
    if (!value.n)
        return NULL;
    if (!ck_view_u64(whole, &n) || n > INT64_MAX)
        return bad_value(key, value);
    if (fraction.n && !ck_view_u64(ck_view_head(fraction, 9), &f))
        return bad_value(key, value);
    p->mtime = negative ? -(int64_t)n : (int64_t)n;
    return NULL;
}

static ck_err *take_capability(ck_view key, ck_view value, struct ck_tar_pax *p)
{
    (void)key;
    p->has_capability = value.n != 0;
    return NULL;
}

/* The GNU.sparse keywords (GNU tar manual, Storing Sparse Files). */
static void is_sparse(struct ck_tar_pax *p, enum ck_tar_sparse_kind kind)
{
    if (p->sparse_kind < kind)
        p->sparse_kind = kind;
}

static ck_err *take_sparse_major(ck_view key, ck_view value, struct ck_tar_pax *p)
{
    bool one = ck_view_eq(value, CK_V("1"));
    if (!one && !ck_view_eq(value, CK_V("0")))
        return bad_value(key, value);
    is_sparse(p, one ? CK_TAR_SPARSE_CONTENT : CK_TAR_SPARSE_PAX);
    return NULL;
}

static ck_err *take_sparse_minor(ck_view key, ck_view value, struct ck_tar_pax *p)
{
    (void)p;
    bool known = ck_view_eq(value, CK_V("0")) || ck_view_eq(value, CK_V("1"));
    return known ? NULL : bad_value(key, value);
}

static ck_err *take_sparse_name(ck_view key, ck_view value, struct ck_tar_pax *p)
{
    is_sparse(p, CK_TAR_SPARSE_PAX);
    return take_name(key, value, &p->sparse_name);
}

static ck_err *take_sparse_size(ck_view key, ck_view value, struct ck_tar_pax *p)
{
    is_sparse(p, CK_TAR_SPARSE_PAX);
    return take_number(key, value, &p->sparse.real_size);
}

static ck_err *take_sparse_count(ck_view key, ck_view value, struct ck_tar_pax *p)
{
    uint64_t n = 0;
    CK_TRY(take_number(key, value, &n));
    is_sparse(p, CK_TAR_SPARSE_PAX);
    if (n > CK_MAX_SPARSE_ENTRIES)
        return ck_err_limit(CK_LIMIT_SPARSE_ENTRIES, "a sparse map of %llu extents",
                            (unsigned long long)n);
    return NULL;
}

static ck_err *take_sparse_offset(ck_view key, ck_view value, struct ck_tar_pax *p)
{
    is_sparse(p, CK_TAR_SPARSE_PAX);
    if (p->has_offset)
        return bad_value(key, value);
    p->has_offset = true;
    return take_number(key, value, &p->offset);
}

static ck_err *take_sparse_numbytes(ck_view key, ck_view value, struct ck_tar_pax *p)
{
    uint64_t n = 0;
    if (!p->has_offset)
        return bad_value(key, value);
    p->has_offset = false;
    CK_TRY(take_number(key, value, &n));
    return ck_tar_sparse_add(&p->sparse, p->offset, n);
}

static ck_err *take_sparse_map(ck_view key, ck_view value, struct ck_tar_pax *p)
{
    is_sparse(p, CK_TAR_SPARSE_PAX);
    while (value.n) {
        uint64_t offset = 0, size = 0;
        ck_view number = ck_view_split(value, ',', &value);
        CK_TRY(take_number(key, number, &offset));
        number = ck_view_split(value, ',', &value);
        CK_TRY(take_number(key, number, &size));
        CK_TRY(ck_tar_sparse_add(&p->sparse, offset, size));
    }
    return NULL;
}

#define KEY(s) { (const uint8_t *)(s), sizeof(s) - 1 }
static const struct keyword {
    ck_view key;
    take_fn *take;
    bool per_entry; /* refused in a global header: it would rename or resize every entry */
} keywords[] = {
    { KEY("path"), take_path, true },
    { KEY("linkpath"), take_link, true },
    { KEY("size"), take_size, true },
    { KEY("uid"), take_uid, false },
    { KEY("gid"), take_gid, false },
    { KEY("mtime"), take_mtime, false },
    { KEY("SCHILY.xattr.security.capability"), take_capability, false },
    { KEY("LIBARCHIVE.xattr.security.capability"), take_capability, false },
    { KEY("GNU.sparse.major"), take_sparse_major, true },
    { KEY("GNU.sparse.minor"), take_sparse_minor, true },
    { KEY("GNU.sparse.name"), take_sparse_name, true },
    { KEY("GNU.sparse.size"), take_sparse_size, true },
    { KEY("GNU.sparse.realsize"), take_sparse_size, true },
    { KEY("GNU.sparse.numblocks"), take_sparse_count, true },
    { KEY("GNU.sparse.offset"), take_sparse_offset, true },
    { KEY("GNU.sparse.numbytes"), take_sparse_numbytes, true },
    { KEY("GNU.sparse.map"), take_sparse_map, true },
};

static const struct keyword *find_keyword(ck_view key)
{
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++)
        if (ck_view_eq(keywords[i].key, key))
            return &keywords[i];
    return NULL;
}

ck_err *ck_tar_pax_read(ck_view content, bool global, struct ck_tar_pax *ret)
{
    struct ck_tar_pax p = { .present = true, .sparse.keep = ret->sparse.keep };
    for (uint64_t n = 0; content.n; n++) {
        ck_view key, value;
        if (n == CK_MAX_PAX_RECORDS)
            return ck_err_limit(CK_LIMIT_PAX_RECORDS, "a pax header of more records");
        CK_TRY(next_record(&content, &key, &value));
        const struct keyword *k = find_keyword(key);
        if (!k)
            continue;
        if (global && k->per_entry)
            return ck_err_new(CK_ERR_HOSTILE, "pax %.*s in a global header", CK_VF(key));
        CK_TRY(k->take(key, value, &p));
    }
    if (p.has_offset)
        return ck_err_new(CK_ERR_HOSTILE, "pax GNU.sparse.offset without its numbytes");
    *ret = p;
    return NULL;
}

/* Takes the number of a complete line. */
static ck_err *map_line(struct ck_tar_map *m, struct ck_tar_sparse *s)
{
    if (m->lines == 0) {
        if (m->number > CK_MAX_SPARSE_ENTRIES)
            return ck_err_limit(CK_LIMIT_SPARSE_ENTRIES, "a sparse map of %llu extents",
                                (unsigned long long)m->number);
        m->expect = 1 + 2 * m->number;
    } else if (m->lines % 2) {
        m->offset = m->number;
    } else {
        CK_TRY(ck_tar_sparse_add(s, m->offset, m->number));
    }
    m->lines++;
    m->number = 0;
    m->digits = 0;
    return NULL;
}

ck_err *ck_tar_map_block(struct ck_tar_map *m, ck_view block, struct ck_tar_sparse *s,
                         bool *ret_done)
{
    for (size_t i = 0; i < block.n && (!m->lines || m->lines < m->expect); i++) {
        uint8_t c = block.p[i];
        if (c == '\n' && m->digits) {
            CK_TRY(map_line(m, s));
            continue;
        }
        if (c < '0' || c > '9' || m->digits == 18)
            return ck_err_new(CK_ERR_HOSTILE, "the sparse map holds something that is no number");
        m->number = m->number * 10 + (uint64_t)(c - '0');
        m->digits++;
    }
    *ret_done = m->lines && m->lines == m->expect;
    return NULL;
}
