/* The sentences that say why, and where to read on. */
#include "advisory/match_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define VIEW(...) ck_job_text(j, __VA_ARGS__)

/* Nearly every text fits the buffer and is formatted once. */
ck_view ck_job_text(struct ck_job *j, const char *fmt, ...)
{
    char buf[512], *p = buf;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(buf, sizeof buf, fmt, ap);
    va_end(ap);
    if (n < 0)
        abort();
    if ((size_t)n >= sizeof buf) {
        p = ck_arena_alloc(j->arena, (size_t)n + 1, 1);
        va_start(ap, fmt);
        vsnprintf(p, (size_t)n + 1, fmt, ap);
        va_end(ap);
        return ck_view_of(p, (size_t)n);
    }
    return ck_arena_dup(j->arena, ck_view_of(p, (size_t)n));
}

/* Of every finding there is a sentence: those are put together, not formatted, but clipped the
 * same way: an image may bring thousands that quote one long name. */
static ck_view join(struct ck_job *j, const ck_view *v, size_t n)
{
    size_t all = 0, at = 0;
    for (size_t i = 0; i < n; i++)
        all += ck_view_head(v[i], CK_VF_MAX).n;
    uint8_t *text = ck_arena_alloc(j->arena, all + 1, 1);
    for (size_t i = 0; i < n; i++) {
        ck_view part = ck_view_head(v[i], CK_VF_MAX);
        if (part.n)
            memcpy(text + at, part.p, part.n);
        at += part.n;
    }
    return ck_view_of(text, all);
}
#define JOIN(...)                                                                                 \
    join(j, (const ck_view[]){ __VA_ARGS__ },                                                     \
         sizeof((const ck_view[]){ __VA_ARGS__ }) / sizeof(ck_view))

static struct ck_db_feed feed_of(struct ck_job *j, size_t feed)
{
    struct ck_db_feed f = { .kind = CK_V("?") };
    ck_err_free(ck_db_feed(j->db, feed, &f));
    return f;
}

static const struct {
    const char *ecosystem, *codename;
} debian_names[] = {
    { "Debian:9", "stretch" },   { "Debian:10", "buster" }, { "Debian:11", "bullseye" },
    { "Debian:12", "bookworm" }, { "Debian:13", "trixie" }, { "Debian:14", "forky" },
};

/* The security suite of the release among the suites of a feed: "bookworm-security". */
static ck_view suite_of(ck_view ecosystem, ck_view suites)
{
    const char *name = NULL;
    for (size_t i = 0; i < sizeof debian_names / sizeof *debian_names; i++)
        if (ck_view_eq(ecosystem, ck_view_str(debian_names[i].ecosystem)))
            name = debian_names[i].codename;
    ck_view best = CK_V("");
    while (name && suites.n) {
        ck_view rest, suite = ck_view_trim(ck_view_split(suites, ',', &rest));
        suites = rest;
        if (!ck_view_starts(suite, ck_view_str(name)))
            continue;
        if (best.n == 0 || ck_view_find(suite, '-') < suite.n)
            best = suite;
    }
    return best;
}

ck_view ck_feed_label(struct ck_job *j, size_t feed)
{
    struct ck_db_feed f = feed_of(j, feed);
    if (j->ranks[feed] == CK_RANK_ARCHIVE) {
        ck_view suite = suite_of(j->distro->ecosystem, f.detail);
        if (suite.n)
            return suite;
    }
    return f.kind;
}

/* "openssl 3.0.15-1", or "openssl 3.0.15-1, the source of libssl3," */
static ck_view subject(struct ck_job *j, const struct ck_package *p, const struct ck_candidate *c)
{
    ck_view name = c->affected.name;
    if (ck_view_eq(name, p->name))
        return JOIN(name, CK_V(" "), c->compared);
    return JOIN(name, CK_V(" "), c->compared, CK_V(", the source of "), p->name, CK_V(","));
}

/* Who fixed it: an erratum under its own id, otherwise the vulnerability's. */
static ck_view fixed_clause(struct ck_job *j, const struct ck_claim *claim)
{
    const struct ck_candidate *c = claim->c;
    ck_view label = ck_feed_label(j, c->feed), id = c->advisory->id;
    if (c->rank == CK_RANK_ARCHIVE && !ck_is_cve_id(claim->id)) {
        bool unread = ck_view_eq(c->affected.note, CK_V(CK_NOTE_CHANGELOG_UNREAD));
        return VIEW("a security update of %.*s whose changelog %s", CK_VF(label),
                    unread ? "has not been read yet (the next db update reads it)"
                           : "names no vulnerability");
    }
    if (c->advisory->n_fixes && !ck_view_eq(id, claim->id))
        return JOIN(CK_V("in which "), id, CK_V(" fixed it"));
    return JOIN(CK_V("in which "), claim->id, CK_V(" was fixed ("), label, CK_V(")"));
}

/* What the source says where there is no fixed version. %s is the subject. */
static const struct {
    const char *head, *tail;
} state_phrases[CK_FIX_STATE_COUNT_] = {
    [CK_FIX_FIXED] = { "", " is affected and no fixed version is known" },
    [CK_FIX_NONE] = { "", " is affected and no fixed version is known yet" },
    [CK_FIX_WONT] = { "", " is affected and will not be fixed" },
    [CK_FIX_POSTPONED] = { "", " is affected; the fix is postponed" },
    [CK_FIX_NO_DSA] = { "", " is affected; it is too minor for an update of its own" },
    [CK_FIX_END_OF_LIFE] = { "", " is affected and is no longer supported in this release" },
    [CK_FIX_UNDETERMINED] = { "it is not known yet whether ", " is affected" },
    [CK_FIX_NOT_AFFECTED] = { "", " is not affected" },
};

/* "(debian-tracker: no-dsa, \"Minor issue\")" */
static ck_view state_source(struct ck_job *j, const struct ck_candidate *c)
{
    ck_view label = ck_feed_label(j, c->feed);
    ck_view state = ck_view_str(ck_fix_state_name(c->affected.state));
    bool plain = c->affected.state == CK_FIX_FIXED || c->affected.state == CK_FIX_NONE;
    ck_view weight = c->affected.unimportant ? CK_V(", unimportant") : CK_V("");
    if (c->affected.note.n)
        return JOIN(CK_V("("), label, CK_V(": "), state, weight, CK_V(", \""), c->affected.note,
                    CK_V("\")"));
    if (plain)
        return JOIN(CK_V("("), label, weight, CK_V(")"));
    return JOIN(CK_V("("), label, CK_V(": "), state, weight, CK_V(")"));
}

ck_view ck_why_affected(struct ck_job *j, const struct ck_package *p, const struct ck_claim *claim)
{
    const struct ck_candidate *c = claim->c;
    ck_view who = subject(j, p, c), id = c->advisory->id;
    if (!c->range)
        return VIEW("%.*s is one of the versions that %.*s lists as affected", CK_VF(who),
                    CK_VF(id));
    if (c->range->end == CK_END_FIXED && c->range->upper.n) {
        ck_view clause = fixed_clause(j, claim);
        return JOIN(who, CK_V(" is older than "), c->range->upper, CK_V(", "), clause,
                    c->affected.unimportant ? CK_V("; rated unimportant") : CK_V(""));
    }
    if (c->range->end == CK_END_LAST_AFFECTED)
        return VIEW("%.*s is not newer than %.*s, the last version that %.*s names as affected",
                    CK_VF(who), CK_VF(c->range->upper), CK_VF(id));
    ck_view source = state_source(j, c);
    return JOIN(ck_view_str(state_phrases[c->affected.state].head), who,
                ck_view_str(state_phrases[c->affected.state].tail), CK_V(" "), source);
}

static ck_view clean_reason(struct ck_job *j, const struct ck_package *p,
                            const struct ck_claim *claim)
{
    const struct ck_candidate *c = claim->c;
    ck_view who = subject(j, p, c), label = ck_feed_label(j, c->feed);
    if (c->verdict == CK_V_NOT_AFFECTED)
        return VIEW("%.*s says that %.*s was never affected in this release", CK_VF(label),
                    CK_VF(c->affected.name));
    if (c->verdict == CK_V_FIXED && c->range)
        return VIEW("%.*s has the fix of %.*s (%.*s)", CK_VF(who), CK_VF(c->range->upper),
                    CK_VF(label));
    return VIEW("%.*s is not among the affected versions of %.*s", CK_VF(who), CK_VF(label));
}

ck_view ck_why_clean(struct ck_job *j, const struct ck_package *p, const struct ck_claim *strong,
                     const struct ck_claim *weak)
{
    ck_view reason = clean_reason(j, p, strong);
    if (!weak)
        return reason;
    ck_view label = ck_feed_label(j, weak->c->feed);
    return VIEW("%.*s, whatever %.*s says of other versions in %.*s", CK_VF(reason), CK_VF(label),
                CK_VF(weak->c->advisory->id));
}

ck_view ck_why_module(struct ck_job *j, const struct ck_package *p, const struct ck_claim *claim)
{
    const struct ck_candidate *c = claim->c;
    ck_view who = subject(j, p, c), id = c->advisory->id, module = c->affected.module;
    if (module.n == 0)
        module = c->range && ck_view_find(c->range->upper, ':') && c->range->upper.n
                     ? c->range->upper : CK_V("no module");
    if (p->module.n)
        return VIEW("%.*s is of module %.*s, %.*s is about %.*s", CK_VF(who), CK_VF(p->module),
                    CK_VF(id), CK_VF(module));
    return VIEW("%.*s is of another module stream than %.*s is about (%.*s)", CK_VF(who),
                CK_VF(id), CK_VF(module));
}

/* --- Addresses -------------------------------------------------------------------------------- */

static const struct {
    const char *feed;   /* kind, or NULL for any */
    const char *prefix; /* of the id */
    const char *url;    /* in front of the id */
} links[] = {
    { "debian-tracker", "", "https://security-tracker.debian.org/tracker/" },
    { "debian-archive", "CVE-", "https://security-tracker.debian.org/tracker/" },
    { "alpine-secdb", "CVE-", "https://security.alpinelinux.org/vuln/" },
    { NULL, "DSA-", "https://security-tracker.debian.org/tracker/" },
    { NULL, "DLA-", "https://security-tracker.debian.org/tracker/" },
    { NULL, "GHSA-", "https://github.com/advisories/" },
    { NULL, "RHSA-", "https://access.redhat.com/errata/" },
    { NULL, "RLSA-", "https://errata.rockylinux.org/" },
    { "osv", "", "https://osv.dev/vulnerability/" },
    { NULL, "CVE-", "https://www.cve.org/CVERecord?id=" },
};

ck_view ck_advisory_link(struct ck_job *j, const struct ck_claim *claim)
{
    const struct ck_advisory *adv = claim->c->advisory;
    if (adv->url.n)
        return adv->url;
    ck_view kind = feed_of(j, claim->c->feed).kind;
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        if (links[i].feed && !ck_view_eq(kind, ck_view_str(links[i].feed)))
            continue;
        if (ck_view_starts(adv->id, ck_view_str(links[i].prefix)))
            return JOIN(ck_view_str(links[i].url), adv->id);
    }
    return CK_V("");
}
