#include "survey/frame.h"

#include "base/mem.h"
#include "base/text.h"
#include "survey/random.h"

#include <stdlib.h>
#include <string.h>

enum { VERSION = 1, DEFAULT_SAMPLE = 200 };

/* --- the plan --------------------------------------------------------------------------------- */

void ck_survey_plan_encode(const struct ck_survey_plan *p, struct ck_buf *out)
{
    ck_put_u8(out, VERSION);
    ck_put_str(out, p->official);
    ck_put_u64(out, p->sample);
    ck_put_u64(out, (uint64_t)p->database);
    ck_put_u64(out, p->unusable);
    for (size_t i = 0; i < CK_SURVEY_GROUP_COUNT_; i++) {
        ck_put_u64(out, p->of[i].repositories);
        ck_put_u64(out, p->of[i].unlisted);
        ck_put_u64(out, p->of[i].names);
        ck_put_u64(out, p->of[i].drawn);
    }
}

ck_err *ck_survey_plan_decode(ck_view bytes, struct ck_survey_plan *ret)
{
    ck_cur c = ck_cur_of(bytes);
    bool known = ck_cur_u8(&c) == VERSION;
    struct ck_survey_plan p = { .official = ck_cur_str(&c, CK_MAX_REGISTRY_NAME) };
    p.sample = ck_cur_le64(&c);
    p.database = (int64_t)ck_cur_le64(&c);
    p.unusable = ck_cur_le64(&c);
    for (size_t i = 0; i < CK_SURVEY_GROUP_COUNT_; i++) {
        p.of[i].repositories = ck_cur_le64(&c);
        p.of[i].unlisted = ck_cur_le64(&c);
        p.of[i].names = ck_cur_le64(&c);
        p.of[i].drawn = ck_cur_le64(&c);
        if (p.of[i].drawn > p.of[i].names)
            c.bad = true;
    }
    if (!known || !ck_cur_ok(&c) || !ck_cur_end(&c))
        return ck_err_new(CK_ERR_OURS, "store: a survey's options are damaged");
    *ret = p;
    return NULL;
}

enum ck_survey_group ck_survey_group_of(ck_view path, ck_view official)
{
    bool yes = official.n ? ck_view_starts(path, official) : ck_view_find(path, '/') == path.n;
    return yes ? CK_OFFICIAL : CK_OTHERS;
}

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

void ck_survey_split(uint64_t sample, struct ck_survey_plan *p)
{
    struct ck_survey_population *yes = &p->of[CK_OFFICIAL], *no = &p->of[CK_OTHERS];
    yes->drawn = least(yes->names, sample - sample / 2);
    no->drawn = least(no->names, sample - yes->drawn);
    yes->drawn = least(yes->names, sample - no->drawn);
}

/* --- all names -------------------------------------------------------------------------------- */

struct frame {
    const struct ck_survey_options *o;
    const struct ck_survey_progress *p;
    struct ck_arena *a;
    struct ck_survey_plan *plan;
    struct ck_remote *last; /* whose room the next one takes over */
    ck_err *failed;         /* why the last repository gave no tags */
    CK_VEC(ck_view) names[CK_SURVEY_GROUP_COUNT_];
};

static int by_bytes(const void *a, const void *b)
{
    return ck_view_cmp(*(const ck_view *)a, *(const ck_view *)b);
}

static size_t each_once(ck_view *v, size_t n)
{
    size_t kept = 0;
    if (n)
        qsort(v, n, sizeof *v, by_bytes);
    for (size_t i = 0; i < n; i++)
        if (!kept || !ck_view_eq(v[kept - 1], v[i]))
            v[kept++] = v[i];
    return kept;
}

static ck_err *add(struct frame *f, enum ck_survey_group g, const char *name)
{
    if (f->names[CK_OFFICIAL].n + f->names[CK_OTHERS].n >= CK_MAX_SURVEY_NAMES)
        return ck_err_limit(CK_LIMIT_SURVEY_NAMES, "the registry has too many tags");
    *ck_push(&f->names[g]) = ck_view_str(name);
    return NULL;
}

static ck_err *remote_of(struct frame *f, const struct ck_name *n, struct ck_remote **ret)
{
    struct ck_remote_options o = f->o->scan.remote;
    o.no_mirrors = true;
    o.no_sandbox = f->o->scan.no_sandbox;
    CK_TRY(ck_remote_new(n, &o, ret));
    if (f->last) {
        ck_remote_inherit(*ret, f->last);
        ck_remote_free(f->last);
    }
    f->last = *ret;
    return NULL;
}

/* A repository that gives no tags is counted, and in the way of nothing else. */
static ck_err *add_tags(struct frame *f, const struct ck_name *n)
{
    enum ck_survey_group g = ck_survey_group_of(n->path, f->plan->official);
    ck_autoarena struct ck_arena own = { 0 };
    struct ck_remote *r = NULL;
    struct ck_listed tags = { 0 };
    CK_TRY(remote_of(f, n, &r));
    f->plan->of[g].repositories++;
    ck_err *e = ck_list_tags(r, &own, &tags);
    if (e && (ck_err_class(e) == CK_ERR_OURS || ck_err_class(e) == CK_ERR_USAGE))
        return e;
    if (e) {
        f->plan->of[g].unlisted++;
        ck_err_free(f->failed);
        f->failed = e;
        return NULL;
    }
    f->plan->unusable += tags.unusable;
    for (size_t i = 0; i < tags.n; i++)
        CK_TRY(add(f, g, ck_arena_format(f->a, "%.*s/%.*s:%.*s", CK_VF(n->host), CK_VF(n->path),
                                         CK_VF(tags.v[i]))));
    return NULL;
}

static ck_err *name_at(struct frame *f, ck_view text, struct ck_name *ret)
{
    ck_view host = ck_view_str(f->o->registry);
    bool whole = ck_view_starts(text, host) && text.n > host.n && text.p[host.n] == '/';
    const char *full = whole ? ck_arena_format(f->a, "%.*s", CK_VF(text))
                             : ck_arena_format(f->a, "%s/%.*s", f->o->registry, CK_VF(text));
    struct ck_name n;
    CK_TRY(ck_name_parse(ck_view_str(full), f->a, &n));
    if (!n.host_given)
        return ck_err_new(CK_ERR_USAGE, "\"%s\" is no registry (a host with a dot or a port, or "
                          "localhost)", f->o->registry);
    *ret = n;
    return NULL;
}

static bool stopped(struct frame *f, ck_view name, size_t done, size_t total)
{
    if (f->p && f->p->report)
        f->p->report(f->p->ctx, "listing tags", name, done, total);
    return f->p && f->p->stop && f->p->stop(f->p->ctx);
}

/* A line of a list names a repository, or one image of it. */
static ck_err *add_line(struct frame *f, ck_view line)
{
    struct ck_name n;
    CK_TRY(name_at(f, line, &n));
    if (!n.tag_given && !n.has_digest)
        return add_tags(f, &n);
    enum ck_survey_group g = ck_survey_group_of(n.path, f->plan->official);
    f->plan->of[g].repositories++;
    return add(f, g, ck_name_text(&n, f->a));
}

static ck_err *lines_of(struct frame *f, ck_view **ret, size_t *ret_n)
{
    CK_VEC(ck_view) lines = { 0 };
    for (ck_cur c = ck_cur_of(f->o->list); !ck_cur_end(&c);) {
        ck_view line = ck_cur_line(&c);
        line = ck_view_trim(ck_view_head(line, ck_view_find(line, '#')));
        if (line.n)
            *ck_push(&lines) = line;
    }
    size_t n = each_once(lines.v, lines.n);
    *ret = ck_arena_alloc(f->a, n + 1, sizeof **ret);
    if (n)
        memcpy(*ret, lines.v, n * sizeof **ret);
    free(lines.v);
    *ret_n = n;
    return n <= CK_MAX_LISTED_NAMES ? NULL
                                    : ck_err_limit(CK_LIMIT_LISTED_NAMES, "the list is too long");
}

static ck_err *catalogue(struct frame *f, ck_view **ret, size_t *ret_n)
{
    struct ck_name any;
    struct ck_remote *r = NULL;
    struct ck_listed repositories = { 0 };
    CK_TRY(name_at(f, CK_V("any/name"), &any));
    CK_TRY(remote_of(f, &any, &r));
    CK_TRY_WRAP(ck_list_repositories(r, f->a, &repositories),
                "%s lists no repositories (name them with --list)", f->o->registry);
    f->plan->unusable += repositories.unusable;
    *ret = repositories.v;
    *ret_n = repositories.n;
    return NULL;
}

static ck_err *all_names(struct frame *f, bool *ret_stopped)
{
    ck_view *lines = NULL;
    size_t n = 0;
    CK_TRY(f->o->list.n ? lines_of(f, &lines, &n) : catalogue(f, &lines, &n));
    for (size_t i = 0; i < n; i++) {
        if (stopped(f, lines[i], i, n)) {
            *ret_stopped = true;
            return NULL;
        }
        CK_TRY_WRAP(add_line(f, lines[i]), "%.*s", CK_VF(lines[i]));
    }
    for (size_t g = 0; g < CK_SURVEY_GROUP_COUNT_; g++) {
        f->names[g].n = each_once(f->names[g].v, f->names[g].n);
        f->plan->of[g].names = f->names[g].n;
    }
    if (f->names[CK_OFFICIAL].n + f->names[CK_OTHERS].n == 0 && f->failed)
        return ck_steal(f->failed);
    if (f->names[CK_OFFICIAL].n + f->names[CK_OTHERS].n == 0)
        return ck_err_new(CK_ERR_UNAVAILABLE, "%s has no images", f->o->registry);
    return NULL;
}

/* --- the sample ------------------------------------------------------------------------------- */

static void draw_group(struct frame *f, struct ck_random *r, enum ck_survey_group g,
                       struct ck_survey_item *items)
{
    size_t n = f->names[g].n, *order = ck_calloc(n + 1, sizeof *order);
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    ck_random_sample(r, order, n, f->plan->of[g].drawn);
    for (size_t i = 0; i < f->plan->of[g].drawn; i++)
        items[i] = (struct ck_survey_item){ .official = g == CK_OFFICIAL,
                                            .name = f->names[g].v[order[i]] };
    free(order);
}

static ck_err *draw(struct frame *f, uint64_t seed, struct ck_survey_item **ret, size_t *ret_n)
{
    struct ck_survey_plan *p = f->plan;
    struct ck_random r = ck_random_of(seed);
    ck_survey_split(p->sample, p);
    size_t n = p->of[CK_OFFICIAL].drawn + p->of[CK_OTHERS].drawn;
    if (n > CK_MAX_SURVEY_SAMPLE)
        return ck_err_reclass(ck_err_limit(CK_LIMIT_SURVEY_SAMPLE, "a sample of %zu images", n),
                              CK_ERR_USAGE);
    struct ck_survey_item *items = ck_arena_alloc(f->a, n + 1, sizeof *items);
    draw_group(f, &r, CK_OFFICIAL, items);
    draw_group(f, &r, CK_OTHERS, items + p->of[CK_OFFICIAL].drawn);
    for (size_t i = 0; i < n; i++)
        items[i].position = i;
    *ret = items;
    *ret_n = n;
    return NULL;
}

static ck_view official_of(const struct ck_survey_options *o)
{
    if (o->official)
        return ck_view_str(o->official);
    return strcmp(o->registry, "docker.io") == 0 ? CK_V("library/") : CK_V("");
}

ck_err *ck_survey_draw(const struct ck_survey_options *o, const struct ck_survey_progress *p,
                       uint64_t seed, struct ck_arena *a, struct ck_survey_plan *ret_plan,
                       struct ck_survey_item **ret, size_t *ret_n, bool *ret_stopped)
{
    struct ck_survey_plan plan = { .official = official_of(o),
                                   .sample = o->sample ? o->sample : DEFAULT_SAMPLE,
                                   .database = ck_db_built(o->scan.db) };
    struct frame f = { .o = o, .p = p, .a = a, .plan = &plan };
    ck_err *e = all_names(&f, ret_stopped);
    if (!e && !*ret_stopped)
        e = draw(&f, seed, ret, ret_n);
    if (!e)
        *ret_plan = plan;
    ck_remote_free(f.last);
    ck_err_free(f.failed);
    for (size_t g = 0; g < CK_SURVEY_GROUP_COUNT_; g++)
        free(f.names[g].v);
    return e;
}
