/* The report of a stored image, made anew from what is kept of it:
 *
 *   rebuild_report STORE DIGEST DB [POLICY]     prints the JSON
 *   rebuild_report STORE DIGEST DB --time N     how long it takes, N times in each of two threads
 *
 * For tests: it must be what a scan says.
 */
#include "base/mem.h"
#include "base/text.h"
#include "scan/rebuild.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct work {
    const char *store;
    struct ck_digest digest;
    struct ck_rebuild_options options;
    unsigned long times;
    bool json;
};

static ck_err *once(struct ck_store *s, const struct work *w)
{
    struct ck_rebuilt *r = NULL;
    ck_autobuf struct ck_buf json = ck_buf_new(CK_LIMIT_NONE);
    CK_TRY(ck_rebuild(s, &w->digest, &w->options, &r));
    if (!r)
        return ck_err_new(CK_ERR_UNAVAILABLE, "nothing is kept that a report could be made of");
    ck_err *e = w->json ? ck_report_json(ck_rebuilt_report(r), &json) : NULL;
    ck_rebuilt_free(r);
    if (!e && w->json)
        fwrite(json.p, 1, json.n, stdout);
    return e;
}

static ck_err *run(const struct work *w)
{
    struct ck_store *s = NULL;
    CK_TRY(ck_store_open(w->store, &s));
    ck_err *e = NULL;
    for (unsigned long i = 0; i < w->times && !e; i++)
        e = once(s, w);
    ck_store_close(s);
    return e;
}

static void *thread(void *ctx) { return run(ctx); }

static double ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static ck_err *time_it(struct work *w)
{
    pthread_t other;
    double begun = ms();
    w->json = false;
    if (pthread_create(&other, NULL, thread, w))
        return ck_err_errno(CK_ERR_OURS, "pthread_create");
    ck_err *e = run(w);
    void *failed = NULL;
    pthread_join(other, &failed);
    printf("%.3f ms each, two at a time\n", (ms() - begun) / (double)w->times);
    ck_err_free(failed);
    return e;
}

static ck_err *start(char **argv)
{
    bool timed = argv[4] && strcmp(argv[4], "--time") == 0 && argv[5];
    struct work w = { .store = argv[1], .times = 1, .json = true };
    struct ck_db *db = NULL;
    struct ck_policy *policy = NULL;
    CK_TRY(ck_digest_parse(ck_view_str(argv[2]), &w.digest));
    CK_TRY(ck_db_open(argv[3], &db));
    ck_err *e = ck_policy_load(timed ? NULL : argv[4], &policy);
    w.options = (struct ck_rebuild_options){ .db = db, .policy = policy, .now = time(NULL) };
    if (!e && timed) {
        w.times = strtoul(argv[5], NULL, 10);
        e = time_it(&w);
    } else if (!e) {
        e = run(&w);
    }
    ck_policy_free(policy);
    ck_db_close(db);
    return e;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    ck_autoerr ck_err *e = start(argv);
    if (e)
        fprintf(stderr, "%s\n", ck_err_text(e));
    return e ? ck_err_exit_status(e) : 0;
}
