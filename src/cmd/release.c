/* release and deny: what a person decides. */
#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "store/store.h"
#include "verdict/release.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char page[] = "cocket-release";

/* An image that is decided about. */
struct subject {
    struct ck_digest digest;
    struct ck_verdict verdict; /* of a release */
};

struct args {
    const char *store, *reason, *policy_file;
    struct ck_arena arena;
    struct ck_store *s;
    struct ck_policy *policy;
    ck_view name; /* that the image was asked for by, or empty */
    CK_VEC(struct subject) subjects; /* the one that was named is the last */
};

enum opt { OPT_STORE = 256, OPT_REASON, OPT_POLICY };
static const struct option options[] = {
    { "reason", required_argument, NULL, OPT_REASON },
    { "policy", required_argument, NULL, OPT_POLICY },
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
    if (opt == OPT_POLICY)
        a->policy_file = optarg;
    return NULL;
}

/* --- what is decided about -------------------------------------------------------------------- */

/* Rules go by names: the one that was typed, where the image has it, else its first. */
static void take_name(struct args *a, const char *typed, const struct ck_store_entry *e)
{
    struct ck_name n;
    a->name = e->n_names ? e->names[0] : CK_V("");
    ck_err *no_name = ck_name_parse(ck_view_str(typed), &a->arena, &n);
    for (size_t i = 0; !no_name && i < e->n_names; i++)
        if (ck_view_eq(e->names[i], ck_view_str(ck_name_text(&n, &a->arena))))
            a->name = e->names[i];
    ck_err_free(no_name);
}

/* An index stands for its images that are here; attestations are none. */
static ck_err *take_subjects(struct args *a, const char *what)
{
    struct ck_store_entry e, child;
    bool found;
    CK_TRY(ck_store_find_typed(a->s, ck_view_str(what), &a->arena, &e));
    take_name(a, what, &e);
    for (size_t i = 0; i < e.image.n_parts; i++) {
        const struct ck_store_part *p = &e.image.parts[i];
        if (p->role != CK_PART_MANIFEST)
            continue;
        CK_TRY(ck_store_get(a->s, &p->digest, &a->arena, &child, &found));
        if (found && child.image.artifact_type.n == 0)
            *ck_push(&a->subjects) = (struct subject){ .digest = p->digest };
    }
    *ck_push(&a->subjects) = (struct subject){ .digest = e.image.digest };
    return NULL;
}

/* --- deny ------------------------------------------------------------------------------------- */

static ck_err *set_denied(const struct args *a, const struct ck_digest *d)
{
    const struct ck_deciding x = { NULL, *d, ck_view_str(a->reason) };
    char text[CK_DIGEST_TEXT];
    struct ck_released r;
    CK_TRY(ck_deny(a->s, &x, &r));
    printf("%s %s\n", ck_digest_text(d, text), ck_state_name(r.state));
    return NULL;
}

static ck_err *deny(struct args *a, int *ret_status)
{
    (void)ret_status;
    for (size_t i = a->subjects.n; i-- > 0;)
        CK_TRY(set_denied(a, &a->subjects.v[i].digest));
    return NULL;
}

/* --- release ---------------------------------------------------------------------------------- */

static void say_refused(const struct subject *x)
{
    char text[CK_DIGEST_TEXT];
    fprintf(stderr, "cocket: %s is not released: %s\n", ck_digest_text(&x->digest, text),
            ck_release_refusal(&x->verdict));
    for (size_t i = 0; i < x->verdict.n_reasons; i++)
        fprintf(stderr, "  %.*s\n", CK_VF(x->verdict.reasons[i]));
}

static ck_err *ask_policy(struct args *a, bool *ret_refused)
{
    struct ck_verdict_question q = { .name = a->name };
    CK_TRY(ck_cmd_now(&q.now));
    CK_TRY(ck_policy_load(a->policy_file, &a->policy));
    for (size_t i = 0; i < a->subjects.n; i++) {
        struct subject *x = &a->subjects.v[i];
        CK_TRY(ck_verdict_of(a->s, a->policy, &x->digest, &q, &a->arena, &x->verdict));
        if (ck_may_release(&x->verdict))
            continue;
        say_refused(x);
        *ret_refused = true;
    }
    return NULL;
}

/* One person more. *ret_missing: how many others must still want it. */
static ck_err *approve(struct args *a, const struct subject *x, unsigned *ret_missing)
{
    const struct ck_deciding d = { NULL, x->digest, ck_view_str(a->reason) };
    char text[CK_DIGEST_TEXT];
    struct ck_released r;
    CK_TRY(ck_release(a->s, &d, &x->verdict, &r));
    *ret_missing = r.persons > r.released_by ? r.persons - r.released_by : 0;
    ck_digest_text(&x->digest, text);
    if (*ret_missing)
        printf("%s approved by %u of %u: %u more must release it\n", text, r.released_by,
               r.persons, *ret_missing);
    else
        printf("%s %s\n", text, ck_state_name(CK_CLEARED));
    return NULL;
}

/* What is refused in part is refused as a whole: of several platforms each can be named by its
 * digest. An index waits for its images. */
static ck_err *release(struct args *a, int *ret_status)
{
    bool refused = false, waits = false;
    CK_TRY(ask_policy(a, &refused));
    if (refused) {
        *ret_status = CK_EXIT_DENIED;
        return NULL;
    }
    for (size_t i = 0; i < a->subjects.n; i++) {
        unsigned missing = 0;
        if (waits && i + 1 == a->subjects.n)
            break;
        CK_TRY(approve(a, &a->subjects.v[i], &missing));
        waits = waits || missing;
    }
    return NULL;
}

static int run(int argc, char **argv, enum ck_state_of_image state,
               ck_err *(*decide)(struct args *a, int *ret_status))
{
    struct args a = { 0 };
    int status = ck_cmd_options(argc, argv, page, options, take_option, &a);
    if (status >= 0)
        return status;
    if (argc - optind != 1)
        return ck_cmd_usage(page, argc == optind ? "an image is missing" : "one image at a time");
    if (!a.reason || ck_view_trim(ck_view_str(a.reason)).n == 0)
        return ck_cmd_usage(page, "say why: --reason TEXT");
    if (!ck_utf8_valid(ck_view_str(a.reason)))
        return ck_cmd_usage(page, "--reason must be UTF-8");
    if (a.policy_file && state == CK_DENIED)
        return ck_cmd_usage(page, "deny asks no policy");
    status = CK_EXIT_OK;
    ck_err *e = ck_store_open(a.store, &a.s);
    if (!e)
        e = take_subjects(&a, argv[optind]);
    if (!e)
        e = decide(&a, &status);
    ck_policy_free(a.policy);
    ck_store_close(a.s);
    free(a.subjects.v);
    ck_arena_free(&a.arena);
    return e ? ck_cmd_fail(e) : status;
}

int ck_cmd_release(int argc, char **argv) { return run(argc, argv, CK_CLEARED, release); }
int ck_cmd_deny(int argc, char **argv) { return run(argc, argv, CK_DENIED, deny); }
