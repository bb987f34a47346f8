/* Building the advisory database: records are taken apart as they come, equal strings are kept
 * once, and everything is put in order and written at the end. Layout: db_layout.h. */
#include "advisory/db_emit.h"

#include "base/mem.h"

#include <stdlib.h>

struct ck_db_writer *ck_db_writer_new(int64_t built)
{
    struct ck_db_writer *w = ck_new(struct ck_db_writer);
    w->built = built;
    ck_pool_init(&w->strings);
    ck_pool_init(&w->texts);
    ck_pool_init(&w->ids);
    return w;
}

void ck_db_writer_free(struct ck_db_writer *w)
{
    if (!w)
        return;
    ck_pool_free(&w->strings);
    ck_pool_free(&w->texts);
    ck_pool_free(&w->ids);
    ck_arena_free(&w->arena);
    ck_buf_free(&w->scratch);
    free(w->feeds.v);
    free(w->advisories.v);
    free(w->statements.v);
    free(w->kev.v);
    free(w);
}

void ck_db_writer_feed(struct ck_db_writer *w, const struct ck_db_feed *feed)
{
    struct ck_db_feed *f = ck_push(&w->feeds);
    *f = *feed;
    f->kind = ck_arena_dup(&w->arena, feed->kind);
    f->source = ck_arena_dup(&w->arena, feed->source);
    f->detail = ck_arena_dup(&w->arena, feed->detail);
    f->digest = ck_arena_dup(&w->arena, feed->digest);
    f->failure = ck_arena_dup(&w->arena, feed->failure);
}

/* At most `max` bytes, cut between characters, with dots where something is missing. */
static ck_view clip(struct ck_arena *a, ck_view v, size_t max)
{
    if (v.n <= max)
        return v;
    size_t n = max - 3;
    while (n && (v.p[n] & 0xc0) == 0x80)
        n--;
    const char *s = ck_arena_format(a, "%.*s...", (int)n, (const char *)v.p);
    return ck_view_str(s);
}

static uint32_t *use_all(struct ck_db_writer *w, struct ck_pool *p, const ck_view *v, size_t n)
{
    uint32_t *out = ck_arena_alloc(&w->arena, n, sizeof *out);
    for (size_t i = 0; i < n; i++)
        out[i] = ck_pool_use(p, v[i]);
    return out;
}

/* "0" means the first version, as nothing does (OSV schema, affected[].ranges[].events). */
static ck_view introduced(ck_view v)
{
    return ck_view_eq(v, CK_V("0")) ? CK_V("") : v;
}

static void add_affected(struct ck_db_writer *w, const struct ck_affected *af)
{
    struct ck_w_statement *s = ck_push(&w->statements);
    *s = (struct ck_w_statement){
        .advisory = (uint32_t)(w->advisories.n - 1),
        .order = (uint32_t)(w->statements.n - 1),
        .ecosystem = ck_pool_use(&w->strings, af->ecosystem),
        .name = ck_pool_add(&w->strings, af->name),
        .module = ck_pool_add(&w->strings, af->module),
        .note = ck_pool_use(&w->texts, clip(&w->arena, af->note, CK_DB_NOTE_MAX)),
        .kind = (uint8_t)af->kind,
        .state = (uint8_t)af->state,
        .severity = (uint8_t)af->severity,
        .unimportant = af->unimportant,
        .n_ranges = (uint32_t)af->n_ranges,
        .n_versions = (uint32_t)af->n_versions,
    };
    if (s->module)
        w->strings.v[s->module].uses++;
    s->ranges = ck_arena_alloc(&w->arena, s->n_ranges, sizeof *s->ranges);
    for (size_t i = 0; i < s->n_ranges; i++) {
        const struct ck_range *r = &af->ranges[i];
        s->ranges[i].introduced = ck_pool_use(&w->strings, introduced(r->introduced));
        s->ranges[i].upper = ck_pool_use(&w->strings, r->upper);
        s->ranges[i].end = (uint8_t)r->end;
    }
    s->versions = ck_arena_alloc(&w->arena, s->n_versions, sizeof *s->versions);
    for (size_t i = 0; i < s->n_versions; i++)
        s->versions[i] = ck_pool_add(&w->strings, af->versions[i]);
}

/* A hash of the whole record, by which equal ones are found and others ordered. Its key is fixed,
 * since the file may not depend on chance. */
static uint64_t record_hash(struct ck_db_writer *w, const struct ck_advisory *adv)
{
    static const struct ck_db_key key = { 0x636f636b65742d61, 0x64766973 };
    ck_buf_clear(&w->scratch);
    ck_advisory_encode(adv, &w->scratch);
    return ck_db_hash(&key, ck_buf_view(&w->scratch));
}

static void add_kev(struct ck_db_writer *w, const struct ck_advisory *adv)
{
    *ck_push(&w->kev) = ck_pool_add(&w->ids, adv->id);
    for (size_t i = 0; i < adv->n_aliases; i++)
        *ck_push(&w->kev) = ck_pool_add(&w->ids, adv->aliases[i]);
}

static ck_err *check(const struct ck_db_writer *w, const struct ck_advisory *adv)
{
    if (w->feeds.n == 0)
        return ck_err_new(CK_ERR_OURS, "advisory database: a record before the first feed");
    if (adv->id.n == 0)
        return ck_err_new(CK_ERR_HOSTILE, "advisory record: it has no id");
    if (w->advisories.n >= UINT32_MAX - 1 || w->statements.n + adv->n_affected >= UINT32_MAX)
        return ck_err_limit(CK_LIMIT_DATABASE, "advisory database: more records than it can count");
    for (size_t i = 0; i < adv->n_affected; i++)
        if (adv->affected[i].n_ranges > CK_MAX_ADVISORY_RANGES)
            return ck_err_limit(CK_LIMIT_ADVISORY_RANGES, "%.*s: %zu ranges of one package",
                                CK_VF(adv->id), adv->affected[i].n_ranges);
    return NULL;
}

ck_err *ck_db_writer_add(struct ck_db_writer *w, const struct ck_advisory *adv)
{
    CK_TRY(check(w, adv));
    w->feeds.v[w->feeds.n - 1].records++;
    if (adv->kev) {
        add_kev(w, adv);
        return NULL;
    }
    bool url_id = ck_view_ends(adv->url, adv->id); /* most addresses do */
    *ck_push(&w->advisories) = (struct ck_w_advisory){
        .feed = (uint32_t)(w->feeds.n - 1),
        .hash = record_hash(w, adv),
        .id = ck_pool_use(&w->ids, adv->id),
        .word = ck_pool_use(&w->strings, adv->severity_text),
        .url = ck_pool_use(&w->texts, url_id ? ck_view_head(adv->url, adv->url.n - adv->id.n)
                                             : adv->url),
        .url_id = url_id,
        .summary = ck_pool_use(&w->texts, clip(&w->arena, adv->summary, CK_DB_SUMMARY_MAX)),
        .aliases = use_all(w, &w->ids, adv->aliases, adv->n_aliases),
        .n_aliases = (uint32_t)adv->n_aliases,
        .fixes = use_all(w, &w->ids, adv->fixes, adv->n_fixes),
        .n_fixes = (uint32_t)adv->n_fixes,
        .cvss = use_all(w, &w->strings, adv->cvss, adv->n_cvss),
        .n_cvss = (uint32_t)adv->n_cvss,
        .severity = (uint8_t)adv->severity,
        .withdrawn = adv->withdrawn,
        .published = adv->published,
        .modified = adv->modified,
    };
    for (size_t i = 0; i < adv->n_affected; i++)
        add_affected(w, &adv->affected[i]);
    return NULL;
}
