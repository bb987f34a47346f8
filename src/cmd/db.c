#include "advisory/db.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "update/update.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char page[] = "cocket-db";

struct args {
    struct ck_arena arena;
    const char *out, *db, *argument;
    CK_VEC(struct ck_feed_spec) feeds;
    struct ck_update_options update;
    struct ck_progress_line line;
    bool quiet;
};

enum opt { OPT_FEED = 256, OPT_COMPLETE, OPT_KEYRING, OPT_DB, OPT_NO_SANDBOX };
static const struct option options[] = {
    { "output", required_argument, NULL, 'o' },
    { "feed", required_argument, NULL, OPT_FEED },
    { "complete", no_argument, NULL, OPT_COMPLETE },
    { "keyring", required_argument, NULL, OPT_KEYRING },
    { "db", required_argument, NULL, OPT_DB },
    { "quiet", no_argument, NULL, 'q' },
    { "insecure-no-sandbox", no_argument, NULL, OPT_NO_SANDBOX },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

/* --- arguments -------------------------------------------------------------------------------- */

static ck_err *take_option(void *ctx, int opt)
{
    struct args *a = ctx;
    struct ck_feed_spec f;
    switch (opt) {
    case OPT_FEED:
        CK_TRY(ck_feed_spec_parse(ck_view_str(optarg), &a->arena, &f));
        *ck_push(&a->feeds) = f;
        break;
    case OPT_COMPLETE:
        a->update.complete = true;
        break;
    case OPT_KEYRING:
        a->update.keyring = optarg;
        break;
    case OPT_DB:
        a->db = optarg;
        break;
    case OPT_NO_SANDBOX:
        a->update.no_sandbox = true;
        break;
    case 'o':
        a->out = optarg;
        break;
    case 'q':
        a->quiet = true;
        break;
    }
    return NULL;
}

/* -1: go on. */
static int parse(int argc, char **argv, struct args *a, bool wants_argument)
{
    int status = ck_cmd_options(argc, argv, page, options, take_option, a);
    if (status >= 0)
        return status;
    if (argc - optind != wants_argument)
        return ck_cmd_usage(page, wants_argument ? "it takes one file" : "it takes no arguments");
    a->argument = wants_argument ? argv[optind] : NULL;
    return -1;
}

static ck_err *default_db(struct args *a)
{
    if (a->db)
        return NULL;
    ck_autofree char *path = ck_xdg_path(CK_XDG_DATA, "advisory.db");
    if (!path)
        return ck_err_new(CK_ERR_USAGE, "neither XDG_DATA_HOME nor HOME says where the database "
                                        "is");
    a->db = (const char *)ck_arena_dup(&a->arena, ck_view_str(path)).p;
    return NULL;
}

static void print_note(void *ctx, const char *text)
{
    struct args *a = ctx;
    ck_progress_line_end(&a->line);
    fprintf(stderr, "cocket: %s\n", text);
}

static void print_progress(void *ctx, const char *text)
{
    struct args *a = ctx;
    ck_progress_line_show(&a->line, text);
}

/* --- the verbs
 * ------------------------------------------------------------------------------------ */

static ck_err *build(struct args *a, int *ret_status)
{
    struct ck_feed_specs specs = { a->feeds.v, a->feeds.n };
    (void)ret_status;
    if (!a->out || specs.n == 0)
        return ck_err_new(CK_ERR_USAGE, "db build -o FILE --feed KIND=SOURCE...");
    return ck_db_build(&specs, &a->update, a->out);
}

static ck_err *update(struct args *a, int *ret_status)
{
    struct ck_feed_specs specs = { a->feeds.v, a->feeds.n };
    ck_autofree char *state = ck_xdg_path(CK_XDG_DATA, "feeds");
    size_t failed = 0;
    if (specs.n == 0)
        CK_TRY(ck_feed_config_default(&a->arena, &specs));
    CK_TRY(default_db(a));
    if (!state)
        return ck_err_new(CK_ERR_USAGE, "neither XDG_DATA_HOME nor HOME says where feeds are kept");
    CK_TRY(ck_db_update(&specs, &a->update, state, a->db, &failed));
    if (failed) {
        fprintf(stderr, "cocket: %zu of %zu feeds failed; see cocket db status\n", failed, specs.n);
        *ret_status = 3;
    }
    return NULL;
}

static ck_err *print_feed(const struct ck_db *db, size_t i)
{
    struct ck_db_feed f;
    char time[32];
    CK_TRY(ck_db_feed(db, i, &f));
    ck_format_time(time, f.time);
    ck_autofree char *source = ck_escape(f.source), *detail = ck_escape(f.detail),
                     *failure = ck_escape(f.failure);
    printf("  %.*s  %s%s%s\n    of %s, %llu records, %.*s\n", CK_VF(f.kind), source,
           *detail ? " " : "", detail, time, (unsigned long long)f.records, CK_VF(f.digest));
    if (*failure)
        printf("    FAILED at the last update, an older state was kept: %s\n", failure);
    return NULL;
}

static ck_err *status(struct args *a, int *ret_status)
{
    struct ck_db *db = NULL;
    char built[32];
    (void)ret_status;
    CK_TRY(default_db(a));
    if (access(a->db, F_OK) != 0)
        return ck_err_errno(CK_ERR_OURS, "there is no database yet (cocket db update or cocket db "
                                         "build makes one): %s", a->db);
    CK_TRY(ck_db_open(a->db, &db));
    ck_err *e = ck_db_verify(db);
    struct ck_db_counts n = ck_db_counts(db);
    if (!e) {
        ck_format_time(built, ck_db_built(db));
        ck_autofree char *size = ck_format_bytes(n.bytes);
        printf("%s\n  built %s, %s, intact\n  %llu advisories, %llu statements on %llu package "
               "names\n"
               "feeds:\n",
               a->db, built, size, (unsigned long long)n.advisories,
               (unsigned long long)n.statements, (unsigned long long)n.packages);
    }
    for (size_t i = 0; !e && i < ck_db_feeds(db); i++)
        e = print_feed(db, i);
    ck_db_close(db);
    return e;
}

/* An older database says less: it does not replace a newer one (no rollback). What is there but
 * cannot be opened may be replaced. */
static ck_err *check_not_older(const struct ck_db *new, const char *present)
{
    struct ck_db *db = NULL;
    char there[32], here[32];
    ck_err *e = ck_db_open(present, &db);
    if (e) {
        ck_err_free(e);
        return NULL;
    }
    int64_t built = ck_db_built(db);
    ck_db_close(db);
    if (ck_db_built(new) >= built)
        return NULL;
    ck_format_time(there, ck_db_built(new));
    ck_format_time(here, built);
    return ck_err_new(CK_ERR_OURS,
                      "it is older (built %s) than the present database (%s): remove %s to go back",
                      there, here, present);
}

/* Checks all of a database file, then puts a copy at `to` atomically. */
static ck_err *copy_checked(const char *from, const char *to, bool importing)
{
    struct ck_db *db = NULL;
    ck_autobuf struct ck_buf bytes = ck_buf_new(CK_LIMIT_DATABASE);
    CK_TRY(ck_db_open(from, &db));
    ck_err *e = ck_db_verify(db);
    if (!e && importing)
        e = check_not_older(db, to);
    if (!e)
        e = ck_file_read(from, &bytes);
    if (!e)
        e = ck_file_write(to, ck_buf_view(&bytes),
                          CK_FILE_DURABLE | (importing ? CK_FILE_PARENTS : 0));
    ck_db_close(db);
    return e ? ck_err_wrap(e, "%s", from) : NULL;
}

static ck_err *export(struct args *a, int *ret_status)
{
    (void)ret_status;
    CK_TRY(default_db(a));
    return copy_checked(a->db, a->argument, false);
}

static ck_err *import(struct args *a, int *ret_status)
{
    (void)ret_status;
    CK_TRY(default_db(a));
    return copy_checked(a->argument, a->db, true);
}

static const struct verb {
    const char *name;
    bool wants_argument;
    ck_err *(*run)(struct args *a, int *ret_status);
} verbs[] = {
    { "build", false, build },  { "update", false, update }, { "status", false, status },
    { "export", true, export }, { "import", true, import },
};

static int run(const struct verb *v, int argc, char **argv)
{
    struct args a = { 0 };
    int status_ = parse(argc, argv, &a, v->wants_argument);
    ck_err *e = NULL;
    if (status_ < 0) {
        status_ = CK_EXIT_OK;
        a.line = ck_progress_line_new("updating", a.quiet);
        a.update.note = print_note;
        a.update.progress = print_progress;
        a.update.ctx = &a;
        e = ck_cmd_now(&a.update.now);
        if (!e)
            e = v->run(&a, &status_);
        ck_progress_line_end(&a.line);
    }
    free(a.feeds.v);
    ck_arena_free(&a.arena);
    return e ? ck_cmd_fail(e) : status_;
}

int ck_cmd_db(int argc, char **argv)
{
    size_t i;
    int status = ck_cmd_verb(argc, argv, page, verbs, sizeof verbs / sizeof *verbs, sizeof *verbs,
                             &i);
    return status >= 0 ? status : run(&verbs[i], argc - 1, argv + 1);
}
