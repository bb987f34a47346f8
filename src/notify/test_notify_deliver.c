/* Planning and delivering, with commands as receivers: they fail as they are told to. */
#include "advisory/record.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/tree.h"
#include "base/unit.h"
#include "notify/notify_int.h"
#include "store/inventory.h"

#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct rig {
    char dir[64];
    struct ck_store *s;
    struct ck_arena a;
};

static void open_rig(struct rig *r)
{
    *r = (struct rig){ .dir = "/tmp/cocket-notify-XXXXXX" };
    assert_non_null(mkdtemp(r->dir));
    ck_autofree char *store = ck_format("%s/store", r->dir);
    assert_ok(ck_store_open(store, &r->s));
}

static void close_rig(struct rig *r)
{
    ck_store_close(r->s);
    ck_arena_free(&r->a);
    ck_autofree char *line = ck_format("rm -r %s", r->dir);
    assert_int_equal(system(line), 0); /* NOLINT(cert-env33-c) */
}

/* A program of the test's, which finds `dir` in $0. */
static const char *script(struct rig *r, const char *name, const char *text)
{
    const char *path = ck_arena_format(&r->a, "%s/%s", r->dir, name);
    ck_autofree char *whole = ck_format("#!/bin/sh\ncd %s\n%s\n", r->dir, text);
    assert_ok(ck_file_write(path, ck_view_str(whole), CK_FILE_PLAIN));
    assert_int_equal(chmod(path, 0700), 0);
    return path;
}

static int64_t subscribe(struct rig *r, const char *name, const char *path, int64_t digest)
{
    int64_t id = 0;
    struct ck_subscription v = { .name = ck_view_str(name), .way = CK_V("command"),
                                 .target = ck_view_str(path), .severity = -1,
                                 .digest_seconds = digest };
    assert_ok(ck_notify_check(&v));
    assert_ok(ck_store_put_subscription(r->s, &v, &id));
    return id;
}

static void happen(struct rig *r, size_t n, int64_t when)
{
    struct ck_event *v = ck_arena_alloc(&r->a, n, sizeof *v);
    for (size_t i = 0; i < n; i++)
        v[i] = (struct ck_event){ .time = when, .kind = CK_V("moved"), .severity = -1,
                                  .summary = CK_V("x") };
    assert_ok(ck_store_add_events(r->s, v, n));
}

static struct ck_subscription *those(struct rig *r, size_t *ret_n)
{
    struct ck_subscription *v = NULL;
    assert_ok(ck_store_subscriptions(r->s, &r->a, &v, ret_n));
    return v;
}

static struct ck_subscription only(struct rig *r)
{
    size_t n = 0;
    struct ck_subscription *v = those(r, &n);
    assert_int_equal(n, 1);
    return v[0];
}

static size_t due(struct rig *r, int64_t now, struct ck_delivery **ret)
{
    size_t n = 0;
    int64_t next = 0;
    assert_ok(ck_store_due(r->s, now, 1000, &r->a, ret, &n, &next));
    return n;
}

static void deliver(struct rig *r, int64_t now)
{
    const struct ck_notify_options o = { .try_seconds = 1 };
    bool busy = true;
    assert_ok(ck_notify_deliver(r->s, now, &o, &busy));
    assert_false(busy);
}

static size_t lines(struct rig *r, const char *name)
{
    ck_autofree char *path = ck_format("%s/%s", r->dir, name);
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_DOCUMENT);
    size_t n = 0;
    ck_err_free(ck_file_read(path, &b));
    for (size_t i = 0; i < b.n; i++)
        n += b.p[i] == '\n';
    return n;
}

/* --- planning --------------------------------------------------------------------------------- */

static void each_event_is_a_delivery_and_a_flood_a_digest(void **state)
{
    (void)state;
    struct rig r;
    struct ck_delivery *d = NULL;
    const struct ck_notify_options o = { 0 };
    open_rig(&r);
    subscribe(&r, "a", "/bin/true", 0);
    happen(&r, 3, 1000);
    assert_ok(ck_notify_plan(r.s, &o, 1000));
    assert_int_equal(due(&r, 1000, &d), 3);
    assert_int_equal(d[0].n_events, 1);
    assert_ok(ck_notify_plan(r.s, &o, 1000)); /* what lies behind the cursor is not planned again */
    assert_int_equal(due(&r, 1000, &d), 3);
    happen(&r, 17, 1000);
    assert_ok(ck_notify_plan(r.s, &o, 1000)); /* 20 wait: not one too many */
    assert_int_equal(due(&r, 1000, &d), 20);
    happen(&r, 450, 1000);
    assert_ok(ck_notify_plan(r.s, &o, 1000)); /* these wait before the cursor */
    assert_int_equal(due(&r, 1000, &d), 20);
    assert_int_equal(only(&r).cursor, 20);
    assert_ok(ck_store_delivered(r.s, d[0].number, CK_V(""), 1000, 0));
    assert_ok(ck_notify_plan(r.s, &o, 1000));
    size_t n = due(&r, 1000, &d);
    assert_int_equal(n, 19 + 3);
    assert_int_equal(d[19].n_events, CK_MAX_NOTIFY_DIGEST);
    assert_int_equal(d[20].n_events, CK_MAX_NOTIFY_DIGEST);
    assert_int_equal(d[21].n_events, 50);
    assert_int_equal(d[21].events[49], 470);
    close_rig(&r);
}

static void twenty_one_at_once_are_a_digest(void **state)
{
    (void)state;
    struct rig r;
    struct ck_delivery *d = NULL;
    const struct ck_notify_options o = { 0 };
    open_rig(&r);
    subscribe(&r, "a", "/bin/true", 0);
    happen(&r, 21, 1000);
    assert_ok(ck_notify_plan(r.s, &o, 1000));
    assert_int_equal(due(&r, 1000, &d), 1);
    assert_int_equal(d[0].n_events, 21);
    close_rig(&r);
}

/* More than one page of events, most of them not wanted. */
static void many_events_are_planned_at_once(void **state)
{
    (void)state;
    struct rig r;
    struct ck_delivery *d = NULL;
    const struct ck_notify_options o = { 0 };
    open_rig(&r);
    subscribe(&r, "a", "/bin/true", 0);
    struct ck_subscription v = only(&r);
    int64_t id;
    v.kinds = CK_V("base");
    assert_ok(ck_store_put_subscription(r.s, &v, &id));
    happen(&r, 2500, 1000);
    const struct ck_event e = { .time = 1000, .kind = CK_V("base"), .severity = -1 };
    assert_ok(ck_store_add_events(r.s, &e, 1));
    assert_ok(ck_notify_plan(r.s, &o, 1000));
    assert_int_equal(due(&r, 1000, &d), 1);
    assert_int_equal(d[0].events[0], 2501);
    assert_int_equal(only(&r).cursor, 2501);
    close_rig(&r);
}

static void a_digest_waits_for_its_time(void **state)
{
    (void)state;
    struct rig r;
    struct ck_delivery *d = NULL;
    const struct ck_notify_options o = { 0 };
    open_rig(&r);
    subscribe(&r, "a", "/bin/true", 60);
    happen(&r, 2, 1000);
    happen(&r, 1, 1050);
    assert_ok(ck_notify_plan(r.s, &o, 1059));
    assert_int_equal(due(&r, 9999, &d), 0);
    assert_int_equal(only(&r).cursor, 0);
    assert_ok(ck_notify_plan(r.s, &o, 1060));
    assert_int_equal(due(&r, 1060, &d), 1);
    assert_int_equal(d[0].n_events, 3);
    happen(&r, CK_MAX_NOTIFY_DIGEST, 1070); /* full before its time */
    assert_ok(ck_notify_plan(r.s, &o, 1070));
    assert_int_equal(due(&r, 1070, &d), 2);
    close_rig(&r);
}

/* --- delivering ------------------------------------------------------------------------------- */

static void a_failure_is_tried_again_with_the_same_key(void **state)
{
    (void)state;
    struct rig r;
    struct ck_delivery *d = NULL;
    open_rig(&r);
    int64_t now = time(NULL);
    subscribe(&r, "a", script(&r, "it", "echo $COCKET_NOTIFY_KEY >> keys; cat >> bodies; "
                                        "echo >> bodies; echo no luck >&2; [ -e good ]"), 0);
    happen(&r, 1, now);
    deliver(&r, now);
    assert_int_equal(lines(&r, "keys"), 1);
    assert_int_equal(only(&r).waiting, 1);
    assert_view(only(&r).last_error, "exit status 1: no luck");
    deliver(&r, now + 5); /* not due yet */
    assert_int_equal(lines(&r, "keys"), 1);
    assert_int_equal(due(&r, now + 14, &d), 1);
    deliver(&r, now + 14);
    assert_int_equal(lines(&r, "keys"), 2);
    script(&r, "good", "");
    deliver(&r, now + 3600);
    assert_int_equal(lines(&r, "keys"), 3);
    assert_int_equal(only(&r).waiting, 0);
    assert_int_equal(only(&r).delivered, 1);
    deliver(&r, now + 7200);
    assert_int_equal(lines(&r, "keys"), 3); /* through is through */
    ck_autofree char *same = ck_format("cd %s && [ $(sort -u keys | wc -l) = 1 ] && "
                                       "[ $(sort -u bodies | wc -l) = 1 ]", r.dir);
    assert_int_equal(system(same), 0); /* NOLINT(cert-env33-c) */
    close_rig(&r);
}

static void after_three_days_it_is_given_up_and_said(void **state)
{
    (void)state;
    struct rig r;
    open_rig(&r);
    int64_t now = time(NULL);
    subscribe(&r, "a", "/bin/false", 0);
    happen(&r, 1, now);
    deliver(&r, now);
    deliver(&r, now + 3 * 86400 - 1);
    assert_int_equal(only(&r).failed, 0);
    deliver(&r, now + 3 * 86400 + 4000);
    assert_int_equal(only(&r).failed, 1);
    assert_int_equal(only(&r).waiting, 0);
    uint64_t last = 0;
    assert_ok(ck_store_last_event(r.s, &last));
    assert_int_equal(last, 2); /* "undelivered", which "a" is not told */
    deliver(&r, now + 9 * 86400);
    assert_ok(ck_store_last_event(r.s, &last));
    assert_int_equal(last, 2);
    close_rig(&r);
}

static void who_hangs_holds_nobody_else(void **state)
{
    (void)state;
    struct rig r;
    size_t n = 0;
    open_rig(&r);
    int64_t now = time(NULL);
    const char *hang = script(&r, "hang", "sleep 1000"), *note = script(&r, "note", "echo >> said");
    for (int i = 0; i < 5; i++)
        subscribe(&r, ck_arena_format(&r.a, "hang%d", i), hang, 0);
    subscribe(&r, "note", note, 0);
    happen(&r, 3, now);
    int64_t begun = ck_clock_ms();
    deliver(&r, now); /* one after the other, 15 tries of a second would take 15 s */
    assert_true(ck_clock_ms() - begun < 12000);
    assert_int_equal(lines(&r, "said"), 3);
    struct ck_subscription *v = those(&r, &n);
    assert_int_equal(n, 6);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(v[i].waiting, 3);
    close_rig(&r);
}

static void a_notifier_tells_at_once_and_can_be_stopped(void **state)
{
    (void)state;
    struct rig r;
    struct ck_notifier *n = NULL;
    const struct ck_notify_options o = { 0 };
    const struct timespec pause = { .tv_nsec = 20000000 };
    bool busy = false;
    open_rig(&r);
    subscribe(&r, "a", script(&r, "note", "echo >> said"), 0);
    assert_ok(ck_notifier_start(r.s, &o, &n));
    happen(&r, 1, time(NULL));
    for (int i = 0; i < 500 && lines(&r, "said") == 0; i++)
        nanosleep(&pause, NULL);
    assert_int_equal(lines(&r, "said"), 1);
    assert_ok(ck_notify_deliver(r.s, time(NULL), &o, &busy));
    assert_true(busy); /* it is the notifier's work */
    subscribe(&r, "hangs", script(&r, "hang", "echo >> begun; sleep 1000"), 0);
    happen(&r, 1, time(NULL));
    ck_notifier_wake(n);
    for (int i = 0; i < 500 && lines(&r, "begun") == 0; i++)
        nanosleep(&pause, NULL);
    int64_t begun = ck_clock_ms();
    ck_notifier_stop(n);
    assert_true(ck_clock_ms() - begun < 3000);
    size_t count = 0;
    struct ck_subscription *v = those(&r, &count);
    assert_int_equal(v[1].waiting, 1); /* broken off: neither through nor failed */
    assert_int_equal(v[1].last_error.n, 0);
    close_rig(&r);
}

static void feeds_are_told_of_once(void **state)
{
    (void)state;
    struct rig r;
    uint64_t last = 0;
    open_rig(&r);
    assert_ok(ck_notify_feed(r.s, CK_V("debian"), CK_V(""), 1));
    assert_ok(ck_notify_feed(r.s, CK_V("debian"), CK_V("no route"), 2));
    assert_ok(ck_notify_feed(r.s, CK_V("debian"), CK_V("no name"), 3));
    assert_ok(ck_notify_feed(r.s, CK_V("alpine"), CK_V("no name"), 3));
    assert_ok(ck_store_last_event(r.s, &last));
    assert_int_equal(last, 2);
    assert_ok(ck_notify_feed(r.s, CK_V("debian"), CK_V(""), 4));
    assert_ok(ck_notify_feed(r.s, CK_V("debian"), CK_V(""), 5));
    assert_ok(ck_store_last_event(r.s, &last));
    assert_int_equal(last, 3);
    close_rig(&r);
}

static void the_name_of_a_store_stays(void **state)
{
    (void)state;
    struct rig r;
    char one[CK_UUID_TEXT], two[CK_UUID_TEXT];
    open_rig(&r);
    assert_ok(ck_outbox_store_id(r.s, one));
    assert_ok(ck_outbox_store_id(r.s, two));
    assert_string_equal(one, two);
    close_rig(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_event_is_a_delivery_and_a_flood_a_digest),
        cmocka_unit_test(twenty_one_at_once_are_a_digest),
        cmocka_unit_test(many_events_are_planned_at_once),
        cmocka_unit_test(a_digest_waits_for_its_time),
        cmocka_unit_test(a_failure_is_tried_again_with_the_same_key),
        cmocka_unit_test(after_three_days_it_is_given_up_and_said),
        cmocka_unit_test(who_hangs_holds_nobody_else),
        cmocka_unit_test(a_notifier_tells_at_once_and_can_be_stopped),
        cmocka_unit_test(feeds_are_told_of_once),
        cmocka_unit_test(the_name_of_a_store_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
