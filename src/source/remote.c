#include "source/remote.h"

#include "base/mem.h"
#include "image/image.h"
#include "image/media.h"
#include "proc/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum { HTTP_OK = 200, HTTP_PARTIAL = 206 };

struct ck_remote {
    struct ck_arena arena;
    struct ck_remote_options options;
    struct ck_registry_config *config;
    struct ck_name name;
    struct ck_registry_plan plan;
    struct ck_room_proc *room; /* kept: so are its connections and tokens */
};

/* Certificates are the administrator's: they stay, where the registry itself is in the plan. */
static void plan_given(struct ck_remote *r, const struct ck_remote_given *given)
{
    struct ck_endpoint *e = ck_arena_alloc(&r->arena, 1, sizeof *e);
    for (size_t i = 0; i < r->plan.n; i++) {
        if (!r->plan.v[i].mirror && strcmp(r->plan.v[i].host, given->host) == 0)
            *e = r->plan.v[i];
    }
    e->host = given->host;
    e->repository = ck_arena_format(&r->arena, "%.*s", CK_VF(r->name.path));
    e->plain_http = given->plain_http;
    e->username = given->username;
    e->password = given->password;
    e->identity_token = NULL;
    e->bearer = given->bearer;
    e->stranger = false;
    r->plan = (struct ck_registry_plan){ e, 1 };
}

static void drop_mirrors(struct ck_registry_plan *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++)
        if (!p->v[i].mirror)
            p->v[n++] = p->v[i];
    p->n = n;
}

static ck_err *make_plan(struct ck_remote *r, const struct ck_name *n)
{
    const struct ck_remote_given *given = r->options.given;
    CK_TRY(ck_registry_config_load(&r->options.paths, &r->config));
    CK_TRY(ck_registry_expand(r->config, n, &r->arena, &r->name));
    CK_TRY(ck_registry_plan_for(r->config, &r->name, &r->arena, &r->plan));
    for (size_t i = 0; i < r->plan.n; i++)
        r->plan.v[i].stranger = r->options.strangers && !r->plan.v[i].configured;
    if (given && ck_view_eq(r->name.host, ck_view_str(given->host)))
        plan_given(r, given);
    if (r->options.no_mirrors)
        drop_mirrors(&r->plan);
    return NULL;
}

ck_err *ck_remote_new(const struct ck_name *n, const struct ck_remote_options *o,
                      struct ck_remote **ret)
{
    struct ck_remote *r = ck_new(struct ck_remote);
    r->options = *o;
    ck_err *e = make_plan(r, n);
    if (e) {
        ck_remote_free(r);
        return e;
    }
    *ret = r;
    return NULL;
}

void ck_remote_free(struct ck_remote *r)
{
    if (!r)
        return;
    ck_room_stop(r->room);
    ck_registry_config_free(r->config);
    ck_arena_free(&r->arena);
    free(r);
}

void ck_remote_inherit(struct ck_remote *r, struct ck_remote *from)
{
    ck_room_stop(r->room);
    r->room = ck_steal(from->room);
}

const struct ck_name *ck_remote_name(const struct ck_remote *r) { return &r->name; }
const struct ck_registry_plan *ck_remote_plan(const struct ck_remote *r) { return &r->plan; }
const struct ck_remote_options *ck_remote_options_of(const struct ck_remote *r)
{
    return &r->options;
}

/* --- one job ---------------------------------------------------------------------------------- */

static ck_err *take_answer(void *ctx, ck_view bytes)
{
    return ck_buf_add(ctx, bytes);
}

static ck_err *read_some(int fd, struct ck_buf *out, bool *ret_end)
{
    uint8_t piece[65536];
    ssize_t n = read(fd, piece, sizeof piece);
    if (n < 0 && errno == EINTR)
        return NULL;
    if (n < 0)
        return ck_err_errno(CK_ERR_OURS, "reading from the registry room");
    *ret_end = n == 0;
    return ck_buf_add(out, ck_view_of(piece, (size_t)n));
}

/* Takes the body from the pipe and the answer from the channel until both have ended. */
static ck_err *converse(struct ck_room_proc *room, int body, struct ck_buf *out,
                        struct ck_buf *answer)
{
    const struct ck_room_consumer c = { .piece = take_answer, .ctx = answer };
    bool done = false, end = false;
    while (!done || !end) {
        struct pollfd p[2] = { { .fd = done ? -1 : ck_room_fd(room), .events = POLLIN },
                               { .fd = end ? -1 : body, .events = POLLIN } };
        int n = poll(p, 2, done ? -1 : ck_room_patience(room));
        if (n == 0)
            return ck_room_stuck(room);
        if (n < 0 && errno != EINTR)
            return ck_err_errno(CK_ERR_OURS, "poll");
        if (n > 0 && p[0].revents)
            CK_TRY(ck_room_step(room, &c, &done));
        if (n > 0 && p[1].revents)
            CK_TRY(read_some(body, out, &end));
    }
    return NULL;
}

ck_err *ck_remote_start(const struct ck_remote *r, const struct ck_job_registry *j,
                        struct ck_room_proc **room, int *ret_body)
{
    enum { PIPE = 1024 * 1024 };
    struct ck_room_options o = { .no_sandbox = r->options.no_sandbox };
    ck_autobuf struct ck_buf job = ck_buf_new(CK_LIMIT_NONE);
    int ends[2];
    CK_TRY(ck_job_registry_encode(j, &job));
    if (!*room)
        CK_TRY(ck_room_start(CK_ROOM_REGISTRY, &o, room));
    if (pipe2(ends, O_CLOEXEC) != 0)
        return ck_err_errno(CK_ERR_OURS, "pipe");
    fcntl(ends[1], F_SETPIPE_SZ, PIPE); /* fewer turns; where it is refused, more of them */
    ck_err *e = ck_room_job(*room, ck_buf_view(&job), ends[1], ends[1]);
    close(ends[1]);
    if (e)
        close(ends[0]);
    else
        *ret_body = ends[0];
    return e;
}

static ck_err *ask_endpoint(struct ck_remote *r, const struct ck_job_registry *j,
                            struct ck_arena *a, struct ck_buf *out, struct ck_registry_answer *ret)
{
    ck_autobuf struct ck_buf answer = ck_buf_new(CK_LIMIT_DOCUMENT);
    int body = -1;
    ck_buf_clear(out);
    ck_err *e = ck_remote_start(r, j, &r->room, &body);
    if (!e) {
        e = converse(r->room, body, out, &answer);
        close(body);
    }
    if (e) {
        /* A room that failed in earnest, or in the middle of a body, is of no more use. */
        ck_room_stop(ck_steal(r->room));
        return e;
    }
    return ck_registry_answer_decode(ck_arena_dup(a, ck_buf_view(&answer)), a, ret);
}

/* --- endpoints in turn ------------------------------------------------------------------------ */

static bool is_success(const struct ck_registry_answer *r)
{
    return r->status == HTTP_OK || r->status == HTTP_PARTIAL;
}

bool ck_remote_may_go_on(const ck_err *e, const struct ck_registry_answer *answer)
{
    return e ? ck_err_class(e) == CK_ERR_UNAVAILABLE : !is_success(answer);
}

ck_err *ck_remote_refused(const struct ck_endpoint *e, const struct ck_job_registry *j,
                          const struct ck_registry_answer *answer)
{
    const char *what = answer->status == 401   ? "not without (other) credentials"
                       : answer->status == 403 ? "access denied"
                       : answer->status == 404 ? "not there"
                                               : "refused";
    ck_err *err = ck_err_new(CK_ERR_UNAVAILABLE, "%s/%s, %.*s: %s (HTTP status %u%s%.*s)", e->host,
                             e->repository, CK_VF(ck_view_head(j->reference, 160)), what,
                             answer->status, answer->message.n ? ": " : "",
                             CK_VF(answer->message));
    return ck_err_with_status(err, answer->status);
}

/* What mirrors said stands behind what the last one said: it is why the last one was asked. */
static ck_err *join(ck_err *earlier, ck_err *last)
{
    if (!earlier || !last) {
        ck_err_free(earlier);
        return last;
    }
    ck_err *e = ck_err_new(ck_err_class(last), "%.600s; before that, a mirror: %.300s",
                           ck_err_text(last), ck_err_text(earlier));
    e = ck_err_with_status(e, ck_err_status(last));
    ck_err_free(earlier);
    ck_err_free(last);
    return e;
}

ck_err *ck_remote_ask(struct ck_remote *r, struct ck_job_registry *j, struct ck_arena *a,
                      struct ck_buf *out, struct ck_registry_answer *ret)
{
    ck_err *earlier = NULL;
    j->allow_private = r->options.allow_private;
    for (size_t i = 0; i < r->plan.n; i++) {
        bool last = i + 1 == r->plan.n;
        j->endpoint = r->plan.v[i];
        struct ck_registry_answer answer = { 0 };
        ck_err *e = ask_endpoint(r, j, a, out, &answer);
        if (!last && ck_remote_may_go_on(e, &answer)) {
            earlier = join(earlier, e ? e : ck_remote_refused(&j->endpoint, j, &answer));
            continue;
        }
        if (e)
            return join(earlier, e);
        ck_err_free(earlier);
        *ret = answer;
        return NULL;
    }
    ck_err_free(earlier);
    return ck_err_new(CK_ERR_USAGE, "the configuration names no endpoint for this image");
}

ck_err *ck_remote_document(struct ck_remote *r, struct ck_job_registry *j, struct ck_arena *a,
                           struct ck_buf *out, struct ck_registry_answer *ret)
{
    struct ck_registry_answer answer;
    CK_TRY(ck_remote_ask(r, j, a, out, &answer));
    if (!is_success(&answer))
        return ck_remote_refused(&j->endpoint, j, &answer);
    *ret = answer;
    return NULL;
}

/* --- manifests -------------------------------------------------------------------------------- */

/* What the registry says of itself must fit what it sent. The claim binds nothing, but a registry
 * that contradicts itself is not to be believed in anything else. */
static ck_err *check_claim(const struct ck_registry_answer *answer, ck_view bytes)
{
    struct ck_digest claimed, got;
    char text[CK_DIGEST_TEXT];
    if (!answer->digest.n)
        return NULL;
    CK_TRY_WRAP(ck_digest_parse(answer->digest, &claimed), "Docker-Content-Digest");
    ck_hash_of(claimed.alg, bytes, &got);
    if (ck_digest_eq(&claimed, &got))
        return NULL;
    return ck_err_new(CK_ERR_HOSTILE,
                      "digest mismatch: the registry says %.*s, what it sent is %s "
                      "(OCI distribution-spec, Docker-Content-Digest)",
                      CK_VF(answer->digest), ck_digest_text(&got, text));
}

static ck_err *check_manifest(const struct ck_descriptor *d,
                              const struct ck_registry_answer *answer, ck_view bytes,
                              struct ck_digest *ret)
{
    struct ck_digest got;
    char want_text[CK_DIGEST_TEXT], got_text[CK_DIGEST_TEXT];
    ck_hash_of(d ? d->digest.alg : CK_DIGEST_SHA256, bytes, &got);
    if (d && !ck_digest_eq(&got, &d->digest))
        return ck_err_new(CK_ERR_HOSTILE,
                          "digest mismatch: %s was asked for, the registry sent %s "
                          "(OCI image-spec, descriptor, digest)",
                          ck_digest_text(&d->digest, want_text), ck_digest_text(&got, got_text));
    CK_TRY(check_claim(answer, bytes));
    if (!answer->content_type.n)
        return ck_err_new(CK_ERR_HOSTILE, "the registry does not say what kind of manifest it sent "
                                          "(OCI distribution-spec, Content-Type)");
    if (d && d->media_type.n && !ck_view_eq(d->media_type, answer->content_type))
        return ck_err_new(CK_ERR_HOSTILE,
                          "media type mismatch: its descriptor says %.*s, the registry %.*s "
                          "(CVE-2021-41190)",
                          CK_VF(d->media_type), CK_VF(answer->content_type));
    *ret = got;
    return NULL;
}

static ck_err *manifest(struct ck_remote *r, struct ck_job_registry *j,
                        const struct ck_descriptor *d, struct ck_arena *a, struct ck_buf *out,
                        struct ck_digest *ret_digest, ck_view *ret_type)
{
    struct ck_registry_answer answer = { 0 };
    CK_TRY(ck_remote_document(r, j, a, out, &answer));
    CK_TRY(check_manifest(d, &answer, ck_buf_view(out), ret_digest));
    *ret_type = answer.content_type;
    return NULL;
}

ck_err *ck_remote_manifest(struct ck_remote *r, const struct ck_descriptor *d, struct ck_arena *a,
                           struct ck_buf *out, struct ck_digest *ret_digest, ck_view *ret_type)
{
    char text[CK_DIGEST_TEXT];
    struct ck_job_registry j = { .op = CK_REGISTRY_MANIFEST, .max = CK_MAX_DOCUMENT };
    bool by_digest = d || r->name.has_digest;
    struct ck_descriptor named = { .digest = r->name.digest };
    if (d && d->size > CK_MAX_DOCUMENT)
        return ck_err_limit(CK_LIMIT_DOCUMENT, "a manifest of %llu bytes",
                            (unsigned long long)d->size);
    if (d) {
        j.max = d->size;
        j.exact = true;
    }
    j.reference = !by_digest ? r->name.tag
                             : ck_view_str(ck_digest_text(d ? &d->digest : &named.digest, text));
    CK_TRY_WRAP(manifest(r, &j, by_digest && !d ? &named : d, a, out, ret_digest, ret_type),
                "manifest %.*s", CK_VF(j.reference));
    return NULL;
}
