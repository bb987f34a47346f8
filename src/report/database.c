#include "report/report.h"

ck_err *ck_report_database_of(const struct ck_db *db, struct ck_arena *a,
                              struct ck_report_database *ret)
{
    size_t n = ck_db_feeds(db);
    struct ck_db_feed *feeds = ck_arena_alloc(a, n ? n : 1, sizeof *feeds);
    for (size_t i = 0; i < n; i++)
        CK_TRY_WRAP(ck_db_feed(db, i, &feeds[i]), "feed %zu of the database", i);
    *ret = (struct ck_report_database){ .built = ck_db_built(db), .feeds = feeds, .n_feeds = n };
    return NULL;
}
