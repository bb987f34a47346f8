#include "gateway/api_rebuilt.h"

#include "base/clock.h"
#include "scan/rebuild.h"

#include <stdlib.h>
#include <time.h>

/* A minute: what people decide and what time alone changes is in the next one. */
enum { LASTS_MS = 60000 };

/* The rules that it was made with hold the database that it points into. */
struct kept {
    struct ck_digest digest;
    struct ck_rules *rules;
    int64_t scanned, made, used; /* made, used: ms */
    struct ck_rebuilt *rebuilt;  /* NULL: free */
    const struct ck_api *by;     /* who asked last, and may look at it until he has answered */
};

struct ck_api_kept {
    struct kept v[CK_API_REPORTS];
    int64_t uses;
};

struct ck_api_kept *ck_api_kept_new(void) { return ck_new(struct ck_api_kept); }

static void drop(struct kept *k)
{
    if (!k->rebuilt)
        return;
    ck_rebuilt_free(k->rebuilt);
    ck_rules_put(k->rules);
    *k = (struct kept){ 0 };
}

void ck_api_kept_free(struct ck_api_kept *all)
{
    if (!all)
        return;
    for (size_t i = 0; i < CK_API_REPORTS; i++)
        drop(&all->v[i]);
    free(all);
}

/* Those of older rules keep a database open that nobody else needs. */
static struct kept *find(struct ck_api_kept *all, const struct ck_api *r,
                         const struct ck_store_row *row, const struct ck_rules *rules)
{
    struct kept *found = NULL;
    for (size_t i = 0; i < CK_API_REPORTS; i++) {
        struct kept *k = &all->v[i];
        bool old = k->rules != rules || ck_clock_ms() - k->made > LASTS_MS;
        if (old && k->by != r)
            drop(k);
        if (k->rebuilt && !old && ck_digest_eq(&k->digest, &row->digest) &&
            k->scanned == row->summary.scanned)
            found = k;
    }
    return found;
}

static struct kept *longest_unused(struct ck_api_kept *all)
{
    struct kept *best = &all->v[0];
    for (size_t i = 0; i < CK_API_REPORTS; i++)
        if (all->v[i].used < best->used)
            best = &all->v[i];
    return best;
}

static ck_err *make(struct ck_api *r, const struct ck_store_row *row, struct ck_rules *rules,
                    struct kept *k)
{
    const struct ck_rebuild_options o = { .db = rules->db, .policy = rules->policy,
                                          .now = time(NULL) };
    struct ck_rebuilt *rebuilt = NULL;
    CK_TRY(ck_rebuild(r->store, &row->digest, &o, &rebuilt));
    if (!rebuilt)
        return ck_api_error(404, "it was not examined yet");
    drop(k);
    *k = (struct kept){ .digest = row->digest, .rules = rules, .rebuilt = rebuilt,
                        .scanned = row->summary.scanned, .made = ck_clock_ms() };
    return NULL;
}

ck_err *ck_api_rebuilt(struct ck_api *r, const struct ck_store_row *row,
                       const struct ck_report **ret)
{
    struct ck_api_kept *all = r->g->core->api_kept;
    struct ck_rules *rules = ck_rules_get(r->g);
    struct kept *k = find(all, r, row, rules);
    if (k) {
        ck_rules_put(rules);
    } else {
        k = longest_unused(all);
        ck_err *e = make(r, row, rules, k); /* k has the rules then */
        if (e) {
            ck_rules_put(rules);
            return e;
        }
    }
    k->used = ++all->uses;
    k->by = r;
    *ret = ck_rebuilt_report(k->rebuilt);
    return NULL;
}
