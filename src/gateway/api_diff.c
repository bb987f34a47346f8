/* What another image has that this one has not, and the reverse. */
#include "gateway/api_rebuilt.h"

#include "report/parts.h"

#include <stdlib.h>

/* --- what is compared ------------------------------------------------------------------------- */

/* Packages are compared by type and name, findings by id and the name of the package. Where one of
 * them is there several times (two kernels), those are compared with their versions. */
struct thing {
    ck_view key, second; /* name and type, id and package */
    const struct ck_report_package *package;
    const struct ck_finding *finding; /* NULL: it is a package */
};

struct things {
    const struct ck_report *rep;
    struct thing *v;
    size_t n;
};

static int order(const void *left, const void *right)
{
    const struct thing *x = left, *y = right;
    int by = ck_view_cmp(x->key, y->key);
    if (!by)
        by = ck_view_cmp(x->second, y->second);
    return by ? by : ck_view_cmp(x->package->p.version, y->package->p.version);
}

static struct things packages_of(struct ck_api *r, const struct ck_report *rep)
{
    struct things t = { rep, ck_arena_alloc(r->a, rep->n_packages + 1, sizeof *t.v),
                        rep->n_packages };
    for (size_t i = 0; i < t.n; i++) {
        const struct ck_report_package *p = &rep->packages[i];
        t.v[i] = (struct thing){ p->p.name, ck_view_str(ck_package_type_name(p->p.type)), p, NULL };
    }
    if (t.n)
        qsort(t.v, t.n, sizeof *t.v, order);
    return t;
}

static struct things findings_of(struct ck_api *r, const struct ck_report *rep)
{
    size_t n = ck_report_findings(rep);
    struct things t = { rep, ck_arena_alloc(r->a, n + 1, sizeof *t.v), n };
    for (size_t i = 0; i < n; i++) {
        const struct ck_finding *f = &rep->match->findings[i];
        const struct ck_report_package *p = &rep->packages[f->package];
        t.v[i] = (struct thing){ f->id, p->p.name, p, f };
    }
    if (n)
        qsort(t.v, n, sizeof *t.v, order);
    return t;
}

static bool same_key(const struct thing *x, const struct thing *y)
{
    return ck_view_eq(x->key, y->key) && ck_view_eq(x->second, y->second);
}

static bool is_alone(const struct things *t, size_t i)
{
    return (i == 0 || !same_key(&t->v[i - 1], &t->v[i])) &&
           (i + 1 == t->n || !same_key(&t->v[i], &t->v[i + 1]));
}

/* --- how it is shown -------------------------------------------------------------------------- */

static void put_package(struct ck_buf *b, const struct thing *x)
{
    ck_out_text(b, "name", x->key);
    ck_out_text(b, "type", x->second);
    ck_out_text(b, "version", x->package->p.version);
}

static ck_view fix_of(const struct ck_finding *f)
{
    return f->fix_state == CK_FIX_FIXED ? f->fix_version : CK_V("");
}

static void put_finding(struct ck_buf *b, const struct thing *x)
{
    ck_out_text(b, "id", x->key);
    ck_out_text(b, "package", x->second);
    ck_out_text(b, "version", x->package->p.version);
    ck_out_word(b, "severity", ck_severity_name(x->finding->severity));
    ck_out_text_or_null(b, "fix", fix_of(x->finding));
    ck_out_bool(b, "kev", x->finding->kev);
}

static bool package_changed(const struct thing *x, const struct thing *y)
{
    return !ck_view_eq(x->package->p.version, y->package->p.version);
}

static void put_package_change(struct ck_buf *b, const struct thing *x, const struct thing *y)
{
    ck_out_text(b, "name", x->key);
    ck_out_text(b, "type", x->second);
    ck_out_text(b, "from", x->package->p.version);
    ck_out_text(b, "to", y->package->p.version);
}

static bool finding_changed(const struct thing *x, const struct thing *y)
{
    return x->finding->severity != y->finding->severity || x->finding->kev != y->finding->kev ||
           !ck_view_eq(fix_of(x->finding), fix_of(y->finding));
}

static void put_finding_change(struct ck_buf *b, const struct thing *x, const struct thing *y)
{
    ck_out_text(b, "id", x->key);
    ck_out_text(b, "package", x->second);
    ck_out_word(b, "severity_from", ck_severity_name(x->finding->severity));
    ck_out_word(b, "severity_to", ck_severity_name(y->finding->severity));
    ck_out_text_or_null(b, "fix_from", fix_of(x->finding));
    ck_out_text_or_null(b, "fix_to", fix_of(y->finding));
    ck_out_bool(b, "kev_from", x->finding->kev);
    ck_out_bool(b, "kev_to", y->finding->kev);
}

static const struct shown {
    const char *key;
    struct things (*of)(struct ck_api *r, const struct ck_report *rep);
    void (*put)(struct ck_buf *b, const struct thing *x);
    bool (*changed)(const struct thing *x, const struct thing *y);
    void (*put_change)(struct ck_buf *b, const struct thing *x, const struct thing *y);
} kinds[] = {
    { "packages", packages_of, put_package, package_changed, put_package_change },
    { "findings", findings_of, put_finding, finding_changed, put_finding_change },
};

/* --- comparing -------------------------------------------------------------------------------- */

struct lists {
    struct ck_buf added, removed, changed;
};

static void put_one(struct ck_buf *b, const struct shown *k, const struct thing *x)
{
    ck_out_open(b, NULL, '{');
    k->put(b, x);
    ck_out_close(b, '}');
}

static void put_pair(struct lists *l, const struct shown *k, const struct thing *x,
                     const struct thing *y)
{
    if (!k->changed(x, y))
        return;
    ck_out_open(&l->changed, NULL, '{');
    k->put_change(&l->changed, x, y);
    ck_out_close(&l->changed, '}');
}

/* Both are sorted the same way. */
static void compare(const struct shown *k, const struct things *x, const struct things *y,
                    struct lists *l)
{
    size_t i = 0, j = 0;
    while (i < x->n || j < y->n) {
        bool pair = i < x->n && j < y->n && same_key(&x->v[i], &y->v[j]) && is_alone(x, i) &&
                    is_alone(y, j);
        int by = i == x->n ? 1 : j == y->n ? -1 : pair ? 0 : order(&x->v[i], &y->v[j]);
        if (by == 0)
            put_pair(l, k, &x->v[i], &y->v[j]);
        else if (by < 0)
            put_one(&l->removed, k, &x->v[i]);
        else
            put_one(&l->added, k, &y->v[j]);
        i += by <= 0;
        j += by >= 0;
    }
}

static void put_list(struct ck_buf *b, const char *key, struct ck_buf *list)
{
    ck_out_open(b, key, '[');
    ck_put_bytes(b, ck_buf_view(list));
    ck_out_close(b, ']');
    ck_buf_free(list);
}

static void put_kind(struct ck_api *r, const struct shown *k, const struct ck_report *from,
                     const struct ck_report *to)
{
    struct lists l = { 0 };
    struct things x = k->of(r, from), y = k->of(r, to);
    compare(k, &x, &y, &l);
    ck_out_open(&r->out, k->key, '{');
    put_list(&r->out, "added", &l.added);
    put_list(&r->out, "removed", &l.removed);
    put_list(&r->out, "changed", &l.changed);
    ck_out_close(&r->out, '}');
}

/* A digest, or a name as a person types it. What the asker does not see is not there. */
static ck_err *find_other(struct ck_api *r, struct ck_store_row *ret)
{
    ck_view with = ck_api_get(r, "with")->text;
    struct ck_store_entry e;
    struct ck_digest d;
    ck_err *none = ck_digest_parse(with, &d);
    if (!none)
        return ck_api_image_of(r, &d, ret);
    ck_err_free(none);
    CK_TRY(ck_store_find_typed(r->store, with, r->a, &e));
    return ck_api_image_of(r, &e.image.digest, ret);
}

static ck_err *diff(struct ck_api *r)
{
    struct ck_store_row row, other;
    const struct ck_report *from, *to;
    CK_TRY(ck_api_image(r, &row));
    CK_TRY(find_other(r, &other));
    CK_TRY(ck_api_rebuilt(r, &row, &from));
    CK_TRY(ck_api_rebuilt(r, &other, &to));
    CK_TRY(ck_report_check(from));
    CK_TRY(ck_report_check(to));
    ck_out_open(&r->out, NULL, '{');
    ck_out_digest(&r->out, "from", &row.digest);
    ck_out_digest(&r->out, "to", &other.digest);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        put_kind(r, &kinds[i], from, to);
    ck_out_close(&r->out, '}');
    return NULL;
}

const struct ck_api_route ck_api_diff_routes[] = {
    { "GET", "images/{digest}/diff", CK_ROLE_PULL, CK_API_SLOW, diff,
      { { "with", CK_API_TEXT, 1, 512, NULL, true } } },
    { .method = NULL },
};
