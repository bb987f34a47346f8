#include "policy/policy_int.h"

#include <arpa/inet.h>

bool ck_policy_any(const struct ck_policy_patterns *p, ck_view text)
{
    for (size_t i = 0; i < p->n; i++)
        if (ck_pattern_matches(&p->v[i], text))
            return true;
    return false;
}

bool ck_policy_address(ck_view text, uint8_t ret[16], bool *ret_v4)
{
    static const uint8_t mapped[12] = { [10] = 0xFF, [11] = 0xFF };
    char word[64];
    uint8_t address[16];
    bool v4 = ck_view_find(text, ':') == text.n;
    if (text.n == 0 || text.n >= sizeof word || ck_view_find(text, 0) < text.n)
        return false;
    memcpy(word, text.p, text.n);
    word[text.n] = '\0';
    if (inet_pton(v4 ? AF_INET : AF_INET6, word, v4 ? address + 12 : address) != 1)
        return false;
    if (v4)
        memcpy(address, mapped, sizeof mapped);
    memcpy(ret, address, sizeof address);
    *ret_v4 = v4 || memcmp(address, mapped, sizeof mapped) == 0;
    return true;
}

/* --- the subject ------------------------------------------------------------------------------ */

static ck_view lower(ck_view v, size_t n, struct ck_arena *a)
{
    uint8_t *p = ck_arena_alloc(a, v.n + 1, 1);
    for (size_t i = 0; i < v.n; i++)
        p[i] = i < n && v.p[i] >= 'A' && v.p[i] <= 'Z' ? v.p[i] | 0x20 : v.p[i];
    return ck_view_of(p, v.n);
}

static ck_view normal_platform(ck_view text, struct ck_arena *a)
{
    struct ck_platform p;
    if (!text.n)
        return text;
    ck_err *e = ck_platform_parse(text, &p);
    ck_err_free(e);
    return e ? text : ck_view_str(ck_platform_text(&p, a));
}

void ck_policy_view_of(const struct ck_policy_subject *s, struct ck_arena *a,
                       struct ck_policy_view *ret)
{
    struct ck_policy_view v = { .user = s->user, .namespace_ = s->namespace_, .index = s->index,
                                .tags = s->tags, .n_tags = s->n_tags };
    ck_view repository = s->repository;
    bool v4;
    if (s->name) {
        repository = ck_view_str(ck_name_repository(s->name, a));
        v.tag = s->name->tag;
        v.digest = s->name->has_digest ? &s->name->digest : NULL;
    }
    v.repository = lower(repository, ck_view_find(repository, '/'), a);
    v.upstream = lower(s->upstream, s->upstream.n, a);
    v.platform = normal_platform(s->platform.n || !s->facts ? s->platform : s->facts->platform, a);
    v.has_address = ck_policy_address(s->address, v.address, &v4);
    *ret = v;
}

/* --- rules ------------------------------------------------------------------------------------ */

/* Who asks by digest asks for no tag: then those count that are known to mean it. */
static bool tag_matches(const struct ck_policy_name_pattern *p, const struct ck_policy_view *v)
{
    if (v->tag.n)
        return ck_pattern_matches(&p->tag, v->tag);
    for (size_t i = 0; i < v->n_tags; i++)
        if (ck_pattern_matches(&p->tag, v->tags[i]))
            return true;
    return false;
}

static bool name_matches(const struct ck_policy_name_pattern *p, const struct ck_policy_view *v)
{
    if (!ck_pattern_matches(&p->repository, v->repository))
        return false;
    if (p->has_tag && !tag_matches(p, v))
        return false;
    return !p->has_digest || (v->digest && ck_digest_eq(&p->digest, v->digest));
}

bool ck_policy_names_match(const struct ck_policy_names *names, const struct ck_policy_view *v)
{
    for (size_t i = 0; i < names->n; i++)
        if (name_matches(&names->v[i], v))
            return true;
    return names->n == 0;
}

static bool in_network(const struct ck_policy_client *c, const uint8_t address[16])
{
    size_t whole = c->bits / 8, rest = c->bits % 8;
    if (memcmp(c->address, address, whole) != 0)
        return false;
    return rest == 0 || (c->address[whole] ^ address[whole]) >> (8 - rest) == 0;
}

static bool clients_match(const struct ck_policy_clients *c, const struct ck_policy_view *v)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->v[i].network ? v->has_address && in_network(&c->v[i], v->address)
                            : v->user.n && ck_pattern_matches(&c->v[i].user, v->user))
            return true;
    }
    return c->n == 0;
}

static bool word_matches(const struct ck_policy_patterns *p, ck_view word)
{
    return p->n == 0 || (word.n && ck_policy_any(p, word));
}

bool ck_policy_matches(const struct ck_policy_match *m, const struct ck_policy_view *v)
{
    return word_matches(&m->namespaces, v->namespace_) &&
           (v->index || word_matches(&m->platforms, v->platform)) &&
           clients_match(&m->clients, v) && ck_policy_names_match(&m->images, v);
}

bool ck_policy_asks_networks(const struct ck_policy *p)
{
    for (size_t i = 0; i < p->n_rules; i++) {
        const struct ck_policy_clients *c = &p->rules[i].match.clients;
        for (size_t k = 0; k < c->n; k++)
            if (c->v[k].network)
                return true;
    }
    return false;
}
