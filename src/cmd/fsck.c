#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "store/store.h"

#include <getopt.h>
#include <stdio.h>

static const char page[] = "cocket-fsck";
enum { EXIT_PROBLEMS = 4 };

struct args {
    const char *store;
    bool quick, quiet;
    struct ck_progress_line line;
};

enum opt { OPT_STORE = 256, OPT_QUICK };
static const struct option options[] = {
    { "quick", no_argument, NULL, OPT_QUICK },
    { "quiet", no_argument, NULL, 'q' },
    { "store", required_argument, NULL, OPT_STORE },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static ck_err *take_option(void *ctx, int opt)
{
    struct args *a = ctx;
    if (opt == OPT_STORE)
        a->store = optarg;
    if (opt == OPT_QUICK)
        a->quick = true;
    if (opt == 'q')
        a->quiet = true;
    return NULL;
}

static void print_problem(void *ctx, const char *text)
{
    struct args *a = ctx;
    ck_progress_line_end(&a->line);
    printf("problem: %s\n", text);
}

static void print_progress(void *ctx, uint64_t done, uint64_t total)
{
    struct args *a = ctx;
    ck_progress_line_report(&a->line, done, total);
}

static ck_err *fsck(struct args *a, struct ck_store *s, int *ret_status)
{
    struct ck_fsck_result r;
    a->line = ck_progress_line_new("checking", a->quiet);
    ck_err *e = ck_store_fsck(s, a->quick, print_problem, print_progress, a, &r);
    ck_progress_line_end(&a->line);
    if (e)
        return e;
    ck_autofree char *size = ck_format_bytes(r.bytes);
    if (!a->quiet)
        printf("%s: %llu image%s and %llu blob%s%s, %s, %llu problem%s; %llu leftover%s\n",
               ck_store_dir(s), (unsigned long long)r.images, r.images == 1 ? "" : "s",
               (unsigned long long)r.blobs, r.blobs == 1 ? "" : "s",
               a->quick ? " (not read)" : "", size, (unsigned long long)r.problems,
               r.problems == 1 ? "" : "s", (unsigned long long)r.leftovers,
               r.leftovers == 1 ? "" : "s");
    *ret_status = r.problems ? EXIT_PROBLEMS : CK_EXIT_OK;
    return NULL;
}

int ck_cmd_fsck(int argc, char **argv)
{
    struct args a = { 0 };
    struct ck_store *s = NULL;
    int status = ck_cmd_options(argc, argv, page, options, take_option, &a);
    if (status >= 0)
        return status;
    if (optind < argc)
        return ck_cmd_usage(page, "it takes no arguments");
    ck_err *e = ck_store_open(a.store, &s);
    if (!e)
        e = fsck(&a, s, &status);
    ck_store_close(s);
    return e ? ck_cmd_fail(e) : status;
}
