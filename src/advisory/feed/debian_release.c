#include "advisory/feed/debian_text.h"
#include "advisory/feed/feed.h"
#include "advisory/feed/table.h"

#include <stdlib.h>

static ck_err *read_file(ck_view line, struct ck_release_file *ret)
{
    ck_view rest = ck_view_trim(line), hash = ck_view_split(rest, ' ', &rest);
    ck_view size = ck_view_split(ck_view_trim(rest), ' ', &rest);
    ret->path = ck_view_trim(rest);
    if (!ck_parse_sha256(hash, ret->sha256) || !ck_view_u64(size, &ret->size))
        return ck_err_new(CK_ERR_HOSTILE, "SHA256: not \"digest size path\"");
    if (!ck_archive_path_ok(ret->path))
        return ck_err_new(CK_ERR_HOSTILE, "SHA256: a path that leaves the archive or is none");
    return NULL;
}

static int by_path(const void *a, const void *b)
{
    const struct ck_release_file *x = a, *y = b;
    return ck_view_cmp(x->path, y->path);
}

static ck_err *read_files(ck_view value, struct ck_arena *a, struct ck_release *r)
{
    size_t lines = 0;
    for (ck_cur c = ck_cur_of(value); !ck_cur_end(&c); lines++)
        (void)ck_cur_line(&c);
    if (lines > CK_MAX_RELEASE_FILES)
        return ck_err_limit(CK_LIMIT_RELEASE_FILES, "SHA256: too many files");
    r->files = ck_arena_alloc(a, lines, sizeof *r->files);
    for (ck_cur c = ck_cur_of(value); !ck_cur_end(&c);) {
        ck_view line = ck_cur_line(&c);
        if (ck_view_trim(line).n)
            CK_TRY(read_file(line, &r->files[r->n_files++]));
    }
    if (r->n_files)
        qsort(r->files, r->n_files, sizeof *r->files, by_path);
    for (size_t i = 1; i < r->n_files; i++)
        if (ck_view_eq(r->files[i - 1].path, r->files[i].path))
            return ck_err_new(CK_ERR_HOSTILE, "SHA256: a path stands twice");
    return NULL;
}

static ck_err *read_date(ck_view value, int64_t *ret)
{
    if (!ck_parse_rfc2822(value, ret))
        return ck_err_new(CK_ERR_HOSTILE, "no date (RFC 2822)");
    return NULL;
}

struct reader {
    struct ck_release r;
    unsigned seen; /* a bit per field of the table */
    struct ck_arena *a;
};

static ck_err *take_field(struct reader *rd, const struct ck_deb822_field *f)
{
    static const ck_view names[] = {
        CK_TV("Suite"), CK_TV("Codename"),    CK_TV("Version"),
        CK_TV("Date"),  CK_TV("Valid-Until"), CK_TV("SHA256"),
    };
    size_t i = 0, n = sizeof names / sizeof names[0];
    while (i < n && !ck_deb822_is(f, names[i]))
        i++;
    if (i == n)
        return NULL;
    if (rd->seen & 1u << i)
        return ck_err_new(CK_ERR_HOSTILE, "stands twice");
    rd->seen |= 1u << i;
    ck_view *const texts[] = { &rd->r.suite, &rd->r.codename, &rd->r.version };
    if (i < 3) {
        if (f->value.n > CK_MAX_FIELD)
            return ck_err_limit(CK_LIMIT_FIELD, "too long");
        *texts[i] = f->value;
        return NULL;
    }
    if (i == 5)
        return read_files(f->value, rd->a, &rd->r);
    return read_date(f->value, i == 3 ? &rd->r.date : &rd->r.valid_until);
}

ck_err *ck_debian_release(ck_view text, struct ck_arena *a, struct ck_release *ret)
{
    struct reader rd = { .a = a };
    struct ck_deb822 d = ck_deb822_of(text);
    if (text.n > CK_MAX_FEED_RECORD)
        return ck_err_limit(CK_LIMIT_FEED_RECORD, "Release: %zu bytes", text.n);
    if (ck_view_starts(text, CK_V("-----BEGIN")))
        return ck_err_new(CK_ERR_HOSTILE, "Release: a clear-signed file whose signature was not "
                                          "verified");
    while (!ck_deb822_end(&d)) {
        struct ck_deb822_field f;
        CK_TRY_WRAP(ck_deb822_next(&d, &f), "Release");
        if (f.name.n == 0)
            break;
        CK_TRY_WRAP(take_field(&rd, &f), "Release line %zu: %.*s", d.line, CK_VF(f.name));
    }
    while (!ck_deb822_end(&d)) /* one stanza; what stands behind it was not meant to be read */
        if (ck_view_trim(ck_cur_line(&d.c)).n)
            return ck_err_new(CK_ERR_HOSTILE, "Release: more than one stanza");
    if (!rd.r.files || rd.r.n_files == 0)
        return ck_err_new(CK_ERR_HOSTILE, "Release: no SHA256 section");
    if (rd.r.codename.n == 0 && rd.r.suite.n == 0)
        return ck_err_new(CK_ERR_HOSTILE, "Release: neither Suite nor Codename");
    *ret = rd.r;
    return NULL;
}
