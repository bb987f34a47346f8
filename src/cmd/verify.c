#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/lock_file.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char page[] = "cocket-verify";

enum state { SAME, MOVED, UNASKED, FIXED, STATES };
/* As they stand in JSON. */
static const char *const state_names[STATES] = {
    [SAME] = "same",
    [MOVED] = "moved",
    [UNASKED] = "unavailable",
    [FIXED] = "digest", /* an entry without a tag: it cannot move */
};

struct result {
    const struct ck_lock_entry *entry;
    enum state state;
    struct ck_digest now; /* of MOVED */
    ck_view why;          /* of UNASKED */
};

struct args {
    struct ck_arena arena;
    struct ck_remote_args remote;
    const char *lock_file;
    bool lock, json, quiet;
    struct ck_progress_line line;
};

enum opt { OPT_LOCK = 256, OPT_LOCK_FILE, OPT_FORMAT, OPT_NO_SANDBOX };
static const struct option options[] = {
    { "lock", no_argument, NULL, OPT_LOCK },
    { "lock-file", required_argument, NULL, OPT_LOCK_FILE },
    { "format", required_argument, NULL, OPT_FORMAT },
    CK_ENDPOINT_OPTIONS,
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
    switch (opt) {
    case OPT_LOCK:
        a->lock = true;
        break;
    case OPT_LOCK_FILE:
        a->lock_file = optarg;
        break;
    case OPT_FORMAT:
        return ck_cmd_format(optarg, "table", &a->json);
    case OPT_NO_SANDBOX:
        a->remote.remote.no_sandbox = true;
        break;
    case 'q':
        a->quiet = true;
        break;
    case 'o':
        return ck_err_new(CK_ERR_USAGE, "unknown option -o");
    }
    return NULL;
}

/* --- asking ----------------------------------------------------------------------------------- */

static ck_err *ask_one(struct args *a, struct ck_resolver *r, struct result *v)
{
    struct ck_name n;
    struct ck_resolved now;
    CK_TRY(ck_name_parse(v->entry->reference, &a->arena, &n));
    v->state = FIXED;
    if (n.has_digest)
        return NULL;
    ck_autoerr ck_err *e = ck_lock_resolve(r, &n, &a->arena, &now);
    if (e && ck_err_class(e) == CK_ERR_OURS)
        return ck_steal(e);
    if (e) {
        v->state = UNASKED;
        v->why = ck_arena_dup(&a->arena, ck_view_str(ck_err_text(e)));
        return NULL;
    }
    v->now = now.digest;
    v->state = ck_digest_eq(&v->now, &v->entry->digest) ? SAME : MOVED;
    return NULL;
}

static ck_err *ask_all(struct args *a, struct result *v, size_t n)
{
    struct ck_resolve_options o = { .remote = a->remote.remote };
    struct ck_resolver *r = NULL;
    ck_err *e = ck_resolver_new(&o, &r);
    for (size_t i = 0; !e && i < n; i++) {
        ck_autofree char *text = ck_format("asking: %zu of %zu", i + 1, n);
        ck_progress_line_show(&a->line, text);
        e = ask_one(a, r, &v[i]);
    }
    ck_resolver_free(r);
    ck_progress_line_end(&a->line);
    return e;
}

/* --- printing --------------------------------------------------------------------------------- */

static size_t count(const struct result *v, size_t n, enum state s)
{
    size_t found = 0;
    for (size_t i = 0; i < n; i++)
        found += v[i].state == s;
    return found;
}

static void put_member(struct ck_buf *b, const char *key, ck_view value)
{
    ck_buf_format(b, ",\n      \"%s\": ", key);
    ck_buf_json_or_null(b, value);
}

static void put_result(struct ck_buf *b, const struct result *r)
{
    char locked[CK_DIGEST_TEXT], now[CK_DIGEST_TEXT], seen[32];
    ck_format_time(seen, r->entry->first_seen);
    ck_buf_format(b, "    {\n      \"reference\": ");
    ck_buf_json_str(b, r->entry->reference);
    put_member(b, "state", ck_view_str(state_names[r->state]));
    put_member(b, "locked", ck_view_str(ck_digest_text(&r->entry->digest, locked)));
    bool asked = r->state == SAME || r->state == MOVED;
    put_member(b, "now", asked ? ck_view_str(ck_digest_text(&r->now, now)) : CK_V(""));
    put_member(b, "firstSeen", ck_view_str(seen));
    put_member(b, "error", r->why);
    ck_buf_format(b, "\n    }");
}

/* Every key is there, with null for what is not known. */
static void print_json(const struct args *a, const struct result *v, size_t n)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_buf_format(&b, "{\n  \"schemaVersion\": 1,\n  \"lockFile\": ");
    ck_buf_json_str(&b, ck_view_str(a->lock_file));
    ck_buf_format(&b, ",\n  \"moved\": %zu,\n  \"unavailable\": %zu,\n  \"images\": [",
                  count(v, n, MOVED), count(v, n, UNASKED));
    for (size_t i = 0; i < n; i++) {
        ck_put_bytes(&b, i ? CK_V(",\n") : CK_V("\n"));
        put_result(&b, &v[i]);
    }
    ck_buf_format(&b, n ? "\n  ]\n}\n" : "]\n}\n");
    fwrite(b.p, 1, b.n, stdout);
}

static void print_row(struct args *a, const struct result *r)
{
    static const char *const says[STATES] = {
        [SAME] = "same     ", [MOVED] = "MOVED    ", [UNASKED] = "not asked", [FIXED] = "no tag   ",
    };
    ck_autofree char *reference = ck_escape(r->entry->reference), *why = ck_escape(r->why);
    printf("%s  %s", says[r->state], reference);
    if (r->state == MOVED)
        printf("\n           was %s, is %s", ck_lock_short_digest(&r->entry->digest, &a->arena),
               ck_lock_short_digest(&r->now, &a->arena));
    if (r->state == UNASKED)
        printf("\n           %s", why);
    putchar('\n');
}

static void print_table(struct args *a, const struct result *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!a->quiet || v[i].state == MOVED || v[i].state == UNASKED)
            print_row(a, &v[i]);
    if (!a->quiet)
        printf("%zu reference%s, %zu moved, %zu not asked\n", n, n == 1 ? "" : "s",
               count(v, n, MOVED), count(v, n, UNASKED));
}

/* --- all together ----------------------------------------------------------------------------- */

/* What moved is known; what could not be asked is not: the first counts more. */
static int status_of(const struct result *v, size_t n)
{
    enum { UNAVAILABLE = 3 };
    return count(v, n, MOVED) ? CK_EXIT_DENIED : count(v, n, UNASKED) ? UNAVAILABLE : CK_EXIT_OK;
}

static ck_err *run(struct args *a, int *ret_status)
{
    ck_autobuf struct ck_buf bytes = ck_buf_new(CK_LIMIT_DOCUMENT);
    struct ck_lock_entry *entries;
    size_t n;
    CK_TRY(ck_lock_file_read(a->lock_file, false, &a->arena, &bytes, &entries, &n));
    struct result *v = ck_arena_alloc(&a->arena, n, sizeof *v);
    for (size_t i = 0; i < n; i++)
        v[i].entry = &entries[i];
    CK_TRY(ask_all(a, v, n));
    if (a->json)
        print_json(a, v, n);
    else
        print_table(a, v, n);
    *ret_status = status_of(v, n);
    return NULL;
}

int ck_cmd_verify(int argc, char **argv)
{
    struct args a = { .lock_file = ck_lock_file_default };
    int status = ck_cmd_options(argc, argv, page, options, take_option, &a);
    if (status >= 0)
        return status;
    if (!a.lock)
        return ck_cmd_usage(page, "verifying an image's signatures is not in this version; there "
                                  "is: cocket verify --lock");
    if (optind != argc)
        return ck_cmd_usage(page, "--lock takes no images: it reads them from %s", a.lock_file);
    status = CK_EXIT_OK;
    a.line = ck_progress_line_new("asking", a.quiet);
    ck_err *e = run(&a, &status);
    ck_progress_line_end(&a.line);
    ck_arena_free(&a.arena);
    return e ? ck_cmd_fail(e) : status;
}
