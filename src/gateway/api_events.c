#include "gateway/api_events.h"

struct walk {
    struct ck_api *r;
    size_t from, most, seen;
    uint64_t total;
};

bool ck_api_sees_event(const struct ck_api *r, const struct ck_event *e)
{
    if (!r->bound.n || ck_view_eq(e->kind, CK_V("feed")))
        return true;
    return ck_api_sees(r, e->repository.n ? e->repository : e->name);
}

static ck_err *each(void *ctx, const struct ck_event *e)
{
    struct walk *w = ctx;
    if (!ck_api_sees_event(w->r, e))
        return NULL;
    if (w->total >= w->from && w->seen < w->most) {
        ck_api_put_event(&w->r->out, NULL, e);
        w->seen++;
    }
    w->total++;
    return NULL;
}

/* What not everybody sees is looked for among more. */
static struct ck_event_filter within(const struct ck_api *r, const struct ck_event_filter *f,
                                     size_t most)
{
    enum { LOOKED = 20000 };
    struct ck_event_filter g = *f;
    g.max = most && !r->bound.n ? most : LOOKED;
    return g;
}

ck_err *ck_api_put_events(struct ck_api *r, const struct ck_event_filter *f, size_t most)
{
    struct walk w = { .r = r, .most = most };
    struct ck_event_filter g = within(r, f, most);
    return ck_store_events(r->store, &g, each, &w);
}

/* Goes on with `before`, not with `from`: new ones come at the front. */
static ck_err *events(struct ck_api *r)
{
    struct walk w = { .r = r, .most = ck_api_n(r) };
    struct ck_event_filter f = {
        .after = ck_api_get(r, "after")->number, .before = ck_api_get(r, "before")->number,
        .kind = ck_api_get(r, "kind")->text, .repository = ck_api_get(r, "repository")->text,
        .newest_first = true,
    };
    f = within(r, &f, 0);
    ck_out_open(&r->out, NULL, '{');
    ck_out_open(&r->out, "items", '[');
    CK_TRY(ck_store_events(r->store, &f, each, &w));
    ck_out_close(&r->out, ']');
    ck_out_u64(&r->out, "total", w.total);
    ck_out_u64(&r->out, "from", 0);
    ck_out_close(&r->out, '}');
    return NULL;
}

static ck_err *of_image(struct ck_api *r)
{
    struct ck_store_row row;
    char text[CK_DIGEST_TEXT];
    struct walk w = { .r = r, .from = ck_api_from(r), .most = ck_api_n(r) };
    const struct ck_event_filter f = { .image = ck_view_str(ck_digest_text(&r->digest, text)),
                                       .newest_first = true };
    CK_TRY(ck_api_image(r, &row));
    ck_api_page_begin(r);
    CK_TRY(ck_store_events(r->store, &f, each, &w));
    ck_api_page_end(r, w.total);
    return NULL;
}

const struct ck_api_route ck_api_events_routes[] = {
    { "GET", "events", CK_ROLE_PULL, CK_API_SLOW, events,
      { { "n", CK_API_NUMBER, 1, CK_API_MOST, NULL, false },
        { "kind", CK_API_WORD, 0, 0, ck_api_event_kinds, false },
        { "after", CK_API_NUMBER, 0, INT64_MAX, NULL, false },
        { "before", CK_API_NUMBER, 0, INT64_MAX, NULL, false },
        { "repository", CK_API_TEXT, 0, 384, NULL, false } } },
    { "GET", "images/{digest}/events", CK_ROLE_PULL, CK_API_SLOW, of_image, { CK_API_PAGE } },
    { .method = NULL },
};
