/* EXPLAIN: what is known of an image, as JSON for people and programs. */
#include "gateway/core.h"
#include "gateway/flights.h"
#include "gateway/serving.h"

#include "base/text.h"
#include "policy/facts.h"

/* What was asked about. */
struct topic {
    ck_view name; /* or empty */
    bool has_digest;
    struct ck_digest digest;
};

/* --- JSON ------------------------------------------------------------------------------------- */

static void put_str(struct ck_buf *b, const char *key, ck_view value)
{
    ck_buf_format(b, ",\"%s\":", key);
    ck_buf_json_str(b, value);
}

static void put_verdict(struct ck_buf *b, const struct ck_verdict *v)
{
    put_str(b, "decision", ck_view_str(ck_decision_name(v->decision)));
    ck_put_bytes(b, CK_V(",\"reasons\":["));
    for (size_t i = 0; i < v->n_reasons; i++) {
        if (i)
            ck_put_bytes(b, CK_V(","));
        ck_buf_json_str(b, v->reasons[i]);
    }
    ck_buf_format(b, "],\"persons\":%u,\"released_by\":%u,\"by_person\":%s,\"examined\":%s,"
                     "\"complete\":%s",
                  v->persons, v->released_by, v->by_person ? "true" : "false",
                  v->examined ? "true" : "false", v->complete ? "true" : "false");
}

static void put_findings(struct ck_buf *b, const struct ck_facts *f)
{
    enum { WORST = 20 };
    ck_buf_format(b, ",\"findings\":%zu,\"worst\":[", f->n_findings);
    for (size_t i = 0; i < f->n_findings && i < WORST; i++) {
        const struct ck_fact_finding *x = &f->findings[i];
        ck_put_bytes(b, i ? CK_V(",{\"id\":") : CK_V("{\"id\":"));
        ck_buf_json_str(b, x->id);
        put_str(b, "package", x->package);
        put_str(b, "version", x->version);
        put_str(b, "severity", ck_view_str(ck_severity_name(x->severity)));
        put_str(b, "fix", x->fix_version);
        ck_put_bytes(b, CK_V("}"));
    }
    ck_put_bytes(b, CK_V("]"));
}

static void put_time(struct ck_buf *b, const char *key, int64_t t)
{
    char text[32];
    ck_format_time(text, t);
    put_str(b, key, ck_view_str(text));
}

static ck_err *put_facts(struct ck_call *c, const struct ck_digest *d, struct ck_buf *b)
{
    ck_autobuf struct ck_buf bytes = ck_buf_new(CK_LIMIT_NONE);
    struct ck_facts f;
    bool found = false;
    CK_TRY(ck_store_get_facts(c->g->store, d, &bytes, &found));
    if (!found)
        return NULL;
    ck_err *e = ck_facts_decode(ck_buf_view(&bytes), &c->arena, &f);
    if (e) {
        ck_err_free(e); /* of an older version: not examined, as the verdict says */
        return NULL;
    }
    put_time(b, "scanned", f.scanned);
    put_str(b, "distribution", f.distro);
    put_findings(b, &f);
    ck_put_bytes(b, CK_V(",\"gaps\":["));
    for (size_t i = 0; i < f.n_gaps; i++) {
        ck_put_bytes(b, i ? CK_V(",{\"what\":") : CK_V("{\"what\":"));
        ck_buf_json_str(b, f.gaps[i].key);
        put_str(b, "why", f.gaps[i].value);
        ck_put_bytes(b, CK_V("}"));
    }
    ck_put_bytes(b, CK_V("]"));
    return NULL;
}

/* --- what is known ---------------------------------------------------------------------------- */

static ck_err *put_image(struct ck_call *c, const struct topic *t, struct ck_buf *b)
{
    struct ck_store_entry e;
    struct ck_verdict v;
    char text[CK_DIGEST_TEXT];
    bool found = false, known = false;
    CK_TRY(ck_store_get(c->g->store, &t->digest, &c->arena, &e, &found));
    if (found) { /* first: it is what a person wants to know */
        CK_TRY(ck_call_judge(c, ck_name_head(t->name), t->name, &t->digest, &v, &known));
        put_verdict(b, &v);
    }
    put_str(b, "digest", ck_view_str(ck_digest_text(&t->digest, text)));
    ck_buf_format(b, ",\"known\":%s", found ? "true" : "false");
    if (!found)
        return NULL;
    put_str(b, "state", ck_view_str(ck_state_name(e.state)));
    put_str(b, "platform", e.image.platform);
    put_str(b, "media_type", e.image.media_type);
    return put_facts(c, &t->digest, b);
}

static ck_err *put_all(struct ck_call *c, const struct topic *t, struct ck_buf *b)
{
    unsigned percent = 0;
    const char *name = t->name.n ? ck_arena_format(&c->arena, "%.*s", CK_VF(t->name)) : NULL;
    bool flying = ck_flights_look(c->g->flights, name, t->has_digest ? &t->digest : NULL,
                                  &percent);
    ck_put_bytes(b, CK_V("{\"name\":"));
    ck_buf_json_str(b, t->name);
    if (t->has_digest)
        CK_TRY(put_image(c, t, b));
    else
        ck_put_bytes(b, CK_V(",\"known\":false"));
    ck_buf_format(b, ",\"under_way\":%s", flying ? "true" : "false");
    if (flying)
        ck_buf_format(b, ",\"percent\":%u", percent);
    ck_put_bytes(b, CK_V("}\n"));
    return NULL;
}

/* The name as the books have it. */
static ck_err *find_topic(struct ck_call *c, const struct ck_place *p, struct topic *t)
{
    ck_view reference = c->ask.reference;
    struct ck_store_name n;
    bool digest = ck_view_find(reference, ':') < reference.n;
    if (p->repository && reference.n)
        t->name = ck_view_str(ck_arena_format(&c->arena, "%s%c%.*s", p->repository,
                                              digest ? '@' : ':', CK_VF(reference)));
    if (digest) {
        t->has_digest = true;
        return ck_digest_parse(reference, &t->digest);
    }
    if (!t->name.n)
        return ck_err_new(CK_ERR_USAGE, "which image? (/explain/DIGEST, or /explain/NAME)");
    CK_TRY(ck_store_name_of(c->g->store, t->name, &n, &t->has_digest));
    if (t->has_digest)
        t->digest = n.digest;
    return NULL;
}

void ck_explain_ask(struct ck_call *c)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_place place = { 0 };
    struct topic t = { 0 };
    struct ck_answer w = { .status = 200, .content_type = CK_V("application/json") };
    if (!ck_call_may(c, CK_ROLE_PULL) || (c->ask.repository.n && !ck_place_of(c, &place)))
        return;
    ck_err *e = find_topic(c, &place, &t);
    if (!e)
        e = put_all(c, &t, &b);
    if (e)
        ck_call_fail(c, e);
    else
        ck_answer_bytes(c, &w, ck_buf_view(&b));
}
