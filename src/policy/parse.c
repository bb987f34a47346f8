/* The document: rules, exceptions and what stands above them. */
#include "policy/policy_int.h"

#include "base/mem.h"

#include <stdlib.h>

enum { VERSION = 1 };

static const char *const decision_words[] = {
    [CK_ALLOW] = "allow", [CK_QUARANTINE] = "quarantine", [CK_DENY] = "deny",
    [CK_DECISION_COUNT_] = NULL,
};

const char *ck_decision_name(enum ck_decision d)
{
    return (unsigned)d < CK_DECISION_COUNT_ ? decision_words[d] : "?";
}

ck_err *ck_policy_read_decision(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    unsigned word;
    CK_TRY(ck_doc_word(d, n, decision_words, &word));
    *(enum ck_decision *)ret = word;
    return NULL;
}

ck_err *ck_policy_read_refusal(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    unsigned word;
    CK_TRY(ck_doc_word(d, n, decision_words + CK_QUARANTINE, &word));
    *(enum ck_decision *)ret = CK_QUARANTINE + word;
    return NULL;
}

/* --- release ---------------------------------------------------------------------------------- */

static ck_err *read_persons(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    uint64_t x;
    CK_TRY(ck_doc_number(d, n, 1, CK_MAX_POLICY_PERSONS, &x));
    *(unsigned *)ret = (unsigned)x;
    return NULL;
}

static ck_err *read_release(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    static const char *const nobody[] = { "nobody", NULL };
    static const struct ck_doc_key keys[] = {
        { "persons", read_persons, offsetof(struct ck_policy_release, persons), false },
        { "reason", ck_doc_bool, offsetof(struct ck_policy_release, reason), false },
    };
    struct ck_policy_release r = { .given = true, .persons = 1, .reason = true };
    unsigned word;
    if (n->kind == CK_YAML_SCALAR) {
        CK_TRY(ck_doc_word(d, n, nobody, &word));
        r.persons = 0;
    } else {
        CK_TRY(ck_doc_mapping(d, n, "release", keys, sizeof keys / sizeof *keys, &r));
    }
    *(struct ck_policy_release *)ret = r;
    return NULL;
}

/* --- rules ------------------------------------------------------------------------------------ */

static ck_err *read_match(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    static const struct ck_doc_key keys[] = {
        { "images", ck_policy_read_names, offsetof(struct ck_policy_match, images), false },
        { "namespaces", ck_policy_read_patterns, offsetof(struct ck_policy_match, namespaces),
          false },
        { "clients", ck_policy_read_clients, offsetof(struct ck_policy_match, clients), false },
        { "platforms", ck_policy_read_platforms, offsetof(struct ck_policy_match, platforms),
          false },
    };
    return ck_doc_mapping(d, n, "match", keys, sizeof keys / sizeof *keys, ret);
}

static bool has_only(ck_view v, const char *marks)
{
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && !(c && strchr(marks, c)))
            return false;
    }
    return true;
}

/* Reasons are "rule: text; rule: text". */
static ck_err *read_rule_name(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    static const char *const taken[] = { "default", "exceptions", "examination" };
    enum { LONGEST = 64 };
    ck_view v;
    CK_TRY(ck_doc_text(d, n, &v));
    if (!has_only(v, " ._-"))
        return ck_doc_refuse(d, n, "name: \"%.*s\" may have letters, digits, blanks and . _ - only",
                             CK_VF(ck_view_head(v, 80)));
    if (v.n > LONGEST || ck_view_trim(v).n != v.n)
        return ck_doc_refuse(d, n, "name: at most %d characters, without blanks at its ends",
                             LONGEST);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (ck_view_eq(v, ck_view_str(taken[i])))
            return ck_doc_refuse(d, n, "name: \"%s\" means something already", taken[i]);
    *(ck_view *)ret = v;
    return NULL;
}

static ck_err *read_rule(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    static const struct ck_doc_key keys[] = {
        { "name", read_rule_name, offsetof(struct ck_policy_rule, name), true },
        { "match", read_match, offsetof(struct ck_policy_rule, match), false },
        { "require", ck_policy_read_demands, offsetof(struct ck_policy_rule, demands), false },
        { "decision", ck_policy_read_decision, offsetof(struct ck_policy_rule, decision), false },
        { "otherwise", ck_policy_read_refusal, offsetof(struct ck_policy_rule, otherwise), false },
        { "release", read_release, offsetof(struct ck_policy_rule, release), false },
    };
    struct ck_policy_rule *r = ret;
    r->otherwise = CK_DENY;
    CK_TRY(ck_doc_mapping(d, n, "a rule", keys, sizeof keys / sizeof *keys, r));
    const struct ck_yaml_node *decision = ck_doc_value(n, "decision");
    const struct ck_yaml_node *otherwise = ck_doc_value(n, "otherwise");
    if (decision && ck_doc_value(n, "require"))
        return ck_doc_refuse(d, decision, "a rule has \"require\" or \"decision\", not both");
    if (!decision && !ck_doc_value(n, "require"))
        return ck_doc_refuse(d, n, "a rule must have \"require\" or \"decision\"");
    if (decision && otherwise)
        return ck_doc_refuse(d, otherwise, "\"otherwise\" is for a rule with \"require\"");
    for (size_t i = 0; i < CK_DEMAND_COUNT_; i++)
        if (r->demands[i].given && r->demands[i].otherwise == CK_DECISION_COUNT_)
            r->demands[i].otherwise = r->otherwise;
    return NULL;
}

static ck_err *no_name_twice(struct ck_doc *d, const struct ck_yaml_node *n,
                             const struct ck_policy *p)
{
    const struct ck_yaml_edge *k = n->first;
    for (size_t i = 0; i < p->n_rules; i++, k = k->next)
        for (size_t m = 0; m < i; m++)
            if (ck_view_eq(p->rules[m].name, p->rules[i].name))
                return ck_doc_refuse(d, ck_doc_value(k->node, "name"),
                                     "name: there is a rule \"%.*s\" already",
                                     CK_VF(p->rules[i].name));
    return NULL;
}

static ck_err *read_rules(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    struct ck_policy *p = ret;
    void *v;
    CK_TRY(ck_doc_list(d, n, CK_LIMIT_POLICY_RULES, read_rule, sizeof *p->rules, &v,
                       &p->n_rules));
    p->rules = v;
    return no_name_twice(d, n, p);
}

/* --- exceptions ------------------------------------------------------------------------------- */

static ck_err *read_id(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    ck_view v;
    CK_TRY(ck_doc_text(d, n, &v));
    if (!has_only(v, "._:+~=-"))
        return ck_doc_refuse(d, n, "id: \"%.*s\" must be one id, as CVE-2024-1234; patterns are "
                                   "not allowed",
                             CK_VF(ck_view_head(v, 80)));
    if (ck_view_starts(v, CK_V("cve-")) || ck_view_starts(v, CK_V("Cve-")))
        return ck_doc_refuse(d, n, "id: \"%.*s\" must begin with CVE-",
                             CK_VF(ck_view_head(v, 80)));
    *(ck_view *)ret = v;
    return NULL;
}

static ck_err *read_ids(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    struct ck_policy_exception *x = ret;
    void *v;
    CK_TRY(ck_doc_one_or_list(d, n, CK_LIMIT_POLICY_LIST, read_id, sizeof *x->ids, &v,
                              &x->n_ids));
    x->ids = v;
    return NULL;
}

static ck_err *read_demand_name(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    return ck_doc_word(d, n, ck_demand_names, ret);
}

static ck_err *read_demand_names(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    void *v;
    size_t count;
    CK_TRY(ck_doc_one_or_list(d, n, CK_LIMIT_POLICY_LIST, read_demand_name, sizeof(unsigned), &v,
                              &count));
    for (size_t i = 0; i < count; i++)
        *(uint32_t *)ret |= 1u << ((const unsigned *)v)[i];
    return NULL;
}

static ck_err *read_exception(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    static const struct ck_doc_key keys[] = {
        { "id", read_ids, 0, false },
        { "demand", read_demand_names, offsetof(struct ck_policy_exception, demands), false },
        { "images", ck_policy_read_names, offsetof(struct ck_policy_exception, images), false },
        { "packages", ck_policy_read_patterns, offsetof(struct ck_policy_exception, packages),
          false },
        { "owner", ck_doc_text, offsetof(struct ck_policy_exception, owner), true },
        { "reason", ck_doc_text, offsetof(struct ck_policy_exception, reason), true },
        { "expires", ck_doc_end_of_day, offsetof(struct ck_policy_exception, expires), true },
    };
    CK_TRY(ck_doc_mapping(d, n, "an exception", keys, sizeof keys / sizeof *keys, ret));
    const struct ck_yaml_node *id = ck_doc_value(n, "id"), *demand = ck_doc_value(n, "demand");
    const struct ck_yaml_node *packages = ck_doc_value(n, "packages");
    if (!id == !demand)
        return ck_doc_refuse(d, demand ? demand : n,
                             "an exception has \"id\" or \"demand\", one of them");
    if (demand && packages)
        return ck_doc_refuse(d, packages, "\"packages\" is for an exception with \"id\"");
    return NULL;
}

static int by_id(const void *x, const void *y)
{
    const struct ck_policy_id *a = x, *b = y;
    int order = ck_view_cmp(a->id, b->id);
    return order ? order : (a->exception > b->exception) - (a->exception < b->exception);
}

static void index_ids(struct ck_policy *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n_exceptions; i++)
        n += p->exceptions[i].n_ids;
    p->ids = ck_arena_alloc(&p->a, n, sizeof *p->ids);
    for (size_t i = 0; i < p->n_exceptions; i++)
        for (size_t k = 0; k < p->exceptions[i].n_ids; k++)
            p->ids[p->n_ids++] = (struct ck_policy_id){ p->exceptions[i].ids[k], i };
    if (n)
        qsort(p->ids, n, sizeof *p->ids, by_id);
}

static ck_err *read_exceptions(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    struct ck_policy *p = ret;
    void *v;
    CK_TRY(ck_doc_list(d, n, CK_LIMIT_POLICY_EXCEPTIONS, read_exception, sizeof *p->exceptions,
                       &v, &p->n_exceptions));
    p->exceptions = v;
    index_ids(p);
    return NULL;
}

/* --- the whole -------------------------------------------------------------------------------- */

static ck_err *read_version(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    uint64_t x;
    (void)ret;
    return ck_doc_number(d, n, VERSION, VERSION, &x);
}

static ck_err *read_policy(struct ck_doc *d, const struct ck_yaml_node *root, struct ck_policy *p)
{
    static const struct ck_doc_key keys[] = {
        { "version", read_version, 0, true },
        { "default", ck_policy_read_decision, offsetof(struct ck_policy, fallback), true },
        { "release", read_release, offsetof(struct ck_policy, release), false },
        { "rules", read_rules, 0, false },
        { "exceptions", read_exceptions, 0, false },
    };
    static const struct ck_policy_release usual = { .persons = 1, .reason = true };
    p->release = usual;
    CK_TRY(ck_doc_mapping(d, root, "a policy", keys, sizeof keys / sizeof *keys, p));
    for (size_t i = 0; i < p->n_rules; i++)
        if (!p->rules[i].release.given)
            p->rules[i].release = p->release;
    return NULL;
}

ck_err *ck_policy_parse(ck_view yaml, const char *file, struct ck_policy **ret)
{
    struct ck_policy *p = ck_new(struct ck_policy);
    const struct ck_yaml_node *root;
    struct ck_digest digest;
    struct ck_doc d;
    p->file = (const char *)ck_arena_dup(&p->a, ck_view_str(file)).p;
    p->text = ck_arena_dup(&p->a, yaml);
    ck_hash_of(CK_DIGEST_SHA256, yaml, &digest);
    ck_digest_text(&digest, p->digest);
    ck_err *e = ck_doc_open(&d, yaml, p->file, &p->a, &root);
    if (!e)
        e = read_policy(&d, root, p);
    ck_doc_close(&d);
    if (e)
        ck_policy_free(p);
    else
        *ret = p;
    return e;
}

void ck_policy_free(struct ck_policy *p)
{
    if (!p)
        return;
    struct ck_arena a = p->a;
    ck_arena_free(&a);
    free(p);
}

const char *ck_policy_digest(const struct ck_policy *p) { return p->digest; }
const char *ck_policy_file(const struct ck_policy *p) { return p->file; }
