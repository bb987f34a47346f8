#include "source/import.h"

#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"

#include <getopt.h>
#include <stdio.h>

static const char page[] = "cocket-export";

struct args {
    bool quiet;
    struct ck_progress_line line;
    struct ck_import_options o;
};

enum opt { OPT_STORE = 256, OPT_NO_SANDBOX };
static const struct option options[] = {
    { "quiet", no_argument, NULL, 'q' },
    { "store", required_argument, NULL, OPT_STORE },
    { "insecure-no-sandbox", no_argument, NULL, OPT_NO_SANDBOX },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static ck_err *take_option(void *ctx, int opt)
{
    struct args *a = ctx;
    if (opt == OPT_STORE)
        a->o.store = optarg;
    if (opt == OPT_NO_SANDBOX)
        a->o.no_sandbox = true;
    if (opt == 'q')
        a->quiet = true;
    return NULL;
}

static void print_progress(void *ctx, uint64_t done, uint64_t total)
{
    struct args *a = ctx;
    ck_progress_line_report(&a->line, done, total);
}

/* NAME@DIGEST, as cocket fetch prints it. */
static void print_name(const struct ck_imported_name *n)
{
    char digest[CK_DIGEST_TEXT];
    bool has_digest = ck_view_find(n->name, '@') < n->name.n;
    if (n->moved)
        fprintf(stderr, "cocket: %.*s has moved: it was %s\n", CK_VF(n->name),
                ck_digest_text(&n->moved_from, digest));
    printf("%.*s%s%s\n", CK_VF(n->name), has_digest ? "" : "@",
           has_digest ? "" : ck_digest_text(&n->digest, digest));
}

static void print_done(const struct args *a, const char *path, const struct ck_imported *r)
{
    ck_autofree char *size = ck_format_bytes(r->bytes), *safe = ck_escape(ck_view_str(path));
    for (size_t i = 0; i < r->n_names; i++)
        print_name(&r->names[i]);
    fflush(stdout);
    if (r->left_out)
        fprintf(stderr, "cocket: %s: %zu entries are no images or artifacts that are known, and "
                "were left out\n", safe, r->left_out);
    if (!a->quiet)
        fprintf(stderr, "cocket: %s: %llu image%s in quarantine, %llu referrer%s, %s new\n", safe,
                (unsigned long long)r->images, r->images == 1 ? "" : "s",
                (unsigned long long)r->referrers, r->referrers == 1 ? "" : "s", size);
}

int ck_cmd_import(int argc, char **argv)
{
    struct args a = { 0 };
    ck_autoarena struct ck_arena arena = { 0 };
    struct ck_imported r;
    int status = ck_cmd_options(argc, argv, page, options, take_option, &a);
    if (status >= 0)
        return status;
    if (argc - optind != 1)
        return ck_cmd_usage(page, argc == optind ? "a layout is missing (DIR or FILE.tar)"
                                                 : "one layout at a time");
    a.line = ck_progress_line_new("importing", a.quiet);
    a.o.progress = print_progress;
    a.o.ctx = &a;
    ck_err *e = ck_import(argv[optind], &a.o, &arena, &r);
    ck_progress_line_end(&a.line);
    if (e)
        return ck_cmd_fail(e);
    print_done(&a, argv[optind], &r);
    return CK_EXIT_OK;
}
