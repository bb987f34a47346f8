/* The document is one object of some 70 MB: source -> CVE -> facts. It is read a source at a time
 * (ck_jtree_members), so memory holds the largest source (linux), not the document: a synthetic
 * document of the same shape (65 MB; 4,000 sources, one of them with 12,000 CVEs of 5 releases
 * each; test_debian_tracker.c makes it) took 0.4 s and 32 MB beyond the document itself. jansson's
 * tree of it takes 1.4 s and 480 MB.
 */
#include "advisory/feed/feed.h"
#include "advisory/feed/json_tree.h"
#include "advisory/feed/table.h"

enum { SUMMARY_MAX = 200 };

/* Codenames that stand for a release number in OSV's ecosystem names; others keep their name. */
static const struct {
    ck_view codename, ecosystem;
} releases[] = {
    { CK_TV("squeeze"), CK_TV("Debian:6") },   { CK_TV("wheezy"), CK_TV("Debian:7") },
    { CK_TV("jessie"), CK_TV("Debian:8") },    { CK_TV("stretch"), CK_TV("Debian:9") },
    { CK_TV("buster"), CK_TV("Debian:10") },   { CK_TV("bullseye"), CK_TV("Debian:11") },
    { CK_TV("bookworm"), CK_TV("Debian:12") }, { CK_TV("trixie"), CK_TV("Debian:13") },
    { CK_TV("forky"), CK_TV("Debian:14") },    { CK_TV("duke"), CK_TV("Debian:15") },
};

static ck_view ecosystem_of(ck_view codename, struct ck_arena *a)
{
    for (size_t i = 0; i < sizeof releases / sizeof releases[0]; i++)
        if (ck_view_eq(releases[i].codename, codename))
            return releases[i].ecosystem;
    return ck_view_str(ck_arena_format(a, "Debian:%.*s", CK_VF(codename)));
}

/* What the tracker says of one release; the words are those of its JSON. */
struct state {
    ck_view status, fixed, urgency, nodsa, reason;
    bool has_nodsa;
};

static enum ck_fix_state open_state(const struct state *s)
{
    if (ck_view_eq(s->urgency, CK_V("end-of-life")))
        return CK_FIX_END_OF_LIFE;
    if (ck_view_eq(s->reason, CK_V("ignored")))
        return CK_FIX_WONT;
    if (ck_view_eq(s->reason, CK_V("postponed")))
        return CK_FIX_POSTPONED;
    return s->has_nodsa ? CK_FIX_NO_DSA : CK_FIX_NONE;
}

/* The state and the affected range: [, fixed) where a fixed version is named, else everything. */
static ck_err *interpret(const struct state *s, struct ck_affected *af, struct ck_range *range)
{
    bool fixed = s->fixed.n && !ck_view_eq(s->fixed, CK_V("0"));
    *range = (struct ck_range){ CK_V(""), CK_END_OPEN, CK_V("") };
    if (fixed)
        *range = (struct ck_range){ CK_V(""), CK_END_FIXED, s->fixed };
    if (ck_view_eq(s->status, CK_V("resolved"))) {
        /* Without a version it says that it is fixed, but not where: nobody can match that. */
        af->state = fixed       ? CK_FIX_FIXED
                    : s->fixed.n ? CK_FIX_NOT_AFFECTED
                                 : CK_FIX_UNDETERMINED;
        if (af->state == CK_FIX_NOT_AFFECTED)
            *range = (struct ck_range){ CK_V(""), CK_END_FIXED, CK_V("0") };
        return NULL;
    }
    if (ck_view_eq(s->status, CK_V("open")))
        af->state = open_state(s);
    else if (ck_view_eq(s->status, CK_V("undetermined")))
        af->state = CK_FIX_UNDETERMINED;
    else
        return ck_err_new(CK_ERR_HOSTILE, "unknown status \"%.*s\"", CK_VF(s->status));
    return NULL;
}

static ck_err *read_release(const struct ck_jnode *j, ck_view source, struct ck_arena *a,
                            struct ck_affected *ret)
{
    struct state s = { 0 };
    if (j->key.n == 0 || j->key.n > CK_MAX_FIELD)
        return ck_err_new(CK_ERR_HOSTILE, "a release without a name");
    CK_TRY(ck_jnode_need_str(j, CK_V("status"), &s.status));
    CK_TRY(ck_jnode_str(j, CK_V("fixed_version"), &s.fixed));
    CK_TRY(ck_jnode_str(j, CK_V("urgency"), &s.urgency));
    CK_TRY(ck_jnode_str(j, CK_V("nodsa"), &s.nodsa));
    CK_TRY(ck_jnode_str(j, CK_V("nodsa_reason"), &s.reason));
    s.has_nodsa = ck_jnode_get(j, CK_V("nodsa")) || ck_jnode_get(j, CK_V("nodsa_reason"));
    while (ck_view_ends(s.urgency, CK_V("*"))) /* "low**": taken from elsewhere */
        s.urgency.n--;
    *ret = (struct ck_affected){
        .ecosystem = ecosystem_of(j->key, a),
        .name = source,
        .kind = CK_NAME_SOURCE,
        .severity = ck_severity_parse(s.urgency),
        .unimportant = ck_view_eq(s.urgency, CK_V("unimportant")),
        .note = ck_one_line(s.nodsa, SUMMARY_MAX),
        .ranges = ck_arena_alloc(a, 1, sizeof *ret->ranges),
        .n_ranges = 1,
    };
    return interpret(&s, ret, ret->ranges);
}

static ck_err *read_entry(const struct ck_jnode *j, ck_view source, struct ck_arena *a,
                          const struct ck_advisory_sink *sink)
{
    const struct ck_jnode *list, *text;
    if (j->type != CK_J_OBJECT || j->key.n == 0 || j->key.n > CK_MAX_FIELD)
        return ck_err_new(CK_ERR_HOSTILE, "an entry is an object under an id");
    CK_TRY(ck_jnode_typed(j, CK_V("description"), CK_J_STRING, &text));
    CK_TRY(ck_jnode_typed(j, CK_V("releases"), CK_J_OBJECT, &list));
    struct ck_advisory adv = { .id = j->key };
    if (text)
        adv.summary = ck_one_line(text->text, SUMMARY_MAX);
    if (list && list->n > CK_MAX_ADVISORY_RANGES)
        return ck_err_limit(CK_LIMIT_ADVISORY_RANGES, "too many releases");
    adv.affected = ck_arena_alloc(a, list ? list->n : 0, sizeof *adv.affected);
    for (const struct ck_jnode *r = list ? list->first : NULL; r; r = r->next) {
        if (r->type != CK_J_OBJECT)
            return ck_err_new(CK_ERR_HOSTILE, "release \"%.*s\": is no object", CK_VF(r->key));
        CK_TRY_WRAP(read_release(r, source, a, &adv.affected[adv.n_affected]), "release \"%.*s\"",
                    CK_VF(r->key));
        adv.n_affected++;
    }
    return sink->put(sink->ctx, &adv);
}

static ck_err *read_source(void *ctx, const struct ck_jnode *source)
{
    const struct ck_advisory_sink *sink = ctx;
    ck_autoarena struct ck_arena a = { 0 };
    if (source->type != CK_J_OBJECT || source->key.n == 0 || source->key.n > CK_MAX_FIELD)
        return ck_err_new(CK_ERR_HOSTILE, "Debian tracker: a source is an object under a name");
    for (const struct ck_jnode *j = source->first; j; j = j->next) {
        CK_TRY_WRAP(read_entry(j, source->key, &a, sink),
                    "Debian tracker: source \"%.*s\", \"%.*s\"",
                    CK_VF(source->key), CK_VF(j->key));
        if (a.used > 256 * 1024)
            ck_arena_free(&a);
    }
    return NULL;
}

ck_err *ck_feed_debian_tracker(ck_view json, const struct ck_advisory_sink *sink)
{
    struct ck_advisory_sink copy = *sink;
    if (json.n > CK_MAX_FEED)
        return ck_err_limit(CK_LIMIT_FEED, "Debian tracker: %zu bytes", json.n);
    return ck_jtree_members(json, read_source, &copy);
}
