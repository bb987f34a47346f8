/* A new advisory database says more of images that were examined with the one before: they are
 * examined anew, a few at a time, behind what clients wait for. Their layers' facts are known; it
 * takes some milliseconds each.
 */
#include "gateway/flights.h"

#include "advisory/db.h"
#include "policy/facts.h"

#include <stdlib.h>

struct ck_refresh {
    int64_t built; /* of the database that the list was made for */
    struct ck_digest *v;
    size_t n, cap, at;
};

struct ck_refresh *ck_refresh_new(void)
{
    return ck_new(struct ck_refresh);
}

void ck_refresh_free(struct ck_refresh *r)
{
    if (r)
        free(r->v);
    free(r);
}

static bool is_older(struct ck_gateway *g, const struct ck_digest *d, int64_t built)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf bytes = ck_buf_new(CK_LIMIT_NONE);
    struct ck_facts f = { .database_built = built };
    bool found = false;
    ck_err *e = ck_store_get_facts(g->store, d, &bytes, &found);
    if (!e && found)
        e = ck_facts_decode(ck_buf_view(&bytes), &a, &f);
    bool unreadable = e != NULL; /* of an older version: as if there were none, until now */
    ck_err_free(e);
    return found && (unreadable || f.database_built < built);
}

static ck_err *collect(struct ck_gateway *g, struct ck_refresh *r, int64_t built)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_store_entry *v = NULL;
    size_t n = 0;
    CK_TRY(ck_store_list(g->store, true, &a, &v, &n));
    r->n = r->at = 0;
    for (size_t i = 0; i < n && !atomic_load(&g->core->ending); i++)
        if (v[i].complete && !v[i].image.index && is_older(g, &v[i].image.digest, built))
            *ck_push(r) = v[i].image.digest;
    r->built = built;
    return NULL;
}

void ck_refresh_tick(struct ck_gateway *g)
{
    enum { AT_A_TIME = 8 };
    struct ck_refresh *r = g->core->refresh;
    struct ck_rules *rules = ck_rules_get(g);
    int64_t built = rules->db ? ck_db_built(rules->db) : 0;
    ck_rules_put(rules);
    if (built > r->built)
        ck_err_free(collect(g, r, built)); /* the store says itself that it fails */
    if (ck_flights_count(g->flights).queued)
        return;
    for (int i = 0; i < AT_A_TIME && r->at < r->n; i++) {
        char text[CK_DIGEST_TEXT];
        ck_flights_start(g, CK_FLIGHT_SCAN, ck_digest_text(&r->v[r->at++], text));
    }
}
