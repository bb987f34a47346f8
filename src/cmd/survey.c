#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/scanning.h"
#include "survey/survey.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char page[] = "cocket-survey";

struct args {
    const char *db, *list;
    bool json, quiet;
    struct ck_remote_args remote;
    struct ck_survey_options survey;
    struct ck_progress_line line;
};

enum opt {
    OPT_SAMPLE = 256, OPT_SEED, OPT_OFFICIAL, OPT_RESUME, OPT_NEW, OPT_FORMAT, OPT_LIST, OPT_DB,
    OPT_NO_SANDBOX,
};
static const struct option options[] = {
    CK_REMOTE_OPTIONS,
    { "sample", required_argument, NULL, OPT_SAMPLE },
    { "seed", required_argument, NULL, OPT_SEED },
    { "official", required_argument, NULL, OPT_OFFICIAL },
    { "resume", no_argument, NULL, OPT_RESUME },
    { "new", no_argument, NULL, OPT_NEW },
    { "format", required_argument, NULL, OPT_FORMAT },
    { "list", required_argument, NULL, OPT_LIST },
    { "db", required_argument, NULL, OPT_DB },
    { "quiet", no_argument, NULL, 'q' },
    { "insecure-no-sandbox", no_argument, NULL, OPT_NO_SANDBOX },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static ck_err *set_sample(struct args *a, const char *value)
{
    if (strcmp(value, "all") == 0)
        a->survey.sample = UINT64_MAX;
    else if (!ck_view_u64(ck_view_str(value), &a->survey.sample) || !a->survey.sample ||
             a->survey.sample > CK_MAX_SURVEY_SAMPLE)
        return ck_err_new(CK_ERR_USAGE, "--sample %.100s: it is a number of images, at most %llu, "
                          "or all", value, (unsigned long long)CK_MAX_SURVEY_SAMPLE);
    return NULL;
}

static ck_err *set_begin(struct args *a, enum ck_survey_begin begin)
{
    if (a->survey.begin != CK_SURVEY_GO_ON && a->survey.begin != begin)
        return ck_err_new(CK_ERR_USAGE, "--resume and --new do not go together");
    a->survey.begin = begin;
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
    case OPT_SAMPLE:
        return set_sample(a, optarg);
    case OPT_FORMAT:
        return ck_cmd_format(optarg, "table", &a->json);
    case OPT_RESUME:
        return set_begin(a, CK_SURVEY_RESUME);
    case OPT_NEW:
        return set_begin(a, CK_SURVEY_NEW);
    case OPT_SEED:
        a->survey.has_seed = true;
        return ck_view_u64(ck_view_str(optarg), &a->survey.seed)
                   ? NULL
                   : ck_err_new(CK_ERR_USAGE, "--seed %.100s: it is a number", optarg);
    case OPT_OFFICIAL:
        a->survey.official = optarg;
        break;
    case OPT_LIST:
        a->list = optarg;
        break;
    case OPT_DB:
        a->db = optarg;
        break;
    case OPT_NO_SANDBOX:
        a->survey.scan.no_sandbox = true;
        break;
    case 'q':
        a->quiet = true;
        break;
    }
    return NULL;
}

/* --- while it goes on ------------------------------------------------------------------------- */

static volatile sig_atomic_t interrupted; /* by SIGINT or SIGTERM */

static void interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

static bool stop(void *ctx)
{
    (void)ctx;
    return interrupted;
}

static void report(void *ctx, const char *what, ck_view name, uint64_t done, uint64_t total)
{
    struct args *a = ctx;
    ck_autofree char *raw = ck_format("%s %llu of %llu: %.*s", what, (unsigned long long)done + 1,
                                      (unsigned long long)total, CK_VF(name));
    ck_autofree char *safe = ck_escape(ck_view_head(ck_view_str(raw), ck_cmd_columns() - 1));
    ck_progress_line_show(&a->line, safe);
}

/* The first one asks for an end after the image at hand; the next one ends at once. */
static void listen_for_signals(void)
{
    struct sigaction sa = { .sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND | SA_RESTART };
    sigemptyset(&sa.sa_mask);
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
}

/* --- the survey ------------------------------------------------------------------------------- */

static ck_err *show(const struct args *a, struct ck_store *s, uint64_t number)
{
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    CK_TRY(a->json ? ck_survey_json(s, number, &out) : ck_survey_table(s, number, &out));
    return ck_cmd_print(ck_buf_view(&out));
}

static ck_err *survey(struct args *a, struct ck_store *s)
{
    const struct ck_survey_progress p = { report, stop, a };
    uint64_t number = 0;
    bool done = false;
    a->line = ck_progress_line_new("survey", a->quiet);
    listen_for_signals();
    ck_err *e = ck_survey_run(s, &a->survey, &p, &number, &done);
    ck_progress_line_end(&a->line);
    if (e)
        return e;
    if (!done)
        fprintf(stderr, "cocket: the survey was stopped; the same command goes on with it\n");
    return number ? show(a, s, number) : NULL;
}

static ck_err *run(struct args *a)
{
    ck_autobuf struct ck_buf list = ck_buf_new(CK_LIMIT_NONE);
    struct ck_policy *policy = NULL;
    struct ck_db *db = NULL;
    struct ck_store *s = NULL;
    if (a->list)
        CK_TRY(ck_file_read(a->list, &list));
    if (a->list && !list.n)
        return ck_err_new(CK_ERR_USAGE, "%s: the list is empty", a->list);
    a->survey.list = ck_buf_view(&list);
    CK_TRY(ck_policy_load(NULL, &policy));
    ck_err *e = ck_scanning_db(a->db, &db);
    if (!e)
        e = ck_store_open(a->remote.store, &s);
    a->survey.scan.db = db;
    a->survey.scan.policy = policy;
    a->survey.scan.remote = a->remote.remote;
    a->survey.scan.refetch = a->remote.refetch;
    a->survey.scan.max_size = a->remote.max_size;
    if (!e)
        e = survey(a, s);
    if (s)
        ck_store_close(s);
    if (db)
        ck_db_close(db);
    ck_policy_free(policy);
    return e;
}

int ck_cmd_survey(int argc, char **argv)
{
    struct args a = { 0 };
    int status = ck_cmd_options(argc, argv, page, options, take_option, &a);
    if (status >= 0)
        return status;
    if (argc - optind != 1)
        return ck_cmd_usage(page, argc == optind ? "a registry is missing (as in docker.io, "
                                                   "registry.example:5000)"
                                                 : "one registry at a time");
    a.survey.registry = argv[optind];
    if (strchr(a.survey.registry, '/'))
        return ck_cmd_usage(page, "%s: a registry is a host, without a path", a.survey.registry);
    ck_err *e = run(&a);
    return e ? ck_cmd_fail(e) : CK_EXIT_OK;
}
