/* What is known of a vulnerability, which images have it, and who pulled them. */
#include "gateway/api.h"

#include "advisory/db.h"
#include "base/text.h"
#include "report/parts.h"

#include <stdlib.h>

static ck_err *advisories(struct ck_api *r)
{
    struct ck_store_id *v = NULL;
    size_t n = 0;
    uint64_t total = 0;
    if (r->bound.n)
        return ck_api_error(403, "this list is of all images; your account sees some only");
    CK_TRY(ck_store_id_page(r->store, ck_api_get(r, "q")->text, ck_api_from(r), ck_api_n(r),
                            r->a, &v, &n, &total));
    ck_api_page_begin(r);
    for (size_t i = 0; i < n; i++) {
        ck_out_open(&r->out, NULL, '{');
        ck_out_text(&r->out, "id", v[i].id);
        ck_out_u64(&r->out, "images", v[i].images);
        ck_out_close(&r->out, '}');
    }
    ck_api_page_end(r, total);
    return NULL;
}

/* --- what the feeds say ----------------------------------------------------------------------- */

struct topic {
    CK_VEC(ck_view) aliases;
    ck_view summary;
    enum ck_severity severity;
    bool known, kev;
};

static void add_alias(const struct ck_api *r, struct topic *t, ck_view id)
{
    for (size_t i = 0; i < t->aliases.n; i++)
        if (ck_view_eq(t->aliases.v[i], id))
            return;
    if (!ck_view_eq(id, r->id) && t->aliases.n < CK_MAX_FACT_ALIASES)
        *ck_push(&t->aliases) = id;
}

static void take_statement(const struct ck_api *r, struct topic *t, const struct ck_statement *s)
{
    const struct ck_advisory *a = &s->advisory;
    enum ck_severity own = s->affected.severity ? s->affected.severity : a->severity;
    t->known = true;
    t->severity = own > t->severity ? own : t->severity;
    if (!t->summary.n)
        t->summary = a->summary;
    if (a->n_fixes) /* an erratum: what else it mends are other vulnerabilities */
        return;
    add_alias(r, t, a->id);
    for (size_t i = 0; i < a->n_aliases; i++)
        add_alias(r, t, a->aliases[i]);
}

static ck_view fixed_of(const struct ck_affected *f)
{
    ck_view fixed = { 0 };
    if (f->state == CK_FIX_FIXED)
        for (size_t i = 0; i < f->n_ranges; i++)
            if (f->ranges[i].end == CK_END_FIXED)
                fixed = f->ranges[i].upper;
    return fixed;
}

static void put_url(struct ck_buf *b, const struct ck_statement *s, ck_view source)
{
    ck_autobuf struct ck_buf url = ck_buf_new(CK_LIMIT_NONE);
    struct ck_report_package p = { .p = { .name = s->affected.name,
                                          .source_name = s->affected.name } };
    const struct ck_report about = { .distro = { .ecosystem = s->affected.ecosystem },
                                     .packages = &p, .n_packages = 1 };
    const struct ck_finding f = { .id = s->advisory.id, .advisory_id = s->advisory.id,
                                  .advisory_url = s->advisory.url, .advisory_source = source };
    ck_report_url(&about, &f, &url);
    ck_out_text_or_null(b, "url", ck_buf_view(&url));
}

static ck_err *put_statement(struct ck_buf *b, const struct ck_db *db, const struct ck_statement *s)
{
    struct ck_db_feed feed;
    CK_TRY(ck_db_feed(db, s->feed, &feed));
    ck_out_open(b, NULL, '{');
    ck_out_text(b, "source", feed.kind);
    ck_out_text(b, "ecosystem", s->affected.ecosystem);
    ck_out_text(b, "package", s->affected.name);
    ck_out_text_or_null(b, "fixed", fixed_of(&s->affected));
    ck_out_word(b, "state", ck_fix_state_name(s->affected.state));
    put_url(b, s, feed.kind);
    ck_out_close(b, '}');
    return NULL;
}

static ck_err *put_statements(struct ck_api *r, const struct ck_db *db, struct topic *t)
{
    struct ck_statements found = { 0 };
    ck_out_open(&r->out, "statements", '[');
    if (db) {
        CK_TRY(ck_db_find_id(db, r->id, r->a, &found));
        t->kev = ck_db_kev(db, r->id);
    }
    for (size_t i = 0; i < found.n; i++) {
        take_statement(r, t, &found.v[i]);
        if (found.v[i].affected.name.n)
            CK_TRY(put_statement(&r->out, db, &found.v[i]));
    }
    ck_out_close(&r->out, ']');
    return NULL;
}

static ck_err *put_known(struct ck_api *r, struct topic *t)
{
    struct ck_rules *rules = ck_rules_get(r->g);
    ck_err *e = put_statements(r, rules->db, t);
    if (!e) { /* its views live as long as the rules */
        ck_out_texts(&r->out, "aliases", t->aliases.v, t->aliases.n);
        ck_out_text_or_null(&r->out, "summary", t->summary);
        ck_out_word(&r->out, "severity", t->known ? ck_severity_name(t->severity) : NULL);
        ck_out_bool(&r->out, "kev", t->kev);
    }
    ck_rules_put(rules);
    free(t->aliases.v);
    return e;
}

/* --- images ----------------------------------------------------------------------------------- */

static bool is_of(const struct ck_fact_finding *f, ck_view id)
{
    bool is = ck_view_eq(f->id, id);
    for (size_t i = 0; i < f->n_aliases && !is; i++)
        is = ck_view_eq(f->aliases[i], id);
    return is;
}

static ck_err *put_package(struct ck_api *r, const struct ck_digest *d)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf bytes = ck_buf_new(CK_LIMIT_NONE);
    struct ck_facts f = { 0 };
    const struct ck_fact_finding *found = NULL;
    bool has = false;
    CK_TRY(ck_store_get_facts(r->store, d, &bytes, &has));
    if (has)
        ck_err_free(ck_facts_decode(ck_buf_view(&bytes), &a, &f)); /* of an older version: none */
    for (size_t i = 0; i < f.n_findings && !found; i++)
        if (is_of(&f.findings[i], r->id))
            found = &f.findings[i];
    ck_out_text_or_null(&r->out, "package", found ? found->package : CK_V(""));
    ck_out_text_or_null(&r->out, "version", found ? found->version : CK_V(""));
    ck_out_text_or_null(&r->out, "fix", found ? found->fix_version : CK_V(""));
    return NULL;
}

static ck_err *put_image(struct ck_api *r, const struct ck_digest *d)
{
    struct ck_store_row row;
    CK_TRY(ck_api_image_of(r, d, &row));
    ck_out_open(&r->out, NULL, '{');
    ck_out_digest(&r->out, "digest", d);
    ck_out_text_or_null(&r->out, "name", row.name);
    ck_out_word(&r->out, "state", ck_state_name(row.state));
    CK_TRY(put_package(r, d));
    ck_out_close(&r->out, '}');
    return NULL;
}

/* Of those that have it, the ones for the asker's eyes. */
static ck_err *keep_seen(struct ck_api *r, struct ck_digest *v, size_t *n)
{
    size_t kept = 0;
    for (size_t i = 0; i < *n && r->bound.n; i++) {
        struct ck_store_row row;
        bool found = false;
        CK_TRY(ck_store_page_row(r->store, &v[i], r->bound, r->a, &row, &found));
        if (found)
            v[kept++] = v[i];
    }
    if (r->bound.n)
        *n = kept;
    return NULL;
}

static ck_err *put_images(struct ck_api *r, const struct ck_digest *v, size_t n)
{
    size_t from = ck_api_from(r), most = ck_api_n(r);
    ck_out_open(&r->out, "images", '[');
    for (size_t i = from; i < n && i - from < most; i++)
        CK_TRY(put_image(r, &v[i]));
    ck_out_close(&r->out, ']');
    ck_out_u64(&r->out, "images_total", n);
    return NULL;
}

/* --- pulls ------------------------------------------------------------------------------------ */

enum { PULLS = 100, IMAGES_LOOKED = 200 };

static int newest_first(const void *left, const void *right)
{
    const struct ck_pull *a = left, *b = right;
    return a->time < b->time ? 1 : a->time > b->time ? -1 : 0;
}

struct pulls {
    struct ck_api *r;
    CK_VEC(struct ck_pull) v;
};

static ck_err *take_pull(void *ctx, const struct ck_pull *p)
{
    struct pulls *all = ctx;
    struct ck_pull copy = *p;
    if (p->result != CK_PULL_SERVED || !ck_api_sees(all->r, p->name))
        return NULL;
    copy.who = ck_arena_dup(all->r->a, p->who);
    copy.client = ck_arena_dup(all->r->a, p->client);
    copy.name = ck_arena_dup(all->r->a, p->name);
    *ck_push(&all->v) = copy;
    return NULL;
}

static ck_err *take_pulls(struct pulls *all, const struct ck_digest *v, size_t n)
{
    for (size_t i = 0; i < n && i < IMAGES_LOOKED; i++) {
        const struct ck_pull_filter f = { .digest = &v[i], .max = PULLS };
        CK_TRY(ck_store_pulls(all->r->store, &f, take_pull, all));
    }
    return NULL;
}

static ck_err *put_pulls(struct ck_api *r, const struct ck_digest *v, size_t n)
{
    struct pulls all = { .r = r };
    ck_err *e = ck_api_is_anonymous(r) ? NULL : take_pulls(&all, v, n);
    if (all.v.n)
        qsort(all.v.v, all.v.n, sizeof *all.v.v, newest_first);
    ck_out_open(&r->out, "pulls", '[');
    for (size_t i = 0; i < all.v.n && i < PULLS; i++) {
        const struct ck_pull *p = &all.v.v[i];
        ck_out_open(&r->out, NULL, '{');
        ck_out_text(&r->out, "who", p->who);
        ck_out_text(&r->out, "client", p->client);
        ck_out_text(&r->out, "name", p->name);
        ck_out_digest(&r->out, "digest", &p->digest);
        ck_out_time(&r->out, "time", p->time);
        ck_out_u64(&r->out, "count", p->count);
        ck_out_close(&r->out, '}');
    }
    ck_out_close(&r->out, ']');
    free(all.v.v);
    return e;
}

static ck_err *advisory(struct ck_api *r)
{
    struct topic t = { 0 };
    struct ck_digest *v = NULL;
    size_t n = 0;
    ck_out_open(&r->out, NULL, '{');
    ck_out_text(&r->out, "id", r->id);
    CK_TRY(put_known(r, &t));
    CK_TRY(ck_store_having(r->store, r->id, r->a, &v, &n));
    CK_TRY(keep_seen(r, v, &n));
    if (!t.known && !t.kev && !n)
        return ck_api_error(404, "nothing is known of it here");
    CK_TRY(put_images(r, v, n));
    CK_TRY(put_pulls(r, v, n));
    ck_out_close(&r->out, '}');
    return NULL;
}

const struct ck_api_route ck_api_advisories_routes[] = {
    { "GET", "advisories", CK_ROLE_PULL, CK_API_SLOW, advisories,
      { CK_API_PAGE, CK_API_SEARCH } },
    { "GET", "advisories/{id}", CK_ROLE_PULL, CK_API_SLOW, advisory, { CK_API_PAGE } },
    { .method = NULL },
};
