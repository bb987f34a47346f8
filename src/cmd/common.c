#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/help.h"

#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

int ck_cmd_fail(ck_err *e)
{
    int status = ck_err_exit_status(e);
    fprintf(stderr, "cocket: %s\n", ck_err_text(e));
    ck_err_free(e);
    return status;
}

int ck_cmd_usage(const char *page, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    ck_autofree char *safe = ck_escape(ck_view_str(text));
    const char *verb = strcmp(page, "cocket") == 0 ? "" : page + strlen("cocket-");
    fprintf(stderr, "cocket: %s\nTry: cocket %s%s--help\n", safe, verb, *verb ? " " : "");
    return CK_EXIT_USAGE;
}

int ck_cmd_help(const char *page)
{
    fputs(ck_help_text(page), stdout);
    return CK_EXIT_OK;
}

/* The letters of the table, as getopt wants them. */
static void short_options(const struct option *options, char out[128])
{
    size_t n = 0;
    out[n++] = ':';
    for (const struct option *o = options; o->name && n + 2 < 128; o++) {
        if (o->val < 'A' || o->val > 'z')
            continue;
        out[n++] = (char)o->val;
        if (o->has_arg == required_argument)
            out[n++] = ':';
    }
    out[n] = 0;
}

int ck_cmd_options(int argc, char **argv, const char *page, const struct option *options,
                   ck_err *(*take)(void *ctx, int opt), void *ctx)
{
    int opt;
    char letters[128];
    opterr = 0;
    short_options(options, letters);
    while ((opt = getopt_long(argc, argv, letters, options, NULL)) != -1) {
        if (opt == 'h')
            return ck_cmd_help(page);
        if (opt == ':')
            return ck_cmd_usage(page, "%s needs a value", argv[optind - 1]);
        if (opt == '?')
            return ck_cmd_usage(page, "unknown option %s", argv[optind - 1]);
        ck_err *e = take(ctx, opt);
        if (e) {
            int status = ck_cmd_usage(page, "%s", ck_err_text(e));
            ck_err_free(e);
            return status;
        }
    }
    return -1;
}

static const char *verb_name(const void *verbs, size_t size, size_t i)
{
    const char *name;
    memcpy(&name, (const char *)verbs + i * size, sizeof name);
    return name;
}

/* "build, update or status" */
static void put_verbs(struct ck_buf *b, const void *verbs, size_t n, size_t size)
{
    for (size_t i = 0; i < n; i++)
        ck_buf_format(b, "%s%s", i == 0 ? "" : i + 1 < n ? ", " : " or ",
                      verb_name(verbs, size, i));
}

int ck_cmd_verb(int argc, char **argv, const char *page, const void *verbs, size_t n, size_t size,
                size_t *ret)
{
    if (argc < 2) {
        ck_autobuf struct ck_buf all = ck_buf_new(CK_LIMIT_NONE);
        put_verbs(&all, verbs, n, size);
        return ck_cmd_usage(page, "say what to do: %.*s", CK_VF(ck_buf_view(&all)));
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return ck_cmd_help(page);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(argv[1], verb_name(verbs, size, i)) == 0) {
            *ret = i;
            return -1;
        }
    }
    return ck_cmd_usage(page, "there is no \"%s %s\"", argv[0], argv[1]);
}

ck_err *ck_cmd_format(const char *value, const char *plain, bool *ret_json)
{
    bool json = strcmp(value, "json") == 0;
    if (!json && strcmp(value, plain) != 0)
        return ck_err_new(CK_ERR_USAGE, "--format %.200s: it is %s or json", value, plain);
    *ret_json = json;
    return NULL;
}

unsigned ck_cmd_columns(void)
{
    enum { DEFAULT = 80, NARROWEST = 40, WIDEST = 400 };
    struct winsize ws = { 0 };
    uint64_t n = 0;
    const char *env = getenv("COLUMNS");
    if (env && ck_view_u64(ck_view_str(env), &n) && n)
        ;
    else if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col)
        n = ws.ws_col;
    else
        n = DEFAULT;
    return n < NARROWEST ? NARROWEST : n > WIDEST ? WIDEST : (unsigned)n;
}

ck_err *ck_cmd_print(ck_view text)
{
    signal(SIGPIPE, SIG_DFL); /* `| head` ends us as it ends every tool; no room is at work */
    if (fwrite(text.p, 1, text.n, stdout) == text.n && fflush(stdout) == 0)
        return NULL;
    return ck_err_errno(CK_ERR_OURS, "standard output");
}

ck_err *ck_cmd_now(int64_t *ret)
{
    const char *env = getenv("SOURCE_DATE_EPOCH");
    uint64_t t;
    if (!env) {
        *ret = time(NULL);
        return NULL;
    }
    if (!ck_view_u64(ck_view_str(env), &t) || t > INT64_MAX)
        return ck_err_new(CK_ERR_USAGE, "SOURCE_DATE_EPOCH=%s is no number of seconds", env);
    *ret = (int64_t)t;
    return NULL;
}

struct ck_progress_line ck_progress_line_new(const char *verb, bool quiet)
{
    return (struct ck_progress_line){ .enabled = !quiet && isatty(STDERR_FILENO),
                                      .verb = verb,
                                      .started = ck_clock_ms() };
}

void ck_progress_line_show(struct ck_progress_line *p, const char *text)
{
    enum { PATIENCE_MS = 1000, EVERY_MS = 100 };
    int64_t now = ck_clock_ms();
    if (!p->enabled || now - p->started < PATIENCE_MS || now - p->shown < EVERY_MS)
        return;
    p->shown = now;
    p->dirty = true;
    fprintf(stderr, "\r\x1b[K%s", text);
    fflush(stderr);
}

void ck_progress_line_report(void *ctx, uint64_t done, uint64_t total)
{
    struct ck_progress_line *p = ctx;
    ck_autofree char *a = ck_format_bytes(done), *b = ck_format_bytes(total);
    ck_autofree char *text = ck_format("%s: %s of %s (%llu %%)", p->verb, a, b,
                                       (unsigned long long)(total ? done * 100 / total : 0));
    ck_progress_line_show(p, text);
}

void ck_progress_line_end(struct ck_progress_line *p)
{
    if (p->dirty)
        fputs("\r\x1b[K", stderr);
    p->dirty = false;
}
