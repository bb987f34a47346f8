#include "scan/rebuild.h"

#include "base/mem.h"
#include "scan/image_facts.h"
#include "scan/inventory_codec.h"

#include <stdlib.h>

struct ck_rebuilt {
    struct ck_arena arena;
    struct ck_rebuild_options options;
    struct ck_digest digest;
    struct ck_store_inventory kept;
    struct ck_seen seen;
    struct ck_buf before_bytes;
    struct ck_facts before;
    struct ck_assessment assessment;
};

/* --- what is kept ----------------------------------------------------------------------------- */

/* Facts of another version count as none, as in verdict.c. */
static ck_err *load_facts(struct ck_store *s, struct ck_rebuilt *r, bool *ret_found)
{
    bool found = false;
    CK_TRY(ck_store_get_facts(s, &r->digest, &r->before_bytes, &found));
    *ret_found = false;
    if (!found || !r->before_bytes.n)
        return NULL;
    ck_err *e = ck_facts_decode(ck_buf_view(&r->before_bytes), &r->arena, &r->before);
    *ret_found = !e;
    ck_err_free(e);
    return NULL;
}

static ck_err *load(struct ck_store *s, struct ck_rebuilt *r, bool *ret_found)
{
    bool found = false, stale = false;
    CK_TRY(load_facts(s, r, ret_found));
    if (!*ret_found)
        return NULL;
    CK_TRY(ck_store_get_inventory(s, &r->digest, &r->arena, &r->kept, &found));
    if (found)
        CK_TRY(ck_seen_decode(&r->kept, &r->arena, &r->seen, &stale));
    *ret_found = found && !stale;
    return NULL;
}

/* --- what comes of it ------------------------------------------------------------------------- */

static ck_err *judge(struct ck_store *s, struct ck_rebuilt *r)
{
    struct ck_verdict_question q = { .name = r->seen.name, .now = r->options.now,
                                     .without_people = true };
    struct ck_report *report = &r->assessment.report;
    struct ck_facts facts;
    struct ck_verdict v;
    if (!r->options.policy)
        return NULL;
    ck_image_facts_again(&r->before, report, r->options.now, &r->arena, &facts);
    CK_TRY(ck_verdict_with(s, r->options.policy, &r->digest, &facts, &q, &r->arena, &v));
    report->decision = ck_view_str(ck_decision_name(v.decision));
    report->reasons = v.reasons;
    report->n_reasons = v.n_reasons;
    return NULL;
}

static ck_err *rebuild(struct ck_store *s, struct ck_rebuilt *r, bool *ret_found)
{
    CK_TRY(load(s, r, ret_found));
    if (!*ret_found)
        return NULL;
    CK_TRY(ck_assess(&r->seen, r->options.db, &r->assessment));
    return judge(s, r);
}

ck_err *ck_rebuild(struct ck_store *s, const struct ck_digest *d,
                   const struct ck_rebuild_options *o, struct ck_rebuilt **ret)
{
    struct ck_rebuilt *r = ck_new(struct ck_rebuilt);
    bool found = false;
    r->options = *o;
    r->digest = *d;
    r->before_bytes = ck_buf_new(CK_LIMIT_FACTS_OF_IMAGE);
    ck_err *e = rebuild(s, r, &found);
    if (e || !found) {
        ck_rebuilt_free(r);
        r = NULL;
    }
    if (!e)
        *ret = r;
    return e;
}

void ck_rebuilt_free(struct ck_rebuilt *r)
{
    if (!r)
        return;
    ck_assessment_free(&r->assessment);
    ck_buf_free(&r->before_bytes);
    ck_arena_free(&r->arena);
    free(r);
}

const struct ck_report *ck_rebuilt_report(const struct ck_rebuilt *r)
{
    return &r->assessment.report;
}
