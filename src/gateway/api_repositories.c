/* Repositories, and what their tags have meant. */
#include "gateway/api.h"

static void put_states(struct ck_buf *b, const uint64_t states[3])
{
    ck_out_open(b, "states", '{');
    for (unsigned i = 0; i < CK_STATE_OF_IMAGE_COUNT_; i++)
        ck_out_u64(b, ck_state_name((enum ck_state_of_image)i), states[i]);
    ck_out_close(b, '}');
}

static ck_err *repositories(struct ck_api *r)
{
    struct ck_store_repository *v = NULL;
    size_t n = 0;
    uint64_t total = 0;
    CK_TRY(ck_store_repository_page(r->store, ck_api_get(r, "q")->text, r->bound,
                                    ck_api_from(r), ck_api_n(r), r->a, &v, &n, &total));
    ck_api_page_begin(r);
    for (size_t i = 0; i < n; i++) {
        ck_out_open(&r->out, NULL, '{');
        ck_out_text(&r->out, "name", v[i].name);
        ck_out_u64(&r->out, "images", v[i].images);
        ck_out_u64(&r->out, "tags", v[i].tags);
        put_states(&r->out, v[i].states);
        ck_api_put_severities(&r->out, "worst", v[i].worst);
        ck_out_time(&r->out, "last", v[i].last);
        ck_out_close(&r->out, '}');
    }
    ck_api_page_end(r, total);
    return NULL;
}

/* --- tags ------------------------------------------------------------------------------------- */

static void put_meant(struct ck_buf *b, const char *key, const struct ck_store_tag *t)
{
    ck_out_open(b, key, '{');
    ck_out_digest(b, "digest", &t->digest);
    ck_out_time(b, "first", t->first);
    ck_out_bool(b, "current", t->current);
    ck_out_bool(b, "known", t->known);
    ck_out_word(b, "state", t->known ? ck_state_name(t->state) : NULL);
    if (t->has_summary) {
        ck_out_bool(b, "complete", t->summary.complete);
        ck_api_put_severities(b, "severities", t->summary.severities);
        ck_out_u64(b, "fixable", t->summary.fixable);
        ck_out_u64(b, "kev", t->summary.kev);
    } else {
        ck_out_raw(b, "complete", CK_V(""));
        ck_out_raw(b, "severities", CK_V(""));
        ck_out_raw(b, "fixable", CK_V(""));
        ck_out_raw(b, "kev", CK_V(""));
    }
    ck_out_close(b, '}');
}

/* Those of one tag stand together. */
static size_t put_tag(struct ck_buf *b, const struct ck_store_tag *v, size_t n)
{
    const struct ck_store_tag *current = NULL;
    size_t of = 0;
    ck_out_open(b, NULL, '{');
    ck_out_text(b, "tag", v[0].tag);
    ck_out_open(b, "history", '[');
    for (; of < n && ck_view_eq(v[of].tag, v[0].tag); of++) {
        put_meant(b, NULL, &v[of]);
        if (v[of].current)
            current = &v[of];
    }
    ck_out_close(b, ']');
    if (current)
        put_meant(b, "current", current);
    else
        ck_out_raw(b, "current", CK_V(""));
    ck_out_close(b, '}');
    return of;
}

static ck_err *tags(struct ck_api *r)
{
    struct ck_store_tag *v = NULL;
    size_t n = 0;
    uint64_t total = 0;
    ck_view repository = ck_api_get(r, "repository")->text;
    if (!ck_api_sees(r, repository))
        return ck_api_error(404, "there is no such repository");
    CK_TRY(ck_store_tag_page(r->store, repository, ck_api_get(r, "q")->text, ck_api_from(r),
                             ck_api_n(r), r->a, &v, &n, &total));
    ck_api_page_begin(r);
    for (size_t i = 0; i < n;)
        i += put_tag(&r->out, v + i, n - i);
    ck_api_page_end(r, total);
    return NULL;
}

const struct ck_api_route ck_api_repositories_routes[] = {
    { "GET", "repositories", CK_ROLE_PULL, CK_API_SLOW, repositories,
      { CK_API_PAGE, CK_API_SEARCH } },
    { "GET", "tags", CK_ROLE_PULL, CK_API_SLOW, tags,
      { CK_API_PAGE, CK_API_SEARCH,
        { "repository", CK_API_TEXT, 1, 384, NULL, true } } },
    { .method = NULL },
};
