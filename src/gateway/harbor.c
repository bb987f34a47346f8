/* Harbor's scanner: a queue of scans that it asked for, and their reports for as long as it may
 * still fetch them. Only registries that options name are contacted.
 */
#include "gateway/core.h"

#include "advisory/db.h"
#include "base/base64.h"
#include "base/mem.h"
#include "base/text.h"
#include "gateway/harbor_report.h"
#include "gateway/serving.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

enum { ID_BYTES = 16, WORKERS = 2, SOON = 2 };

enum state { QUEUED, RUNNING, DONE, FAILED };

/* A scan and what came of it. */
struct job {
    char id[ID_BYTES * 2 + 1];
    enum state state;
    struct ck_arena arena; /* of the request */
    struct ck_remote_given given;
    const char *reference; /* "docker://HOST/REPOSITORY@DIGEST" */
    struct ck_harbor_artifact artifact;
    struct ck_buf report, raw;
    char *failed; /* one line */
    struct job *next; /* older first */
};

struct ck_harbor {
    pthread_mutex_t mutex;
    pthread_cond_t more;
    struct ck_gateway *g;
    struct job *jobs;
    size_t n, open; /* open: queued or running */
    size_t bytes;   /* of all reports */
    unsigned workers;
    bool ending;
};

struct ck_harbor *ck_harbor_new(void)
{
    struct ck_harbor *h = ck_new(struct ck_harbor);
    pthread_mutex_init(&h->mutex, NULL);
    pthread_cond_init(&h->more, NULL);
    return h;
}

static void job_free(struct job *j)
{
    ck_arena_free(&j->arena);
    ck_buf_free(&j->report);
    ck_buf_free(&j->raw);
    free(j->failed);
    free(j);
}

/* A scan that runs is ended by the end of the process only; then its memory stays. */
void ck_harbor_free(struct ck_harbor *h)
{
    if (!h)
        return;
    pthread_mutex_lock(&h->mutex);
    h->ending = true;
    pthread_cond_broadcast(&h->more);
    bool busy = h->workers > 0;
    pthread_mutex_unlock(&h->mutex);
    if (busy)
        return;
    for (struct job *next, *j = h->jobs; j; j = next) {
        next = j->next;
        job_free(j);
    }
    pthread_cond_destroy(&h->more);
    pthread_mutex_destroy(&h->mutex);
    free(h);
}

/* --- the work --------------------------------------------------------------------------------- */

static ck_err *scan(struct ck_gateway *g, struct job *j, struct ck_rules *rules)
{
    struct ck_scan_options o = g->o->scan;
    struct ck_reference ref;
    struct ck_scan *s = NULL;
    CK_TRY(ck_reference_parse(j->reference, &j->arena, &ref));
    o.db = rules->db;
    o.platform = NULL;
    o.remote.given = &j->given;
    CK_TRY(ck_scan_image(&ref, &o, &s));
    ck_err *e = ck_harbor_report(ck_scan_report(s), &j->artifact, time(NULL), &j->report);
    if (!e)
        e = ck_report_json(ck_scan_report(s), &j->raw);
    ck_scan_free(s);
    return e;
}

static bool is_ending(struct ck_harbor *h)
{
    pthread_mutex_lock(&h->mutex);
    bool ending = h->ending;
    pthread_mutex_unlock(&h->mutex);
    return ending;
}

/* When the gate ends meanwhile, nothing of it is touched any more. */
static void run(struct ck_harbor *h, struct job *j)
{
    struct ck_gateway *g = h->g;
    struct ck_rules *rules = ck_rules_get(g);
    ck_autoerr ck_err *e = scan(g, j, rules);
    if (is_ending(h))
        return;
    ck_rules_put(rules);
    if (e)
        j->failed = ck_format("%.900s", ck_err_text(e));
    ck_gateway_count(g, e ? "cocket_harbor_scans_total{result=\"failed\"}"
                          : "cocket_harbor_scans_total{result=\"done\"}", 1);
}

static struct job *first_queued(struct ck_harbor *h)
{
    for (struct job *j = h->jobs; j; j = j->next)
        if (j->state == QUEUED)
            return j;
    return NULL;
}

static bool is_over(const struct job *j) { return j->state == DONE || j->state == FAILED; }

/* Reports go, oldest first, until there is room. */
static void make_room(struct ck_harbor *h)
{
    for (struct job **at = &h->jobs; *at;) {
        struct job *j = *at;
        bool full = h->n >= CK_MAX_HARBOR_REPORTS || h->bytes > CK_MAX_HARBOR_KEPT;
        if (!full)
            return;
        if (!is_over(j)) {
            at = &j->next;
            continue;
        }
        *at = j->next;
        h->n--;
        h->bytes -= j->report.n + j->raw.n;
        job_free(j);
    }
}

static void close_job(struct ck_harbor *h, struct job *j)
{
    j->given = (struct ck_remote_given){ 0 };
    j->state = j->failed ? FAILED : DONE;
    h->open--;
    h->bytes += j->report.n + j->raw.n;
    make_room(h);
}

/* Ends when nothing is left to be done: scans are rare, and a thread costs little. */
static void *work(void *ctx)
{
    struct ck_harbor *h = ctx;
    struct job *j;
    pthread_mutex_lock(&h->mutex);
    while (!h->ending && (j = first_queued(h)) != NULL) {
        j->state = RUNNING;
        pthread_mutex_unlock(&h->mutex);
        run(h, j);
        pthread_mutex_lock(&h->mutex);
        close_job(h, j);
    }
    h->workers--;
    pthread_mutex_unlock(&h->mutex);
    return NULL;
}

static void start_worker(struct ck_harbor *h)
{
    pthread_attr_t attr;
    pthread_t thread;
    if (h->workers == WORKERS || pthread_attr_init(&attr) != 0)
        return;
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    h->workers += pthread_create(&thread, &attr, work, h) == 0;
    pthread_attr_destroy(&attr);
}

/* --- a request -------------------------------------------------------------------------------- */

/* HOST[:PORT] of an URL that has nothing behind it. */
static bool host_of(ck_view url, bool *ret_plain, ck_view *ret)
{
    bool plain = ck_view_starts(url, CK_V("http://"));
    if (!plain && !ck_view_starts(url, CK_V("https://")))
        return false;
    ck_view rest, host = ck_view_split(ck_view_from(url, plain ? 7 : 8), '/', &rest);
    *ret_plain = plain;
    *ret = host;
    return host.n && !rest.n;
}

static bool is_named(const struct ck_gateway_options *o, ck_view host)
{
    for (size_t i = 0; i < o->n_harbor_registries; i++)
        if (ck_view_eq(host, ck_view_str(o->harbor_registries[i])))
            return true;
    return false;
}

static ck_err *take_basic(struct job *j, ck_view value)
{
    ck_view pair, password;
    if (!value.n || !ck_base64_decode(value, true, &j->arena, &pair))
        return ck_err_new(CK_ERR_USAGE, "registry.authorization: no base64");
    size_t colon = ck_view_find(pair, ':');
    ck_view user = ck_view_split(pair, ':', &password);
    if (colon == pair.n || ck_view_find(pair, 0) < pair.n)
        return ck_err_new(CK_ERR_USAGE, "registry.authorization: not USER:PASSWORD");
    j->given.username = (const char *)ck_arena_dup(&j->arena, user).p;
    j->given.password = (const char *)ck_arena_dup(&j->arena, password).p;
    return NULL;
}

static ck_err *take_authorization(struct job *j, ck_view text)
{
    if (!text.n)
        return NULL;
    ck_view value, scheme = ck_view_split(text, ' ', &value);
    if (scheme.n == 5 && strncasecmp((const char *)scheme.p, "Basic", 5) == 0)
        return take_basic(j, value);
    j->given.bearer = (const char *)ck_arena_dup(&j->arena, value).p;
    return NULL;
}

/* A name needs a port where its host could be taken for the first part of a path. */
static const char *named_host(struct job *j, ck_view host, bool plain)
{
    bool tells = ck_view_find(host, '.') < host.n || ck_view_find(host, ':') < host.n;
    return ck_arena_format(&j->arena, "%.*s%s", CK_VF(host), tells ? "" : plain ? ":80" : ":443");
}

static ck_err *fill(struct ck_call *c, struct job *j)
{
    const ck_view *w = c->ask.words;
    struct ck_reference ref;
    ck_view host;
    bool plain;
    if (!host_of(w[0], &plain, &host))
        return ck_err_new(CK_ERR_USAGE, "registry.url: must be http://HOST or https://HOST");
    if (!is_named(c->g->o, host))
        return ck_err_new(CK_ERR_USAGE, "registry.url: %.*s is not among the registries that "
                          "--harbor-registry names", CK_VF(ck_view_head(host, 200)));
    j->given.plain_http = plain;
    j->given.host = named_host(j, host, plain);
    CK_TRY(take_authorization(j, w[1]));
    j->artifact.repository = ck_arena_dup(&j->arena, w[2]);
    j->artifact.digest = ck_arena_dup(&j->arena, w[3]);
    j->reference = ck_arena_format(&j->arena, "docker://%s/%.*s@%.*s", j->given.host, CK_VF(w[2]),
                                   CK_VF(w[3]));
    CK_TRY(ck_reference_parse(j->reference, &j->arena, &ref));
    if (!ref.image.has_digest || !ck_view_eq(ref.image.host, ck_view_str(j->given.host)))
        return ck_err_new(CK_ERR_USAGE, "artifact: no image of that registry");
    return NULL;
}

static ck_err *new_job(struct ck_call *c, struct job **ret)
{
    uint8_t bytes[ID_BYTES];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return ck_err_errno(CK_ERR_OURS, "random bytes");
    struct job *j = ck_new(struct job);
    ck_hex(bytes, sizeof bytes, j->id);
    ck_err *e = fill(c, j);
    if (e)
        job_free(j);
    else
        *ret = j;
    return e;
}

/* False: too many wait. */
static bool enqueue(struct ck_gateway *g, struct job *j)
{
    struct ck_harbor *h = g->harbor;
    struct job **at = &h->jobs;
    pthread_mutex_lock(&h->mutex);
    bool room = h->open < CK_MAX_HARBOR_SCANS && !h->ending;
    if (room) {
        make_room(h);
        while (*at)
            at = &(*at)->next;
        *at = j;
        h->g = g;
        h->n++;
        h->open++;
        start_worker(h);
    }
    pthread_mutex_unlock(&h->mutex);
    return room;
}

static void describe(struct ck_call *c)
{
    char when[32] = "";
    struct ck_rules *r = ck_rules_get(c->g);
    if (r->db)
        ck_format_time(when, ck_db_built(r->db));
    ck_rules_put(r);
    struct ck_answer w = { .status = 200, .message = ck_view_str(when), .fd = -1 };
    ck_call_answer(c, &w);
}

static void begin(struct ck_call *c)
{
    struct job *j = NULL;
    char id[sizeof j->id];
    ck_err *e = new_job(c, &j);
    if (e && ck_err_class(e) == CK_ERR_USAGE) {
        ck_call_refuse(c, 422, CK_OCI_UNSUPPORTED, "%s", ck_err_text(e));
        ck_err_free(e);
    } else if (e) {
        ck_call_fail(c, e);
    } else {
        memcpy(id, j->id, sizeof id); /* it may be over before the answer is out */
        if (enqueue(c->g, j)) {
            struct ck_answer w = { .status = 202, .message = ck_view_str(id), .fd = -1 };
            ck_call_answer(c, &w);
        } else {
            job_free(j);
            ck_call_refuse(c, 503, CK_OCI_TOOMANYREQUESTS, "too many scans wait");
        }
    }
}

/* --- a report --------------------------------------------------------------------------------- */

static const struct job *find(const struct ck_harbor *h, ck_view id)
{
    for (const struct job *j = h->jobs; j; j = j->next)
        if (ck_view_eq(id, ck_view_str(j->id)))
            return j;
    return NULL;
}

/* What there is is copied: it may go at any time. */
static unsigned look(struct ck_call *c, ck_view *ret)
{
    struct ck_harbor *h = c->g->harbor;
    bool raw = ck_view_eq(c->ask.words[1], CK_V("raw"));
    unsigned status = 404;
    pthread_mutex_lock(&h->mutex);
    const struct job *j = find(h, c->ask.words[0]);
    if (j && j->state == FAILED) {
        status = 500;
        *ret = ck_arena_dup(&c->arena, ck_view_str(j->failed));
    } else if (j && j->state == DONE) {
        status = 200;
        *ret = ck_arena_dup(&c->arena, ck_buf_view(raw ? &j->raw : &j->report));
    } else if (j) {
        status = 202;
    }
    pthread_mutex_unlock(&h->mutex);
    return status;
}

static void report(struct ck_call *c)
{
    ck_view found = { 0 };
    struct ck_answer w = { .status = (uint16_t)look(c, &found), .fd = -1 };
    if (w.status == 200) {
        ck_answer_bytes(c, &w, found);
    } else if (w.status == 202) {
        w.retry_after = SOON;
        ck_call_answer(c, &w);
    } else {
        ck_call_refuse(c, w.status, CK_OCI_UNKNOWN, "%.*s",
                       CK_VF(found.n ? found : CK_V("no such scan")));
    }
}

void ck_harbor_ask(struct ck_call *c)
{
    if (!ck_call_may(c, CK_ROLE_PULL))
        return;
    if (c->ask.kind == CK_ASK_HARBOR_REPORT && c->ask.n_words == 2)
        report(c);
    else if (c->ask.kind == CK_ASK_HARBOR_SCAN && c->ask.n_words == 4)
        begin(c);
    else if (c->ask.kind == CK_ASK_HARBOR_SCAN && c->ask.n_words == 0)
        describe(c);
    else
        ck_call_refuse(c, 400, CK_OCI_UNSUPPORTED, "no such question");
}
