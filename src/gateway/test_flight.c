/* Who waits for what: flight.c, with flights whose work is a test's own. */
#include "gateway/flights.h"

#include "base/clock.h"
#include "base/unit.h"

#include <time.h>
#include <unistd.h>

void ck_gateway_count(struct ck_gateway *g, const char *metric, int64_t add)
{
    (void)g;
    (void)metric;
    (void)add;
}

void ck_gateway_say(struct ck_gateway *g, const char *event, ...)
{
    (void)g;
    (void)event;
}

/* --- the work --------------------------------------------------------------------------------- */

static atomic_uint flown, in_image, most_in_image, running, most_running;
static atomic_bool hold; /* flights wait until it is false */

static void most(atomic_uint *of, unsigned n)
{
    unsigned was = atomic_load(of);
    while (n > was && !atomic_compare_exchange_weak(of, &was, n))
        ;
}

static void nap(void)
{
    usleep(2000);
}

static void work_on_image(struct ck_gateway *g, struct ck_flight *f)
{
    struct ck_digest d = { .bytes = { 7 } };
    ck_flights_enter(g->flights, f, &d);
    most(&most_in_image, atomic_fetch_add(&in_image, 1) + 1);
    usleep(20000);
    atomic_fetch_sub(&in_image, 1);
    ck_flights_leave(g->flights, &d);
}

ck_err *ck_fly(struct ck_gateway *g, struct ck_flight *f, struct ck_digest *ret)
{
    atomic_fetch_add(&flown, 1);
    most(&most_running, atomic_fetch_add(&running, 1) + 1);
    atomic_store(&f->percent, 42);
    while (atomic_load(&hold))
        nap();
    if (strncmp(f->name, "same-image", 10) == 0)
        work_on_image(g, f);
    atomic_fetch_sub(&running, 1);
    ret->bytes[0] = 9;
    return strcmp(f->name, "broken") == 0
               ? ck_err_new(CK_ERR_UNAVAILABLE, "nobody is there")
               : NULL;
}

/* --- those who wait --------------------------------------------------------------------------- */

struct count {
    atomic_uint landed, pending, failed, percent;
};

static void done(void *ctx, ck_err *e, const struct ck_flight_result *r)
{
    struct count *c = ctx;
    if (e)
        atomic_fetch_add(&c->failed, 1);
    else if (r->pending)
        atomic_fetch_add(&c->pending, 1);
    else
        atomic_fetch_add(&c->landed, r->digest.bytes[0] == 9);
    if (!e)
        atomic_store(&c->percent, r->percent);
    ck_err_free(e);
}

static void until(atomic_uint *n, unsigned want)
{
    int64_t late = ck_clock_ms() + 10000;
    while (atomic_load(n) < want && ck_clock_ms() < late)
        nap();
    assert_int_equal(atomic_load(n), want);
}

struct fixture {
    struct ck_gateway_options o;
    struct ck_gateway g;
};

static int set_up(void **state)
{
    struct fixture *f = ck_new(struct fixture);
    f->g.o = &f->o;
    atomic_store(&flown, 0);
    atomic_store(&most_running, 0);
    atomic_store(&most_in_image, 0);
    atomic_store(&hold, false);
    assert_ok(ck_flights_new(&f->g, &f->g.flights));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    atomic_store(&hold, false);
    assert_true(ck_flights_free(f->g.flights));
    free(f);
    return 0;
}

/* --- tests ------------------------------------------------------------------------------------ */

static void one_flight_however_many_wait(void **state)
{
    struct fixture *f = *state;
    struct count c = { 0 };
    unsigned percent = 0;
    atomic_store(&hold, true);
    for (int i = 0; i < 64; i++)
        assert_ok(ck_flight_join(&f->g, "a", 10000, done, &c));
    until(&flown, 1);
    assert_true(ck_flights_look(f->g.flights, "a", NULL, &percent));
    assert_int_equal(percent, 42);
    assert_int_equal(ck_flights_count(f->g.flights).waiters, 64);
    atomic_store(&hold, false);
    until(&c.landed, 64);
    assert_int_equal(atomic_load(&flown), 1);
    assert_false(ck_flights_look(f->g.flights, "a", NULL, &percent));
}

static void who_waits_too_long_is_told(void **state)
{
    struct fixture *f = *state;
    struct count soon = { 0 }, later = { 0 };
    atomic_store(&hold, true);
    assert_ok(ck_flight_join(&f->g, "a", 60000, done, &later));
    until(&flown, 1);
    int64_t begin = ck_clock_ms();
    assert_ok(ck_flight_join(&f->g, "a", 50, done, &soon));
    until(&soon.pending, 1);
    assert_in_range(ck_clock_ms() - begin, 45, 2000);
    assert_int_equal(atomic_load(&soon.percent), 42);
    assert_int_equal(atomic_load(&later.pending), 0);
    atomic_store(&hold, false);
    until(&later.landed, 1);
}

static void failures_are_remembered(void **state)
{
    struct fixture *f = *state;
    struct count c = { 0 };
    assert_ok(ck_flight_join(&f->g, "broken", 10000, done, &c));
    until(&c.failed, 1);
    assert_fails(ck_flight_join(&f->g, "broken", 10000, done, &c), CK_ERR_UNAVAILABLE,
                 "nobody is there");
    assert_ok(ck_flight_join(&f->g, "whole", 10000, done, &c));
    until(&c.landed, 1);
    assert_ok(ck_flight_join(&f->g, "whole", 10000, done, &c)); /* successes are the store's */
    until(&c.landed, 2);
    assert_int_equal(atomic_load(&flown), 3);
}

static void one_at_a_time_has_an_image(void **state)
{
    struct fixture *f = *state;
    struct count c = { 0 };
    assert_ok(ck_flight_join(&f->g, "same-image-1", 10000, done, &c));
    assert_ok(ck_flight_join(&f->g, "same-image-2", 10000, done, &c));
    until(&c.landed, 2);
    assert_int_equal(atomic_load(&most_in_image), 1);
    assert_int_equal(atomic_load(&most_running), 2);
}

static void no_more_jobs_than_said(void **state)
{
    struct fixture *f = *state;
    struct count c = { 0 };
    atomic_store(&hold, true);
    for (char name[] = "a"; name[0] <= 'h'; name[0]++)
        assert_ok(ck_flight_join(&f->g, name, 10000, done, &c));
    until(&running, 2);
    usleep(20000);
    assert_int_equal(atomic_load(&running), 2);
    assert_int_equal(ck_flights_count(f->g.flights).queued, 6);
    atomic_store(&hold, false);
    until(&c.landed, 8);
}

static void limits(void **state)
{
    struct fixture *f = *state;
    struct count c = { 0 };
    char name[16];
    atomic_store(&hold, true);
    for (unsigned i = 0; i < CK_MAX_GATE_FLIGHTS; i++) {
        snprintf(name, sizeof name, "n%u", i);
        assert_ok(ck_flight_join(&f->g, name, 60000, done, &c));
    }
    assert_fails(ck_flight_join(&f->g, "one more", 60000, done, &c), CK_ERR_LIMIT,
                 "GATE_FLIGHTS");
    for (unsigned i = 1; i < CK_MAX_GATE_WAITERS; i++)
        assert_ok(ck_flight_join(&f->g, "n0", 60000, done, &c));
    assert_fails(ck_flight_join(&f->g, "n0", 60000, done, &c), CK_ERR_LIMIT, "GATE_WAITERS");
    atomic_store(&hold, false);
    until(&c.landed, CK_MAX_GATE_FLIGHTS + CK_MAX_GATE_WAITERS - 1);
}

/* The end of the gate: all who wait are told, and what flies on says so. */
static void the_end(void **state)
{
    struct fixture f = { 0 };
    struct count c = { 0 };
    (void)state;
    f.g.o = &f.o;
    atomic_store(&flown, 0);
    assert_ok(ck_flights_new(&f.g, &f.g.flights));
    atomic_store(&hold, true);
    assert_ok(ck_flight_join(&f.g, "a", 60000, done, &c));
    until(&flown, 1);
    assert_ok(ck_flight_join(&f.g, "b", 60000, done, &c));
    assert_false(ck_flights_free(f.g.flights));
    assert_int_equal(atomic_load(&c.pending), 2);
    atomic_store(&hold, false);
    assert_true(ck_flights_free(f.g.flights));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(one_flight_however_many_wait), T(who_waits_too_long_is_told),
        T(failures_are_remembered),      T(one_at_a_time_has_an_image),
        T(no_more_jobs_than_said),       T(limits),
        cmocka_unit_test(the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
