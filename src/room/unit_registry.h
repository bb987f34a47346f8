/* The servers of tests/registry, started for a test program that is also the room. */
#ifndef CK_ROOM_UNIT_REGISTRY_H
#define CK_ROOM_UNIT_REGISTRY_H

#include "base/file.h"
#include "base/mem.h"
#include "base/unit.h"
#include "image/digest.h"
#include "proc/spawn.h"
#include "room/registry_jobs.h"
#include "room/rooms.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct rig {
    pid_t pid;
    int in; /* closing it ends the server */
    char dir[64];
    char http[32], https[32], mtls[32]; /* "127.0.0.1:PORT" */
    char manifest[CK_DIGEST_TEXT], blob[CK_DIGEST_TEXT];
    struct ck_buf ca, cert, key, log;
};
enum { RIG_BLOB = 3 << 20 };

/* --- the server ------------------------------------------------------------------------------- */

static inline void rig_word(struct rig *r, char *word)
{
    char *value = strchr(word, '=');
    assert_non_null(value);
    *value++ = 0;
    struct {
        const char *name;
        char *to;
        size_t size;
        bool port;
    } words[] = {
        { "http", r->http, sizeof r->http, true },
        { "https", r->https, sizeof r->https, true },
        { "mtls", r->mtls, sizeof r->mtls, true },
        { "manifest", r->manifest, sizeof r->manifest, false },
        { "blob", r->blob, sizeof r->blob, false },
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(word, words[i].name) == 0)
            snprintf(words[i].to, words[i].size, "%s%s", words[i].port ? "127.0.0.1:" : "", value);
}

static inline void rig_read(const struct rig *r, const char *name, struct ck_buf *out)
{
    ck_autofree char *path = ck_format("%s/%s", r->dir, name);
    *out = ck_buf_new(CK_LIMIT_NONE);
    assert_ok(ck_file_read(path, out));
}

/* `script`: server.py or engine.py. */
static inline void rig_start(struct rig *r, const char *script)
{
    int in[2], out[2];
    const char *source = getenv("COCKET_SOURCE");
    ck_autofree char *program = ck_format("%s/tests/registry/%s", source ? source : ".", script);
    snprintf(r->dir, sizeof r->dir, "/tmp/cocket-registry-XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    r->pid = fork();
    if (r->pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        execlp("python3", "python3", program, "--dir", r->dir, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    r->in = in[1];
    char line[1024] = "", *rest = NULL;
    FILE *f = fdopen(out[0], "r");
    assert_non_null(fgets(line, sizeof line, f));
    fclose(f);
    line[strcspn(line, "\n")] = 0;
    for (char *w = strtok_r(line, " ", &rest); w; w = strtok_r(NULL, " ", &rest))
        rig_word(r, w);
}

static inline void rig_stop(struct rig *r)
{
    static const char *const files[] = { "log.jsonl",  "ca.pem",     "ca.key",     "ca.srl",
                                         "client.pem", "client.key", "client.csr", "client.ext",
                                         "server.pem", "server.key", "server.csr", "server.ext",
                                         "engine.sock" };
    close(r->in);
    waitpid(r->pid, NULL, 0);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        ck_autofree char *path = ck_format("%s/%s", r->dir, files[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(r->dir), 0);
    struct ck_buf *bufs[] = { &r->ca, &r->cert, &r->key, &r->log };
    for (size_t i = 0; i < 4; i++)
        ck_buf_free(bufs[i]);
}

/* Requests that the server saw whose lines contain both. */
static inline size_t rig_saw(struct rig *r, const char *one, const char *two)
{
    size_t n = 0;
    ck_buf_free(&r->log);
    rig_read(r, "log.jsonl", &r->log);
    ck_cur c = ck_cur_of(ck_buf_view(&r->log));
    while (!ck_cur_end(&c)) {
        ck_view line = ck_cur_line(&c);
        n += memmem(line.p, line.n, one, strlen(one)) && memmem(line.p, line.n, two, strlen(two));
    }
    return n;
}

/* --- one job ---------------------------------------------------------------------------------- */

struct got {
    struct ck_arena arena;
    struct ck_registry_answer answer;
    struct ck_buf body;
    uint64_t progress; /* the last one's */
    unsigned progresses;
    int pipe, delay_ms;
};

static inline void got_free(struct got *g)
{
    ck_arena_free(&g->arena);
    ck_buf_free(&g->body);
}
#define auto_got __attribute__((cleanup(got_free)))

static inline void *got_read(void *ctx)
{
    struct got *g = ctx;
    struct timespec delay = { g->delay_ms / 1000, g->delay_ms % 1000 * 1000000l };
    nanosleep(&delay, NULL);
    for (;;) {
        ssize_t n = read(g->pipe, ck_buf_room(&g->body, 65536), 65536);
        if (n <= 0)
            return NULL;
        g->body.n += (size_t)n;
    }
}

static inline void got_progress(void *ctx, uint64_t bytes)
{
    struct got *g = ctx;
    g->progress = bytes;
    g->progresses++;
}

struct taken {
    struct got *got;
    struct ck_buf result;
};

static inline ck_err *take_result(void *ctx, ck_view bytes)
{
    return ck_buf_add(&((struct taken *)ctx)->result, bytes);
}

static inline void take_progress(void *ctx, uint64_t bytes)
{
    got_progress(((struct taken *)ctx)->got, bytes);
}

/* A job with all its steps; the body goes through a pipe, as the hub has it. */
static inline ck_err *rig_run(struct ck_room_proc *room, ck_view job, int in, struct got *g,
                              struct ck_buf *result)
{
    int fds[2];
    pthread_t reader;
    struct taken t = { g, ck_buf_new(CK_LIMIT_DOCUMENT) };
    struct ck_room_consumer c = { .piece = take_result, .progress = take_progress, .ctx = &t };
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    g->pipe = fds[0];
    ck_buf_clear(&g->body);
    g->body.limit = CK_LIMIT_NONE;
    g->progress = g->progresses = 0;
    assert_int_equal(pthread_create(&reader, NULL, got_read, g), 0);
    ck_err *e = ck_room_job(room, job, in, fds[1]);
    close(fds[1]);
    if (!e)
        e = ck_room_finish(room, &c);
    pthread_join(reader, NULL);
    close(fds[0]);
    *result = t.result;
    return e;
}

static inline ck_err *rig_ask(struct ck_room_proc *room, const struct ck_job_registry *j,
                              struct got *g)
{
    ck_autobuf struct ck_buf job = ck_buf_new(CK_LIMIT_NONE), result = { 0 };
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CK_TRY(ck_job_registry_encode(j, &job));
    ck_err *e = rig_run(room, ck_buf_view(&job), null, g, &result);
    close(null);
    return e ? e : ck_registry_answer_decode(ck_buf_view(&result), &g->arena, &g->answer);
}

static inline struct ck_room_proc *rig_room(enum ck_room kind)
{
    struct ck_room_options o = { 0 };
    struct ck_room_proc *room = NULL;
    assert_ok(ck_room_start(kind, &o, &room));
    return room;
}

/* In a room of its own. */
static inline ck_err *rig_shot(const struct ck_job_registry *j, struct got *g)
{
    struct ck_room_proc *room = rig_room(CK_ROOM_REGISTRY);
    ck_err *e = rig_ask(room, j, g);
    ck_room_stop(room);
    return e;
}

static inline struct ck_job_registry rig_job(const struct rig *r, enum ck_registry_op op,
                                             const char *repository)
{
    bool blob = op == CK_REGISTRY_BLOB;
    bool digest = blob || op == CK_REGISTRY_REFERRERS;
    return (struct ck_job_registry){
        .op = op,
        .endpoint = { .host = r->https, .repository = repository, .ca = ck_buf_view(&r->ca) },
        .reference = ck_view_str(digest ? r->blob : "latest"),
        .max = blob ? RIG_BLOB : CK_MAX_DOCUMENT,
        .exact = blob,
        .tries = 2,
    };
}

#define assert_digest(buf, text)                                              \
    do {                                                                      \
        struct ck_digest d_;                                                  \
        char t_[CK_DIGEST_TEXT];                                              \
        ck_hash_of(CK_DIGEST_SHA256, ck_buf_view(buf), &d_);                  \
        assert_string_equal(ck_digest_text(&d_, t_), text);                   \
    } while (0)

#endif
