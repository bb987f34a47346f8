/* policy check: may it run? */
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/policy_verbs.h"
#include "cmd/scanning.h"
#include "verdict/verdict.h"

#include <getopt.h>

static const char page[] = CK_POLICY_PAGE;

struct args {
    const char *policy, *db, *user, *address, *namespace_;
    bool json, no_scan, fail_quarantine, quiet, has_platform, no_sandbox;
    struct ck_platform platform;
    struct ck_remote_args remote;
    struct ck_scanning scanning;
    int64_t now;
    struct ck_arena arena;
    struct ck_policy *p;
};

enum opt {
    OPT_POLICY = 256, OPT_DB, OPT_USER, OPT_ADDRESS, OPT_NAMESPACE, OPT_PLATFORM, OPT_FORMAT,
    OPT_NO_SCAN, OPT_FAIL_QUARANTINE, OPT_NO_SANDBOX,
};
static const struct option options[] = {
    CK_REMOTE_OPTIONS,
    { "policy", required_argument, NULL, OPT_POLICY },
    { "db", required_argument, NULL, OPT_DB },
    { "user", required_argument, NULL, OPT_USER },
    { "address", required_argument, NULL, OPT_ADDRESS },
    { "namespace", required_argument, NULL, OPT_NAMESPACE },
    { "platform", required_argument, NULL, OPT_PLATFORM },
    { "format", required_argument, NULL, OPT_FORMAT },
    { "no-scan", no_argument, NULL, OPT_NO_SCAN },
    { "fail-quarantine", no_argument, NULL, OPT_FAIL_QUARANTINE },
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
    case OPT_FORMAT:
        return ck_cmd_format(optarg, "text", &a->json);
    case OPT_PLATFORM:
        a->has_platform = true;
        return ck_platform_parse(ck_view_str(optarg), &a->platform);
    case OPT_POLICY:
        a->policy = optarg;
        break;
    case OPT_DB:
        a->db = optarg;
        break;
    case OPT_USER:
        a->user = optarg;
        break;
    case OPT_ADDRESS:
        a->address = optarg;
        break;
    case OPT_NAMESPACE:
        a->namespace_ = optarg;
        break;
    case OPT_NO_SCAN:
        a->no_scan = true;
        break;
    case OPT_FAIL_QUARANTINE:
        a->fail_quarantine = true;
        break;
    case OPT_NO_SANDBOX:
        a->no_sandbox = true;
        break;
    case 'q':
        a->quiet = true;
        break;
    }
    return NULL;
}

/* --- what came out ---------------------------------------------------------------------------- */

struct result {
    const char *reference; /* as given */
    ck_view digest;        /* text, or empty */
    ck_view platform;
    const char *whole; /* "store:DIGEST" where all of it is there, else NULL */
    struct ck_verdict v;
};

static const char *const words[] = { "allowed", "quarantined", "denied" };

static void put_text(struct args *a, const struct result *r, struct ck_buf *out)
{
    char until[32];
    ck_buf_format(out, "%s: ", words[r->v.decision]);
    ck_buf_escape(out, ck_view_str(r->reference));
    if (r->digest.n)
        ck_buf_format(out, " (%.*s)", CK_VF(r->digest));
    ck_put_bytes(out, CK_V("\n"));
    for (size_t i = 0; i < r->v.n_reasons; i++) {
        ck_put_bytes(out, CK_V("  "));
        ck_buf_escape(out, r->v.reasons[i]);
        ck_put_bytes(out, CK_V("\n"));
    }
    if (r->v.decision == CK_QUARANTINE && r->v.persons)
        ck_buf_format(out, "  %u of %u released it\n", r->v.released_by, r->v.persons);
    else if (r->v.decision == CK_QUARANTINE)
        ck_buf_format(out, "  nobody can release it\n");
    ck_format_time(until, r->v.until);
    if (r->v.until)
        ck_buf_format(out, "  until %s at most\n", until);
    ck_buf_format(out, "policy: ");
    ck_buf_escape(out, ck_view_str(ck_policy_file(a->p)));
    ck_buf_format(out, "\n");
}

static void put_string(struct ck_buf *out, const char *key, ck_view v)
{
    ck_buf_format(out, "  \"%s\": ", key);
    if (v.n)
        ck_buf_json_str(out, v);
    else
        ck_buf_format(out, "null");
    ck_buf_format(out, ",\n");
}

static const char *truth(bool b) { return b ? "true" : "false"; }

static void put_reasons(struct ck_buf *out, const struct ck_verdict *v)
{
    ck_buf_format(out, "  \"reasons\": [");
    for (size_t i = 0; i < v->n_reasons; i++) {
        ck_buf_format(out, "%s\n    ", i ? "," : "");
        ck_buf_json_str(out, v->reasons[i]);
    }
    ck_buf_format(out, v->n_reasons ? "\n  ],\n" : "],\n");
}

static void put_json(struct args *a, const struct result *r, struct ck_buf *out)
{
    const struct ck_verdict *v = &r->v;
    char until[32];
    ck_format_time(until, v->until);
    ck_buf_format(out, "{\n");
    put_string(out, "reference", ck_view_str(r->reference));
    put_string(out, "digest", r->digest);
    put_string(out, "platform", r->platform);
    put_string(out, "decision", ck_view_str(ck_decision_name(v->decision)));
    put_reasons(out, v);
    ck_buf_format(out, "  \"examined\": %s,\n  \"byPerson\": %s,\n", truth(v->examined),
                  truth(v->by_person));
    ck_buf_format(out, "  \"persons\": %u,\n  \"releasedBy\": %u,\n", v->persons, v->released_by);
    put_string(out, "until", v->until ? ck_view_str(until) : CK_V(""));
    ck_buf_format(out, "  \"policy\": {\n    \"file\": ");
    ck_buf_json_str(out, ck_view_str(ck_policy_file(a->p)));
    ck_buf_format(out, ",\n    \"digest\": \"%s\"\n  }\n}\n", ck_policy_digest(a->p));
}

/* --- images of the store ---------------------------------------------------------------------- */

static ck_view or_nothing(const char *s) { return s ? ck_view_str(s) : CK_V(""); }

static ck_err *judge(struct args *a, struct ck_store *s, const struct ck_digest *d, ck_view name,
                     struct result *r)
{
    struct ck_verdict_question q = { .name = name, .now = a->now, .user = or_nothing(a->user),
                                     .address = or_nothing(a->address),
                                     .namespace_ = or_nothing(a->namespace_) };
    char text[CK_DIGEST_TEXT];
    r->digest = ck_arena_dup(&a->arena, ck_view_str(ck_digest_text(d, text)));
    return ck_verdict_of(s, a->p, d, &q, &a->arena, &r->v);
}

/* The image of an index that this machine, or the platform that was named, would run; the index
 * itself where the store has none. */
static ck_err *pick(struct args *a, struct ck_store *s, const struct ck_store_entry *e,
                    struct ck_store_entry *ret)
{
    struct ck_platform want = a->has_platform ? a->platform : ck_platform_host(), have;
    int best = 0;
    *ret = *e;
    for (size_t i = 0; e->image.index && i < e->image.n_parts; i++) {
        struct ck_store_entry child;
        bool found = false;
        CK_TRY(ck_store_get(s, &e->image.parts[i].digest, &a->arena, &child, &found));
        if (!found || child.image.index || !child.image.platform.n)
            continue;
        ck_err *bad = ck_platform_parse(child.image.platform, &have);
        int match = bad ? 0 : ck_platform_match(&want, &have);
        ck_err_free(bad);
        if (match > best) {
            best = match;
            *ret = child;
        }
    }
    return NULL;
}

/* An index is judged as well as the image in it: both are asked for. */
static ck_err *add_index(struct args *a, struct ck_store *s, const struct ck_digest *index,
                         ck_view name, struct result *r)
{
    struct result whole = { 0 };
    CK_TRY(judge(a, s, index, name, &whole));
    struct ck_verdict *v = &whole.v;
    if (v->decision <= r->v.decision && v->decision != CK_DENY)
        return NULL;
    size_t n = v->n_reasons + r->v.n_reasons;
    ck_view *reasons = ck_arena_alloc(&a->arena, n, sizeof *reasons);
    for (size_t i = 0; i < n; i++)
        reasons[i] = i < v->n_reasons ? v->reasons[i] : r->v.reasons[i - v->n_reasons];
    r->v.decision = v->decision;
    r->v.by_person = v->by_person;
    r->v.reasons = reasons;
    r->v.n_reasons = n;
    return NULL;
}

static ck_err *look(struct args *a, struct ck_store *s, const struct ck_reference *ref,
                    struct result *r, bool *ret_found)
{
    bool named = ref->transport == CK_TRANSPORT_DOCKER;
    ck_view what = named ? ck_view_str(ck_name_text(&ref->image, &a->arena)) : ref->name;
    char digest[CK_DIGEST_TEXT];
    struct ck_store_entry e, image;
    if (named && ref->image.has_digest)
        what = ck_view_str(ck_digest_text(&ref->image.digest, digest));
    ck_err *none = ck_store_find_typed(s, what, &a->arena, &e);
    if (none && ck_err_class(none) == CK_ERR_UNAVAILABLE) {
        ck_err_free(none);
        return NULL;
    }
    CK_TRY(none);
    ck_view name = named ? ck_view_str(ck_name_text(&ref->image, &a->arena))
                         : e.n_names ? e.names[0] : CK_V("");
    CK_TRY(pick(a, s, &e, &image));
    if (image.complete && !image.image.index)
        r->whole = ck_arena_format(&a->arena, "store:%s",
                                   ck_digest_text(&e.image.digest, digest));
    CK_TRY(judge(a, s, &image.image.digest, name, r));
    r->platform = image.image.platform;
    if (e.image.index && !image.image.index)
        CK_TRY(add_index(a, s, &e.image.digest, name, r));
    *ret_found = r->v.examined || r->v.decision == CK_DENY;
    return NULL;
}

/* --- scanning --------------------------------------------------------------------------------- */

/* What is in no store is judged by its scan. */
static void take_report(struct args *a, const struct ck_report *report, struct result *r)
{
    r->v = (struct ck_verdict){ .examined = true, .complete = true };
    for (unsigned d = 0; d < CK_DECISION_COUNT_; d++)
        if (ck_view_eq(report->decision, ck_view_str(ck_decision_name(d))))
            r->v.decision = d;
    r->v.reasons = ck_arena_alloc(&a->arena, report->n_reasons, sizeof *r->v.reasons);
    for (size_t i = 0; i < report->n_reasons; i++)
        r->v.reasons[r->v.n_reasons++] = ck_arena_dup(&a->arena, report->reasons[i]);
    r->digest = ck_arena_dup(&a->arena, report->digest);
    if (report->os.n)
        r->platform = ck_view_str(ck_arena_format(&a->arena, "%.*s/%.*s", CK_VF(report->os),
                                                  CK_VF(report->architecture)));
}

/* An image of the store keeps the state that the policy in force gives it: another one is only
 * asked here. */
static ck_err *scan(struct args *a, const struct ck_reference *ref, bool stored, struct result *r)
{
    struct ck_scan_options o = {
        .platform = a->has_platform ? &a->platform : NULL,
        .policy = stored ? NULL : a->p,
        .user = a->user, .address = a->address, .namespace_ = a->namespace_,
        .no_sandbox = a->no_sandbox,
    };
    struct ck_db *db = NULL;
    struct ck_scan *s = NULL;
    CK_TRY(ck_scanning_db(a->db, &db));
    o.db = db;
    ck_scanning_begin(&a->scanning, &a->remote, a->quiet, &o);
    ck_err *e = ck_scan_image(ref, &o, &s);
    ck_scanning_end(&a->scanning);
    if (!e)
        take_report(a, ck_scan_report(s), r);
    ck_scan_free(s);
    if (db)
        ck_db_close(db);
    return e;
}

/* --- all together ----------------------------------------------------------------------------- */

static ck_err *check_stored(struct args *a, struct ck_store *s, const struct ck_reference *ref,
                            struct result *r)
{
    bool found = false;
    struct ck_digest d;
    struct ck_reference here;
    struct result scanned = *r;
    if (!a->remote.refetch)
        CK_TRY(look(a, s, ref, r, &found));
    if (found || (a->no_scan && r->digest.n))
        return NULL;
    if (a->no_scan)
        return ck_err_new(CK_ERR_UNAVAILABLE, "%s is not in the store", r->reference);
    if (r->whole)
        CK_TRY(ck_reference_parse(r->whole, &a->arena, &here));
    CK_TRY(scan(a, r->whole ? &here : ref, true, &scanned));
    CK_TRY(look(a, s, ref, r, &found));
    if (found)
        return NULL;
    CK_TRY(ck_digest_parse(scanned.digest, &d));
    r->platform = scanned.platform;
    return judge(a, s, &d, CK_V(""), r);
}

static ck_err *check(struct args *a, const char *text, struct result *r)
{
    struct ck_reference ref;
    CK_TRY(ck_cmd_now(&a->now));
    CK_TRY(ck_policy_load(a->policy, &a->p));
    CK_TRY(ck_reference_parse(text, &a->arena, &ref));
    r->reference = text;
    if (ref.transport != CK_TRANSPORT_DOCKER && ref.transport != CK_TRANSPORT_STORE) {
        if (a->no_scan)
            return ck_err_new(CK_ERR_USAGE, "--no-scan: only what is in the store is judged "
                                            "without one");
        return scan(a, &ref, false, r);
    }
    struct ck_store *s = NULL;
    CK_TRY(ck_store_open(a->remote.store, &s));
    ck_err *e = check_stored(a, s, &ref, r);
    ck_store_close(s);
    return e;
}

static ck_err *run(struct args *a, const char *text, int *ret_status)
{
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    struct result r = { 0 };
    CK_TRY(check(a, text, &r));
    if (a->json)
        put_json(a, &r, &out);
    else
        put_text(a, &r, &out);
    CK_TRY(ck_cmd_print(ck_buf_view(&out)));
    bool fails = r.v.decision == CK_DENY ||
                 (r.v.decision == CK_QUARANTINE && a->fail_quarantine);
    *ret_status = fails ? CK_EXIT_DENIED : CK_EXIT_OK;
    return NULL;
}

int ck_cmd_policy_check(int argc, char **argv)
{
    struct args a = { 0 };
    int status = ck_cmd_options(argc, argv, page, options, take_option, &a);
    if (status >= 0)
        return status;
    if (argc - optind != 1)
        return ck_cmd_usage(page, argc == optind ? "an image is missing" : "one image at a time");
    ck_autofree char *login = a.user ? NULL : ck_login_name();
    a.user = a.user ? a.user : login;
    ck_err *e = run(&a, argv[optind], &status);
    ck_policy_free(a.p);
    ck_arena_free(&a.arena);
    return e ? ck_cmd_fail(e) : status;
}
