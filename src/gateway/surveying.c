/* A survey that somebody asked the gate for: one at a time, in a thread of its own. What is done is
 * in the books, so that one which ends with the gate goes on when the same is asked for again.
 */
#include "gateway/surveying.h"

#include "survey/survey.h"

#include <stdlib.h>
#include <time.h>

struct ck_surveying {
    pthread_mutex_t mutex; /* over the rest */
    pthread_t thread;
    bool has_thread, running;
    char *registry;
    uint64_t sample, done, total;
};

struct ck_surveying *ck_surveying_new(void)
{
    struct ck_surveying *y = ck_new(struct ck_surveying);
    pthread_mutex_init(&y->mutex, NULL);
    return y;
}

static void report(void *ctx, const char *what, ck_view name, uint64_t done, uint64_t total)
{
    struct ck_surveying *y = ((struct ck_gateway *)ctx)->core->surveying;
    (void)what;
    (void)name;
    pthread_mutex_lock(&y->mutex);
    y->done = done;
    y->total = total;
    pthread_mutex_unlock(&y->mutex);
}

static bool stop(void *ctx)
{
    struct ck_gateway *g = ctx;
    return atomic_load(&g->core->ending);
}

static ck_err *run(struct ck_gateway *g, struct ck_surveying *y)
{
    const struct ck_survey_progress p = { .report = report, .stop = stop, .ctx = g };
    struct ck_rules *rules = ck_rules_get(g);
    struct ck_survey_options o = { .registry = y->registry, .sample = y->sample,
                                   .scan = g->o->scan };
    uint64_t number = 0;
    bool done = false;
    o.scan.db = rules->db;
    o.scan.policy = rules->policy;
    ck_err *e = ck_survey_run(g->store, &o, &p, &number, &done);
    ck_rules_put(rules);
    return e;
}

static void *survey_main(void *arg)
{
    struct ck_gateway *g = arg;
    struct ck_surveying *y = g->core->surveying;
    ck_autoerr ck_err *e = run(g, y);
    ck_gateway_say(g, e ? "survey-failed" : "survey-ended", "registry", y->registry, "error",
                   e ? ck_err_text(e) : "", NULL);
    pthread_mutex_lock(&y->mutex);
    y->running = false;
    pthread_mutex_unlock(&y->mutex);
    return NULL;
}

/* With the mutex held. */
static bool start(struct ck_gateway *g, struct ck_surveying *y, ck_view registry, uint64_t sample)
{
    if (y->has_thread)
        pthread_join(y->thread, NULL); /* it has ended, or is about to */
    free(y->registry);
    y->registry = ck_strndup(registry.p, registry.n);
    y->sample = sample;
    y->done = y->total = 0;
    y->has_thread = y->running = pthread_create(&y->thread, NULL, survey_main, g) == 0;
    return y->running;
}

bool ck_surveying_begin(struct ck_gateway *g, ck_view registry, uint64_t sample)
{
    struct ck_surveying *y = g->core->surveying;
    pthread_mutex_lock(&y->mutex);
    bool begun = !y->running && start(g, y, registry, sample);
    pthread_mutex_unlock(&y->mutex);
    return begun;
}

bool ck_surveying_look(struct ck_gateway *g, struct ck_buf *ret_registry, uint64_t *ret_done,
                       uint64_t *ret_total)
{
    struct ck_surveying *y = g->core->surveying;
    pthread_mutex_lock(&y->mutex);
    bool running = y->running;
    if (running) {
        ck_put_bytes(ret_registry, ck_view_str(y->registry));
        *ret_done = y->done;
        *ret_total = y->total;
    }
    pthread_mutex_unlock(&y->mutex);
    return running;
}

bool ck_surveying_end(struct ck_surveying *y)
{
    enum { PATIENCE_SECONDS = 2 };
    struct timespec until;
    if (!y || !y->has_thread)
        return true;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_SECONDS;
    y->has_thread = pthread_timedjoin_np(y->thread, NULL, &until) != 0;
    return !y->has_thread;
}

void ck_surveying_free(struct ck_surveying *y)
{
    if (!y)
        return;
    free(y->registry);
    pthread_mutex_destroy(&y->mutex);
    free(y);
}
