#include "base/mem.h"
#include "base/text.h"
#include "cmd/bars.h"
#include "cmd/cmd.h"
#include "cmd/remote.h"
#include "source/fetch.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char page[] = "cocket-fetch";

struct args {
    struct ck_remote_args remote;
    struct ck_platform platform;
    bool has_platform, quiet;
    struct ck_fetch_options fetch;
    struct ck_bars bars;
};

enum opt { OPT_PLATFORM = 256, OPT_ALL, OPT_NO_REFERRERS, OPT_NO_SANDBOX };
static const struct option options[] = {
    CK_REMOTE_OPTIONS,
    { "platform", required_argument, NULL, OPT_PLATFORM },
    { "all-platforms", no_argument, NULL, OPT_ALL },
    { "no-referrers", no_argument, NULL, OPT_NO_REFERRERS },
    { "quiet", no_argument, NULL, 'q' },
    { "insecure-no-sandbox", no_argument, NULL, OPT_NO_SANDBOX },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static ck_err *take_option(void *ctx, int opt)
{
    struct args *a = ctx;
    bool taken = false;
    CK_TRY(ck_remote_args_take(&a->remote, opt, &taken));
    if (taken)
        return NULL;
    switch (opt) {
    case OPT_PLATFORM:
        a->has_platform = true;
        return ck_platform_parse(ck_view_str(optarg), &a->platform);
    case OPT_ALL:
        a->fetch.all_platforms = true;
        break;
    case OPT_NO_REFERRERS:
        a->fetch.no_referrers = true;
        break;
    case OPT_NO_SANDBOX:
        a->fetch.source.no_sandbox = true;
        break;
    case 'q':
        a->quiet = true;
        break;
    }
    return NULL;
}

static void show(void *ctx, struct ck_arrivals *arrivals)
{
    struct args *a = ctx;
    ck_bars_show(&a->bars, arrivals);
}

static void note(void *ctx, const char *text)
{
    struct args *a = ctx;
    ck_autofree char *safe = ck_escape(ck_view_str(text));
    ck_bars_end(&a->bars);
    fprintf(stderr, "cocket: %s\n", safe);
}

static void print_warnings(const struct ck_fetched *f)
{
    for (size_t i = 0; i < f->n_warnings; i++) {
        ck_autofree char *safe = ck_escape(f->warnings[i].text);
        fprintf(stderr, "cocket: warning: %s\n", safe);
    }
}

/* NAME@DIGEST: what can be pinned, and what the other verbs take. */
static void print_fetched(const struct args *a, const struct ck_fetched *f)
{
    char text[CK_DIGEST_TEXT];
    ck_autofree char *size = ck_format_bytes(f->bytes);
    print_warnings(f);
    if (f->moved)
        fprintf(stderr, "cocket: %.*s has moved: it was %s\n", CK_VF(f->name),
                ck_digest_text(&f->moved_from, text));
    if (!a->quiet)
        fprintf(stderr, "cocket: %.*s is whole and in quarantine: %zu image%s, %s%s%.*s\n",
                CK_VF(f->name), f->images, f->images == 1 ? "" : "s", size,
                f->platform.n ? ", " : "", CK_VF(f->platform));
    bool has_digest = ck_view_find(f->name, '@') < f->name.n;
    printf("%.*s%s%s\n", CK_VF(f->name), has_digest ? "" : "@",
           has_digest ? "" : ck_digest_text(&f->digest, text));
    fflush(stdout);
}

static ck_err *fetch_one(struct args *a, const char *text)
{
    ck_autoarena struct ck_arena arena = { 0 };
    struct ck_reference ref;
    struct ck_fetched f;
    CK_TRY(ck_reference_parse(text, &arena, &ref));
    ck_err *e = ck_fetch(&ref, &a->fetch, &arena, &f);
    ck_bars_end(&a->bars);
    if (e)
        return e;
    print_fetched(a, &f);
    return NULL;
}

static void set_up(struct args *a)
{
    struct ck_source_options *so = &a->fetch.source;
    so->store = a->remote.store;
    so->remote = a->remote.remote;
    so->refetch = a->remote.refetch;
    so->max_size = a->remote.max_size;
    so->platform = a->has_platform ? &a->platform : NULL;
    so->platform_asked = a->has_platform;
    a->fetch.progress = show;
    a->fetch.note = note;
    a->fetch.ctx = a;
    a->bars = ck_bars_new(a->quiet);
}

/* One that fails does not keep the others from being fetched; the worst status counts. */
int ck_cmd_fetch(int argc, char **argv)
{
    struct args a = { 0 };
    int status = ck_cmd_options(argc, argv, page, options, take_option, &a);
    if (status >= 0)
        return status;
    if (optind == argc)
        return ck_cmd_usage(page, "an image is missing (NAME[:TAG][@DIGEST])");
    if (a.has_platform && a.fetch.all_platforms)
        return ck_cmd_usage(page, "--platform and --all-platforms do not go together");
    set_up(&a);
    status = CK_EXIT_OK;
    for (int i = optind; i < argc; i++) {
        ck_err *e = fetch_one(&a, argv[i]);
        int now = e ? ck_cmd_fail(e) : CK_EXIT_OK;
        status = now > status ? now : status;
    }
    return status;
}
