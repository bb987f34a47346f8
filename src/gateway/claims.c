/* Who has pushed which blob where. A client pushes blobs first and the manifest that names them
 * last; until then nothing reaches them. In memory only: a client whose push the gate's end cuts
 * off pushes again.
 */
#include "gateway/push_int.h"

#include "base/mem.h"

#include <stdlib.h>

enum { BUCKETS = 4096, HOLD_SECONDS = 600 };

struct ck_claim {
    struct ck_claim *next;            /* in its bucket */
    struct ck_claim *newer, *older;
    struct ck_digest digest;
    char *repository;
    struct ck_hold *hold;
    int64_t since;
};

/* --- holds ------------------------------------------------------------------------------------ */

static void hold_free(struct ck_hold *h)
{
    ck_lease_end(h->lease);
    free(h);
}

void ck_hold_put(struct ck_claims *c, struct ck_hold *h)
{
    if (--h->users == 0 && h != c->current)
        hold_free(h);
}

ck_err *ck_hold_get(struct ck_gateway *g, struct ck_claims *c, int64_t now, struct ck_hold **ret)
{
    struct ck_hold *old = c->current;
    if (!old || now - old->since >= HOLD_SECONDS) {
        struct ck_lease *lease = NULL;
        CK_TRY(ck_lease_new(g->store, &lease));
        c->current = ck_new(struct ck_hold);
        c->current->lease = lease;
        c->current->since = now;
        if (old && !old->users)
            hold_free(old);
    }
    c->current->users++;
    *ret = c->current;
    return NULL;
}

/* --- claims ----------------------------------------------------------------------------------- */

static struct ck_claim **bucket(const struct ck_claims *c, const struct ck_digest *d)
{
    return &c->buckets[(d->bytes[0] | (size_t)d->bytes[1] << 8) % BUCKETS];
}

static struct ck_claim **find(const struct ck_claims *c, ck_view repository,
                              const struct ck_digest *d)
{
    struct ck_claim **at = c->buckets ? bucket(c, d) : NULL;
    while (at && *at && !(ck_digest_eq(&(*at)->digest, d) &&
                          ck_view_eq(ck_view_str((*at)->repository), repository)))
        at = &(*at)->next;
    return at && *at ? at : NULL;
}

static void drop(struct ck_claims *c, struct ck_claim **at)
{
    struct ck_claim *x = *at;
    *at = x->next;
    *(x->older ? &x->older->newer : &c->oldest) = x->newer;
    *(x->newer ? &x->newer->older : &c->newest) = x->older;
    c->n--;
    ck_hold_put(c, x->hold);
    free(x->repository);
    free(x);
}

static void drop_oldest(struct ck_claims *c)
{
    drop(c, find(c, ck_view_str(c->oldest->repository), &c->oldest->digest));
}

bool ck_claim_has(const struct ck_claims *c, ck_view repository, const struct ck_digest *d)
{
    return find(c, repository, d) != NULL;
}

bool ck_claim_drop(struct ck_claims *c, ck_view repository, const struct ck_digest *d)
{
    struct ck_claim **at = find(c, repository, d);
    if (at)
        drop(c, at);
    return at != NULL;
}

void ck_claim_add(struct ck_claims *c, ck_view repository, const struct ck_digest *d,
                  struct ck_hold *h, int64_t now)
{
    h->users++;
    ck_claim_drop(c, repository, d); /* the new one lasts longer */
    if (!c->buckets)
        c->buckets = ck_calloc(BUCKETS, sizeof(struct ck_claim *));
    if (c->n == CK_MAX_CLAIMS)
        drop_oldest(c);
    struct ck_claim *x = ck_new(struct ck_claim), **at = bucket(c, d);
    *x = (struct ck_claim){ .next = *at, .older = c->newest, .digest = *d, .hold = h, .since = now,
                            .repository = ck_strndup(repository.p, repository.n) };
    *at = x;
    *(c->newest ? &c->newest->newer : &c->oldest) = x;
    c->newest = x;
    c->n++;
}

const struct ck_claim *ck_claim_next(const struct ck_claims *c, const struct ck_digest *d,
                                     const struct ck_claim *after)
{
    const struct ck_claim *x = after ? after->next : c->buckets ? *bucket(c, d) : NULL;
    while (x && !ck_digest_eq(&x->digest, d))
        x = x->next;
    return x;
}

ck_view ck_claim_repository(const struct ck_claim *c)
{
    return ck_view_str(c->repository);
}

void ck_claims_expire(struct ck_claims *c, int64_t now)
{
    while (c->oldest && now - c->oldest->since >= (int64_t)CK_MAX_CLAIM_SECONDS)
        drop_oldest(c);
}

void ck_claims_free(struct ck_claims *c)
{
    while (c->oldest)
        drop_oldest(c);
    if (c->current)
        hold_free(c->current);
    free(c->buckets);
}
