#include "base/mem.h"
#include "base/text.h"
#include "cmd/handing.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char page[] = "cocket-unpack";

enum opt { OPT_SETUID = 256 };
static const struct option options[] = {
    { "setuid", no_argument, NULL, OPT_SETUID },
    CK_HANDING_OPTIONS,
    { NULL, 0, NULL, 0 },
};

static ck_err *take_option(void *ctx, int opt)
{
    struct ck_handing *h = ctx;
    bool taken = false;
    CK_TRY(ck_handing_take(h, opt, &taken));
    if (!taken && opt == OPT_SETUID)
        h->load.setuid = true;
    return NULL;
}

/* What is not there as the image says it. */
static void print_left_out(uint64_t n, const char *what)
{
    if (n)
        fprintf(stderr, "cocket: %llu %s\n", (unsigned long long)n, what);
}

static void print_unpacked(const struct ck_handing *h, const struct ck_loaded *l, const char *dir)
{
    char text[CK_DIGEST_TEXT];
    ck_autofree char *size = ck_format_bytes(l->tree.bytes), *where = ck_escape(ck_view_str(dir));
    if (h->quiet)
        return;
    print_left_out(l->tree.skipped, "device nodes, fifos or links to them were left out");
    print_left_out(l->tree.stripped,
                   "files or directories lost set-user-id and set-group-id bits (--setuid keeps "
                   "them)");
    print_left_out(l->tree.capabilities, "files lost their capabilities");
    fprintf(stderr, "cocket: %s is in %s, %llu entries, %s\n", ck_digest_text(&l->digest, text),
            where, (unsigned long long)l->tree.entries, size);
}

static int unpack(struct ck_handing *h, const char *ref, const char *dir)
{
    ck_autoarena struct ck_arena arena = { 0 };
    struct ck_loaded l;
    int status = ck_handing_check(h, page);
    if (status >= 0)
        return status;
    ck_handing_start(h, "unpacking");
    ck_err *e = ck_unpack(ref, dir, &h->load, &arena, &l);
    ck_progress_line_end(&h->line);
    if (e)
        return ck_cmd_fail(e);
    if (l.refused)
        return ck_handing_refused(ref, &l);
    print_unpacked(h, &l, dir);
    return CK_EXIT_OK;
}

int ck_cmd_unpack(int argc, char **argv)
{
    struct ck_handing h = { 0 };
    int status = ck_cmd_options(argc, argv, page, options, take_option, &h);
    if (status >= 0)
        return status;
    if (argc - optind != 2)
        return ck_cmd_usage(page, "it takes an image and a directory");
    return unpack(&h, argv[optind], argv[optind + 1]);
}
