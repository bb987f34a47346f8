/* The feeds of the database: brought up to date, and who fails or works again. */
#include "watch/watch_int.h"

#include "base/file.h"
#include "base/mem.h"
#include "notify/notify.h"

struct feeds {
    struct ck_store *s;
    struct ck_arena *a;
    int64_t now;
    struct ck_watch_counts *counts;
};

static ck_err *note(const struct feeds *w, ck_view feed, ck_view failure)
{
    w->counts->feeds_failed += failure.n > 0;
    return ck_notify_feed(w->s, feed, failure, w->now);
}

static ck_err *look_at(const struct feeds *w, const char *path)
{
    struct ck_db *db = NULL;
    CK_TRY(ck_db_open(path, &db));
    ck_err *e = NULL;
    for (size_t i = 0; !e && i < ck_db_feeds(db); i++) {
        struct ck_db_feed f;
        e = ck_db_feed(db, i, &f);
        if (!e)
            e = note(w, ck_view_str(ck_arena_format(w->a, "%.*s=%.*s", CK_VF(f.kind),
                                                    CK_VF(f.source))), f.failure);
    }
    ck_db_close(db);
    return e;
}

ck_err *ck_watch_feeds(struct ck_store *s, const struct ck_feed_specs *feeds,
                       const struct ck_update_options *u, const char *db, int64_t now,
                       struct ck_watch_counts *counts)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct feeds w = { s, &a, now, counts };
    struct ck_feed_specs specs = *feeds;
    size_t failed = 0;
    ck_autofree char *state = ck_xdg_path(CK_XDG_DATA, "feeds");
    if (specs.n == 0)
        CK_TRY(ck_feed_config_default(&a, &specs));
    if (!state)
        return ck_err_new(CK_ERR_USAGE, "neither XDG_DATA_HOME nor HOME says where feeds are kept");
    ck_autoerr ck_err *e = ck_db_update(&specs, u, state, db, &failed);
    if (e && ck_err_class(e) != CK_ERR_UNAVAILABLE)
        return ck_steal(e);
    CK_TRY(note(&w, CK_V("all feeds"), e ? ck_view_str(ck_err_text(e)) : CK_V("")));
    return e ? NULL : look_at(&w, db);
}
