/* Images of which nothing is kept that can be matched: once more from their blobs. */
#include "watch/watch_int.h"

/* The scan has set the state; what that means for who has it is told as if it were matched. */
static ck_err *tell(struct ck_store *s, const struct ck_digest *d, const struct ck_standing *was,
                    const struct ck_watch_options *o, struct ck_arena *a,
                    struct ck_watch_counts *counts)
{
    struct ck_judging j = { .store = s, .policy = o->policy, .now = o->now, .image = d,
                            .standing = was };
    struct ck_judgement v;
    CK_TRY(ck_judge_again(&j, a, &v));
    counts->verdicts += v.decide;
    counts->withdrawn += v.withdrawn;
    return v.has_event ? ck_store_add_events(s, &v.event, 1) : NULL;
}

static void cannot(const struct ck_watch_options *o, const char *why,
                   struct ck_watch_counts *counts)
{
    ck_watch_note(o, why);
    counts->unscanned++;
}

static ck_err *scan(struct ck_store *s, const struct ck_digest *d, const struct ck_scan_options *so,
                    const struct ck_watch_options *o, struct ck_watch_counts *counts)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_scan_options mine = *so;
    struct ck_standing st;
    struct ck_reference ref;
    struct ck_scan *scanned = NULL;
    char text[CK_DIGEST_TEXT];
    bool found = false;
    CK_TRY(ck_store_standing(s, d, &a, &st, &found));
    ck_digest_text(d, text);
    if (!found)
        return NULL; /* gone meanwhile */
    if (!st.complete) {
        cannot(o, ck_arena_format(&a, "%s: nothing that can be matched is kept of it, and not all "
                                      "of its layers are here: cocket fetch brings them, cocket "
                                      "scan looks at it", text), counts);
        return NULL;
    }
    CK_TRY(ck_reference_parse(ck_arena_format(&a, "store:%s", text), &a, &ref));
    mine.db = o->db;
    mine.policy = o->policy;
    mine.store = ck_store_dir(s);
    ck_autoerr ck_err *e = ck_scan_image(&ref, &mine, &scanned);
    ck_scan_free(scanned);
    if (e)
        cannot(o, ck_err_text(e), counts);
    counts->scanned += !e;
    return tell(s, d, &st, o, &a, counts);
}

ck_err *ck_watch_scan(struct ck_store *s, const struct ck_digest *v, size_t n,
                      const struct ck_scan_options *so, const struct ck_watch_options *o,
                      struct ck_watch_counts *counts)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_digest *unknown = NULL;
    if (!v) {
        CK_TRY(ck_store_without_inventory(s, &a, &unknown, &n));
        v = unknown;
        counts->without += n;
    }
    for (size_t i = 0; i < n && !ck_watch_stopped(o); i++) {
        CK_TRY(scan(s, &v[i], so, o, counts));
        ck_watch_progress(o, CK_WATCH_SCANS, i + 1, n);
    }
    return NULL;
}
