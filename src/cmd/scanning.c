#include "cmd/scanning.h"

#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <unistd.h>

ck_err *ck_scanning_db(const char *path, struct ck_db **ret)
{
    if (path)
        return ck_db_open(path, ret);
    ck_autofree char *usual = ck_xdg_path(CK_XDG_DATA, "advisory.db");
    *ret = NULL;
    if (!usual || (access(usual, F_OK) != 0 && errno == ENOENT))
        return NULL;
    return ck_db_open(usual, ret);
}

static void report_progress(void *ctx, uint64_t done, uint64_t total)
{
    struct ck_scanning *s = ctx;
    ck_progress_line_report(&s->line, done, total);
}

static void report_arrivals(void *ctx, struct ck_arrivals *arrivals)
{
    struct ck_scanning *s = ctx;
    ck_bars_show(&s->bars, arrivals);
}

void ck_scanning_begin(struct ck_scanning *s, const struct ck_remote_args *remote, bool quiet,
                       struct ck_scan_options *o)
{
    s->line = ck_progress_line_new("scanning", quiet);
    s->bars = ck_bars_new(quiet);
    o->progress = (struct ck_progress){ report_progress, report_arrivals, s };
    o->store = remote->store;
    o->remote = remote->remote;
    o->refetch = remote->refetch;
    o->max_size = remote->max_size;
}

void ck_scanning_end(struct ck_scanning *s)
{
    ck_progress_line_end(&s->line);
    ck_bars_end(&s->bars);
}
