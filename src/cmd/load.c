#include "base/mem.h"
#include "base/text.h"
#include "cmd/handing.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char page[] = "cocket-load";

struct args {
    struct ck_handing h;
    const char *to;
};

enum opt { OPT_TO = 256, OPT_NAME, OPT_ALL, OPT_ADDRESS, OPT_NAMESPACE };
static const struct option options[] = {
    { "to", required_argument, NULL, OPT_TO },
    { "name", required_argument, NULL, OPT_NAME },
    { "all-platforms", no_argument, NULL, OPT_ALL },
    { "address", required_argument, NULL, OPT_ADDRESS },
    { "namespace", required_argument, NULL, OPT_NAMESPACE },
    CK_HANDING_OPTIONS,
    { NULL, 0, NULL, 0 },
};

static ck_err *take_option(void *ctx, int opt)
{
    struct args *a = ctx;
    bool taken = false;
    CK_TRY(ck_handing_take(&a->h, opt, &taken));
    if (taken)
        return NULL;
    switch (opt) {
    case OPT_TO:
        a->to = optarg;
        break;
    case OPT_NAME:
        a->h.load.name = optarg;
        break;
    case OPT_ALL:
        a->h.load.all_platforms = true;
        break;
    case OPT_ADDRESS:
        a->h.load.address = optarg;
        break;
    case OPT_NAMESPACE:
        a->h.load.space = optarg;
        break;
    }
    return NULL;
}

/* Options that one target has, at another, would be taken for heeded. */
static int check(const struct args *a, const struct ck_load_target *t)
{
    const struct ck_load_options *o = &a->h.load;
    bool whole = t->kind == CK_LOAD_OCI || t->kind == CK_LOAD_OCI_ARCHIVE ||
                 t->kind == CK_LOAD_CONTAINERD;
    if (o->all_platforms && o->platform_asked)
        return ck_cmd_usage(page, "--platform and --all-platforms do not go together");
    if (o->all_platforms && !whole)
        return ck_cmd_usage(page, "--all-platforms goes with oci:, oci-archive: and containerd");
    if ((o->address || o->space) && t->kind != CK_LOAD_CONTAINERD)
        return ck_cmd_usage(page, "--address and --namespace are containerd's");
    return ck_handing_check(&a->h, page);
}

static void print_loaded(const struct args *a, const struct ck_loaded *l)
{
    char text[CK_DIGEST_TEXT];
    ck_autofree char *size = ck_format_bytes(l->bytes), *name = ck_escape(l->name),
                     *to = ck_escape(ck_view_str(a->to));
    if (!a->h.quiet)
        fprintf(stderr, "cocket: %s%s%s is in %s, %s\n", *name ? name : "the image",
                *name ? "@" : " ", ck_digest_text(&l->digest, text), to, size);
}

static int load(struct args *a, const char *ref)
{
    ck_autoarena struct ck_arena arena = { 0 };
    struct ck_load_target t;
    struct ck_loaded l;
    ck_err *e = ck_load_target_parse(a->to, &arena, &t);
    if (e)
        return ck_cmd_fail(e);
    int status = check(a, &t);
    if (status >= 0)
        return status;
    ck_handing_start(&a->h, "loading");
    e = ck_load(ref, &t, &a->h.load, &arena, &l);
    ck_progress_line_end(&a->h.line);
    if (e)
        return ck_cmd_fail(e);
    if (l.refused)
        return ck_handing_refused(ref, &l);
    print_loaded(a, &l);
    return CK_EXIT_OK;
}

int ck_cmd_load(int argc, char **argv)
{
    struct args a = { 0 };
    int status = ck_cmd_options(argc, argv, page, options, take_option, &a);
    if (status >= 0)
        return status;
    if (argc - optind != 1)
        return ck_cmd_usage(page, argc == optind ? "an image is missing" : "one image at a time");
    if (!a.to)
        return ck_cmd_usage(page, "say where to: --to docker, podman, containerd, oci:DIR, "
                                  "oci-archive:FILE or docker-archive:FILE");
    return load(&a, argv[optind]);
}
