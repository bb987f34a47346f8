#include "base/mem.h"
#include "cmd/cmd.h"
#include "image/name.h"
#include "store/store.h"

#include <getopt.h>

static const char page[] = "cocket-rm";

enum opt { OPT_STORE = 256 };
static const struct option options[] = {
    { "store", required_argument, NULL, OPT_STORE },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static ck_err *take_option(void *ctx, int opt)
{
    (void)opt;
    *(const char **)ctx = optarg;
    return NULL;
}

static bool has_name(const struct ck_store_entry *e, ck_view name)
{
    for (size_t i = 0; i < e->n_names; i++)
        if (ck_view_eq(e->names[i], name))
            return true;
    return false;
}

/* The name that was typed, if it is one of the image's; else (a digest) all of them. */
static ck_view typed_name(const char *what, const struct ck_store_entry *e, struct ck_arena *a)
{
    struct ck_name n;
    ck_view v = ck_view_str(what);
    if (has_name(e, v))
        return v;
    ck_err *err = ck_name_parse(v, a, &n);
    v = err ? CK_V("") : ck_view_str(ck_name_text(&n, a));
    ck_err_free(err);
    return has_name(e, v) ? v : CK_V("");
}

static ck_err *rm(struct ck_store *s, const char *what)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_store_entry e;
    CK_TRY(ck_store_find_typed(s, ck_view_str(what), &a, &e));
    if (e.n_names == 0)
        return ck_err_new(CK_ERR_UNAVAILABLE, "%s has no name: cocket gc deletes it, unless "
                          "another image needs it", what);
    return ck_store_remove(s, &e.image.digest, typed_name(what, &e, &a));
}

int ck_cmd_rm(int argc, char **argv)
{
    const char *dir = NULL;
    struct ck_store *s = NULL;
    int status = ck_cmd_options(argc, argv, page, options, take_option, &dir);
    if (status >= 0)
        return status;
    if (optind == argc)
        return ck_cmd_usage(page, "an image is missing");
    ck_err *e = ck_store_open(dir, &s);
    if (e)
        return ck_cmd_fail(e);
    status = CK_EXIT_OK;
    for (int i = optind; i < argc; i++) {
        e = rm(s, argv[i]);
        int now = e ? ck_cmd_fail(e) : CK_EXIT_OK;
        status = now > status ? now : status;
    }
    ck_store_close(s);
    return status;
}
