#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "store/store.h"

#include <getopt.h>
#include <stdio.h>

static const char page[] = "cocket-gc";

struct args {
    const char *store;
    bool dry;
};

enum opt { OPT_STORE = 256, OPT_DRY };
static const struct option options[] = {
    { "dry-run", no_argument, NULL, OPT_DRY },
    { "store", required_argument, NULL, OPT_STORE },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static ck_err *take_option(void *ctx, int opt)
{
    struct args *a = ctx;
    if (opt == OPT_STORE)
        a->store = optarg;
    if (opt == OPT_DRY)
        a->dry = true;
    return NULL;
}

static ck_err *gc(const struct args *a, struct ck_store *s)
{
    struct ck_gc_result r;
    CK_TRY(ck_store_gc(s, a->dry, &r));
    ck_autofree char *size = ck_format_bytes(r.bytes);
    printf("%s %llu image%s and %llu blob%s, %llu interrupted download%s: %s\n",
           a->dry ? "would delete" : "deleted", (unsigned long long)r.images,
           r.images == 1 ? "" : "s", (unsigned long long)r.blobs, r.blobs == 1 ? "" : "s",
           (unsigned long long)r.partials, r.partials == 1 ? "" : "s", size);
    return NULL;
}

int ck_cmd_gc(int argc, char **argv)
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
        e = gc(&a, s);
    ck_store_close(s);
    return e ? ck_cmd_fail(e) : CK_EXIT_OK;
}
