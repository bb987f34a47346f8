#include "advisory/feed/feed.h"
#include "advisory/feed/json_tree.h"
#include "base/text.h"

#include <stdio.h>

enum { SUMMARY_MAX = 200 };

/* "2025-08-25" */
static ck_err *read_date(const struct ck_jnode *j, ck_view key, int64_t *ret)
{
    ck_view v;
    char text[32] = "";
    CK_TRY(ck_jnode_str(j, key, &v));
    if (v.n == 0)
        return NULL;
    if (v.n == 10)
        snprintf(text, sizeof text, "%.*sT00:00:00Z", CK_VF(v));
    if (!ck_parse_time(ck_view_str(text), ret))
        return ck_err_new(CK_ERR_HOSTILE, "\"%.*s\" is no date", CK_VF(key));
    return NULL;
}

static ck_err *read_entry(const struct ck_jnode *j, const struct ck_advisory_sink *sink)
{
    struct ck_advisory adv = { .kev = true };
    CK_TRY(ck_jnode_need_str(j, CK_V("cveID"), &adv.id));
    CK_TRY(ck_jnode_str(j, CK_V("vulnerabilityName"), &adv.summary));
    CK_TRY(read_date(j, CK_V("dateAdded"), &adv.published));
    adv.summary = ck_one_line(adv.summary, SUMMARY_MAX);
    return sink->put(sink->ctx, &adv);
}

ck_err *ck_feed_kev(ck_view json, const struct ck_advisory_sink *sink)
{
    ck_autoarena struct ck_arena a = { 0 };
    const struct ck_jnode *root, *list, *count;
    if (json.n > CK_MAX_FEED)
        return ck_err_limit(CK_LIMIT_FEED, "KEV: %zu bytes", json.n);
    CK_TRY_WRAP(ck_jtree_parse(json, NULL, &a, &root), "KEV");
    CK_TRY_WRAP(ck_jnode_typed(root, CK_V("vulnerabilities"), CK_J_ARRAY, &list), "KEV");
    CK_TRY_WRAP(ck_jnode_typed(root, CK_V("count"), CK_J_NUMBER, &count), "KEV");
    uint64_t n;
    if (!list)
        return ck_err_new(CK_ERR_HOSTILE, "KEV: no \"vulnerabilities\"");
    if (count && (!ck_view_u64(count->text, &n) || n != list->n))
        return ck_err_new(CK_ERR_HOSTILE, "KEV: \"count\" is not the number of entries");
    size_t i = 0;
    for (const struct ck_jnode *j = list->first; j; j = j->next, i++)
        CK_TRY_WRAP(read_entry(j, sink), "KEV: entry %zu", i);
    return NULL;
}
