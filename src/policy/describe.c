/* A policy in words. */
#include "policy/policy_int.h"

#include "base/text.h"

static void put(struct ck_buf *out, const char *text) { ck_put_bytes(out, ck_view_str(text)); }

static void put_patterns(struct ck_buf *out, const char *what, const struct ck_policy_patterns *p)
{
    for (size_t i = 0; i < p->n; i++) {
        put(out, i ? ", " : what);
        ck_put_bytes(out, p->v[i].text);
    }
}

static void put_names(struct ck_buf *out, const char *what, const struct ck_policy_names *p)
{
    for (size_t i = 0; i < p->n; i++) {
        put(out, i ? ", " : what);
        ck_put_bytes(out, p->v[i].text);
    }
}

static void put_match(struct ck_buf *out, const struct ck_policy_match *m)
{
    put_names(out, "  for images: ", &m->images);
    if (!m->images.n)
        put(out, "  for all images");
    put_patterns(out, "\n  in namespaces: ", &m->namespaces);
    put_patterns(out, "\n  on platforms: ", &m->platforms);
    for (size_t i = 0; i < m->clients.n; i++) {
        put(out, i ? ", " : "\n  asked for by: ");
        ck_put_bytes(out, m->clients.v[i].user.text);
    }
    put(out, "\n");
}

/* --- demands ---------------------------------------------------------------------------------- */

static void put_severity(struct ck_buf *out, const struct ck_demand *d)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_buf_format(out, "at most %s", ck_severity_words[d->at_most]);
    if (d->fixable < d->at_most)
        ck_buf_format(out, "; with a fix at most %s", ck_severity_words[d->fixable]);
    if (d->grace)
        ck_buf_format(out, ", %s after the fix came out", ck_policy_duration(d->grace, &a));
    ck_buf_format(out, "; unknown counts as %s", ck_severity_words[d->unknown]);
}

static void put_max_age(struct ck_buf *out, const struct ck_demand *d)
{
    ck_autoarena struct ck_arena a = { 0 };
    put(out, ck_policy_duration(d->age, &a));
}

static void put_distribution(struct ck_buf *out, const struct ck_demand *d)
{
    put(out, "known and supported");
    put_patterns(out, ", one of ", &d->any);
}

static void put_tags(struct ck_buf *out, const struct ck_demand *d)
{
    put(out, d->word ? "immutable" : "pinned");
}

static void put_user(struct ck_buf *out, const struct ck_demand *d)
{
    put(out, d->word ? "a number other than 0" : "not root");
}

static void put_lists(struct ck_buf *out, const struct ck_demand *d)
{
    put_patterns(out, "one of ", &d->any);
    put_patterns(out, "forbidden ", &d->forbidden);
    put_patterns(out, d->forbidden.n ? "; required " : "required ", &d->required);
}

static const struct {
    void (*put)(struct ck_buf *out, const struct ck_demand *d);
    const char *text; /* where there is nothing to choose */
} words[CK_DEMAND_COUNT_] = {
    [CK_DEMAND_SEVERITY] = { put_severity, NULL },
    [CK_DEMAND_KNOWN_EXPLOITED] = { NULL, "none" },
    [CK_DEMAND_ASSESSMENT] = { NULL, "complete" },
    [CK_DEMAND_DISTRIBUTION] = { put_distribution, NULL },
    [CK_DEMAND_BASE] = { put_lists, NULL },
    [CK_DEMAND_MAX_AGE] = { put_max_age, NULL },
    [CK_DEMAND_USER] = { put_user, NULL },
    [CK_DEMAND_ENVIRONMENT] = { NULL, "no secrets" },
    [CK_DEMAND_LABELS] = { put_lists, NULL },
    [CK_DEMAND_VOLUMES] = { put_lists, NULL },
    [CK_DEMAND_PORTS] = { put_lists, NULL },
    [CK_DEMAND_TAGS] = { put_tags, NULL },
    [CK_DEMAND_UPSTREAMS] = { put_lists, NULL },
    [CK_DEMAND_NEAR_MISS] = { NULL, "refused" },
    [CK_DEMAND_SIGNERS] = { put_lists, NULL },
};

static void put_demands(struct ck_buf *out, const struct ck_policy_rule *r)
{
    for (size_t i = 0; i < CK_DEMAND_COUNT_; i++) {
        const struct ck_demand *d = &r->demands[i];
        if (!d->given)
            continue;
        ck_buf_format(out, "  requires %s: ", ck_demand_names[i]);
        if (words[i].put)
            words[i].put(out, d);
        else
            put(out, words[i].text);
        ck_buf_format(out, "; otherwise %s\n", ck_decision_name(d->otherwise));
    }
}

static void put_release(struct ck_buf *out, const struct ck_policy_release *r)
{
    if (r->persons == 0)
        put(out, "  released by nobody\n");
    else
        ck_buf_format(out, "  released by %u %s%s\n", r->persons,
                      r->persons == 1 ? "person" : "different persons",
                      r->reason ? ", with a reason" : "");
}

static bool quarantines(const struct ck_policy_rule *r)
{
    bool any = r->decision == CK_QUARANTINE;
    for (size_t i = 0; i < CK_DEMAND_COUNT_; i++)
        any |= r->demands[i].given && r->demands[i].otherwise == CK_QUARANTINE;
    return any;
}

static void put_rule(struct ck_buf *out, const struct ck_policy_rule *r)
{
    put_match(out, &r->match);
    put_demands(out, r);
    if (r->decision != CK_ALLOW)
        ck_buf_format(out, "  decides: %s\n", ck_decision_name(r->decision));
    if (quarantines(r))
        put_release(out, &r->release);
}

static void put_exception(struct ck_buf *out, const struct ck_policy_exception *x, int64_t now)
{
    ck_autoarena struct ck_arena a = { 0 };
    bool first = true;
    for (size_t i = 0; i < x->n_ids; i++, first = false)
        ck_buf_format(out, "%s%.*s", first ? "" : ", ", CK_VF(x->ids[i]));
    for (size_t i = 0; i < CK_DEMAND_COUNT_; i++)
        if (x->demands >> i & 1) {
            ck_buf_format(out, "%s%s", first ? "from " : ", ", ck_demand_names[i]);
            first = false;
        }
    put(out, "\n");
    put_names(out, "  for images: ", &x->images);
    put(out, x->images.n ? "\n" : "  for all images\n");
    put_patterns(out, "  in packages: ", &x->packages);
    ck_buf_format(out, "%s  %s %s, by %.*s: %.*s\n", x->packages.n ? "\n" : "",
                  now < x->expires ? "until" : "EXPIRED on", ck_policy_day(x->expires - 1, &a),
                  CK_VF(x->owner), CK_VF(x->reason));
}

void ck_policy_describe(const struct ck_policy *p, int64_t now, struct ck_buf *out)
{
    ck_autobuf struct ck_buf file = ck_buf_new(CK_LIMIT_NONE);
    ck_buf_escape(&file, ck_view_str(p->file));
    ck_buf_format(out, "policy %.*s, %s\ndefault: %s\n", CK_VF(ck_buf_view(&file)), p->digest,
                  ck_decision_name(p->fallback));
    for (size_t i = 0; i < p->n_rules; i++) {
        ck_buf_format(out, "\nrule %.*s\n", CK_VF(p->rules[i].name));
        put_rule(out, &p->rules[i]);
    }
    for (size_t i = 0; i < p->n_exceptions; i++) {
        put(out, "\nexception ");
        put_exception(out, &p->exceptions[i], now);
    }
}

ck_view ck_policy_text(const struct ck_policy *p) { return p->text; }
size_t ck_policy_rules(const struct ck_policy *p) { return p->n_rules; }
size_t ck_policy_exceptions(const struct ck_policy *p) { return p->n_exceptions; }

ck_view ck_policy_rule(const struct ck_policy *p, size_t i, struct ck_buf *out)
{
    put_rule(out, &p->rules[i]);
    return p->rules[i].name;
}

int64_t ck_policy_exception(const struct ck_policy *p, size_t i, int64_t now, struct ck_buf *out)
{
    put_exception(out, &p->exceptions[i], now);
    return p->exceptions[i].expires;
}
