#include "advisory/feed/debian_text.h"
#include "advisory/feed/feed.h"
#include "advisory/feed/table.h"
#include "base/mem.h"
#include "version/version.h"

#include <stdlib.h>

struct entry {
    ck_view source, version; /* of the source package */
    bool may_link;           /* its documentation may be a link to another package's */
    struct ck_archive_deb deb;
};

struct packages {
    CK_VEC(struct entry) v;
};

enum field { PACKAGE, SOURCE, VERSION, FILENAME, SIZE, SHA256, DEPENDS, PRE_DEPENDS, N_FIELDS };
static const ck_view field_names[N_FIELDS] = {
    CK_TV("Package"),  CK_TV("Source"), CK_TV("Version"),
    CK_TV("Filename"), CK_TV("Size"),   CK_TV("SHA256"),
    CK_TV("Depends"),  CK_TV("Pre-Depends"),
};

/* "glibc (2.36-9)": the version stands there where it differs from the binary package's. */
static ck_err *read_source(ck_view value, struct entry *e)
{
    ck_view rest;
    e->source = ck_view_split(value, ' ', &rest);
    rest = ck_view_trim(rest);
    if (rest.n == 0)
        return NULL;
    if (!ck_view_starts(rest, CK_V("(")) || !ck_view_ends(rest, CK_V(")")) || rest.n < 3)
        return ck_err_new(CK_ERR_HOSTILE, "Source is not \"name (version)\"");
    e->version = ck_view_head(ck_view_from(rest, 1), rest.n - 2);
    return NULL;
}

/* Debian policy 12.3: /usr/share/doc/PACKAGE may be a link only to that of a package of the same
 * source and version, on which it then depends: "php8.2-common (= 8.2.36-1~deb12u1)". */
static bool depends_on_version(ck_view depends, ck_view version)
{
    for (ck_view rest = depends; rest.n;) {
        (void)ck_view_split(rest, '(', &rest);
        ck_view wanted = ck_view_trim(ck_view_head(rest, ck_view_find(rest, ')')));
        if (ck_view_starts(wanted, CK_V("=")) &&
            ck_view_eq(ck_view_trim(ck_view_from(wanted, 1)), version))
            return true;
    }
    return false;
}

static ck_err *read_stanza(ck_view f[N_FIELDS], struct entry *ret)
{
    static const enum field needed[] = { PACKAGE, VERSION, FILENAME, SIZE, SHA256 };
    struct entry e = { .source = f[PACKAGE], .version = f[VERSION] };
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (f[needed[i]].n == 0)
            return ck_err_new(CK_ERR_HOSTILE, "%.*s is missing", CK_VF(field_names[needed[i]]));
    if (f[SOURCE].n)
        CK_TRY(read_source(f[SOURCE], &e));
    if (e.source.n == 0 || e.version.n == 0)
        return ck_err_new(CK_ERR_HOSTILE, "Source is empty");
    e.deb.name = f[PACKAGE];
    e.deb.filename = f[FILENAME];
    e.may_link = depends_on_version(f[DEPENDS], f[VERSION]) ||
                 depends_on_version(f[PRE_DEPENDS], f[VERSION]);
    if (!ck_archive_path_ok(e.deb.filename))
        return ck_err_new(CK_ERR_HOSTILE, "Filename leaves the archive or is no path");
    if (!ck_view_u64(f[SIZE], &e.deb.size))
        return ck_err_new(CK_ERR_HOSTILE, "Size is no number");
    if (!ck_parse_sha256(f[SHA256], e.deb.sha256))
        return ck_err_new(CK_ERR_HOSTILE, "SHA256 is no digest");
    *ret = e;
    return NULL;
}

/* One stanza's fields; *ret_any is false where there was only an empty line. */
static ck_err *read_fields(struct ck_deb822 *d, ck_view f[N_FIELDS], bool *ret_any)
{
    *ret_any = false;
    while (!ck_deb822_end(d)) {
        struct ck_deb822_field field;
        CK_TRY(ck_deb822_next(d, &field));
        if (field.name.n == 0)
            break;
        *ret_any = true;
        for (size_t i = 0; i < N_FIELDS; i++) {
            if (!ck_deb822_is(&field, field_names[i]))
                continue;
            if (f[i].p)
                return ck_err_new(CK_ERR_HOSTILE, "line %zu: %.*s stands twice", d->line,
                                  CK_VF(field.name));
            if (field.value.n > CK_MAX_FIELD && i < DEPENDS)
                return ck_err_limit(CK_LIMIT_FIELD, "line %zu: %.*s", d->line, CK_VF(field.name));
            f[i] = field.value;
        }
    }
    return NULL;
}

static ck_err *read_all(ck_view text, struct packages *p)
{
    struct ck_deb822 d = ck_deb822_of(text);
    while (!ck_deb822_end(&d)) {
        ck_view f[N_FIELDS] = { 0 };
        size_t line = d.line + 1;
        bool any;
        CK_TRY(read_fields(&d, f, &any));
        if (!any)
            continue;
        if (p->v.n >= CK_MAX_PACKAGES)
            return ck_err_limit(CK_LIMIT_PACKAGES, "too many stanzas");
        CK_TRY_WRAP(read_stanza(f, ck_push(&p->v)), "stanza at line %zu", line);
    }
    return NULL;
}

/* By source, its highest version first, then what surely has documentation of its own, then the
 * smallest package first. */
static int by_source(const void *pa, const void *pb)
{
    const struct entry *a = pa, *b = pb;
    int c = ck_view_cmp(a->source, b->source);
    if (!c)
        c = ck_dpkg_cmp(b->version, a->version);
    if (!c)
        c = a->may_link - b->may_link;
    if (!c)
        c = a->deb.size < b->deb.size ? -1 : a->deb.size > b->deb.size;
    return c ? c : ck_view_cmp(a->deb.name, b->deb.name);
}

static ck_err *put_all(struct packages *p,
                       ck_err *(*put)(void *ctx, const struct ck_archive_source *s),
                       void *ctx)
{
    if (p->v.n)
        qsort(p->v.v, p->v.n, sizeof *p->v.v, by_source);
    for (size_t i = 0, next; i < p->v.n; i = next) {
        const struct entry *e = &p->v.v[i];
        struct ck_archive_source s = { .name = e->source, .version = e->version };
        for (next = i; next < p->v.n && ck_view_eq(p->v.v[next].source, e->source); next++)
            if (s.n_debs < 4 && ck_dpkg_cmp(p->v.v[next].version, e->version) == 0)
                s.debs[s.n_debs++] = p->v.v[next].deb;
        CK_TRY(put(ctx, &s));
    }
    return NULL;
}

ck_err *ck_debian_packages(ck_view text,
                           ck_err *(*put)(void *ctx, const struct ck_archive_source *s),
                           void *ctx)
{
    struct packages p = { 0 };
    if (text.n > CK_MAX_FEED)
        return ck_err_limit(CK_LIMIT_FEED, "Packages: %zu bytes", text.n);
    ck_err *e = read_all(text, &p);
    if (e)
        e = ck_err_wrap(e, "Packages");
    else
        e = put_all(&p, put, ctx);
    free(p.v.v);
    return e;
}
