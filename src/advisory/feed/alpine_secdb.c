#include "advisory/feed/ecosystem.h"
#include "advisory/feed/feed.h"
#include "advisory/feed/json_tree.h"
#include "base/mem.h"
#include "version/version.h"

#include <stdlib.h>

enum { IDS_MAX = 8 };

/* One id of one package's fix. */
struct fix {
    ck_view id;
    ck_view aliases[IDS_MAX];
    size_t n_aliases;
    ck_view package, version, note;
    size_t place;
};

struct pair {
    ck_view alias, id;
};

struct secdb {
    struct ck_arena a;
    ck_view ecosystem;
    CK_VEC(struct fix) fixes;
    CK_VEC(struct pair) pairs; /* sorted by alias, then id */
};

static void secdb_free(struct secdb *s)
{
    free(s->fixes.v);
    free(s->pairs.v);
    ck_arena_free(&s->a);
}

/* --- The ids in one string -----------------------------------------------------------------------
 * All of these are real: "CVE-2019-5060 TALOS-2019-0844", "CVE-2018-3639   XSA-263",
 * "CVE-????-?????  XSA-284", "CVE_2019-2426", "CVE 2018-16859", "CVE-2017-17434-1",
 * "CVE-2017-8073.patch", "CVE-2018-14882 (RPL)". */

static bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

/* The CVE id that a token begins with, made regular; empty if none. */
static ck_view leading_cve(struct ck_arena *a, ck_view token)
{
    if (token.n < 13 || !ck_view_eq(ck_view_head(token, 3), CK_V("CVE")) ||
        (token.p[3] != '-' && token.p[3] != '_'))
        return CK_V("");
    size_t n = 4;
    while (n < token.n && (is_digit(token.p[n]) || n == 8))
        n++;
    ck_view number = ck_view_head(ck_view_from(token, 4), n - 4);
    ck_view id = ck_view_str(ck_arena_format(a, "CVE-%.*s", CK_VF(number)));
    return ck_is_cve(id) ? id : CK_V("");
}

/* Some other database's id: "XSA-263", "wnpa-sec-2017-18", "GHSA-xxxx". */
static bool is_other_id(ck_view token)
{
    bool dash = false, odd = false;
    for (size_t i = 0; i < token.n; i++) {
        dash |= token.p[i] == '-' && i > 0 && i + 1 < token.n;
        odd |= token.p[i] == '?' || token.p[i] < 0x21 || token.p[i] > 0x7e;
    }
    return dash && !odd && !ck_view_starts(token, CK_V("CVE"));
}

struct ids {
    ck_view cve[IDS_MAX], other[IDS_MAX];
    size_t n_cve, n_other;
};

static ck_err *split_ids(struct ck_arena *a, ck_view text, struct ids *ret)
{
    ck_view rest = ck_view_head(text, ck_view_find(text, '('));
    while (rest.n) {
        ck_view token = ck_view_split(rest, ' ', &rest);
        if (ck_view_eq(token, CK_V("CVE"))) {
            ck_view number = ck_view_split(rest, ' ', &rest);
            token = ck_view_str(ck_arena_format(a, "CVE-%.*s", CK_VF(number)));
        }
        if (ret->n_cve == IDS_MAX || ret->n_other == IDS_MAX)
            return ck_err_new(CK_ERR_HOSTILE, "secdb: %d ids or more in one string", IDS_MAX);
        ck_view cve = leading_cve(a, token);
        if (cve.n)
            ret->cve[ret->n_cve++] = cve;
        else if (is_other_id(token))
            ret->other[ret->n_other++] = token;
    }
    if (ret->n_cve + ret->n_other == 0) /* nothing that we know: kept as it is written */
        ret->other[ret->n_other++] = ck_view_trim(text);
    return NULL;
}

static ck_view note_of(ck_view text)
{
    size_t at = ck_view_find(text, '(');
    ck_view note = ck_view_from(text, at < text.n ? at + 1 : text.n);
    return ck_view_head(note, ck_view_find(note, ')'));
}

/* One advisory per CVE; other ids beside a single CVE are its aliases. Beside several they are a
 * name for all of them ("CVE-2017-5753 CVE-2017-5715 XSA-254"): no vulnerability more, kept as the
 * note. */
static ck_err *add_fix(struct secdb *s, struct fix f, ck_view text)
{
    struct ids ids = { 0 };
    CK_TRY(split_ids(&s->a, text, &ids));
    f.note = ids.n_cve > 1 && ids.n_other ? text : note_of(text);
    bool names = ids.n_cve == 1 || ids.n_cve == 0;
    ck_view *main_ids = ids.n_cve ? ids.cve : ids.other;
    size_t n_main = ids.n_cve ? ids.n_cve : 1, first_alias = ids.n_cve ? 0 : 1;
    for (size_t i = first_alias; names && i < ids.n_other; i++) {
        f.aliases[f.n_aliases++] = ids.other[i];
        *ck_push(&s->pairs) = (struct pair){ ids.other[i], main_ids[0] };
    }
    for (size_t i = 0; i < n_main; i++) {
        f.id = main_ids[i];
        f.place = s->fixes.n;
        *ck_push(&s->fixes) = f;
    }
    if (s->fixes.n > CK_MAX_FEED_RECORDS)
        return ck_err_limit(CK_LIMIT_FEED_RECORDS, "secdb: too many fixes");
    return NULL;
}

/* --- Reading ---------------------------------------------------------------------------------- */

/* "57-1-r2": the first dash was meant as a dot. */
static ck_view dash_to_dot(ck_view v, struct ck_arena *a)
{
    size_t dash = ck_view_find(v, '-');
    if (dash == v.n)
        return v;
    return ck_view_str(ck_arena_format(a, "%.*s.%.*s", CK_VF(ck_view_head(v, dash)),
                                       CK_VF(ck_view_from(v, dash + 1))));
}

/* "1.0.4.-r0" and "0.8.21.r2": the revision follows a wrong sign. */
static ck_view plain_revision(ck_view v, struct ck_arena *a)
{
    size_t r = v.n;
    while (r > 0 && v.p[r - 1] != 'r')
        r--;
    if (r < 2)
        return v;
    ck_view head = ck_view_head(v, r - 1);
    while (head.n && (head.p[head.n - 1] == '.' || head.p[head.n - 1] == '-'))
        head.n--;
    return ck_view_str(
        ck_arena_format(a, "%.*s-r%.*s", CK_VF(head), CK_VF(ck_view_from(v, r))));
}

/* Slips of hand that the feed holds. apk calls such versions invalid, and nothing could be compared
 * with them; what cannot be mended stays as it is. */
static ck_view mended_version(ck_view v, struct ck_arena *a)
{
    if (ck_apk_valid(v))
        return v;
    ck_view one = plain_revision(v, a), other = dash_to_dot(v, a);
    return ck_apk_valid(one) ? one : ck_apk_valid(other) ? other : v;
}

static ck_err *read_package(struct secdb *s, const struct ck_jnode *j)
{
    const struct ck_jnode *pkg, *fixes;
    struct fix f = { 0 };
    CK_TRY(ck_jnode_typed(j, CK_V("pkg"), CK_J_OBJECT, &pkg));
    CK_TRY(ck_jnode_need_str(pkg, CK_V("name"), &f.package));
    CK_TRY(ck_jnode_typed(pkg, CK_V("secfixes"), CK_J_OBJECT, &fixes));
    for (const struct ck_jnode *v = fixes ? fixes->first : NULL; v; v = v->next) {
        if (v->type == CK_J_NULL)
            continue; /* v3.6's heimdal: a version without ids */
        if (v->type != CK_J_ARRAY || v->key.n == 0 || v->key.n > CK_MAX_FIELD)
            return ck_err_new(CK_ERR_HOSTILE, "secfixes of \"%.*s\": not version: [ids]",
                              CK_VF(f.package));
        f.version = mended_version(v->key, &s->a);
        for (const struct ck_jnode *id = v->first; id; id = id->next) {
            if (id->type != CK_J_STRING || id->text.n == 0 || id->text.n > CK_MAX_FIELD)
                return ck_err_new(CK_ERR_HOSTILE, "secfixes of \"%.*s\": an id that is none",
                                  CK_VF(f.package));
            CK_TRY_WRAP(add_fix(s, f, id->text), "secfixes of \"%.*s\"", CK_VF(f.package));
        }
    }
    return NULL;
}

static bool holds(ck_view v, ck_view part)
{
    return v.n >= part.n && memmem(v.p, v.n, part.p, part.n) != NULL;
}

static ck_err *find_ecosystem(const struct ck_jnode *root, struct ck_arena *a, ck_view *ret)
{
    ck_view version, prefix, repo;
    CK_TRY(ck_jnode_str(root, CK_V("distroversion"), &version));
    CK_TRY(ck_jnode_str(root, CK_V("urlprefix"), &prefix));
    CK_TRY(ck_jnode_str(root, CK_V("reponame"), &repo));
    if (ck_view_starts(version, CK_V("edge")))
        *ret = CK_V("Alpine:edge");
    else if (ck_view_starts(version, CK_V("v")))
        *ret = ck_view_str(ck_arena_format(a, "Alpine:%.*s", CK_VF(version)));
    else if (holds(prefix, CK_V("wolfi.dev")))
        *ret = CK_V("Wolfi");
    else if (holds(prefix, CK_V("cgr.dev")) || ck_view_eq(repo, CK_V("chainguard")))
        *ret = CK_V("Chainguard");
    else
        return ck_err_new(CK_ERR_HOSTILE, "neither an Alpine \"distroversion\" nor "
                                          "the \"urlprefix\" of Wolfi or Chainguard");
    return NULL;
}

static ck_err *read_document(struct secdb *s, ck_view json)
{
    const struct ck_jnode *root, *packages;
    CK_TRY(ck_jtree_parse(json, NULL, &s->a, &root));
    if (root->type != CK_J_OBJECT || !ck_jnode_get(root, CK_V("urlprefix")))
        return ck_err_new(CK_ERR_HOSTILE, "no secdb document");
    CK_TRY(find_ecosystem(root, &s->a, &s->ecosystem));
    CK_TRY(ck_jnode_typed(root, CK_V("packages"), CK_J_ARRAY, &packages));
    size_t i = 0; /* "packages": null stands in v3.3's community.json */
    for (const struct ck_jnode *j = packages ? packages->first : NULL; j; j = j->next, i++)
        CK_TRY_WRAP(read_package(s, j), "package %zu", i);
    return NULL;
}

/* --- Putting: an advisory per id with all the packages that it is fixed in -------------------- */

static int by_id(const void *pa, const void *pb)
{
    const struct fix *a = pa, *b = pb;
    int c = ck_view_cmp(a->id, b->id);
    return c ? c : (a->place < b->place ? -1 : a->place > b->place);
}

static int by_alias(const void *pa, const void *pb)
{
    const struct pair *a = pa, *b = pb;
    int c = ck_view_cmp(a->alias, b->alias);
    return c ? c : ck_view_cmp(a->id, b->id);
}

/* Whether a name stands for one id only: XSA-273 is beside CVE-2018-3620 and beside
 * CVE-2018-3646, and an alias of neither. */
static bool is_alias(const struct secdb *s, ck_view alias)
{
    size_t lo = 0, hi = s->pairs.n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (ck_view_cmp(s->pairs.v[mid].alias, alias) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (size_t i = lo + 1; i < s->pairs.n && ck_view_eq(s->pairs.v[i].alias, alias); i++)
        if (!ck_view_eq(s->pairs.v[i].id, s->pairs.v[lo].id))
            return false;
    return true;
}

static void add_alias(struct ck_advisory *adv, ck_view alias)
{
    for (size_t i = 0; i < adv->n_aliases; i++)
        if (ck_view_eq(adv->aliases[i], alias))
            return;
    adv->aliases[adv->n_aliases++] = alias;
}

static void set_affected(const struct secdb *s, const struct fix *f, struct ck_range *range,
                         struct ck_affected *ret)
{
    bool never = ck_view_eq(f->version, CK_V("0")) || ck_view_eq(f->version, CK_V("<0"));
    *range = (struct ck_range){ CK_V(""), CK_END_FIXED, never ? CK_V("0") : f->version };
    *ret = (struct ck_affected){
        .ecosystem = s->ecosystem,
        .name = f->package,
        .kind = CK_NAME_SOURCE,
        .state = never ? CK_FIX_NOT_AFFECTED : CK_FIX_FIXED,
        .note = f->note,
        .ranges = range,
        .n_ranges = 1,
    };
}

static ck_err *put_group(const struct secdb *s, const struct fix *f, size_t n,
                         const struct ck_advisory_sink *sink)
{
    if (n > CK_MAX_ADVISORY_RANGES)
        return ck_err_limit(CK_LIMIT_ADVISORY_RANGES, "secdb: \"%.*s\" too often", CK_VF(f->id));
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_range *ranges = ck_arena_alloc(&a, n, sizeof *ranges);
    struct ck_advisory adv = { .id = f->id, .n_affected = n };
    adv.affected = ck_arena_alloc(&a, n, sizeof *adv.affected);
    adv.aliases = ck_arena_alloc(&a, n * IDS_MAX, sizeof *adv.aliases);
    for (size_t i = 0; i < n; i++) {
        set_affected(s, &f[i], &ranges[i], &adv.affected[i]);
        for (size_t k = 0; k < f[i].n_aliases && adv.n_aliases < CK_MAX_ADVISORY_ALIASES; k++)
            if (is_alias(s, f[i].aliases[k]))
                add_alias(&adv, f[i].aliases[k]);
    }
    return sink->put(sink->ctx, &adv);
}

static ck_err *put_all(struct secdb *s, const struct ck_advisory_sink *sink)
{
    if (s->fixes.n)
        qsort(s->fixes.v, s->fixes.n, sizeof *s->fixes.v, by_id);
    if (s->pairs.n)
        qsort(s->pairs.v, s->pairs.n, sizeof *s->pairs.v, by_alias);
    for (size_t i = 0, n; i < s->fixes.n; i += n) {
        n = 1;
        while (i + n < s->fixes.n && ck_view_eq(s->fixes.v[i].id, s->fixes.v[i + n].id))
            n++;
        CK_TRY(put_group(s, &s->fixes.v[i], n, sink));
    }
    return NULL;
}

ck_err *ck_feed_alpine_secdb(ck_view json, const struct ck_advisory_sink *sink)
{
    if (json.n > CK_MAX_FEED)
        return ck_err_limit(CK_LIMIT_FEED, "secdb: %zu bytes", json.n);
    struct secdb s = { 0 };
    ck_err *e = read_document(&s, json);
    if (e)
        e = ck_err_wrap(e, "secdb");
    else
        e = put_all(&s, sink);
    secdb_free(&s);
    return e;
}
