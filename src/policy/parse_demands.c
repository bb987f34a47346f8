/* What a rule may require. A demand is written short (its first key's value, or the list that its
 * key "any" takes), or as a mapping of its keys.
 */
#include "policy/policy_int.h"

const char *const ck_demand_names[CK_DEMAND_COUNT_ + 1] = {
    [CK_DEMAND_SEVERITY] = "severity",
    [CK_DEMAND_KNOWN_EXPLOITED] = "known-exploited",
    [CK_DEMAND_ASSESSMENT] = "assessment",
    [CK_DEMAND_DISTRIBUTION] = "distribution",
    [CK_DEMAND_BASE] = "base",
    [CK_DEMAND_MAX_AGE] = "max-age",
    [CK_DEMAND_USER] = "user",
    [CK_DEMAND_ENVIRONMENT] = "environment",
    [CK_DEMAND_LABELS] = "labels",
    [CK_DEMAND_VOLUMES] = "volumes",
    [CK_DEMAND_PORTS] = "ports",
    [CK_DEMAND_TAGS] = "tags",
    [CK_DEMAND_UPSTREAMS] = "upstreams",
    [CK_DEMAND_NEAR_MISS] = "near-miss",
    [CK_DEMAND_SIGNERS] = "signers",
};

const char *const ck_severity_words[] = {
    [CK_SEVERITY_UNKNOWN] = "none",   [CK_SEVERITY_NEGLIGIBLE] = "negligible",
    [CK_SEVERITY_LOW] = "low",        [CK_SEVERITY_MEDIUM] = "medium",
    [CK_SEVERITY_HIGH] = "high",      [CK_SEVERITY_CRITICAL] = "critical",
    [CK_SEVERITY_COUNT_] = NULL,
};

/* --- values ----------------------------------------------------------------------------------- */

static ck_err *read_severity(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    unsigned word;
    CK_TRY(ck_doc_word(d, n, ck_severity_words, &word));
    *(enum ck_severity *)ret = word;
    return NULL;
}

static ck_err *read_unknown(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    unsigned word;
    CK_TRY(ck_doc_word(d, n, ck_severity_words + CK_SEVERITY_NEGLIGIBLE, &word));
    *(enum ck_severity *)ret = CK_SEVERITY_NEGLIGIBLE + word;
    return NULL;
}

#define WORD_READER(name, ...)                                                               \
    static ck_err *name(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)           \
    {                                                                                        \
        static const char *const words[] = { __VA_ARGS__, NULL };                            \
        return ck_doc_word(d, n, words, ret);                                                \
    }
WORD_READER(read_none, "none")
WORD_READER(read_complete, "complete")
WORD_READER(read_supported, "supported")
WORD_READER(read_tags, "pinned", "immutable")
WORD_READER(read_user, "non-root", "numeric")
WORD_READER(read_no_secrets, "no-secrets")
WORD_READER(read_refused, "refused")

/* --- the table -------------------------------------------------------------------------------- */

#define AT(field) offsetof(struct ck_demand, field)
#define OTHERWISE { "otherwise", ck_policy_read_refusal, AT(otherwise), false }
#define ANY { "any", ck_policy_read_patterns, AT(any), true }
#define IS(reader) { "is", reader, AT(word), true }

static const struct ck_doc_key severity[] = {
    { "at-most", read_severity, AT(at_most), false },
    { "fixable", read_severity, AT(fixable), false },
    { "grace", ck_doc_duration, AT(grace), false },
    { "unknown", read_unknown, AT(unknown), false },
    OTHERWISE,
};
static const struct ck_doc_key known_exploited[] = { IS(read_none), OTHERWISE };
static const struct ck_doc_key assessment[] = { IS(read_complete), OTHERWISE };
static const struct ck_doc_key distribution[] = {
    { "is", read_supported, AT(word), false },
    { "any", ck_policy_read_patterns, AT(any), false },
    OTHERWISE,
};
static const struct ck_doc_key max_age[] = {
    { "is", ck_doc_duration, AT(age), true },
    OTHERWISE,
};
static const struct ck_doc_key user[] = { IS(read_user), OTHERWISE };
static const struct ck_doc_key environment[] = { IS(read_no_secrets), OTHERWISE };
static const struct ck_doc_key tags[] = { IS(read_tags), OTHERWISE };
static const struct ck_doc_key near_miss[] = { IS(read_refused), OTHERWISE };
static const struct ck_doc_key any_of[] = { ANY, OTHERWISE };
static const struct ck_doc_key labels[] = {
    { "forbidden", ck_policy_read_patterns, AT(forbidden), false },
    { "required", ck_policy_read_patterns, AT(required), false },
    OTHERWISE,
};
static const struct ck_doc_key forbidden[] = {
    { "forbidden", ck_policy_read_patterns, AT(forbidden), true },
    OTHERWISE,
};

static const struct kind {
    const struct ck_doc_key *keys;
    size_t n;
    bool value; /* may be written as the first key's value alone */
    bool list;  /* may be written as the list that "any" takes */
} kinds[CK_DEMAND_COUNT_] = {
#define KIND(k, value, list) { k, sizeof (k) / sizeof *(k), value, list }
    [CK_DEMAND_SEVERITY] = KIND(severity, true, false),
    [CK_DEMAND_KNOWN_EXPLOITED] = KIND(known_exploited, true, false),
    [CK_DEMAND_ASSESSMENT] = KIND(assessment, true, false),
    [CK_DEMAND_DISTRIBUTION] = KIND(distribution, true, true),
    [CK_DEMAND_BASE] = KIND(any_of, true, true),
    [CK_DEMAND_MAX_AGE] = KIND(max_age, true, false),
    [CK_DEMAND_USER] = KIND(user, true, false),
    [CK_DEMAND_ENVIRONMENT] = KIND(environment, true, false),
    [CK_DEMAND_LABELS] = KIND(labels, false, false),
    [CK_DEMAND_VOLUMES] = KIND(forbidden, false, false),
    [CK_DEMAND_PORTS] = KIND(forbidden, false, false),
    [CK_DEMAND_TAGS] = KIND(tags, true, false),
    [CK_DEMAND_UPSTREAMS] = KIND(any_of, true, true),
    [CK_DEMAND_NEAR_MISS] = KIND(near_miss, true, false),
    [CK_DEMAND_SIGNERS] = KIND(any_of, true, true),
#undef KIND
};

/* --- reading ---------------------------------------------------------------------------------- */

static ck_err *check_severity(struct ck_doc *d, const struct ck_yaml_node *n,
                              const struct ck_demand *m)
{
    const struct ck_yaml_node *fixable = ck_doc_value(n, "fixable");
    const struct ck_yaml_node *grace = ck_doc_value(n, "grace");
    if (!fixable && !ck_doc_value(n, "at-most"))
        return ck_doc_refuse(d, n, "severity must have \"at-most\" or \"fixable\"");
    if (grace && !fixable)
        return ck_doc_refuse(d, grace, "\"grace\" is for what \"fixable\" asks; there is none");
    if (fixable && m->fixable > m->at_most)
        return ck_doc_refuse(d, fixable, "\"fixable\" must not be higher than \"at-most\"");
    return NULL;
}

static ck_err *check_mapping(struct ck_doc *d, const struct ck_yaml_node *n, enum ck_demand_id id,
                             const struct ck_demand *m)
{
    if (id == CK_DEMAND_SEVERITY)
        return check_severity(d, n, m);
    if (id == CK_DEMAND_LABELS && !m->forbidden.n && !m->required.n)
        return ck_doc_refuse(d, n, "labels must have \"forbidden\" or \"required\"");
    if (id == CK_DEMAND_DISTRIBUTION && !m->any.n && !ck_doc_value(n, "is"))
        return ck_doc_refuse(d, n, "distribution must have \"is\" or \"any\"");
    return NULL;
}

static ck_err *read_short(struct ck_doc *d, const struct ck_yaml_node *n, enum ck_demand_id id,
                          struct ck_demand *m)
{
    const struct kind *k = &kinds[id];
    if (n->kind == CK_YAML_SEQUENCE && k->list)
        return ck_policy_read_patterns(d, n, &m->any);
    if (n->kind == CK_YAML_SCALAR && k->value)
        return k->keys[0].read(d, n, (char *)m + k->keys[0].at);
    return ck_doc_mapping(d, n, ck_demand_names[id], k->keys, k->n, m); /* which refuses it */
}

/* d->key is the demand's name. */
static ck_err *read_demand(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    struct ck_demand m = { .given = true, .otherwise = CK_DECISION_COUNT_,
                           .at_most = CK_SEVERITY_CRITICAL, .unknown = CK_SEVERITY_MEDIUM };
    enum ck_demand_id id = 0;
    while (ck_view_cmp(ck_view_str(ck_demand_names[id]), ck_view_str(d->key)) != 0)
        id++;
    m.fixable = CK_SEVERITY_COUNT_;
    if (n->kind == CK_YAML_MAPPING) {
        CK_TRY(ck_doc_mapping(d, n, ck_demand_names[id], kinds[id].keys, kinds[id].n, &m));
        CK_TRY(check_mapping(d, n, id, &m));
    } else {
        CK_TRY(read_short(d, n, id, &m));
    }
    if (m.fixable == CK_SEVERITY_COUNT_)
        m.fixable = m.at_most;
    *(struct ck_demand *)ret = m;
    return NULL;
}

ck_err *ck_policy_read_demands(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    struct ck_doc_key keys[CK_DEMAND_COUNT_];
    for (size_t i = 0; i < CK_DEMAND_COUNT_; i++)
        keys[i] = (struct ck_doc_key){ ck_demand_names[i], read_demand,
                                       i * sizeof(struct ck_demand), false };
    if (n->kind == CK_YAML_MAPPING && !n->first)
        return ck_doc_refuse(d, n, "require is empty; leave it out, and write \"decision: allow\"");
    return ck_doc_mapping(d, n, "require", keys, CK_DEMAND_COUNT_, ret);
}
