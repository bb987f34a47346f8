#include "serve/kept.h"

#include "base/mem.h"
#include "serve/hash.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { CHAINS = 4096, CLIENTS = 16, KEY = 9 + 4 * 513 };

struct pull {
    char client[INET6_ADDRSTRLEN];
    uint64_t count;
};

struct ck_kept_own {
    struct ck_kept_entry e;
    uint64_t hash;
    uint8_t *key;
    size_t key_n;
    int64_t until;
    unsigned users; /* the table is one */
    struct ck_kept_own *chain, *newer, *older;
    struct pull *pulls; /* CLIENTS, once there is one */
    size_t n_pulls;
};

struct ck_kept {
    pthread_mutex_t mutex;
    void (*destroy)(struct MHD_Response *);
    uint64_t seed;
    struct ck_kept_own *chains[CHAINS];
    struct ck_kept_own *newest, *oldest; /* by use */
    struct ck_kept_own *lost;            /* no entries any more, but unreported pulls of them */
    size_t entries, bytes, blobs;
};

struct ck_kept *ck_kept_new(void (*destroy)(struct MHD_Response *))
{
    struct ck_kept *k = ck_new(struct ck_kept);
    pthread_mutex_init(&k->mutex, NULL);
    k->destroy = destroy;
    k->seed = ck_hash_seed();
    return k;
}

/* --- keys ------------------------------------------------------------------------------------- */

/* Each part ends with a NUL, which no part has (wire.c). */
static ck_view key_bytes(const struct ck_kept_key *key, uint8_t out[KEY])
{
    const ck_view parts[] = { key->ns, key->host, key->repository, key->reference };
    size_t n = sizeof key->session;
    memcpy(out, &key->session, n);
    out[n++] = (uint8_t)key->kind;
    for (size_t i = 0; i < 4; i++) {
        size_t len = parts[i].n < CK_MAX_REGISTRY_NAME ? parts[i].n : CK_MAX_REGISTRY_NAME;
        if (len)
            memcpy(out + n, parts[i].p, len);
        n += len;
        out[n++] = 0;
    }
    return ck_view_of(out, n);
}

static struct ck_kept_key key_of(const struct ck_kept_own *o)
{
    ck_cur c = ck_cur_of(ck_view_of(o->key, o->key_n));
    struct ck_kept_key key = { 0 };
    ck_view session = ck_cur_take(&c, sizeof key.session);
    memcpy(&key.session, session.p, session.n);
    key.kind = (enum ck_ask_kind)ck_cur_u8(&c);
    key.ns = ck_cur_cstr(&c);
    key.host = ck_cur_cstr(&c);
    key.repository = ck_cur_cstr(&c);
    key.reference = ck_cur_cstr(&c);
    return key;
}

/* --- the list, under the mutex ---------------------------------------------------------------- */

static void unlink_use(struct ck_kept *k, struct ck_kept_own *o)
{
    *(o->newer ? &o->newer->older : &k->newest) = o->older;
    *(o->older ? &o->older->newer : &k->oldest) = o->newer;
    o->newer = o->older = NULL;
}

static void link_newest(struct ck_kept *k, struct ck_kept_own *o)
{
    o->older = k->newest;
    *(k->newest ? &k->newest->newer : &k->oldest) = o;
    k->newest = o;
}

static void destroy_entry(struct ck_kept *k, struct ck_kept_own *o)
{
    if (o->e.whole)
        k->destroy(o->e.whole);
    if (o->e.unchanged)
        k->destroy(o->e.unchanged);
    if (o->e.fd >= 0)
        close(o->e.fd);
    free(o->pulls);
    free(o->key);
    free(o);
}

static void put_back(struct ck_kept *k, struct ck_kept_own *o)
{
    if (--o->users == 0)
        destroy_entry(k, o);
}

/* What was given out of an entry is not forgotten with it. */
static void save_pulls(struct ck_kept *k, struct ck_kept_own *o)
{
    struct ck_kept_own *shell = ck_new(struct ck_kept_own);
    shell->e.fd = -1;
    memcpy(shell->e.digest, o->e.digest, sizeof shell->e.digest);
    shell->key = (uint8_t *)ck_strndup(o->key, o->key_n);
    shell->key_n = o->key_n;
    shell->pulls = ck_steal(o->pulls);
    shell->n_pulls = o->n_pulls;
    o->n_pulls = 0;
    shell->chain = k->lost;
    k->lost = shell;
}

static void drop(struct ck_kept *k, struct ck_kept_own *o)
{
    if (o->n_pulls)
        save_pulls(k, o);
    struct ck_kept_own **at = &k->chains[o->hash % CHAINS];
    while (*at != o)
        at = &(*at)->chain;
    *at = o->chain;
    unlink_use(k, o);
    k->entries--;
    k->bytes -= o->e.bytes;
    k->blobs -= o->e.fd >= 0;
    put_back(k, o);
}

static void make_room(struct ck_kept *k)
{
    while (k->oldest && (k->bytes > CK_MAX_SERVE_KEPT || k->blobs > CK_MAX_SERVE_KEPT_BLOBS))
        drop(k, k->oldest);
}

static struct ck_kept_own *find(struct ck_kept *k, uint64_t hash, ck_view key)
{
    struct ck_kept_own *o = k->chains[hash % CHAINS];
    while (o && (o->hash != hash || !ck_view_eq(ck_view_of(o->key, o->key_n), key)))
        o = o->chain;
    return o;
}

/* --- use -------------------------------------------------------------------------------------- */

static bool count_pull(struct ck_kept_own *o, ck_view client)
{
    for (size_t i = 0; i < o->n_pulls; i++)
        if (ck_view_eq(ck_view_str(o->pulls[i].client), client)) {
            o->pulls[i].count++;
            return true;
        }
    if (o->n_pulls == CLIENTS || client.n >= INET6_ADDRSTRLEN)
        return false;
    if (!o->pulls)
        o->pulls = ck_calloc(CLIENTS, sizeof *o->pulls);
    struct pull *p = &o->pulls[o->n_pulls++];
    *p = (struct pull){ .count = 1 };
    if (client.n)
        memcpy(p->client, client.p, client.n);
    return true;
}

struct ck_kept_entry *ck_kept_find(struct ck_kept *k, const struct ck_kept_key *key,
                                   ck_view client, bool count, int64_t now_ms)
{
    uint8_t space[KEY];
    ck_view bytes = key_bytes(key, space);
    uint64_t hash = ck_hash_bytes(k->seed, bytes);
    pthread_mutex_lock(&k->mutex);
    struct ck_kept_own *o = find(k, hash, bytes);
    if (o && (o->until <= now_ms || (count && !count_pull(o, client))))
        o = NULL;
    if (o) {
        o->users++;
        if (o != k->newest) {
            unlink_use(k, o);
            link_newest(k, o);
        }
    }
    pthread_mutex_unlock(&k->mutex);
    return o ? &o->e : NULL;
}

void ck_kept_put_back(struct ck_kept *k, struct ck_kept_entry *e)
{
    pthread_mutex_lock(&k->mutex);
    put_back(k, e->own);
    pthread_mutex_unlock(&k->mutex);
}

struct ck_kept_entry *ck_kept_add(struct ck_kept *k, const struct ck_kept_key *key,
                                  const struct ck_kept_entry *e, int64_t until_ms)
{
    uint8_t space[KEY];
    ck_view bytes = key_bytes(key, space);
    struct ck_kept_own *o = ck_new(struct ck_kept_own);
    o->e = *e;
    o->e.own = o;
    o->hash = ck_hash_bytes(k->seed, bytes);
    o->key = (uint8_t *)ck_strndup(bytes.p, bytes.n);
    o->key_n = bytes.n;
    o->until = until_ms;
    o->users = until_ms ? 2 : 1;
    if (!until_ms)
        return &o->e;
    pthread_mutex_lock(&k->mutex);
    struct ck_kept_own *old = find(k, o->hash, bytes);
    if (old)
        drop(k, old);
    o->chain = k->chains[o->hash % CHAINS];
    k->chains[o->hash % CHAINS] = o;
    link_newest(k, o);
    k->entries++;
    k->bytes += o->e.bytes;
    k->blobs += o->e.fd >= 0;
    make_room(k);
    pthread_mutex_unlock(&k->mutex);
    return &o->e;
}

void ck_kept_forget(struct ck_kept *k)
{
    pthread_mutex_lock(&k->mutex);
    while (k->oldest)
        drop(k, k->oldest);
    pthread_mutex_unlock(&k->mutex);
}

void ck_kept_free(struct ck_kept *k)
{
    ck_kept_forget(k);
    while (k->lost) {
        struct ck_kept_own *o = k->lost;
        k->lost = o->chain;
        destroy_entry(k, o);
    }
    pthread_mutex_destroy(&k->mutex);
    free(k);
}

static void report_one(struct ck_kept_own *o, ck_kept_pull *pull, void *ctx)
{
    struct ck_kept_key key = key_of(o);
    for (size_t i = 0; i < o->n_pulls; i++)
        pull(ctx, &key, o->e.digest, ck_view_str(o->pulls[i].client), o->pulls[i].count);
    o->n_pulls = 0;
}

void ck_kept_report(struct ck_kept *k, ck_kept_pull *pull, void *ctx)
{
    pthread_mutex_lock(&k->mutex);
    for (struct ck_kept_own *o = k->newest; o; o = o->older)
        report_one(o, pull, ctx);
    while (k->lost) {
        struct ck_kept_own *o = k->lost;
        k->lost = o->chain;
        report_one(o, pull, ctx);
        destroy_entry(k, o);
    }
    pthread_mutex_unlock(&k->mutex);
}

void ck_kept_size(struct ck_kept *k, size_t *ret_entries, size_t *ret_bytes)
{
    pthread_mutex_lock(&k->mutex);
    *ret_entries = k->entries;
    *ret_bytes = k->bytes;
    pthread_mutex_unlock(&k->mutex);
}
