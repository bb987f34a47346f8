/* image-verifier: what containerd runs before it pulls an image. Exit status 0 lets it be pulled
 * and nothing else does; standard output says why. It has ten seconds.
 */
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/verdict_here.h"
#include "lockdown/lockdown.h"
#include "lockdown/verifier.h"
#include "proc/spawn.h"
#include "room/jobs.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const char page[] = "cocket-image-verifier";

struct args {
    struct ck_arena a;
    const char *name, *digest, *media_type, *config;
    struct ck_verifier_conf conf; /* of the command line and the environment; then of the file */
    bool help;
};

/* As containerd writes them: one hyphen, or two; "-x v" or "-x=v". */
static ck_err *take_arguments(struct args *g, int argc, char **argv)
{
    const struct {
        const char *name, **at;
    } known[] = {
        { "name", &g->name }, { "digest", &g->digest }, { "stdin-media-type", &g->media_type },
        { "config", &g->config }, { "gate", &g->conf.gate }, { "ca", &g->conf.ca },
        { "token-file", &g->conf.token_file }, { "store", &g->conf.store },
        { "policy", &g->conf.policy },
    };
    for (int i = 1; i < argc; i++) {
        ck_view value, word = ck_view_split(ck_view_str(argv[i]), '=', &value);
        bool joined = word.n < strlen(argv[i]);
        size_t k = 0;
        word = ck_view_from(word, ck_view_starts(word, CK_V("--"))  ? 2
                                  : ck_view_starts(word, CK_V("-")) ? 1 : 0);
        if (ck_view_eq(word, CK_V("help")) || ck_view_eq(word, CK_V("h"))) {
            g->help = true;
            return NULL;
        }
        while (k < sizeof known / sizeof known[0] && !ck_view_eq(word, ck_view_str(known[k].name)))
            k++;
        if (argv[i][0] != '-' || k == sizeof known / sizeof known[0])
            return ck_err_new(CK_ERR_USAGE, "unknown argument %s", argv[i]);
        if (!joined && i + 1 == argc)
            return ck_err_new(CK_ERR_USAGE, "%s needs a value", argv[i]);
        *known[k].at = joined ? (const char *)value.p : argv[++i];
    }
    return NULL;
}

/* --- settings --------------------------------------------------------------------------------- */

static const char *first(const char *x, const char *variable, const char *z)
{
    const char *y = getenv(variable);
    return x ? x : y && *y ? y : z;
}

/* Over plain HTTP whoever stands between could answer. */
static ck_err *check_gate(struct args *g, const char *path)
{
    struct ck_gate gate = { 0 };
    if (!g->conf.gate)
        return ck_err_new(CK_ERR_USAGE, "no gate to ask: neither in %s nor given", path);
    if (ck_view_starts(ck_view_str(g->conf.gate), CK_V("https://")))
        return NULL;
    CK_TRY(ck_gate_parse(g->conf.gate, &g->a, &gate));
    return gate.plain_http ? NULL : ck_err_new(CK_ERR_USAGE, "the gate %s: https:// is wanted",
                                               g->conf.gate);
}

/* The command line, then the environment, then the file. */
static ck_err *settle(struct args *g)
{
    const char *path = first(g->config, "COCKET_VERIFIER_CONF", CK_VERIFIER_CONF);
    struct ck_place p;
    struct ck_verifier_conf file = { 0 };
    bool there = false;
    if (path[0] != '/')
        return ck_err_new(CK_ERR_USAGE, "%s: an absolute path is wanted", path);
    CK_TRY(ck_place_open("", &p));
    ck_err *e = ck_verifier_conf_read(&p, path, &g->a, &file, &there);
    ck_place_close(&p);
    if (e)
        return e;
    if (!there && g->config)
        return ck_err_new(CK_ERR_USAGE, "%s: there is no such file", path);
    g->conf.gate = first(g->conf.gate, "COCKET_GATE", file.gate);
    g->conf.ca = first(g->conf.ca, "COCKET_GATE_CA", file.ca);
    g->conf.token_file = first(g->conf.token_file, "COCKET_GATE_TOKEN_FILE", file.token_file);
    g->conf.store = g->conf.store ? g->conf.store : file.store;
    g->conf.policy = g->conf.policy ? g->conf.policy : file.policy;
    return g->conf.store ? NULL : check_gate(g, path);
}
static ck_err *read_small(const char *path, enum ck_limit limit, struct ck_arena *a, ck_view *ret)
{
    ck_autobuf struct ck_buf b = ck_buf_new(limit);
    CK_TRY(ck_file_read(path, &b));
    *ret = ck_arena_dup(a, ck_buf_view(&b));
    return NULL;
}

/* All of standard input, while there is time. */
static ck_err *read_stdin(int64_t end, struct ck_buf *out)
{
    enum { PIECE = 8192 };
    uint8_t piece[PIECE];
    for (;;) {
        int64_t left = end - ck_clock_ms();
        struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
        if (left <= 0 || poll(&p, 1, (int)left) == 0)
            return ck_err_new(CK_ERR_UNAVAILABLE, "standard input does not end");
        ssize_t n = read(STDIN_FILENO, piece, PIECE);
        if (n < 0)
            return ck_err_errno(CK_ERR_OURS, "standard input");
        if (n == 0)
            return NULL;
        CK_TRY(ck_buf_add(out, ck_view_of(piece, (size_t)n)));
    }
}

/* --- the gate --------------------------------------------------------------------------------- */

static ck_err *take_status(void *ctx, ck_view bytes)
{
    ck_cur c = ck_cur_of(bytes);
    *(unsigned *)ctx = ck_cur_le16(&c);
    return ck_cur_ok(&c) && ck_cur_end(&c)
               ? NULL
               : ck_err_new(CK_ERR_HOSTILE, "malformed message: HTTP status");
}

/* In a room: nothing here speaks to the network. */
static ck_err *fetch(const struct ck_job_fetch *j, int fd, unsigned *ret_status)
{
    enum { MS = 1000 };
    struct ck_room_proc *room = NULL;
    struct ck_room_options o = { .patience_ms = (int)CK_MAX_VERIFIER_SECONDS * MS };
    struct ck_room_consumer c = { .piece = take_status, .ctx = ret_status };
    ck_autobuf struct ck_buf job = ck_buf_new(CK_LIMIT_NONE);
    ck_job_fetch_encode(j, &job);
    CK_TRY(ck_room_start(CK_ROOM_FETCH, &o, &room));
    ck_err *e = ck_room_job(room, ck_buf_view(&job), fd, fd);
    if (!e)
        e = ck_room_finish(room, &c);
    ck_room_stop(room);
    return e;
}

static ck_err *read_back(int fd, struct ck_buf *out)
{
    enum { PIECE = 8192 };
    uint8_t piece[PIECE];
    ssize_t n;
    while ((n = pread(fd, piece, PIECE, (off_t)out->n)) > 0)
        CK_TRY(ck_buf_add(out, ck_view_of(piece, (size_t)n)));
    return n < 0 ? ck_err_errno(CK_ERR_OURS, "reading the answer") : NULL;
}

static ck_err *ask(struct args *g, const struct ck_verifier_question *q, int64_t end,
                   struct ck_buf *out)
{
    enum { MS = 1000, OK = 200 };
    struct ck_job_fetch j = { .max = CK_MAX_VERIFIER_ANSWER };
    ck_view token;
    const char *authorization = "";
    unsigned status = 0;
    if (g->conf.ca)
        CK_TRY(read_small(g->conf.ca, CK_LIMIT_REGISTRY_CA, &g->a, &j.ca));
    if (g->conf.token_file) {
        CK_TRY(read_small(g->conf.token_file, CK_LIMIT_REGISTRY_SECRET, &g->a, &token));
        CK_TRY(ck_verifier_authorization(token, &g->a, &authorization));
    }
    j.authorization = ck_view_str(authorization);
    j.url = ck_view_str(ck_verifier_url(g->conf.gate, q, &g->a));
    int64_t left = (end - ck_clock_ms()) / MS;
    j.seconds = left > 0 ? (uint32_t)left : 1;
    int fd = memfd_create("verdict", MFD_CLOEXEC);
    if (fd < 0)
        return ck_err_errno(CK_ERR_OURS, "memfd");
    ck_err *e = fetch(&j, fd, &status);
    if (!e && status != OK)
        e = ck_err_new(CK_ERR_UNAVAILABLE, "%s: HTTP status %u", g->conf.gate, status);
    if (!e)
        e = read_back(fd, out);
    close(fd);
    return e;
}

static ck_err *judge(struct args *g, struct ck_verifier_answer *ret)
{
    enum { MS = 1000 };
    int64_t end = ck_clock_ms() + (int64_t)CK_MAX_VERIFIER_SECONDS * MS;
    ck_autobuf struct ck_buf in = ck_buf_new(CK_LIMIT_VERIFIER_STDIN);
    ck_autobuf struct ck_buf answer = ck_buf_new(CK_LIMIT_VERIFIER_ANSWER);
    struct ck_verifier_question q;
    if (!g->name || !g->digest || !g->media_type)
        return ck_err_new(CK_ERR_USAGE, "-name, -digest and -stdin-media-type are wanted");
    CK_TRY(settle(g));
    CK_TRY(read_stdin(end, &in));
    CK_TRY(ck_verifier_question_read(g->name, g->digest, g->media_type, ck_buf_view(&in), &g->a,
                                     &q));
    if (g->conf.store)
        return ck_verdict_here(g->conf.store, g->conf.policy, &q, &g->a, ret);
    CK_TRY(ask(g, &q, end, &answer));
    return ck_verifier_answer_read(ck_buf_view(&answer), &q, &g->a, ret);
}

int ck_cmd_image_verifier(int argc, char **argv)
{
    struct args g = { 0 };
    struct ck_verifier_answer answer = { 0 };
    alarm((unsigned)CK_MAX_VERIFIER_SECONDS + 1); /* whatever happens, no longer */
    ck_err *e = take_arguments(&g, argc, argv);
    if (!e && g.help)
        return ck_cmd_help(page);
    if (!e)
        e = judge(&g, &answer);
    bool said = printf("cocket: %s\n", e ? ck_err_text(e) : answer.reason) > 0 &&
                fflush(stdout) == 0;
    int status = !e && answer.allowed && said ? CK_EXIT_OK : CK_EXIT_DENIED;
    ck_err_free(e);
    ck_arena_free(&g.a);
    return status;
}
