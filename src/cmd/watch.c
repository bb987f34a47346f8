/* Looking again at what is stored: once, or every so often. */
#include "watch/watch.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/remote.h"
#include "cmd/scanning.h"
#include "cmd/times.h"
#include "notify/notify.h"
#include "store/events.h"
#include "watch/pulled.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char page[] = "cocket-watch";

enum { TAGS_EVERY = 6 * 3600 };

struct args {
    struct ck_remote_args remote;
    const char *db, *policy_file;
    int64_t every, tags_every;
    bool no_update, no_tags, json, quiet;
    struct ck_arena arena;
    CK_VEC(struct ck_feed_spec) feeds;
    struct ck_update_options update;
    struct ck_progress_line line;
    struct ck_store *s;
    char *db_path;
    CK_VEC(struct ck_digest) stale; /* found in this round */
    bool withdrawn; /* in any round */
};

enum opt {
    OPT_EVERY = 256, OPT_ONCE, OPT_NO_UPDATE, OPT_NO_TAGS, OPT_TAGS_EVERY, OPT_DB, OPT_POLICY,
    OPT_FORMAT, OPT_FEED, OPT_KEYRING, OPT_NO_SANDBOX,
};
static const struct option options[] = {
    CK_ENDPOINT_OPTIONS,
    { "store", required_argument, NULL, CK_OPT_STORE },
    { "max-size", required_argument, NULL, CK_OPT_MAX_SIZE },
    { "every", required_argument, NULL, OPT_EVERY },
    { "once", no_argument, NULL, OPT_ONCE },
    { "no-update", no_argument, NULL, OPT_NO_UPDATE },
    { "no-tags", no_argument, NULL, OPT_NO_TAGS },
    { "tags-every", required_argument, NULL, OPT_TAGS_EVERY },
    { "db", required_argument, NULL, OPT_DB },
    { "policy", required_argument, NULL, OPT_POLICY },
    { "format", required_argument, NULL, OPT_FORMAT },
    { "feed", required_argument, NULL, OPT_FEED },
    { "keyring", required_argument, NULL, OPT_KEYRING },
    { "quiet", no_argument, NULL, 'q' },
    { "insecure-no-sandbox", no_argument, NULL, OPT_NO_SANDBOX },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static ck_err *take_feed(struct args *a)
{
    struct ck_feed_spec f;
    CK_TRY(ck_feed_spec_parse(ck_view_str(optarg), &a->arena, &f));
    *ck_push(&a->feeds) = f;
    return NULL;
}

static ck_err *take_option(void *ctx, int opt)
{
    struct args *a = ctx;
    bool taken = false;
    CK_TRY(ck_remote_args_take(&a->remote, opt, &taken));
    if (taken)
        return NULL;
    switch (opt) {
    case OPT_EVERY: return ck_times_span(optarg, &a->every);
    case OPT_TAGS_EVERY: return ck_times_span(optarg, &a->tags_every);
    case OPT_FORMAT: return ck_cmd_format(optarg, "text", &a->json);
    case OPT_FEED: return take_feed(a);
    case OPT_ONCE: a->every = 0; break;
    case OPT_NO_UPDATE: a->no_update = true; break;
    case OPT_NO_TAGS: a->no_tags = true; break;
    case OPT_DB: a->db = optarg; break;
    case OPT_POLICY: a->policy_file = optarg; break;
    case OPT_KEYRING: a->update.keyring = optarg; break;
    case OPT_NO_SANDBOX: a->remote.remote.no_sandbox = true; break;
    case 'q': a->quiet = true; break;
    }
    return NULL;
}

/* --- what is said meanwhile ------------------------------------------------------------------- */

static void print_note(void *ctx, const char *text)
{
    struct args *a = ctx;
    ck_progress_line_end(&a->line);
    fprintf(stderr, "cocket: %s\n", text);
}

static void print_feed_progress(void *ctx, const char *text)
{
    struct args *a = ctx;
    ck_progress_line_show(&a->line, text);
}

static void print_progress(void *ctx, enum ck_watch_phase phase, uint64_t done, uint64_t total)
{
    struct args *a = ctx;
    ck_autofree char *text = ck_format("looking again, %s: %llu of %llu",
                                       ck_watch_phase_name(phase), (unsigned long long)done,
                                       (unsigned long long)total);
    ck_progress_line_show(&a->line, text);
}

/* --- what is said of a round ------------------------------------------------------------------ */

struct telling {
    struct args *a;
    struct ck_buf *out;
    size_t n;
};

static ck_err *put_who(struct telling *t, ck_view image)
{
    ck_autoarena struct ck_arena arena = { 0 };
    struct ck_digest d;
    struct ck_standing st;
    struct ck_puller *v = NULL;
    size_t n = 0;
    char last[32];
    bool found = false;
    CK_TRY(ck_digest_parse(image, &d));
    CK_TRY(ck_store_standing(t->a->s, &d, &arena, &st, &found));
    if (!found)
        return NULL;
    CK_TRY(ck_pullers(t->a->s, &d, &st, &arena, &v, &n));
    for (size_t i = 0; i < n; i++) {
        ck_format_time(last, v[i].last);
        ck_put_bytes(t->out, CK_V("  pulled by "));
        ck_buf_escape(t->out, v[i].who);
        ck_put_bytes(t->out, v[i].client.n ? CK_V(" from ") : CK_V(" on this machine"));
        ck_buf_escape(t->out, v[i].client);
        ck_buf_format(t->out, ", %llu time%s, last %s as ", (unsigned long long)v[i].count,
                      v[i].count == 1 ? "" : "s", last);
        ck_buf_escape(t->out, v[i].name);
        ck_put_bytes(t->out, CK_V("\n"));
    }
    return NULL;
}

static ck_err *put_text_event(void *ctx, const struct ck_event *e)
{
    struct telling *t = ctx;
    t->n++;
    ck_buf_escape(t->out, e->summary);
    ck_put_bytes(t->out, CK_V("\n"));
    return ck_view_eq(e->kind, CK_V("withdrawn")) ? put_who(t, e->image) : NULL;
}

static void put_key(struct ck_buf *b, const char *key, ck_view v)
{
    ck_buf_format(b, ", \"%s\": ", key);
    ck_buf_json_or_null(b, v);
}

static ck_err *put_json_event(void *ctx, const struct ck_event *e)
{
    struct telling *t = ctx;
    char time[32];
    ck_format_time(time, e->time);
    ck_buf_format(t->out, "%s\n {\"number\": %llu, \"time\": \"%s\"", t->n++ ? "," : "",
                  (unsigned long long)e->number, time);
    put_key(t->out, "kind", e->kind);
    put_key(t->out, "severity",
            e->severity < 0 ? CK_V("")
                            : ck_view_str(ck_severity_name((enum ck_severity)e->severity)));
    put_key(t->out, "image", e->image);
    put_key(t->out, "name", e->name);
    put_key(t->out, "repository", e->repository);
    put_key(t->out, "summary", e->summary);
    ck_put_bytes(t->out, CK_V(", \"data\": "));
    ck_put_bytes(t->out, e->data.n ? e->data : CK_V("null"));
    ck_put_bytes(t->out, CK_V("}"));
    return NULL;
}

struct count {
    const char *name;
    uint64_t n;
};

static void put_json_counts(struct ck_buf *b, const struct ck_watch_counts *c)
{
    const struct count counts[] = {
        { "matched", c->matched },     { "judged", c->judged },   { "changed", c->changed },
        { "first", c->first },         { "new", c->added },       { "gone", c->gone },
        { "verdicts", c->verdicts },   { "withdrawn", c->withdrawn },
        { "tags_asked", c->asked },    { "tags_not_had", c->unasked },
        { "tags_moved", c->moved },    { "bases", c->bases },
        { "without_inventory", c->without }, { "other_version", c->stale },
        { "scanned", c->scanned },     { "not_scanned", c->unscanned },
        { "feeds_failed", c->feeds_failed },
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        ck_buf_format(b, "%s\"%s\": %llu", i ? ", " : "", counts[i].name,
                      (unsigned long long)counts[i].n);
}

static void put_text_counts(struct ck_buf *b, const struct ck_watch_counts *c)
{
    ck_buf_format(b, "%llu images matched again, %llu with other findings, %llu withdrawn",
                  (unsigned long long)c->matched, (unsigned long long)c->changed,
                  (unsigned long long)c->withdrawn);
    if (c->asked + c->unasked)
        ck_buf_format(b, "; %llu tags asked about, %llu moved, %llu not to be had",
                      (unsigned long long)c->asked, (unsigned long long)c->moved,
                      (unsigned long long)c->unasked);
    unsigned long long unmatched = c->without + c->stale;
    if (unmatched)
        ck_buf_format(b, "; %llu images could not be matched by what was kept of them: %llu "
                         "scanned again, %llu could not be",
                      unmatched, (unsigned long long)c->scanned,
                      (unsigned long long)c->unscanned);
    if (c->feeds_failed)
        ck_buf_format(b, "; %llu feeds failed (see cocket db status)",
                      (unsigned long long)c->feeds_failed);
    ck_put_bytes(b, CK_V("\n"));
}

static ck_err *print_round(struct args *a, uint64_t after, const struct ck_watch_counts *c)
{
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    struct telling t = { .a = a, .out = &out };
    struct ck_event_filter f = { .after = after };
    if (a->json)
        ck_put_bytes(&out, CK_V("{\"events\": ["));
    CK_TRY(ck_store_events(a->s, &f, a->json ? put_json_event : put_text_event, &t));
    if (a->json) {
        ck_put_bytes(&out, CK_V("],\n \"counts\": {"));
        put_json_counts(&out, c);
        ck_put_bytes(&out, CK_V("}}\n"));
    } else if (!a->quiet || t.n) {
        put_text_counts(&out, c);
    }
    return ck_cmd_print(ck_buf_view(&out));
}

/* --- a round ---------------------------------------------------------------------------------- */

static ck_err *update_feeds(struct args *a, struct ck_watch_counts *c)
{
    struct ck_feed_specs specs = { a->feeds.v, a->feeds.n };
    a->update.note = print_note;
    a->update.progress = print_feed_progress;
    a->update.ctx = a;
    a->update.no_sandbox = a->remote.remote.no_sandbox;
    CK_TRY(ck_cmd_now(&a->update.now));
    return ck_watch_feeds(a->s, &specs, &a->update, a->db_path, time(NULL), c);
}

static void keep_stale(void *ctx, const struct ck_digest *d)
{
    struct args *a = ctx;
    *ck_push(&a->stale) = *d;
}

static ck_err *look_with(struct args *a, const struct ck_watch_options *o,
                         struct ck_watch_counts *c)
{
    struct ck_scan_options so = { .remote = a->remote.remote, .max_size = a->remote.max_size,
                                  .no_sandbox = a->remote.remote.no_sandbox };
    struct ck_watch_tags tags = { .remote = a->remote.remote, .every = a->tags_every };
    a->stale.n = 0;
    CK_TRY(ck_watch_scan(a->s, NULL, 0, &so, o, c));
    CK_TRY(ck_watch_rematch(a->s, o, c));
    if (a->stale.n)
        CK_TRY(ck_watch_scan(a->s, a->stale.v, a->stale.n, &so, o, c));
    if (!a->no_tags)
        CK_TRY(ck_watch_tags(a->s, &tags, o, c));
    return ck_watch_bases(a->s, o, c);
}

static ck_err *look(struct args *a, struct ck_watch_counts *c)
{
    struct ck_db *db = NULL;
    struct ck_policy *policy = NULL;
    if (!a->no_update)
        CK_TRY(update_feeds(a, c));
    CK_TRY(ck_policy_load(a->policy_file, &policy));
    ck_err *e = ck_db_open(a->db_path, &db);
    struct ck_watch_options o = { .store = ck_store_dir(a->s), .db = db, .policy = policy,
                                  .now = time(NULL), .note = print_note, .stale = keep_stale,
                                  .progress = print_progress, .ctx = a };
    if (!e)
        e = look_with(a, &o, c);
    ck_db_close(db);
    ck_policy_free(policy);
    ck_progress_line_end(&a->line);
    return e;
}

/* What does not come through now is tried again by the next round, or by the gate. */
static ck_err *deliver(struct args *a)
{
    struct ck_notify_options o = { .no_sandbox = a->remote.remote.no_sandbox };
    bool busy = false;
    return ck_notify_deliver(a->s, time(NULL), &o, &busy);
}

static ck_err *round_of(struct args *a)
{
    struct ck_watch_counts counts = { 0 };
    uint64_t after = 0;
    int lock = -1;
    CK_TRY(ck_watch_lock(a->s, &lock));
    if (lock < 0)
        return ck_err_new(CK_ERR_OURS, "another process looks again at this store already");
    a->line = ck_progress_line_new("looking again", a->quiet);
    ck_err *e = ck_store_last_event(a->s, &after);
    if (!e)
        e = look(a, &counts);
    close(lock);
    CK_TRY(e);
    a->withdrawn |= counts.withdrawn > 0;
    CK_TRY(print_round(a, after, &counts));
    return deliver(a);
}

/* What fails in one round may work in the next. A signal ends it like any program: what was done
 * stays done. */
static ck_err *rounds(struct args *a)
{
    for (;;) {
        int64_t next = ck_clock_ms() + a->every * 1000;
        ck_err *e = round_of(a);
        if (!a->every || (e && ck_err_class(e) == CK_ERR_USAGE))
            return e;
        if (e)
            print_note(a, ck_err_text(e));
        ck_err_free(e);
        for (int64_t left; (left = next - ck_clock_ms()) > 0;)
            nanosleep(&(struct timespec){ .tv_sec = left / 1000,
                                          .tv_nsec = left % 1000 * 1000000 }, NULL);
    }
}

static ck_err *watch(struct args *a)
{
    a->db_path = a->db ? ck_strndup(a->db, strlen(a->db)) : ck_xdg_path(CK_XDG_DATA, "advisory.db");
    if (!a->db_path)
        return ck_err_new(CK_ERR_USAGE, "neither XDG_DATA_HOME nor HOME says where the database "
                                        "is");
    CK_TRY(ck_store_open(a->remote.store, &a->s));
    return rounds(a);
}

int ck_cmd_watch(int argc, char **argv)
{
    struct args a = { .tags_every = TAGS_EVERY };
    int status = ck_cmd_options(argc, argv, page, options, take_option, &a);
    if (status < 0 && argc > optind)
        status = ck_cmd_usage(page, "it takes options only");
    ck_err *e = status < 0 ? watch(&a) : NULL;
    ck_store_close(a.s);
    free(a.db_path);
    free(a.feeds.v);
    free(a.stale.v);
    ck_arena_free(&a.arena);
    if (e)
        return ck_cmd_fail(e);
    return status >= 0 ? status : a.withdrawn ? CK_EXIT_DENIED : CK_EXIT_OK;
}
