/* The demands on everything but findings. */
#include "policy/policy_int.h"

/* A clock that is wrong by so much is no lie. */
enum { FUTURE = 86400 };

static void assessment(struct ck_judging *j)
{
    const struct ck_facts *f = j->s->facts;
    struct ck_judge_list l = { 0 };
    if (f->complete)
        return;
    for (size_t i = 0; i < f->n_gaps; i++)
        ck_judge_list_add(j, &l, "%.*s: %.*s", CK_SHORT(f->gaps[i].key),
                          CK_SHORT(f->gaps[i].value));
    ck_judge_unmet(j, "the assessment is incomplete%s%s", l.n ? ": " : "",
                   ck_judge_list_text(j, &l));
}

static void distribution(struct ck_judging *j)
{
    const struct ck_facts *f = j->s->facts;
    if (!f->distro_known) {
        ck_judge_unmet(j, "its distribution is not known%s%.*s", f->distro.n ? ": " : "",
                       CK_SHORT(f->distro));
        return;
    }
    if (f->end_of_life && j->s->now >= f->end_of_life)
        ck_judge_unmet(j, "its distribution %.*s is not supported since %s", CK_SHORT(f->distro),
                       ck_policy_day(f->end_of_life, j->a));
    else if (f->end_of_life)
        ck_judge_until(j, f->end_of_life);
    if (j->demand->any.n && !ck_policy_any(&j->demand->any, f->distro))
        ck_judge_unmet(j, "its distribution %.*s is none of those allowed", CK_SHORT(f->distro));
}

static void base(struct ck_judging *j)
{
    struct ck_judge_list l = { 0 };
    for (size_t i = 0; i < j->s->n_bases; i++) {
        if (ck_policy_any(&j->demand->any, j->s->bases[i]))
            return;
        ck_judge_list_add(j, &l, "%.*s", CK_SHORT(j->s->bases[i]));
    }
    if (l.n)
        ck_judge_unmet(j, "no allowed image is its base; it has %s", ck_judge_list_text(j, &l));
    else
        ck_judge_unmet(j, "no allowed image is its base; no image that is known here is");
}

static void max_age(struct ck_judging *j)
{
    const struct ck_facts *f = j->s->facts;
    int64_t old = f->created + j->demand->age;
    if (f->created == 0)
        ck_judge_unmet(j, "it does not say when it was made");
    else if (f->created > j->s->now + FUTURE)
        ck_judge_unmet(j, "it says that it was made in the future, on %s",
                       ck_policy_day(f->created, j->a));
    else if (j->s->now >= old)
        ck_judge_unmet(j, "it was made on %s, and is older than %s",
                       ck_policy_day(f->created, j->a),
                       ck_policy_duration(j->demand->age, j->a));
    else
        ck_judge_until(j, old);
}

/* --- config ----------------------------------------------------------------------------------- */

enum { NON_ROOT, NUMERIC };

/* A number as engines read it: with a sign or not, with leading zeros or not. */
static bool is_number(ck_view user, bool *ret_zero)
{
    if (user.n && (user.p[0] == '+' || user.p[0] == '-'))
        user = ck_view_from(user, 1);
    *ret_zero = true;
    for (size_t i = 0; i < user.n; i++) {
        if (user.p[i] < '0' || user.p[i] > '9')
            return false;
        *ret_zero &= user.p[i] == '0';
    }
    return user.n > 0;
}

static void user(struct ck_judging *j)
{
    bool zero;
    ck_view group, name = ck_view_trim(ck_view_split(j->s->facts->user, ':', &group));
    bool number = is_number(name, &zero);
    if (name.n == 0 || ck_view_eq(name, CK_V("root")) || (number && zero))
        ck_judge_unmet(j, "it runs as root%s%.*s%s", name.n ? " (user " : "",
                       CK_SHORT(name.n ? j->s->facts->user : name), name.n ? ")" : "");
    else if (j->demand->word == NUMERIC && !number)
        ck_judge_unmet(j, "it runs as the user %.*s, which is no number", CK_SHORT(name));
}

static void environment(struct ck_judging *j)
{
    const struct ck_facts *f = j->s->facts;
    struct ck_judge_list l = { 0 };
    for (size_t i = 0; i < f->n_secrets; i++)
        ck_judge_list_add(j, &l, "%.*s (%.*s)", CK_SHORT(f->secrets[i].key),
                          CK_SHORT(f->secrets[i].value));
    if (l.n)
        ck_judge_unmet(j, "its environment seems to hold secrets: %s", ck_judge_list_text(j, &l));
}

static ck_view pair_text(const struct ck_fact_pair *p, struct ck_arena *a)
{
    uint8_t *text = ck_arena_alloc(a, p->key.n + 1 + p->value.n, 1);
    if (p->key.n)
        memcpy(text, p->key.p, p->key.n);
    text[p->key.n] = '=';
    if (p->value.n)
        memcpy(text + p->key.n + 1, p->value.p, p->value.n);
    return ck_view_of(text, p->key.n + 1 + p->value.n);
}

static void make_labels(struct ck_judging *j)
{
    const struct ck_facts *f = j->s->facts;
    if (j->labels || !f->n_labels)
        return;
    j->labels = ck_arena_alloc(j->a, f->n_labels, sizeof *j->labels);
    for (size_t i = 0; i < f->n_labels; i++)
        j->labels[i] = pair_text(&f->labels[i], j->a);
}

static bool label_matches(const struct ck_judging *j, size_t i, const struct ck_pattern *p)
{
    return ck_pattern_matches(p, j->s->facts->labels[i].key) ||
           ck_pattern_matches(p, j->labels[i]);
}

static bool some_label_matches(const struct ck_judging *j, const struct ck_pattern *p)
{
    for (size_t i = 0; i < j->s->facts->n_labels; i++)
        if (label_matches(j, i, p))
            return true;
    return false;
}

static bool label_forbidden(const struct ck_judging *j, size_t i)
{
    for (size_t k = 0; k < j->demand->forbidden.n; k++)
        if (label_matches(j, i, &j->demand->forbidden.v[k]))
            return true;
    return false;
}

static void labels(struct ck_judging *j)
{
    struct ck_judge_list bad = { 0 }, missing = { 0 };
    make_labels(j);
    for (size_t i = 0; i < j->s->facts->n_labels; i++)
        if (label_forbidden(j, i))
            ck_judge_list_add(j, &bad, "%.*s", CK_SHORT(j->labels[i]));
    for (size_t k = 0; k < j->demand->required.n; k++)
        if (!some_label_matches(j, &j->demand->required.v[k]))
            ck_judge_list_add(j, &missing, "%.*s", CK_SHORT(j->demand->required.v[k].text));
    if (bad.n)
        ck_judge_unmet(j, "it has forbidden labels: %s", ck_judge_list_text(j, &bad));
    if (missing.n)
        ck_judge_unmet(j, "it lacks labels: %s", ck_judge_list_text(j, &missing));
}

static void forbidden(struct ck_judging *j, const ck_view *v, size_t n, const char *what)
{
    struct ck_judge_list l = { 0 };
    for (size_t i = 0; i < n; i++)
        if (ck_policy_any(&j->demand->forbidden, v[i]))
            ck_judge_list_add(j, &l, "%.*s", CK_SHORT(v[i]));
    if (l.n)
        ck_judge_unmet(j, "it has forbidden %s: %s", what, ck_judge_list_text(j, &l));
}

static void volumes(struct ck_judging *j)
{
    forbidden(j, j->s->facts->volumes, j->s->facts->n_volumes, "volumes");
}

static void ports(struct ck_judging *j)
{
    forbidden(j, j->s->facts->ports, j->s->facts->n_ports, "ports");
}

/* --- names ------------------------------------------------------------------------------------ */

enum { PINNED, IMMUTABLE };

/* What has no name was asked for by its digest. */
static void tags(struct ck_judging *j)
{
    const struct ck_name *n = j->s->name;
    if (!n || n->has_digest)
        return;
    if (j->demand->word == PINNED)
        ck_judge_unmet(j, "it was asked for by a tag, not by its digest");
    else if (n->tag.n == 0 || ck_view_eq(n->tag, CK_V("latest")))
        ck_judge_unmet(j, "the tag latest is given to another image with each release");
    else if (j->s->tag_moved)
        ck_judge_unmet(j, "the tag %.*s was given to another image on %s", CK_SHORT(n->tag),
                       ck_policy_day(j->s->tag_moved, j->a));
}

static void upstreams(struct ck_judging *j)
{
    if (j->v.upstream.n == 0)
        ck_judge_unmet(j, "it is not known which registry it came from");
    else if (!ck_policy_any(&j->demand->any, j->v.upstream))
        ck_judge_unmet(j, "the registry %.*s is none of those allowed", CK_SHORT(j->v.upstream));
}

static void near_miss(struct ck_judging *j)
{
    for (size_t i = 0; i < j->s->n_warnings; i++) {
        const struct ck_name_warning *w = &j->s->warnings[i];
        if (w->kind != CK_TAG_MOVES && w->kind != CK_TAG_MINOR)
            ck_judge_unmet(j, "%.*s", CK_VF(ck_view_head(w->text, 400)));
    }
}

static void signers(struct ck_judging *j)
{
    for (size_t i = 0; i < j->s->n_signers; i++)
        if (ck_policy_any(&j->demand->any, j->s->signers[i]))
            return;
    ck_judge_unmet(j, "no signature of those demanded is proven; this version reads none");
}

const struct ck_demand_judge ck_demand_judges[CK_DEMAND_COUNT_] = {
    [CK_DEMAND_SEVERITY] = { ck_judge_severity, true, false },
    [CK_DEMAND_KNOWN_EXPLOITED] = { ck_judge_known_exploited, true, false },
    [CK_DEMAND_ASSESSMENT] = { assessment, true, false },
    [CK_DEMAND_DISTRIBUTION] = { distribution, true, false },
    [CK_DEMAND_BASE] = { base, true, false },
    [CK_DEMAND_MAX_AGE] = { max_age, true, false },
    [CK_DEMAND_USER] = { user, true, false },
    [CK_DEMAND_ENVIRONMENT] = { environment, true, false },
    [CK_DEMAND_LABELS] = { labels, true, false },
    [CK_DEMAND_VOLUMES] = { volumes, true, false },
    [CK_DEMAND_PORTS] = { ports, true, false },
    [CK_DEMAND_TAGS] = { tags, false, true },
    [CK_DEMAND_UPSTREAMS] = { upstreams, false, true },
    [CK_DEMAND_NEAR_MISS] = { near_miss, false, true },
    [CK_DEMAND_SIGNERS] = { signers, false, false },
};
