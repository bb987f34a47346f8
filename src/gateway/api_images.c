/* Images: the list, one of them, and those that wait for a person. */
#include "gateway/api.h"

#include "base/text.h"

static const char *const orders[] = { "newest", "worst", "name", NULL };

static struct ck_page_filter filter_of(const struct ck_api *r)
{
    return (struct ck_page_filter){
        .search = ck_api_get(r, "q")->text, .min_severity = -1, .from = ck_api_from(r),
        .max = ck_api_n(r), .bound = r->bound,
    };
}

static ck_err *images(struct ck_api *r)
{
    const struct ck_api_value *state = ck_api_get(r, "state"),
                              *severity = ck_api_get(r, "severity"),
                              *order = ck_api_get(r, "order");
    struct ck_page_filter f = filter_of(r);
    struct ck_store_row *v = NULL;
    size_t n = 0;
    uint64_t total = 0;
    f.repository = ck_api_get(r, "repository")->text;
    f.has_state = state->has;
    f.state = (enum ck_state_of_image)state->number;
    f.incomplete = ck_api_get(r, "incomplete")->has;
    f.min_severity = severity->has ? (int)severity->number : -1;
    f.order = (enum ck_page_order)order->number;
    CK_TRY(ck_store_page(r->store, &f, r->a, &v, &n, &total));
    ck_api_page_begin(r);
    for (size_t i = 0; i < n; i++) {
        ck_out_open(&r->out, NULL, '{');
        ck_api_put_row(&r->out, &v[i], true);
        ck_out_close(&r->out, '}');
    }
    ck_api_page_end(r, total);
    return NULL;
}

static ck_err *quarantine(struct ck_api *r)
{
    struct ck_page_filter f = filter_of(r);
    struct ck_store_row *v = NULL;
    size_t n = 0;
    uint64_t total = 0;
    f.has_state = true;
    f.state = CK_QUARANTINED;
    CK_TRY(ck_store_page(r->store, &f, r->a, &v, &n, &total));
    ck_api_page_begin(r);
    for (size_t i = 0; i < n; i++) {
        struct ck_verdict verdict;
        CK_TRY(ck_api_verdict(r, v[i].name, &v[i].digest, &verdict));
        ck_out_open(&r->out, NULL, '{');
        ck_api_put_row(&r->out, &v[i], true);
        ck_api_put_verdict(&r->out, "verdict", &verdict);
        ck_out_close(&r->out, '}');
    }
    ck_api_page_end(r, total);
    return NULL;
}

/* --- one -------------------------------------------------------------------------------------- */

static void put_names(struct ck_api *r, const struct ck_store_entry *e)
{
    ck_out_open(&r->out, "names", '[');
    for (size_t i = 0; i < e->n_names; i++)
        if (ck_api_sees(r, e->names[i]))
            ck_out_text(&r->out, NULL, e->names[i]);
    ck_out_close(&r->out, ']');
}

static void put_gaps(struct ck_buf *b, const struct ck_facts *f)
{
    ck_out_open(b, "gaps", '[');
    for (size_t i = 0; i < f->n_gaps; i++) {
        ck_out_open(b, NULL, '{');
        ck_out_text(b, "what", f->gaps[i].key);
        ck_out_text(b, "why", f->gaps[i].value);
        ck_out_close(b, '}');
    }
    ck_out_close(b, ']');
}

/* Keys of labels are the image's own. */
static void put_labels(struct ck_buf *b, const struct ck_facts *f)
{
    ck_out_open(b, "labels", '{');
    for (size_t i = 0; i < f->n_labels; i++) {
        ck_out_text(b, NULL, f->labels[i].key);
        ck_put_u8(b, ':');
        ck_buf_json_str(b, f->labels[i].value);
    }
    ck_out_close(b, '}');
}

static void put_config(struct ck_buf *b, const struct ck_facts *f)
{
    ck_out_open(b, "config", '{');
    ck_out_text_or_null(b, "user", f->user);
    put_labels(b, f);
    ck_out_texts(b, "volumes", f->volumes, f->n_volumes);
    ck_out_texts(b, "ports", f->ports, f->n_ports);
    ck_out_close(b, '}');
}

static ck_err *put_base(struct ck_api *r, const struct ck_facts *f)
{
    ck_view *bases = NULL, *chains = ck_arena_alloc(r->a, f->n_chain + 1, sizeof *chains);
    size_t n = 0;
    for (size_t i = 0; i + 1 < f->n_chain; i++) {
        char text[CK_DIGEST_TEXT];
        chains[i] = ck_arena_dup(r->a, ck_view_str(ck_digest_text(&f->chain[i], text)));
    }
    if (f->n_chain > 1)
        CK_TRY(ck_store_bases(r->store, chains, f->n_chain - 1, r->a, &bases, &n));
    ck_out_open(&r->out, "base", '[');
    for (size_t i = 0; i < n; i++)
        if (ck_api_sees(r, bases[i]))
            ck_out_text(&r->out, NULL, bases[i]);
    ck_out_close(&r->out, ']');
    return NULL;
}

/* Facts that cannot be read are of an older version: not examined, as the verdict says. */
static ck_err *take_facts(struct ck_api *r, struct ck_facts *ret, bool *ret_has)
{
    ck_autobuf struct ck_buf bytes = ck_buf_new(CK_LIMIT_NONE);
    bool found = false;
    *ret_has = false;
    CK_TRY(ck_store_get_facts(r->store, &r->digest, &bytes, &found));
    if (!found)
        return NULL;
    ck_err *e = ck_facts_decode(ck_arena_dup(r->a, ck_buf_view(&bytes)), r->a, ret);
    *ret_has = e == NULL;
    ck_err_free(e);
    return NULL;
}

static ck_err *put_facts(struct ck_api *r)
{
    struct ck_facts f = { 0 };
    bool has = false;
    CK_TRY(take_facts(r, &f, &has));
    put_gaps(&r->out, &f);
    if (has)
        put_config(&r->out, &f);
    else
        ck_out_raw(&r->out, "config", CK_V(""));
    if (f.n_chain)
        ck_out_digest(&r->out, "chain", &f.chain[f.n_chain - 1]);
    else
        ck_out_raw(&r->out, "chain", CK_V(""));
    return put_base(r, &f);
}

static ck_err *put_pull(void *ctx, const struct ck_pull *p)
{
    struct ck_api *r = ctx;
    if (!ck_api_sees(r, p->name))
        return NULL;
    ck_out_open(&r->out, NULL, '{');
    ck_out_time(&r->out, "time", p->time);
    ck_out_text(&r->out, "who", p->who);
    ck_out_text(&r->out, "client", p->client);
    ck_out_text(&r->out, "name", p->name);
    ck_out_digest(&r->out, "digest", &p->digest);
    ck_out_u64(&r->out, "count", p->count);
    ck_out_word(&r->out, "result", p->result == CK_PULL_SERVED ? "served" : "denied");
    ck_out_close(&r->out, '}');
    return NULL;
}

static ck_err *put_pulls(struct ck_api *r)
{
    enum { LAST = 20 };
    const struct ck_pull_filter f = { .digest = &r->digest, .max = LAST };
    ck_out_open(&r->out, "pulls", '[');
    if (!ck_api_is_anonymous(r)) /* who is nobody's business */
        CK_TRY(ck_store_pulls(r->store, &f, put_pull, r));
    ck_out_close(&r->out, ']');
    return NULL;
}

static ck_err *put_referrers(struct ck_api *r)
{
    struct ck_store_entry *v = NULL;
    size_t n = 0;
    CK_TRY(ck_store_referrers(r->store, &r->digest, r->a, &v, &n));
    ck_out_open(&r->out, "referrers", '[');
    for (size_t i = 0; i < n; i++) {
        ck_out_open(&r->out, NULL, '{');
        ck_out_digest(&r->out, "digest", &v[i].image.digest);
        ck_out_text_or_null(&r->out, "artifact_type", v[i].image.artifact_type);
        ck_out_text(&r->out, "media_type", v[i].image.media_type);
        ck_out_u64(&r->out, "size", v[i].image.size);
        ck_out_close(&r->out, '}');
    }
    ck_out_close(&r->out, ']');
    return NULL;
}

static ck_err *image(struct ck_api *r)
{
    struct ck_store_row row;
    struct ck_store_entry e;
    struct ck_verdict v;
    bool found = false;
    CK_TRY(ck_api_image(r, &row));
    CK_TRY(ck_store_get(r->store, &r->digest, r->a, &e, &found));
    if (!found)
        return ck_api_error(404, "there is no such image");
    CK_TRY(ck_api_verdict(r, row.name, &r->digest, &v));
    ck_out_open(&r->out, NULL, '{');
    ck_api_put_verdict(&r->out, "verdict", &v);
    ck_api_put_row(&r->out, &row, false);
    put_names(r, &e);
    ck_out_text(&r->out, "media_type", e.image.media_type);
    ck_out_u64(&r->out, "size", e.total);
    CK_TRY(put_facts(r));
    CK_TRY(put_pulls(r));
    CK_TRY(put_referrers(r));
    ck_out_close(&r->out, '}');
    return NULL;
}

const struct ck_api_route ck_api_images_routes[] = {
    { "GET", "images", CK_ROLE_PULL, CK_API_SLOW, images,
      { CK_API_PAGE, CK_API_SEARCH,
        { "state", CK_API_WORD, 0, 0, ck_api_states, false },
        { "repository", CK_API_TEXT, 0, 384, NULL, false },
        { "severity", CK_API_WORD, 0, 0, ck_api_severities, false },
        { "incomplete", CK_API_FLAG, 0, 0, NULL, false },
        { "order", CK_API_WORD, 0, 0, orders, false } } },
    { "GET", "images/{digest}", CK_ROLE_PULL, CK_API_SLOW, image, { { 0 } } },
    { "GET", "quarantine", CK_ROLE_PULL, CK_API_SLOW, quarantine, { CK_API_PAGE, CK_API_SEARCH } },
    { .method = NULL },
};
