/* What several operations show, and who may see it. */
#include "gateway/api.h"

#include "base/text.h"
#include "gateway/credentials.h"
#include "gateway/serving.h"

#include <time.h>

const char *const ck_api_severities[] = { "unknown", "negligible", "low", "medium", "high",
                                          "critical", NULL };
const char *const ck_api_states[] = { "quarantined", "cleared", "denied", NULL };
const char *const ck_api_event_kinds[] = { "findings", "verdict", "withdrawn", "moved", "base",
                                           "feed", "quarantined", "decision", "survey", "test",
                                           NULL };

/* --- pages ------------------------------------------------------------------------------------ */

size_t ck_api_n(const struct ck_api *r)
{
    const struct ck_api_value *v = ck_api_get(r, "n");
    return v->has ? v->number : CK_API_USUAL;
}

size_t ck_api_from(const struct ck_api *r) { return ck_api_get(r, "from")->number; }

void ck_api_page_begin(struct ck_api *r)
{
    ck_out_open(&r->out, NULL, '{');
    ck_out_open(&r->out, "items", '[');
}

void ck_api_page_end(struct ck_api *r, uint64_t total)
{
    ck_out_close(&r->out, ']');
    ck_out_u64(&r->out, "total", total);
    ck_out_u64(&r->out, "from", ck_api_from(r));
    ck_out_close(&r->out, '}');
}

/* --- who sees what ---------------------------------------------------------------------------- */

bool ck_api_is_anonymous(const struct ck_api *r) { return r->c->ask.session == 0; }

bool ck_api_sees(const struct ck_api *r, ck_view name)
{
    static const char hosted[] = CK_HOSTED_HOST "/";
    if (!r->bound.n)
        return true;
    name = ck_name_head(name);
    if (ck_view_starts(name, ck_view_str(hosted)))
        name = ck_view_from(name, sizeof hosted - 1);
    return name.n && ck_repository_matches(r->bound, name);
}

ck_err *ck_api_image_of(struct ck_api *r, const struct ck_digest *d, struct ck_store_row *ret)
{
    bool found = false;
    CK_TRY(ck_store_page_row(r->store, d, r->bound, r->a, ret, &found));
    return found ? NULL : ck_api_error(404, "there is no such image");
}

ck_err *ck_api_image(struct ck_api *r, struct ck_store_row *ret)
{
    return ck_api_image_of(r, &r->digest, ret);
}

ck_err *ck_api_verdict(struct ck_api *r, ck_view name, const struct ck_digest *d,
                       struct ck_verdict *ret)
{
    const struct ck_verdict_question q = { .name = name, .user = r->c->user,
                                           .address = r->c->ask.client, .now = time(NULL) };
    struct ck_rules *rules = ck_rules_get(r->g);
    ck_err *e = ck_verdict_of(r->store, rules->policy, d, &q, r->a, ret);
    ck_rules_put(rules);
    return e;
}

/* --- parts ------------------------------------------------------------------------------------ */

void ck_api_put_severities(struct ck_buf *b, const char *key, const uint32_t counts[6])
{
    ck_out_open(b, key, '{');
    for (int i = CK_SEVERITY_COUNT_ - 1; i >= 0; i--)
        ck_out_u64(b, ck_severity_name((enum ck_severity)i), counts[i]);
    ck_out_close(b, '}');
}

static void put_summary(struct ck_buf *b, const struct ck_store_row *row)
{
    static const char *const keys[] = { "severities", "fixable", "kev", "packages", "complete",
                                        "scanned", "created", "distro" };
    const struct ck_store_summary *s = &row->summary;
    if (!row->has_summary) {
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            ck_out_raw(b, keys[i], CK_V(""));
        return;
    }
    ck_api_put_severities(b, "severities", s->severities);
    ck_out_u64(b, "fixable", s->fixable);
    ck_out_u64(b, "kev", s->kev);
    ck_out_u64(b, "packages", s->packages);
    ck_out_bool(b, "complete", s->complete);
    ck_out_time(b, "scanned", s->scanned);
    ck_out_time(b, "created", s->created);
    ck_out_text_or_null(b, "distro", s->distro);
}

void ck_api_put_row(struct ck_buf *b, const struct ck_store_row *row, bool names)
{
    ck_out_digest(b, "digest", &row->digest);
    ck_out_text_or_null(b, "name", row->name);
    if (names)
        ck_out_u64(b, "names", row->n_names);
    ck_out_text_or_null(b, "platform", row->platform);
    ck_out_word(b, "state", ck_state_name(row->state));
    ck_out_bool(b, "by_person", row->by_person);
    ck_out_text(b, "reason", row->reason);
    ck_out_time(b, "added", row->added);
    ck_out_time(b, "decided", row->decided);
    put_summary(b, row);
}

void ck_api_put_verdict(struct ck_buf *b, const char *key, const struct ck_verdict *v)
{
    ck_out_open(b, key, '{');
    ck_out_word(b, "decision", ck_decision_name(v->decision));
    ck_out_word(b, "policy", ck_decision_name(v->policy));
    ck_out_texts(b, "reasons", v->reasons, v->n_reasons);
    ck_out_u64(b, "persons", v->persons);
    ck_out_u64(b, "released_by", v->released_by);
    ck_out_time(b, "until", v->until);
    ck_out_bool(b, "by_person", v->by_person);
    ck_out_close(b, '}');
}

void ck_api_put_event(struct ck_buf *b, const char *key, const struct ck_event *e)
{
    ck_out_open(b, key, '{');
    ck_out_u64(b, "number", e->number);
    ck_out_time(b, "time", e->time);
    ck_out_text(b, "kind", e->kind);
    ck_out_word(b, "severity", e->severity < 0 ? NULL
                                               : ck_severity_name((enum ck_severity)e->severity));
    ck_out_text_or_null(b, "image", e->image);
    ck_out_text_or_null(b, "name", e->name);
    ck_out_text_or_null(b, "repository", e->repository);
    ck_out_text(b, "summary", e->summary);
    ck_out_raw(b, "data", e->data);
    ck_out_close(b, '}');
}
