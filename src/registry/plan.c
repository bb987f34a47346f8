/* From a name to the places to ask. */
#include "base/text.h"
#include "registry/config_parts.h"

/* --- prefixes --------------------------------------------------------------------------------- */

static bool at_boundary(ck_view v, size_t at)
{
    return at == v.n || v.p[at] == '/' || v.p[at] == ':' || v.p[at] == '@';
}

/* "*.example.com" matches any number of labels before ".example.com". */
static bool match_wildcard(ck_view v, ck_view suffix, size_t *ret_length)
{
    size_t host = ck_view_find(v, '/');
    for (size_t at = 0; at <= host && at + suffix.n <= v.n; at++) {
        if (!ck_view_starts(ck_view_from(v, at), suffix))
            continue;
        *ret_length = at + suffix.n;
        return at_boundary(v, at + suffix.n); /* the first occurrence counts, as in podman */
    }
    return false;
}

bool ck_prefix_match(ck_view repository, ck_view prefix, size_t *ret_length)
{
    if (ck_view_starts(prefix, CK_V("*.")))
        return match_wildcard(repository, ck_view_from(prefix, 1), ret_length);
    *ret_length = prefix.n;
    return ck_view_starts(repository, prefix) && at_boundary(repository, prefix.n);
}

/* Among prefixes of the same length the one that sorts first: podman sorts them. */
const struct ck_entry *ck_entry_find(const struct ck_registry_config *c, ck_view repository)
{
    const struct ck_entry *best = NULL;
    size_t length;
    for (const struct ck_entry *e = c->entries; e; e = e->next) {
        if (!ck_prefix_match(repository, e->prefix, &length))
            continue;
        if (!best || e->prefix.n > best->prefix.n ||
            (e->prefix.n == best->prefix.n && ck_view_cmp(e->prefix, best->prefix) < 0))
            best = e;
    }
    return best;
}

/* --- short names ------------------------------------------------------------------------------ */

/* "REGISTRY/NAME" with the tag and digest that were typed. */
static ck_err *qualify(const struct ck_said *at, ck_view repository, const struct ck_name *n,
                       struct ck_arena *a, struct ck_name *ret)
{
    char digest[CK_DIGEST_TEXT] = "";
    struct ck_name full;
    if (n->has_digest)
        ck_digest_text(&n->digest, digest);
    ck_view tag = n->tag_given ? n->tag : CK_V("");
    const char *text = ck_arena_format(a, "%.*s%s%.*s%s%s", CK_VF(repository), tag.n ? ":" : "",
                                       CK_VF(tag), n->has_digest ? "@" : "", digest);
    CK_TRY_WRAP(ck_name_parse(ck_view_str(text), a, &full), "%s:%u", at->file, at->line);
    if (!full.host_given)
        return ck_err_new(CK_ERR_USAGE, "%s:%u: \"%.*s\" does not begin with a registry", at->file,
                          at->line, CK_VF(repository));
    full.host_given = false;
    full.typed = n->typed;
    *ret = full;
    return NULL;
}

static const struct ck_alias *find_alias(const struct ck_registry_config *c, ck_view name)
{
    const struct ck_alias *const lists[] = { c->recorded, c->aliases };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        for (const struct ck_alias *l = lists[i]; l; l = l->next)
            if (ck_view_eq(l->name, name))
                return l;
    return NULL;
}

static ck_err *ambiguous(const struct ck_registry_config *c, ck_view name)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    for (size_t i = 0; i < c->search.n && b.n < 300; i++)
        ck_buf_format(&b, "%s%.*s/%.*s", i ? ", " : "", CK_VF(c->search.v[i]), CK_VF(name));
    return ck_err_new(CK_ERR_USAGE, "\"%.*s\" may mean %.*s (%s:%u): write which", CK_VF(name),
                      CK_VF(ck_buf_view(&b)), c->search.at.file, c->search.at.line);
}

static ck_err *search(const struct ck_registry_config *c, const struct ck_name *n, ck_view name,
                      struct ck_arena *a, struct ck_name *ret)
{
    if (!c->search.given) { /* as docker has it */
        *ret = *n;
        return NULL;
    }
    if (c->search.n == 0)
        return ck_err_new(CK_ERR_USAGE, "\"%.*s\" has no registry, and %s:%u lists none to search",
                          CK_VF(name), c->search.at.file, c->search.at.line);
    if (c->search.n > 1)
        return ambiguous(c, name);
    const char *text = ck_arena_format(a, "%.*s/%.*s", CK_VF(c->search.v[0]), CK_VF(name));
    return qualify(&c->search.at, ck_view_str(text), n, a, ret);
}

ck_err *ck_registry_expand(const struct ck_registry_config *c, const struct ck_name *n,
                           struct ck_arena *a, struct ck_name *ret)
{
    if (n->host_given) {
        *ret = *n;
        return NULL;
    }
    ck_view name = n->typed.n ? n->typed : n->path; /* a name that was not parsed from text */
    const struct ck_alias *alias = find_alias(c, name);
    if (alias && alias->value.n)
        return qualify(&alias->at, alias->value, n, a, ret);
    return search(c, n, name, a, ret);
}

/* --- plans ------------------------------------------------------------------------------------ */

struct planning {
    const struct ck_registry_config *c;
    const struct ck_entry *entry; /* of the image's own registry; may be NULL */
    ck_view repository;           /* "docker.io/library/alpine" */
    struct ck_arena *a;
    struct ck_registry_plan plan;
    const struct ck_entry *blocked_by;
};

static ck_err *no_rewrite(const struct planning *p, const char *text, const char *why)
{
    return ck_err_new(CK_ERR_USAGE, "%s:%u: %.*s becomes %s: %s", p->entry->at.file,
                      p->entry->at.line, CK_VF(p->repository), text, why);
}

/* The location takes the place of what the prefix matched. */
static ck_err *rewrite(const struct planning *p, ck_view location, ck_view *ret)
{
    size_t length = 0;
    struct ck_name n;
    if (location.n == 0) {
        *ret = p->repository;
        return NULL;
    }
    if (!ck_prefix_match(p->repository, p->entry->prefix, &length))
        length = 0; /* cannot be: the entry was found by it */
    const char *text = ck_arena_format(p->a, "%.*s%.*s", CK_VF(location),
                                       CK_VF(ck_view_from(p->repository, length)));
    ck_err *e = ck_name_parse(ck_view_str(text), p->a, &n);
    if (e) {
        ck_err_free(e);
        return no_rewrite(p, text, "no name of a repository");
    }
    if (n.tag_given || n.has_digest)
        return no_rewrite(p, text, "a location cannot have a tag or digest");
    if (!n.host_given)
        return no_rewrite(p, text, "it does not begin with a registry");
    if (!ck_view_eq(ck_view_str(ck_name_repository(&n, p->a)), ck_view_str(text)))
        return no_rewrite(p, text, "docker.io needs library/ written out here");
    *ret = ck_view_str(text);
    return NULL;
}

static ck_err *add_endpoint(struct planning *p, ck_view repository, bool insecure, bool mirror)
{
    ck_view path;
    ck_view host = ck_view_split(repository, '/', &path);
    const struct ck_entry *own = ck_entry_find(p->c, repository);
    if (!mirror && p->entry && p->entry->blocked)
        own = p->entry;
    if (own && own->blocked) {
        p->blocked_by = own;
        return NULL;
    }
    struct ck_endpoint *e = &p->plan.v[p->plan.n++];
    bool hub = ck_view_eq(host, CK_V("docker.io"));
    e->host = hub ? "registry-1.docker.io" : (const char *)ck_arena_dup(p->a, host).p;
    e->repository = (const char *)ck_arena_dup(p->a, path).p;
    e->plain_http = insecure;
    e->mirror = mirror;
    e->configured = own || p->entry;
    CK_TRY(ck_credentials_find(p->c, host, repository, p->a, e));
    return ck_certs_find(p->c, host, p->a, e);
}

static ck_err *add_mirrors(struct planning *p, const struct ck_name *n)
{
    for (size_t i = 0; i < p->entry->mirror_count; i++) {
        const struct ck_mirror *m = &p->entry->mirrors[i];
        ck_view repository;
        if (m->use != CK_MIRROR_ALL && n->has_digest != (m->use == CK_MIRROR_DIGEST_ONLY))
            continue;
        CK_TRY(rewrite(p, m->location, &repository));
        CK_TRY(add_endpoint(p, repository, m->insecure, true));
    }
    return NULL;
}

static ck_err *make_plan(struct planning *p, const struct ck_name *n)
{
    ck_view repository = p->repository;
    size_t mirrors = p->entry ? p->entry->mirror_count : 0;
    p->plan.v = ck_arena_alloc(p->a, mirrors + 1, sizeof *p->plan.v);
    if (p->entry) {
        CK_TRY(add_mirrors(p, n));
        CK_TRY(rewrite(p, p->entry->location, &repository));
    }
    CK_TRY(add_endpoint(p, repository, p->entry && p->entry->insecure, false));
    if (p->plan.n == 0)
        return ck_err_new(CK_ERR_USAGE, "%.*s is blocked by %s:%u", CK_VF(p->repository),
                          p->blocked_by->at.file, p->blocked_by->at.line);
    return NULL;
}

ck_err *ck_registry_plan_for(const struct ck_registry_config *c, const struct ck_name *n,
                             struct ck_arena *a, struct ck_registry_plan *ret)
{
    struct planning p = { .c = c, .a = a };
    p.repository = ck_view_str(ck_name_repository(n, a));
    p.entry = ck_entry_find(c, p.repository);
    CK_TRY(make_plan(&p, n));
    *ret = p.plan;
    return NULL;
}
