/* Which images have it, and who has pulled them. */
#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "policy/facts.h"
#include "watch/pulled.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char page[] = "cocket-recall";

struct image {
    struct ck_digest digest;
    enum ck_state_of_image state;
    bool by_person;
    ck_view *names; /* its own, then those of indexes that have it */
    size_t n_names;
    enum ck_severity severity;
    ck_view package;
    struct ck_puller *pullers;
    size_t n_pullers;
};

struct args {
    const char *store;
    bool json;
    struct ck_arena arena;
    struct ck_store *s;
    ck_view id;
    struct image *images;
    size_t n;
    struct ck_buf out;
};

enum opt { OPT_STORE = 256, OPT_FORMAT };
static const struct option options[] = {
    { "format", required_argument, NULL, OPT_FORMAT },
    { "store", required_argument, NULL, OPT_STORE },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static ck_err *take_option(void *ctx, int opt)
{
    struct args *a = ctx;
    if (opt == OPT_STORE)
        a->store = optarg;
    return opt == OPT_FORMAT ? ck_cmd_format(optarg, "text", &a->json) : NULL;
}

/* --- what is known of an image ---------------------------------------------------------------- */

static bool goes_by(const struct ck_fact_finding *f, ck_view id)
{
    bool yes = ck_view_eq(f->id, id);
    for (size_t i = 0; i < f->n_aliases && !yes; i++)
        yes = ck_view_eq(f->aliases[i], id);
    return yes;
}

/* Facts of another version say nothing; the image is named all the same. */
static ck_err *take_severity(struct args *a, struct image *im)
{
    ck_autobuf struct ck_buf bytes = ck_buf_new(CK_LIMIT_NONE);
    struct ck_facts f;
    bool found = false;
    CK_TRY(ck_store_get_facts(a->s, &im->digest, &bytes, &found));
    ck_err *e = found ? ck_facts_decode(ck_arena_dup(&a->arena, ck_buf_view(&bytes)), &a->arena,
                                        &f) : NULL;
    if (e || !found) {
        ck_err_free(e);
        return NULL;
    }
    for (size_t i = 0; i < f.n_findings; i++) {
        const struct ck_fact_finding *x = &f.findings[i];
        if (goes_by(x, a->id) && (!im->package.n || x->severity > im->severity)) {
            im->severity = x->severity;
            im->package = x->package;
        }
    }
    return NULL;
}

static ck_err *take_image(struct args *a, const struct ck_digest *d, struct image *im)
{
    struct ck_standing st;
    bool found = false;
    CK_TRY(ck_store_standing(a->s, d, &a->arena, &st, &found));
    if (!found)
        return ck_err_new(CK_ERR_UNAVAILABLE, "an image was deleted meanwhile: try again");
    im->digest = *d;
    im->state = st.state;
    im->by_person = st.by_person;
    CK_TRY(take_severity(a, im));
    im->names = st.names;
    im->n_names = st.n_names;
    return ck_pullers(a->s, d, &st, &a->arena, &im->pullers, &im->n_pullers);
}

/* Identifiers are written in capitals, mostly; nobody types them so. */
static ck_err *having(struct args *a, struct ck_digest **ret, size_t *ret_n)
{
    CK_TRY(ck_store_having(a->s, a->id, &a->arena, ret, ret_n));
    if (*ret_n)
        return NULL;
    ck_view upper = ck_arena_dup(&a->arena, a->id);
    uint8_t *p = ck_arena_alloc(&a->arena, upper.n + 1, 1);
    for (size_t i = 0; i < upper.n; i++)
        p[i] = upper.p[i] >= 'a' && upper.p[i] <= 'z' ? (uint8_t)(upper.p[i] - 32) : upper.p[i];
    upper.p = p;
    CK_TRY(ck_store_having(a->s, upper, &a->arena, ret, ret_n));
    if (*ret_n)
        a->id = upper;
    return NULL;
}

static ck_err *collect(struct args *a)
{
    struct ck_digest *digests = NULL;
    size_t n = 0;
    CK_TRY(having(a, &digests, &n));
    a->images = ck_arena_alloc(&a->arena, n + 1, sizeof *a->images);
    for (a->n = 0; a->n < n; a->n++)
        CK_TRY(take_image(a, &digests[a->n], &a->images[a->n]));
    return NULL;
}

/* --- text ------------------------------------------------------------------------------------- */

static void put_puller(struct args *a, const struct ck_puller *u)
{
    char last[32];
    ck_format_time(last, u->last);
    ck_put_bytes(&a->out, CK_V("  pulled by "));
    ck_buf_escape(&a->out, u->who);
    ck_put_bytes(&a->out, u->client.n ? CK_V(" from ") : CK_V(" on this machine"));
    ck_buf_escape(&a->out, u->client);
    ck_buf_format(&a->out, ", %llu time%s, last %s as ", (unsigned long long)u->count,
                  u->count == 1 ? "" : "s", last);
    ck_buf_escape(&a->out, u->name);
    ck_put_bytes(&a->out, CK_V("\n"));
}

static void put_image(struct args *a, const struct image *im)
{
    char digest[CK_DIGEST_TEXT];
    ck_buf_format(&a->out, "\n%s\n", ck_digest_text(&im->digest, digest));
    for (size_t i = 0; i < im->n_names; i++) {
        ck_put_bytes(&a->out, i ? CK_V(", ") : CK_V("  "));
        ck_buf_escape(&a->out, im->names[i]);
    }
    ck_buf_format(&a->out, "%s  %s", im->n_names ? "\n" : "",
                  im->package.n ? ck_severity_name(im->severity) : "severity not known");
    if (im->package.n)
        ck_put_bytes(&a->out, CK_V(" in "));
    ck_buf_escape(&a->out, im->package);
    ck_buf_format(&a->out, ", %s%s\n", ck_state_name(im->state),
                  im->by_person ? " by a person" : "");
    for (size_t i = 0; i < im->n_pullers; i++)
        put_puller(a, &im->pullers[i]);
    if (im->n_pullers == 0)
        ck_put_bytes(&a->out, CK_V("  never pulled through the gate\n"));
}

static void put_text(struct args *a)
{
    ck_buf_escape(&a->out, a->id);
    if (a->n == 0)
        ck_put_bytes(&a->out, CK_V(" is in no image of the store that was scanned\n"));
    else
        ck_buf_format(&a->out, " is in %zu image%s of the store\n", a->n, a->n == 1 ? "" : "s");
    for (size_t i = 0; i < a->n; i++)
        put_image(a, &a->images[i]);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void put_key(struct ck_buf *b, const char *key, ck_view v)
{
    ck_buf_format(b, "\"%s\": ", key);
    ck_buf_json_or_null(b, v);
}

static void put_json_puller(struct ck_buf *b, const struct ck_puller *u)
{
    char first[32], last[32];
    ck_format_time(first, u->first);
    ck_format_time(last, u->last);
    ck_put_bytes(b, CK_V("{"));
    put_key(b, "user", u->who);
    ck_put_bytes(b, CK_V(", "));
    put_key(b, "client", u->client);
    ck_put_bytes(b, CK_V(", "));
    put_key(b, "name", u->name);
    ck_buf_format(b, ", \"count\": %llu, \"first\": \"%s\", \"last\": \"%s\"}",
                  (unsigned long long)u->count, first, last);
}

static void put_json_image(struct ck_buf *b, const struct image *im)
{
    char digest[CK_DIGEST_TEXT];
    ck_buf_format(b, "{\"digest\": \"%s\", \"names\": [",
                  ck_digest_text(&im->digest, digest));
    for (size_t i = 0; i < im->n_names; i++) {
        ck_put_bytes(b, i ? CK_V(", ") : CK_V(""));
        ck_buf_json_str(b, im->names[i]);
    }
    ck_put_bytes(b, CK_V("], "));
    put_key(b, "severity", im->package.n ? ck_view_str(ck_severity_name(im->severity)) : CK_V(""));
    ck_put_bytes(b, CK_V(", "));
    put_key(b, "package", im->package);
    ck_buf_format(b, ", \"state\": \"%s\", \"byPerson\": %s, \"pulls\": [",
                  ck_state_name(im->state), im->by_person ? "true" : "false");
    for (size_t i = 0; i < im->n_pullers; i++) {
        ck_put_bytes(b, i ? CK_V(", ") : CK_V(""));
        put_json_puller(b, &im->pullers[i]);
    }
    ck_put_bytes(b, CK_V("]}"));
}

static void put_json(struct args *a)
{
    ck_put_bytes(&a->out, CK_V("{"));
    put_key(&a->out, "id", a->id);
    ck_put_bytes(&a->out, CK_V(", \"images\": ["));
    for (size_t i = 0; i < a->n; i++) {
        ck_put_bytes(&a->out, i ? CK_V(",\n  ") : CK_V("\n  "));
        put_json_image(&a->out, &a->images[i]);
    }
    ck_put_bytes(&a->out, a->n ? CK_V("\n]}\n") : CK_V("]}\n"));
}

static ck_err *recall(struct args *a)
{
    CK_TRY(ck_store_open(a->store, &a->s));
    CK_TRY(collect(a));
    if (a->json)
        put_json(a);
    else
        put_text(a);
    return ck_cmd_print(ck_buf_view(&a->out));
}

int ck_cmd_recall(int argc, char **argv)
{
    struct args a = { .out = ck_buf_new(CK_LIMIT_NONE) };
    int status = ck_cmd_options(argc, argv, page, options, take_option, &a);
    if (status >= 0)
        return status;
    if (argc - optind != 1 || !*argv[optind])
        return ck_cmd_usage(page, "say which one: cocket recall CVE-2024-3094");
    a.id = ck_view_str(argv[optind]);
    ck_err *e = recall(&a);
    ck_store_close(a.s);
    ck_buf_free(&a.out);
    ck_arena_free(&a.arena);
    return e ? ck_cmd_fail(e) : CK_EXIT_OK;
}
