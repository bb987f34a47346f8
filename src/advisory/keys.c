#include "advisory/keys.h"

#include "advisory/cut.h"
#include "advisory/match_int.h"

#include <openssl/evp.h>
#include <stdlib.h>

/* --- hashing ---------------------------------------------------------------------------------- */

struct ck_cut ck_cut_new(void)
{
    struct ck_cut c = { EVP_MD_fetch(NULL, "SHA256", NULL), EVP_MD_CTX_new(),
                        ck_buf_new(CK_LIMIT_NONE) };
    if (!c.md || !c.ctx)
        abort(); /* as image/digest.c: a libcrypto without SHA-256 is none */
    return c;
}

void ck_cut_free(struct ck_cut *c)
{
    EVP_MD_CTX_free(c->ctx);
    EVP_MD_free(c->md);
    ck_buf_free(&c->b);
}

uint64_t ck_cut(struct ck_cut *c)
{
    uint8_t digest[32];
    if (EVP_DigestInit_ex(c->ctx, c->md, NULL) != 1 ||
        EVP_DigestUpdate(c->ctx, c->b.p, c->b.n) != 1 ||
        EVP_DigestFinal_ex(c->ctx, digest, NULL) != 1)
        abort();
    ck_buf_clear(&c->b);
    ck_cur head = ck_cur_of(ck_view_of(digest, 8));
    return ck_cur_be64(&head);
}

/* --- keys ------------------------------------------------------------------------------------- */

uint64_t ck_key_of_name(struct ck_cut *c, ck_view ecosystem, enum ck_name_kind kind, ck_view name)
{
    ck_put_u8(&c->b, 'n');
    ck_put_u8(&c->b, (uint8_t)kind);
    ck_put_str(&c->b, ecosystem);
    ck_put_bytes(&c->b, name);
    return ck_cut(c);
}

uint64_t ck_key_of_coverage(struct ck_cut *c, ck_view ecosystem)
{
    ck_put_u8(&c->b, 'c');
    ck_put_bytes(&c->b, ecosystem);
    return ck_cut(c);
}

uint64_t ck_key_of_end(struct ck_cut *c, int64_t end_of_life)
{
    ck_put_u8(&c->b, 'e');
    ck_put_u64(&c->b, (uint64_t)end_of_life);
    return ck_cut(c);
}

void ck_key_put(struct ck_buf *out, uint64_t key)
{
    for (int shift = 56; shift >= 0; shift -= 8)
        ck_put_u8(out, (uint8_t)(key >> shift));
}

/* --- of a package ----------------------------------------------------------------------------- */

struct gathering {
    struct ck_cut cut;
    CK_VEC(uint64_t) keys;
};

static ck_err *gather(void *ctx, const struct ck_subject *s, ck_view ecosystem)
{
    struct gathering *g = ctx;
    *ck_push(&g->keys) = ck_key_of_name(&g->cut, ecosystem, s->kind, s->name);
    return NULL;
}

static int by_number(const void *pa, const void *pb)
{
    uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;
    return a < b ? -1 : a > b;
}

static void deliver(struct gathering *g, struct ck_arena *a, struct ck_keys *ret)
{
    struct ck_keys keys = { .v = ck_arena_alloc(a, g->keys.n, sizeof *keys.v) };
    if (g->keys.n)
        qsort(g->keys.v, g->keys.n, sizeof *g->keys.v, by_number);
    for (size_t i = 0; i < g->keys.n; i++) {
        if (i && g->keys.v[i] == g->keys.v[i - 1])
            continue;
        ck_buf_clear(&g->cut.b);
        ck_key_put(&g->cut.b, g->keys.v[i]);
        keys.v[keys.n++] = ck_arena_dup(a, ck_buf_view(&g->cut.b));
    }
    free(g->keys.v);
    ck_cut_free(&g->cut);
    *ret = keys;
}

void ck_match_keys(const struct ck_distro *distro, const struct ck_package *p, struct ck_arena *a,
                   struct ck_keys *ret)
{
    if (!ck_is_matched(distro, p)) {
        *ret = (struct ck_keys){ 0 };
        return;
    }
    struct gathering g = { .cut = ck_cut_new() };
    ck_view *ecosystems;
    size_t n = ck_distro_ecosystems(distro, a, &ecosystems);
    for (int kind = 0; kind < CK_NAME_KIND_COUNT_; kind++)
        ck_err_free(ck_each_lookup(ecosystems, n, p, (enum ck_name_kind)kind, a, gather, &g));
    deliver(&g, a, ret);
}

void ck_distro_keys(const struct ck_distro *distro, struct ck_arena *a, struct ck_keys *ret)
{
    struct gathering g = { .cut = ck_cut_new() };
    ck_view *ecosystems = NULL;
    size_t n = distro->known ? ck_distro_ecosystems(distro, a, &ecosystems) : 0;
    for (size_t i = 0; i < n; i++)
        *ck_push(&g.keys) = ck_key_of_coverage(&g.cut, ecosystems[i]);
    if (n && distro->end_of_life)
        *ck_push(&g.keys) = ck_key_of_end(&g.cut, distro->end_of_life);
    deliver(&g, a, ret);
}
