#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "load/export.h"

#include <getopt.h>
#include <stdio.h>

static const char page[] = "cocket-export";

struct args {
    const char *output;
    bool quiet;
    struct ck_progress_line line;
    struct ck_export_options o;
};

enum opt { OPT_STORE = 256, OPT_POLICY };
static const struct option options[] = {
    { "output", required_argument, NULL, 'o' },
    { "quiet", no_argument, NULL, 'q' },
    { "store", required_argument, NULL, OPT_STORE },
    { "policy", required_argument, NULL, OPT_POLICY },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static ck_err *take_option(void *ctx, int opt)
{
    struct args *a = ctx;
    if (opt == OPT_STORE)
        a->o.store = optarg;
    if (opt == OPT_POLICY)
        a->o.policy = optarg;
    if (opt == 'o')
        a->output = optarg;
    if (opt == 'q')
        a->quiet = true;
    return NULL;
}

static void print_note(void *ctx, const char *text)
{
    struct args *a = ctx;
    ck_progress_line_end(&a->line);
    fprintf(stderr, "cocket: warning: %s\n", text);
}

static void print_progress(void *ctx, uint64_t done, uint64_t total)
{
    struct args *a = ctx;
    ck_progress_line_report(&a->line, done, total);
}

static void print_done(const struct args *a, const struct ck_exported *r)
{
    ck_autofree char *size = ck_format_bytes(r->bytes);
    if (!a->quiet)
        fprintf(stderr, "cocket: %s: %llu image%s, %llu referrer%s, %llu report%s, %s\n", a->output,
                (unsigned long long)r->images, r->images == 1 ? "" : "s",
                (unsigned long long)r->referrers, r->referrers == 1 ? "" : "s",
                (unsigned long long)r->reports, r->reports == 1 ? "" : "s", size);
}

int ck_cmd_export(int argc, char **argv)
{
    struct args a = { 0 };
    struct ck_exported r;
    int status = ck_cmd_options(argc, argv, page, options, take_option, &a);
    if (status >= 0)
        return status;
    if (optind == argc)
        return ck_cmd_usage(page, "an image is missing");
    if (!a.output || !*a.output)
        return ck_cmd_usage(page, "say where to: -o DIR or -o FILE.tar");
    a.line = ck_progress_line_new("exporting", a.quiet);
    a.o.note = print_note;
    a.o.progress = print_progress;
    a.o.ctx = &a;
    ck_err *e = ck_export(argv + optind, (size_t)(argc - optind), a.output, &a.o, &r);
    ck_progress_line_end(&a.line);
    if (e)
        return ck_cmd_fail(e);
    print_done(&a, &r);
    return CK_EXIT_OK;
}
