/* What another image has that this one has not, and the reverse. */
#include "gateway/api_rebuilt.h"

#include "report/parts.h"
#include "scan/difference.h"

enum { ADDED, REMOVED, CHANGED, LISTS };
static const char *const lists[LISTS] = { "added", "removed", "changed" };

static int list_of(const void *was, const void *is)
{
    return !was ? ADDED : !is ? REMOVED : CHANGED;
}

/* --- packages --------------------------------------------------------------------------------- */

static void put_package(struct ck_buf *b, const struct ck_report_package *p)
{
    ck_out_open(b, NULL, '{');
    ck_out_text(b, "name", p->p.name);
    ck_out_word(b, "type", ck_package_type_name(p->p.type));
    ck_out_text(b, "version", p->p.version);
    ck_out_close(b, '}');
}

static void put_package_change(struct ck_buf *b, const struct ck_package_change *c)
{
    ck_out_open(b, NULL, '{');
    ck_out_text(b, "name", c->is->p.name);
    ck_out_word(b, "type", ck_package_type_name(c->is->p.type));
    ck_out_text(b, "from", c->was->p.version);
    ck_out_text(b, "to", c->is->p.version);
    ck_out_close(b, '}');
}

static void put_packages(struct ck_buf *b, const struct ck_package_changes *c)
{
    ck_out_open(b, "packages", '{');
    for (int l = 0; l < LISTS; l++) {
        ck_out_open(b, lists[l], '[');
        for (size_t i = 0; i < c->n; i++) {
            const struct ck_package_change *one = &c->v[i];
            if (list_of(one->was, one->is) != l)
                continue;
            if (l == CHANGED)
                put_package_change(b, one);
            else
                put_package(b, l == ADDED ? one->is : one->was);
        }
        ck_out_close(b, ']');
    }
    ck_out_close(b, '}');
}

/* --- findings --------------------------------------------------------------------------------- */

/* Of a report, since the facts that are kept of an image may leave some out. */
static struct ck_findings findings_of(const struct ck_report *rep, struct ck_arena *a)
{
    size_t n = ck_report_findings(rep);
    struct ck_fact_finding *v = ck_arena_alloc(a, n, sizeof *v);
    for (size_t i = 0; i < n; i++) {
        const struct ck_finding *f = &rep->match->findings[i];
        const struct ck_package *p = &rep->packages[f->package].p;
        v[i] = (struct ck_fact_finding){
            .id = f->id, .aliases = f->aliases, .n_aliases = f->n_aliases, .package = p->name,
            .version = p->version, .severity = f->severity, .fix_state = f->fix_state,
            .fix_version = f->fix_version, .kev = f->kev,
        };
    }
    return (struct ck_findings){ v, n };
}

static void put_finding(struct ck_buf *b, const struct ck_fact_finding *f)
{
    ck_out_open(b, NULL, '{');
    ck_out_text(b, "id", f->id);
    ck_out_text(b, "package", f->package);
    ck_out_text(b, "version", f->version);
    ck_out_word(b, "severity", ck_severity_name(f->severity));
    ck_out_text_or_null(b, "fix", f->fix_version);
    ck_out_bool(b, "kev", f->kev);
    ck_out_close(b, '}');
}

static void put_finding_change(struct ck_buf *b, const struct ck_finding_change *c)
{
    ck_out_open(b, NULL, '{');
    ck_out_text(b, "id", c->is->id);
    ck_out_text(b, "package", c->is->package);
    ck_out_word(b, "severity_from", ck_severity_name(c->was->severity));
    ck_out_word(b, "severity_to", ck_severity_name(c->is->severity));
    ck_out_text_or_null(b, "fix_from", c->was->fix_version);
    ck_out_text_or_null(b, "fix_to", c->is->fix_version);
    ck_out_bool(b, "kev_from", c->was->kev);
    ck_out_bool(b, "kev_to", c->is->kev);
    ck_out_close(b, '}');
}

static void put_findings(struct ck_buf *b, const struct ck_finding_changes *c)
{
    ck_out_open(b, "findings", '{');
    for (int l = 0; l < LISTS; l++) {
        ck_out_open(b, lists[l], '[');
        for (size_t i = 0; i < c->n; i++) {
            const struct ck_finding_change *one = &c->v[i];
            if (list_of(one->was, one->is) != l)
                continue;
            if (l == CHANGED)
                put_finding_change(b, one);
            else
                put_finding(b, l == ADDED ? one->is : one->was);
        }
        ck_out_close(b, ']');
    }
    ck_out_close(b, '}');
}

/* --- the answer ------------------------------------------------------------------------------- */

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
    struct ck_package_changes packages;
    struct ck_finding_changes findings;
    CK_TRY(ck_api_image(r, &row));
    CK_TRY(find_other(r, &other));
    CK_TRY(ck_api_rebuilt(r, &row, &from));
    CK_TRY(ck_api_rebuilt(r, &other, &to));
    CK_TRY(ck_report_check(from));
    CK_TRY(ck_report_check(to));
    ck_packages_between(from, to, r->a, &packages);
    ck_findings_between(findings_of(from, r->a), findings_of(to, r->a), CK_OF_TWO_IMAGES, r->a,
                        &findings);
    ck_out_open(&r->out, NULL, '{');
    ck_out_digest(&r->out, "from", &row.digest);
    ck_out_digest(&r->out, "to", &other.digest);
    put_packages(&r->out, &packages);
    put_findings(&r->out, &findings);
    ck_out_close(&r->out, '}');
    return NULL;
}

const struct ck_api_route ck_api_diff_routes[] = {
    { "GET", "images/{digest}/diff", CK_ROLE_PULL, CK_API_SLOW, diff,
      { { "with", CK_API_TEXT, 1, 512, NULL, true } } },
    { .method = NULL },
};
