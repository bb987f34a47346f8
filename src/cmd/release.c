/* release and deny: what a person decides. */
#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "store/store.h"

#include <getopt.h>
#include <stdio.h>

static const char page[] = "cocket-release";

struct args {
    const char *store, *reason;
    enum ck_state_of_image state;
};

enum opt { OPT_STORE = 256, OPT_REASON };
static const struct option options[] = {
    { "reason", required_argument, NULL, OPT_REASON },
    { "store", required_argument, NULL, OPT_STORE },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static ck_err *take_option(void *ctx, int opt)
{
    struct args *a = ctx;
    if (opt == OPT_STORE)
        a->store = optarg;
    if (opt == OPT_REASON)
        a->reason = optarg;
    return NULL;
}

static ck_err *decide_one(const struct args *a, struct ck_store *s, const struct ck_digest *d)
{
    char text[CK_DIGEST_TEXT];
    CK_TRY(ck_store_decide(s, d, a->state, ck_view_str(a->reason), CK_BY_PERSON, NULL));
    printf("%s %s\n", ck_digest_text(d, text), ck_state_name(a->state));
    return NULL;
}

/* An index stands for its images that are here; attestations are none. */
static ck_err *decide(const struct args *a, struct ck_store *s, const char *what)
{
    ck_autoarena struct ck_arena arena = { 0 };
    struct ck_store_entry e, child;
    bool found;
    CK_TRY(ck_store_find_typed(s, ck_view_str(what), &arena, &e));
    CK_TRY(decide_one(a, s, &e.image.digest));
    for (size_t i = 0; i < e.image.n_parts; i++) {
        const struct ck_store_part *p = &e.image.parts[i];
        if (p->role != CK_PART_MANIFEST)
            continue;
        CK_TRY(ck_store_get(s, &p->digest, &arena, &child, &found));
        if (found && child.image.artifact_type.n == 0)
            CK_TRY(decide_one(a, s, &p->digest));
    }
    return NULL;
}

static int run(int argc, char **argv, enum ck_state_of_image state)
{
    struct args a = { .state = state };
    struct ck_store *s = NULL;
    int status = ck_cmd_options(argc, argv, page, options, take_option, &a);
    if (status >= 0)
        return status;
    if (argc - optind != 1)
        return ck_cmd_usage(page, argc == optind ? "an image is missing" : "one image at a time");
    if (!a.reason || ck_view_trim(ck_view_str(a.reason)).n == 0)
        return ck_cmd_usage(page, "say why: --reason TEXT");
    if (!ck_utf8_valid(ck_view_str(a.reason)))
        return ck_cmd_usage(page, "--reason must be UTF-8");
    ck_err *e = ck_store_open(a.store, &s);
    if (!e)
        e = decide(&a, s, argv[optind]);
    ck_store_close(s);
    return e ? ck_cmd_fail(e) : CK_EXIT_OK;
}

int ck_cmd_release(int argc, char **argv) { return run(argc, argv, CK_CLEARED); }
int ck_cmd_deny(int argc, char **argv) { return run(argc, argv, CK_DENIED); }
