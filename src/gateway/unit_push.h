/* The gate around the pushes, as far as they ask for it: calls are answered into a variable. Only
 * test_push.c and test_put.c include it. */
#ifndef CK_GATEWAY_UNIT_PUSH_H
#define CK_GATEWAY_UNIT_PUSH_H

#include "gateway/push_int.h"
#include "proc/spawn.h"
#include "room/rooms.h"
#include "store/unit_fixture.h"

#include <sys/mman.h>
#include <time.h>

struct rig {
    struct fixture *f;
    struct ck_gateway g;
    struct ck_gateway_options o;
    const char *user;
    uint32_t roles;
    unsigned scans, forgotten;
    enum ck_decision decision; /* of whatever is judged */
};

/* What the last call was answered. */
static struct answered {
    struct ck_answer w;
    char upload[64], message[2049];
    unsigned n;
} got;
static pthread_mutex_t got_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t got_more = PTHREAD_COND_INITIALIZER;

static inline struct rig *rig_of(struct ck_gateway *g)
{
    return (struct rig *)((char *)g - offsetof(struct rig, g));
}

void ck_call_answer(struct ck_call *c, struct ck_answer *w)
{
    pthread_mutex_lock(&got_mutex);
    got.w = *w;
    snprintf(got.upload, sizeof got.upload, "%.*s", (int)w->upload.n, (const char *)w->upload.p);
    snprintf(got.message, sizeof got.message, "%.*s", (int)w->message.n,
             (const char *)w->message.p);
    got.n++;
    pthread_cond_signal(&got_more);
    pthread_mutex_unlock(&got_mutex);
    if (c->ask.fd >= 0)
        close(c->ask.fd);
    ck_arena_free(&c->arena);
    free(c);
}

void ck_call_refuse(struct ck_call *c, uint16_t status, enum ck_oci_error code, const char *fmt,
                    ...)
{
    char text[2048];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    struct ck_answer w = { .status = status, .code = code, .message = ck_view_str(text), .fd = -1 };
    ck_call_answer(c, &w);
}

bool ck_call_may(struct ck_call *c, uint32_t role)
{
    if (c->roles & role)
        return true;
    ck_call_refuse(c, 403, CK_OCI_DENIED, "no right");
    return false;
}

bool ck_place_of(struct ck_call *c, struct ck_place *ret)
{
    bool hosted = ck_view_starts(c->ask.repository, CK_V("hosted/"));
    *ret = (struct ck_place){
        .hosted = hosted, .upstream = hosted ? CK_HOSTED_HOST : "docker.io",
        .repository = ck_arena_format(&c->arena, "%s/%.*s", hosted ? CK_HOSTED_HOST : "docker.io",
                                      CK_VF(c->ask.repository)),
    };
    return true;
}

ck_err *ck_call_judge(struct ck_call *c, ck_view repository, ck_view name,
                      const struct ck_digest *d, struct ck_verdict *ret_verdict, bool *ret_known)
{
    (void)repository, (void)name, (void)d;
    *ret_verdict = (struct ck_verdict){ .decision = rig_of(c->g)->decision };
    *ret_known = true;
    return NULL;
}

void ck_gateway_forget(struct ck_gateway *g) { rig_of(g)->forgotten++; }
void ck_gateway_say(struct ck_gateway *g, const char *event, ...) { (void)g, (void)event; }
void ck_gateway_count(struct ck_gateway *g, const char *metric, int64_t add)
{
    (void)g, (void)metric, (void)add;
}

ck_err *ck_flight_scan(struct ck_gateway *g, const struct ck_digest *d, unsigned wait_ms,
                       void (*done)(void *ctx, ck_err *e, const struct ck_flight_result *r),
                       void *ctx)
{
    (void)d, (void)wait_ms, (void)done, (void)ctx;
    rig_of(g)->scans++;
    return NULL;
}

/* --- asking ----------------------------------------------------------------------------------- */

static inline struct answered ask(struct rig *r, enum ck_ask_kind kind, struct ck_ask q)
{
    struct timespec until;
    struct ck_call *c = ck_new(struct ck_call);
    q.kind = kind;
    if (!q.repository.n)
        q.repository = CK_V("hosted/app");
    if (kind != CK_ASK_MANIFEST_PUT)
        q.fd = -1;
    *c = (struct ck_call){ .g = &r->g, .ask = q, .user = ck_view_str(r->user), .roles = r->roles };
    unsigned before = got.n;
    ck_push_ask(c);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    pthread_mutex_lock(&got_mutex);
    while (got.n == before)
        assert_int_equal(pthread_cond_timedwait(&got_more, &got_mutex, &until), 0);
    struct answered a = got;
    pthread_mutex_unlock(&got_mutex);
    assert_int_equal(a.n, before + 1);
    return a;
}
#define ASK(r, kind, ...) ask(r, CK_ASK_##kind, (struct ck_ask){ .fd = -1, __VA_ARGS__ })
#define assert_answer(a, wanted, its_code)                                                    \
    do {                                                                                      \
        struct answered a_ = (a);                                                             \
        if (a_.w.status != (wanted) || a_.w.code != CK_OCI_##its_code)                        \
            print_error("%u %s: %s\n", a_.w.status, ck_oci_error_name(a_.w.code), a_.message); \
        assert_int_equal(a_.w.status, wanted);                                                \
        assert_int_equal(a_.w.code, CK_OCI_##its_code);                                       \
    } while (0)

/* The bytes go through the pipe, as from the serve room; whether they count is `q`'s to say. */
static inline struct answered send_bytes(struct rig *r, const char *upload, struct ck_ask q,
                                         ck_view bytes)
{
    q.upload = ck_view_str(upload);
    struct answered a = ask(r, CK_ASK_UPLOAD_DATA, q);
    if (a.w.status != 100)
        return a;
    ck_err_free(ck_write_all(a.w.fd, bytes)); /* the other end may have had enough */
    close(a.w.fd);
    q.length = q.length ? q.length : bytes.n;
    return ask(r, CK_ASK_UPLOAD_END, q);
}

static inline const char *begin(struct rig *r, char out[64])
{
    struct answered a = ASK(r, UPLOAD_START);
    assert_answer(a, 202, NONE);
    assert_int_equal(strlen(a.upload), 32);
    snprintf(out, 64, "%s", a.upload);
    return out;
}

static inline struct answered finish(struct rig *r, const char *upload, ck_view bytes,
                                     enum ck_digest_algorithm alg)
{
    struct ck_digest d;
    char text[CK_DIGEST_TEXT];
    ck_hash_of(alg, bytes, &d);
    return ASK(r, UPLOAD_FINISH, .upload = ck_view_str(upload),
               .reference = ck_view_str(ck_digest_text(&d, text)));
}

/* A blob to `repository` ("" is hosted/app). */
static inline struct ck_digest push_blob(struct rig *r, const char *repository, ck_view bytes)
{
    char upload[64], text[CK_DIGEST_TEXT];
    struct ck_ask q = { .repository = ck_view_str(repository) };
    struct ck_digest d = unit_digest(bytes);
    struct answered a = ask(r, CK_ASK_UPLOAD_START, q);
    assert_answer(a, 202, NONE);
    snprintf(upload, sizeof upload, "%s", a.upload);
    assert_answer(send_bytes(r, upload, q, bytes), 202, NONE);
    q.upload = ck_view_str(upload);
    q.reference = ck_view_str(ck_digest_text(&d, text));
    assert_answer(ask(r, CK_ASK_UPLOAD_FINISH, q), 201, NONE);
    return d;
}

static inline struct answered put(struct rig *r, struct ck_ask q, const char *json)
{
    q.fd = memfd_create("manifest", MFD_CLOEXEC);
    assert_true(q.fd >= 0);
    assert_ok(ck_write_all(q.fd, ck_view_str(json)));
    if (!q.content_type.n)
        q.content_type = CK_V(UNIT_OCI "manifest.v1+json");
    return ask(r, CK_ASK_MANIFEST_PUT, q);
}
#define PUT(r, json, ...) put(r, (struct ck_ask){ .fd = -1, __VA_ARGS__ }, json)

static inline int rig_setup(void **state)
{
    struct rig *r = ck_new(struct rig);
    assert_int_equal(setup((void **)&r->f), 0);
    r->g = (struct ck_gateway){ .o = &r->o, .store = r->f->s, .lease = r->f->l,
                                .uploads = ck_uploads_new() };
    r->user = "alice";
    r->roles = CK_ROLE_PUSH | CK_ROLE_PULL;
    *state = r;
    return 0;
}

static inline int rig_teardown(void **state)
{
    struct rig *r = *state;
    ck_uploads_free(r->g.uploads);
    teardown((void **)&r->f);
    free(r);
    return 0;
}

#endif
