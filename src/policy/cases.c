#include "policy/cases.h"

#include "base/text.h"
#include "policy/policy_int.h"

enum { VERSION = 1 };

/* A case as it stands there. */
struct typed {
    struct ck_policy_case c;
    struct ck_name image;
    bool has_image, has_facts;
    struct ck_facts facts;
    ck_view *bases, *tags;
    size_t n_bases, n_tags;
};

struct document {
    struct ck_policy_cases cases;
    struct typed *typed;
    int64_t now;
};

/* --- lists ------------------------------------------------------------------------------------ */

static ck_err *read_texts(struct ck_doc *d, const struct ck_yaml_node *n, ck_view **ret,
                          size_t *ret_n)
{
    void *v;
    CK_TRY(ck_doc_one_or_list(d, n, CK_LIMIT_POLICY_LIST, ck_doc_text, sizeof(ck_view), &v,
                              ret_n));
    *ret = v;
    return NULL;
}

/* "key=value" */
static ck_err *read_pair(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    struct ck_fact_pair *p = ret;
    ck_view v;
    CK_TRY(ck_doc_text(d, n, &v));
    p->key = ck_view_split(v, '=', &p->value);
    return NULL;
}

static ck_err *read_pairs(struct ck_doc *d, const struct ck_yaml_node *n,
                          struct ck_fact_pair **ret, size_t *ret_n)
{
    void *v;
    CK_TRY(ck_doc_one_or_list(d, n, CK_LIMIT_POLICY_LIST, read_pair, sizeof **ret, &v, ret_n));
    *ret = v;
    return NULL;
}

#define LIST_READER(name, type, field, reader)                                               \
    static ck_err *name(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)           \
    {                                                                                        \
        type *x = ret;                                                                       \
        return reader(d, n, &x->field, &x->n_##field);                                       \
    }
LIST_READER(read_aliases, struct ck_fact_finding, aliases, read_texts)
LIST_READER(read_volumes, struct ck_facts, volumes, read_texts)
LIST_READER(read_ports, struct ck_facts, ports, read_texts)
LIST_READER(read_labels, struct ck_facts, labels, read_pairs)
LIST_READER(read_secrets, struct ck_facts, secrets, read_pairs)
LIST_READER(read_gaps, struct ck_facts, gaps, read_pairs)
LIST_READER(read_bases, struct typed, bases, read_texts)
LIST_READER(read_tags, struct typed, tags, read_texts)
LIST_READER(read_reasons, struct ck_policy_case, reasons, read_texts)

/* --- facts ------------------------------------------------------------------------------------ */

static ck_err *read_severity(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    static const char *const words[] = { "unknown", "negligible", "low",
                                         "medium",  "high",       "critical", NULL };
    unsigned word;
    CK_TRY(ck_doc_word(d, n, words, &word));
    *(enum ck_severity *)ret = word;
    return NULL;
}

static ck_err *read_time_or_day(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    int64_t t;
    CK_TRY(ck_doc_end_of_day(d, n, &t));
    *(int64_t *)ret = n->value.n == 10 ? t - 86400 : t; /* a day stands for its beginning here */
    return NULL;
}

static ck_err *read_finding(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    static const struct ck_doc_key keys[] = {
        { "id", ck_doc_text, offsetof(struct ck_fact_finding, id), true },
        { "aliases", read_aliases, 0, false },
        { "package", ck_doc_text, offsetof(struct ck_fact_finding, package), true },
        { "version", ck_doc_text, offsetof(struct ck_fact_finding, version), true },
        { "severity", read_severity, offsetof(struct ck_fact_finding, severity), true },
        { "fixed-in", ck_doc_text, offsetof(struct ck_fact_finding, fix_version), false },
        { "fixed-since", read_time_or_day, offsetof(struct ck_fact_finding, fixed_since), false },
        { "known-exploited", ck_doc_bool, offsetof(struct ck_fact_finding, kev), false },
    };
    struct ck_fact_finding *f = ret;
    CK_TRY(ck_doc_mapping(d, n, "a finding", keys, sizeof keys / sizeof *keys, f));
    f->fix_state = f->fix_version.n ? CK_FIX_FIXED : CK_FIX_NONE;
    if (f->fixed_since && !f->fix_version.n)
        return ck_doc_refuse(d, n, "a finding with \"fixed-since\" must have \"fixed-in\"");
    return NULL;
}

static ck_err *read_findings(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    struct ck_facts *f = ret;
    void *v;
    CK_TRY(ck_doc_list(d, n, CK_LIMIT_POLICY_CASES, read_finding, sizeof *f->findings, &v,
                       &f->n_findings));
    f->findings = v;
    return NULL;
}

static ck_err *read_facts(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    static const struct ck_doc_key keys[] = {
        { "created", read_time_or_day, offsetof(struct ck_facts, created), false },
        { "distribution", ck_doc_text, offsetof(struct ck_facts, distro), false },
        { "end-of-life", read_time_or_day, offsetof(struct ck_facts, end_of_life), false },
        { "complete", ck_doc_bool, offsetof(struct ck_facts, complete), false },
        { "gaps", read_gaps, 0, false },
        { "findings", read_findings, 0, false },
        { "user", ck_doc_text, offsetof(struct ck_facts, user), false },
        { "labels", read_labels, 0, false },
        { "volumes", read_volumes, 0, false },
        { "ports", read_ports, 0, false },
        { "secrets", read_secrets, 0, false },
    };
    struct typed *t = ret;
    t->has_facts = t->facts.complete = true;
    CK_TRY(ck_doc_mapping(d, n, "facts", keys, sizeof keys / sizeof *keys, &t->facts));
    t->facts.distro_known = t->facts.distro.n > 0;
    return NULL;
}

/* --- cases ------------------------------------------------------------------------------------ */

static ck_err *read_image(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    struct typed *t = ret;
    ck_view v;
    CK_TRY(ck_doc_text(d, n, &v));
    ck_autoerr ck_err *e = ck_name_parse(v, d->a, &t->image);
    if (e)
        return ck_doc_refuse(d, n, "image: %s", ck_err_text(e));
    t->has_image = true;
    return NULL;
}

static ck_err *read_expect(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    static const struct ck_doc_key keys[] = {
        { "decision", ck_policy_read_decision, offsetof(struct ck_policy_case, decision), true },
        { "reasons", read_reasons, 0, false },
    };
    return ck_doc_mapping(d, n, "expect", keys, sizeof keys / sizeof *keys, ret);
}

static ck_err *read_case(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
#define SUBJECT(field) offsetof(struct typed, c.subject.field)
    static const struct ck_doc_key keys[] = {
        { "name", ck_doc_text, offsetof(struct typed, c.name), true },
        { "image", read_image, 0, false },
        { "upstream", ck_doc_text, SUBJECT(upstream), false },
        { "tags", read_tags, 0, false },
        { "platform", ck_doc_text, SUBJECT(platform), false },
        { "user", ck_doc_text, SUBJECT(user), false },
        { "address", ck_doc_text, SUBJECT(address), false },
        { "namespace", ck_doc_text, SUBJECT(namespace_), false },
        { "now", ck_doc_time, SUBJECT(now), false },
        { "first-seen", read_time_or_day, SUBJECT(first_seen), false },
        { "tag-moved", read_time_or_day, SUBJECT(tag_moved), false },
        { "index", ck_doc_bool, SUBJECT(index), false },
        { "bases", read_bases, 0, false },
        { "facts", read_facts, 0, false },
        { "expect", read_expect, offsetof(struct typed, c), true },
    };
    struct typed *t = ret;
    CK_TRY(ck_doc_mapping(d, n, "a case", keys, sizeof keys / sizeof *keys, t));
    if (t->c.subject.index && t->has_facts)
        return ck_doc_refuse(d, ck_doc_value(n, "facts"), "there are no facts of an index");
    return NULL;
}

static ck_err *read_cases(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    struct document *doc = ret;
    void *v;
    CK_TRY(ck_doc_list(d, n, CK_LIMIT_POLICY_CASES, read_case, sizeof *doc->typed, &v,
                       &doc->cases.n));
    doc->typed = v;
    return NULL;
}

static ck_err *read_version(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    uint64_t x;
    (void)ret;
    return ck_doc_number(d, n, VERSION, VERSION, &x);
}

/* What follows from what stands there, as it does for an image of the store. */
static void complete(struct typed *t, int64_t now, struct ck_arena *a)
{
    struct ck_policy_subject *s = &t->c.subject;
    struct ck_name_warning *warnings = NULL;
    s->now = s->now ? s->now : now;
    s->facts = t->has_facts ? &t->facts : NULL;
    s->bases = t->bases, s->n_bases = t->n_bases;
    s->tags = t->tags, s->n_tags = t->n_tags;
    if (!t->has_image)
        return;
    s->name = &t->image;
    s->repository = ck_view_str(ck_name_repository(&t->image, a));
    s->upstream = s->upstream.n ? s->upstream : t->image.host;
    ck_name_warnings(&t->image, NULL, 0, a, &warnings, &s->n_warnings);
    s->warnings = warnings;
}

static ck_err *read_document(struct ck_doc *d, const struct ck_yaml_node *root,
                             struct document *doc)
{
    static const struct ck_doc_key keys[] = {
        { "version", read_version, 0, true },
        { "policy", ck_doc_text, offsetof(struct document, cases.policy), false },
        { "now", ck_doc_time, offsetof(struct document, now), false },
        { "cases", read_cases, 0, true },
    };
    CK_TRY(ck_doc_mapping(d, root, "a file of cases", keys, sizeof keys / sizeof *keys, doc));
    doc->cases.v = ck_arena_alloc(d->a, doc->cases.n, sizeof *doc->cases.v);
    for (size_t i = 0; i < doc->cases.n; i++) {
        complete(&doc->typed[i], doc->now, d->a);
        doc->cases.v[i] = doc->typed[i].c;
    }
    return NULL;
}

ck_err *ck_policy_cases_parse(ck_view yaml, const char *file, int64_t now, struct ck_arena *a,
                              struct ck_policy_cases *ret)
{
    const struct ck_yaml_node *root;
    struct document doc = { .now = now };
    struct ck_doc d;
    ck_err *e = ck_doc_open(&d, yaml, file, a, &root);
    if (!e)
        e = read_document(&d, root, &doc);
    ck_doc_close(&d);
    if (!e)
        *ret = doc.cases;
    return e;
}

/* --- judging ---------------------------------------------------------------------------------- */

static bool contains(ck_view text, ck_view part)
{
    for (size_t i = 0; i + part.n <= text.n; i++)
        if (ck_view_starts(ck_view_from(text, i), part))
            return true;
    return false;
}

static void differ(struct ck_buf *out, const char *what, ck_view v)
{
    ck_put_bytes(out, ck_view_str(what));
    ck_buf_escape(out, v);
    ck_put_bytes(out, CK_V("\n"));
}

static void compare_reasons(const struct ck_policy_case *c, const struct ck_policy_answer *r,
                            struct ck_arena *a, struct ck_buf *out)
{
    bool *met = ck_arena_alloc(a, c->n_reasons, sizeof *met);
    for (size_t i = 0; i < r->n_reasons; i++) {
        const struct ck_policy_reason *x = &r->reasons[i];
        ck_view line = ck_view_str(ck_arena_format(a, "%.*s: %.*s", CK_VF(x->rule),
                                                   CK_VF(x->text)));
        bool expected = false;
        for (size_t k = 0; k < c->n_reasons; k++)
            if (contains(line, c->reasons[k]))
                expected = met[k] = true;
        if (!expected)
            differ(out, "not expected: ", line);
    }
    for (size_t k = 0; k < c->n_reasons; k++)
        if (!met[k])
            differ(out, "no reason has: ", c->reasons[k]);
}

bool ck_policy_case_holds(const struct ck_policy_case *c, const struct ck_policy *p,
                          struct ck_buf *out)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_policy_answer r;
    size_t before = out->n;
    ck_policy_decide(p, &c->subject, &a, &r);
    if (r.decision != c->decision)
        ck_buf_format(out, "decision: %s, expected %s\n", ck_decision_name(r.decision),
                      ck_decision_name(c->decision));
    if (c->n_reasons)
        compare_reasons(c, &r, &a, out);
    else if (out->n > before)
        for (size_t i = 0; i < r.n_reasons; i++)
            differ(out, "reason: ", r.reasons[i].text);
    return out->n == before;
}
