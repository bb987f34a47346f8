#include "serve/pulls.h"

#include "base/mem.h"
#include "base/text.h"
#include "serve/http_int.h"

#include <stdlib.h>

/* Of some 1,300 bytes each: a packet holds them. */
enum { WORDS = 32 };

struct pull {
    struct ck_kept_key key;
    ck_view client, digest;
    uint64_t count;
};

struct pulls {
    struct ck_arena a;
    CK_VEC(struct pull) v;
};

/* Under the table's lock: only copies. */
static void note(void *ctx, const struct ck_kept_key *key, const char *digest, ck_view client,
                 uint64_t count)
{
    struct pulls *p = ctx;
    *ck_push(&p->v) = (struct pull){
        .key = { .session = key->session, .kind = key->kind, .ns = ck_arena_dup(&p->a, key->ns),
                 .host = ck_arena_dup(&p->a, key->host),
                 .repository = ck_arena_dup(&p->a, key->repository),
                 .reference = ck_arena_dup(&p->a, key->reference) },
        .client = ck_arena_dup(&p->a, client),
        .digest = ck_arena_dup(&p->a, ck_view_str(digest)),
        .count = count,
    };
}

/* Those that fit one question stand together. */
static int by_asker(const void *pa, const void *pb)
{
    const struct pull *a = pa, *b = pb;
    if (a->key.session != b->key.session)
        return a->key.session < b->key.session ? -1 : 1;
    int c = ck_view_cmp(a->client, b->client);
    c = c ? c : ck_view_cmp(a->key.ns, b->key.ns);
    c = c ? c : ck_view_cmp(a->key.host, b->key.host);
    return c ? c : ck_view_cmp(a->key.repository, b->key.repository);
}

static void tell(struct ck_serve *s, struct ck_arena *a, const struct pull *v, size_t n)
{
    ck_view *words = ck_arena_alloc(a, n, sizeof *words);
    for (size_t i = 0; i < n; i++)
        words[i] = ck_view_str(ck_arena_format(
            a, "%s %.*s@%.*s %.*s %llu", v[i].key.kind == CK_ASK_BLOB ? "blob" : "manifest",
            CK_VF(v[i].key.repository), CK_VF(v[i].key.reference), CK_VF(v[i].digest),
            (unsigned long long)v[i].count));
    struct ck_ask q = { .kind = CK_ASK_PULLED, .session = v->key.session, .client = v->client,
                        .ns = v->key.ns, .host = v->key.host, .repository = v->key.repository,
                        .words = words, .n_words = n, .fd = -1 };
    ck_asks_tell(s, &q, false);
}

void ck_pulls_report(struct ck_serve *s)
{
    struct pulls p = { 0 };
    ck_kept_report(s->kept, note, &p);
    if (p.v.n)
        qsort(p.v.v, p.v.n, sizeof *p.v.v, by_asker);
    for (size_t i = 0, n; i < p.v.n; i += n) {
        n = 1;
        while (i + n < p.v.n && n < WORDS && by_asker(&p.v.v[i], &p.v.v[i + n]) == 0)
            n++;
        tell(s, &p.a, &p.v.v[i], n);
    }
    free(p.v.v);
    ck_arena_free(&p.a);
}
