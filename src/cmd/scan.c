#include "base/file.h"
#include "base/mem.h"
#include "cmd/scanning.h"
#include "report/report.h"
#include "update/wanted.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct format {
    const char *name;
    ck_err *(*write)(const struct ck_report *r, struct ck_buf *out); /* NULL: the table */
};
static const struct format formats[] = {
    { "table", NULL },
    { "json", ck_report_json },
    { "cyclonedx", ck_report_cyclonedx },
    { "spdx", ck_report_spdx },
};

struct args {
    const char *output, *db, *explain, *reference, *policy;
    bool fail_incomplete, quiet;
    const struct format *format;
    enum { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER } colour;
    struct ck_platform platform;
    struct ck_scanning scanning;
    struct ck_remote_args remote;
    struct ck_scan_options scan;
};

static const char page[] = "cocket-scan";

enum opt {
    OPT_FORMAT = 256, OPT_DB, OPT_PLATFORM, OPT_FAIL_ON, OPT_FAIL_INCOMPLETE, OPT_EXPLAIN,
    OPT_NO_CACHE, OPT_COLOR, OPT_NO_SANDBOX, OPT_POLICY,
};
static const struct option options[] = {
    CK_REMOTE_OPTIONS,
    { "format", required_argument, NULL, OPT_FORMAT },
    { "output", required_argument, NULL, 'o' },
    { "db", required_argument, NULL, OPT_DB },
    { "platform", required_argument, NULL, OPT_PLATFORM },
    { "policy", required_argument, NULL, OPT_POLICY },
    { "fail-on", required_argument, NULL, OPT_FAIL_ON },
    { "fail-incomplete", no_argument, NULL, OPT_FAIL_INCOMPLETE },
    { "explain", required_argument, NULL, OPT_EXPLAIN },
    { "no-cache", no_argument, NULL, OPT_NO_CACHE },
    { "quiet", no_argument, NULL, 'q' },
    { "color", required_argument, NULL, OPT_COLOR },
    { "insecure-no-sandbox", no_argument, NULL, OPT_NO_SANDBOX },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static ck_err *set_format(struct args *a, const char *value)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(value, formats[i].name) == 0) {
            a->format = &formats[i];
            return NULL;
        }
    return ck_err_new(CK_ERR_USAGE, "--format %s: it is table, json, cyclonedx or spdx", value);
}

static ck_err *set_fail_on(struct args *a, const char *value)
{
    enum ck_severity s = ck_severity_parse(ck_view_str(value));
    if (s == CK_SEVERITY_UNKNOWN && strcmp(value, "unknown") != 0)
        return ck_err_new(CK_ERR_USAGE,
                          "--fail-on %s: it is critical, high, medium, low, negligible, or unknown "
                          "for any finding",
                          value);
    a->scan.has_fail_on = true;
    a->scan.fail_on = s;
    return NULL;
}

static ck_err *set_colour(struct args *a, const char *value)
{
    static const char *const words[] = { "auto", "always", "never" };
    for (unsigned i = 0; i < 3; i++)
        if (strcmp(value, words[i]) == 0) {
            a->colour = i;
            return NULL;
        }
    return ck_err_new(CK_ERR_USAGE, "--color %s: it is auto, always or never", value);
}

static ck_err *take_option(void *ctx, int opt)
{
    struct args *a = ctx;
    bool taken = false;
    CK_TRY(ck_remote_args_take(&a->remote, opt, &taken));
    if (taken)
        return NULL;
    switch (opt) {
    case OPT_FORMAT:
        return set_format(a, optarg);
    case OPT_PLATFORM:
        a->scan.platform = &a->platform;
        return ck_platform_parse(ck_view_str(optarg), &a->platform);
    case OPT_FAIL_ON:
        return set_fail_on(a, optarg);
    case OPT_COLOR:
        return set_colour(a, optarg);
    case OPT_DB:
        a->db = optarg;
        break;
    case OPT_POLICY:
        a->policy = optarg;
        break;
    case OPT_EXPLAIN:
        a->explain = optarg;
        break;
    case OPT_FAIL_INCOMPLETE:
        a->fail_incomplete = true;
        break;
    case OPT_NO_CACHE:
        a->scan.no_cache = true;
        break;
    case OPT_NO_SANDBOX:
        a->scan.no_sandbox = true;
        break;
    case 'o':
        a->output = optarg;
        break;
    case 'q':
        a->quiet = true;
        break;
    }
    return NULL;
}

/* -1: go on. */
static int parse(int argc, char **argv, struct args *a)
{
    int status = ck_cmd_options(argc, argv, page, options, take_option, a);
    if (status >= 0)
        return status;
    if (argc - optind != 1)
        return ck_cmd_usage(page, argc == optind
                                      ? "an image is missing (NAME at a registry, store:NAME, "
                                        "oci:DIR, oci-archive:FILE, docker-archive:FILE, "
                                        "rootfs:DIR)"
                                      : "one image at a time");
    a->reference = argv[optind];
    return -1;
}

/* A database that was named must be there; the default one may be missing: the report then says
 * that nothing could be named. */
static bool want_colour(const struct args *a)
{
    const char *no = getenv("NO_COLOR");
    if (a->colour != COLOUR_AUTO)
        return a->colour == COLOUR_ALWAYS;
    return !a->output && isatty(STDOUT_FILENO) && !(no && *no);
}

static ck_err *render(const struct args *a, const struct ck_scan *s, struct ck_buf *out)
{
    if (a->explain)
        return ck_scan_explain(s, ck_view_str(a->explain), out);
    if (a->format->write)
        return a->format->write(ck_scan_report(s), out);
    struct ck_table_options o = { ck_cmd_columns(), want_colour(a) };
    return ck_report_table(ck_scan_report(s), &o, out);
}

static ck_err *write_out(const struct args *a, ck_view text)
{
    struct stat st;
    bool named = a->output && strcmp(a->output, "-") != 0;
    /* A device or pipe is written to, never replaced. */
    if (named && (stat(a->output, &st) != 0 || S_ISREG(st.st_mode)))
        return ck_file_write(a->output, text, CK_FILE_PLAIN);
    FILE *f = named ? fopen(a->output, "we") : stdout;
    signal(SIGPIPE, SIG_DFL); /* the rooms are done; `| head` ends us as it ends every tool */
    bool ok = f && fwrite(text.p, 1, text.n, f) == text.n && fflush(f) == 0;
    ck_err *e = ok ? NULL
                   : ck_err_errno(CK_ERR_OURS, "%s", named ? a->output : "standard output");
    if (named && f)
        fclose(f);
    return e;
}

/* Updates of the Debian archive whose vulnerabilities have no names yet: the next db update reads
 * those sources' changelogs. That it cannot be noted down is no reason to fail a scan. */
static void note_wanted(const struct ck_report *r)
{
    size_t n = 0, max = r->match ? r->match->n_findings : 0;
    ck_view *names = ck_calloc(max + 1, sizeof *names);
    for (size_t i = 0; i < max; i++) {
        const struct ck_finding *f = &r->match->findings[i];
        if (ck_view_eq(f->advisory_source, CK_V("debian-archive")) &&
            ck_view_find(f->id, '=') < f->id.n)
            names[n++] = r->packages[f->package].p.source_name;
    }
    if (n)
        ck_err_free(ck_wanted_add(names, n));
    free(names);
}

static int exit_status(const struct args *a, const struct ck_report *r)
{
    if (a->explain)
        return CK_EXIT_OK;
    if (ck_view_eq(r->decision, CK_V("deny")))
        return CK_EXIT_DENIED;
    return a->fail_incomplete && r->n_gaps ? CK_EXIT_DENIED : CK_EXIT_OK;
}

static ck_err *scan(struct args *a, const struct ck_db *db, int *ret_status)
{
    ck_autoarena struct ck_arena arena = { 0 };
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    struct ck_reference ref;
    struct ck_scan *s = NULL;
    CK_TRY(ck_reference_parse(a->reference, &arena, &ref));
    a->scan.db = db;
    ck_scanning_begin(&a->scanning, &a->remote, a->quiet, &a->scan);
    ck_err *e = ck_scan_image(&ref, &a->scan, &s);
    ck_scanning_end(&a->scanning);
    if (e)
        return e;
    e = render(a, s, &out);
    if (!e)
        e = write_out(a, ck_buf_view(&out));
    if (!e) {
        note_wanted(ck_scan_report(s));
        *ret_status = exit_status(a, ck_scan_report(s));
    }
    ck_scan_free(s);
    return e;
}

static ck_err *run(struct args *a, int *ret_status)
{
    ck_autofree char *user = ck_login_name();
    struct ck_policy *policy = NULL;
    struct ck_db *db = NULL;
    CK_TRY(ck_policy_load(a->policy, &policy));
    a->scan.policy = policy;
    a->scan.user = user;
    ck_err *e = ck_scanning_db(a->db, &db);
    if (!e)
        e = scan(a, db, ret_status);
    if (db)
        ck_db_close(db);
    ck_policy_free(policy);
    return e;
}

int ck_cmd_scan(int argc, char **argv)
{
    struct args a = { .format = &formats[0] };
    int status = parse(argc, argv, &a);
    if (status >= 0)
        return status;
    if (a.scan.no_sandbox)
        fputs("cocket: WARNING: the sandbox is off; a hostile image can take over this account\n",
              stderr);
    ck_err *e = run(&a, &status);
    return e ? ck_cmd_fail(e) : status;
}
