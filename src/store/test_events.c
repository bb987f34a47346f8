/* Events, who is told of them, and what became of it. */
#include "store/unit_fixture.h"

#include "store/events.h"

/* --- events ----------------------------------------------------------------------------------- */

static void add(struct fixture *f, int64_t time, const char *kind, const char *image,
                const char *repository)
{
    const struct ck_event e = { .time = time, .kind = ck_view_str(kind), .severity = -1,
                                .image = ck_view_str(image), .name = CK_V("r/x:1"),
                                .repository = ck_view_str(repository), .summary = CK_V("what"),
                                .data = CK_V("{}") };
    assert_ok(ck_store_add_events(f->s, &e, 1));
}

static ck_err *remember(void *ctx, const struct ck_event *e)
{
    ck_buf_format(ctx, "%llu %lld %.*s %.*s %.*s\n", (unsigned long long)e->number,
                  (long long)e->time, CK_VF(e->kind), CK_VF(e->image), CK_VF(e->repository));
    return NULL;
}

static void assert_events(struct fixture *f, struct ck_event_filter filter, const char *want)
{
    struct ck_buf said = ck_buf_new(CK_LIMIT_NONE);
    assert_ok(ck_store_events(f->s, &filter, remember, &said));
    ck_autofree char *got = ck_buf_steal_str(&said);
    assert_string_equal(got, want);
}

static uint64_t last(struct fixture *f)
{
    uint64_t n = 99;
    assert_ok(ck_store_last_event(f->s, &n));
    return n;
}

static void events_are_found_by_what_they_are_of(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(last(f), 0);
    assert_ok(ck_store_add_events(f->s, NULL, 0));
    add(f, 10, "findings", "sha256:a", "r/x");
    add(f, 20, "verdict", "sha256:a", "r/x");
    add(f, 30, "findings", "sha256:b", "r/y");
    add(f, 40, "feed", "", "");
    assert_int_equal(last(f), 4);
    assert_events(f, (struct ck_event_filter){ 0 },
                  "1 10 findings sha256:a r/x\n2 20 verdict sha256:a r/x\n"
                  "3 30 findings sha256:b r/y\n4 40 feed  \n");
    assert_events(f, (struct ck_event_filter){ .newest_first = true, .max = 2 },
                  "4 40 feed  \n3 30 findings sha256:b r/y\n");
    assert_events(f, (struct ck_event_filter){ .after = 1, .before = 3 },
                  "2 20 verdict sha256:a r/x\n");
    assert_events(f, (struct ck_event_filter){ .after = 4 }, "");
    assert_events(f, (struct ck_event_filter){ .after = UINT64_MAX, .before = UINT64_MAX },
                  "1 10 findings sha256:a r/x\n2 20 verdict sha256:a r/x\n"
                  "3 30 findings sha256:b r/y\n4 40 feed  \n");
    assert_events(f, (struct ck_event_filter){ .kind = CK_V("findings") },
                  "1 10 findings sha256:a r/x\n3 30 findings sha256:b r/y\n");
    assert_events(f, (struct ck_event_filter){ .image = CK_V("sha256:a"), .newest_first = true },
                  "2 20 verdict sha256:a r/x\n1 10 findings sha256:a r/x\n");
    assert_events(f, (struct ck_event_filter){ .image = CK_V("sha256:a"),
                                               .repository = CK_V("r/y") }, "");
    assert_events(f, (struct ck_event_filter){ .repository = CK_V("r/y") },
                  "3 30 findings sha256:b r/y\n");
    assert_events(f, (struct ck_event_filter){ .repository = CK_V("r/x"), .newest_first = true,
                                               .max = 1 }, "2 20 verdict sha256:a r/x\n");
    assert_events(f, (struct ck_event_filter){ .since = 40 }, "4 40 feed  \n");
    assert_events(f, (struct ck_event_filter){ .name = CK_V("r/x:2") }, "");
}

static ck_err *in_order(void *ctx, const struct ck_event *e)
{
    uint64_t *seen = ctx;
    assert_true(seen[0] == 0 || e->number == seen[1] + 1);
    assert_view(e->summary, "what");
    seen[0]++;
    seen[1] = e->number;
    return NULL;
}

static ck_err *backwards(void *ctx, const struct ck_event *e)
{
    uint64_t *seen = ctx;
    assert_true(seen[0] == 0 || e->number == seen[1] - 1);
    seen[0]++;
    seen[1] = e->number;
    return NULL;
}

static void many_events_are_read_in_pages(void **state)
{
    struct fixture *f = *state;
    enum { MANY = 600 };
    ck_autofree struct ck_event *v = ck_calloc(MANY, sizeof *v);
    uint64_t seen[2] = { 0 };
    for (int i = 0; i < MANY; i++)
        v[i] = (struct ck_event){ .kind = CK_V("test"), .summary = CK_V("what") };
    assert_ok(ck_store_add_events(f->s, v, MANY));
    assert_ok(ck_store_events(f->s, &(struct ck_event_filter){ 0 }, in_order, seen));
    assert_int_equal(seen[0], MANY);
    seen[0] = 0;
    assert_ok(ck_store_events(f->s, &(struct ck_event_filter){ .newest_first = true, .max = 512 },
                              backwards, seen));
    assert_int_equal(seen[0], 512);
}

static void the_oldest_events_go_behind_the_limit(void **state)
{
    struct fixture *f = *state;
    add(f, 1, "test", "", "");
    ck_autofree char *sql = ck_format("UPDATE sqlite_sequence SET seq=%llu WHERE name='event'",
                                      (unsigned long long)CK_MAX_EVENTS - 1);
    tamper(f, sql);
    add(f, 2, "test", "", "");
    assert_events(f, (struct ck_event_filter){ 0 }, "1 1 test  \n1000000 2 test  \n");
    add(f, 3, "test", "", "");
    assert_events(f, (struct ck_event_filter){ 0 }, "1000000 2 test  \n1000001 3 test  \n");
    assert_int_equal(last(f), CK_MAX_EVENTS + 1);
}

static void an_event_stops_at_its_limit(void **state)
{
    struct fixture *f = *state;
    ck_autofree char *bytes = ck_calloc(CK_MAX_EVENT_DATA + 1, 1);
    struct ck_event v[2] = { { .kind = CK_V("test") }, { .kind = CK_V("test") } };
    v[1].data = ck_view_of(bytes, CK_MAX_EVENT_DATA);
    assert_ok(ck_store_add_events(f->s, v, 2));
    v[1].data.n++;
    assert_fails(ck_store_add_events(f->s, v, 2), CK_ERR_LIMIT, "EVENT_DATA");
    assert_int_equal(last(f), 2); /* not the first alone */
}

/* --- subscriptions ---------------------------------------------------------------------------- */

static int64_t subscribe(struct fixture *f, const char *name)
{
    const struct ck_subscription v = { .name = ck_view_str(name), .way = CK_V("webhook"),
                                       .target = CK_V("https://h/x"), .secret = CK_V("s"),
                                       .kinds = CK_V("findings"), .repository = CK_V("r/*"),
                                       .severity = 4, .digest_seconds = 60 };
    int64_t id = 0;
    assert_ok(ck_store_put_subscription(f->s, &v, &id));
    assert_true(id > 0);
    return id;
}

static struct ck_subscription subscription(struct fixture *f, int64_t id)
{
    struct ck_subscription *v;
    size_t n = 0;
    assert_ok(ck_store_subscriptions(f->s, &f->arena, &v, &n));
    for (size_t i = 0; i < n; i++)
        if (v[i].id == id)
            return v[i];
    fail();
    return (struct ck_subscription){ 0 };
}

static void a_subscription_sees_events_from_now_on(void **state)
{
    struct fixture *f = *state;
    add(f, 1, "test", "", "");
    int64_t id = subscribe(f, "ops");
    struct ck_subscription v = subscription(f, id);
    assert_view(v.name, "ops");
    assert_view(v.way, "webhook");
    assert_view(v.target, "https://h/x");
    assert_view(v.secret, "s");
    assert_view(v.kinds, "findings");
    assert_view(v.repository, "r/*");
    assert_int_equal(v.severity, 4);
    assert_int_equal(v.digest_seconds, 60);
    assert_int_equal(v.cursor, 1);
    assert_false(v.disabled);
    assert_true(v.made > 0);
    add(f, 2, "test", "", "");
    v.disabled = true;
    v.severity = -1;
    v.cursor = 7; /* is not taken */
    assert_ok(ck_store_put_subscription(f->s, &v, &id));
    assert_int_equal(id, v.id);
    v = subscription(f, id);
    assert_true(v.disabled);
    assert_int_equal(v.severity, -1);
    assert_int_equal(v.cursor, 1);
}

static void names_of_subscriptions_are_checked(void **state)
{
    struct fixture *f = *state;
    int64_t id = subscribe(f, "ops"), unused = 77;
    ck_autofree char *text = ck_calloc(CK_MAX_SUBSCRIPTION_TEXT + 2, 1);
    memset(text, 'a', CK_MAX_SUBSCRIPTION_TEXT + 1);
    static const char *const bad[] = { "", "Ops", "a b", "a/b", "\xc3\xa4" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(ck_store_put_subscription(f->s, &(struct ck_subscription){
                         .name = ck_view_str(bad[i]) }, &unused), CK_ERR_USAGE, "is no name");
    struct ck_subscription v = { .name = ck_view_of(text, CK_MAX_SUBSCRIPTION_NAME) };
    assert_ok(ck_store_put_subscription(f->s, &v, &unused));
    v.name.n++;
    assert_fails(ck_store_put_subscription(f->s, &v, &unused), CK_ERR_USAGE, "is no name");
    v.name.n = 1;
    v.target = ck_view_of(text, CK_MAX_SUBSCRIPTION_TEXT);
    assert_ok(ck_store_put_subscription(f->s, &v, &unused));
    v.target.n++;
    assert_fails(ck_store_put_subscription(f->s, &v, &unused), CK_ERR_LIMIT, "SUBSCRIPTION_TEXT");
    v = (struct ck_subscription){ .name = CK_V("ops") };
    assert_fails(ck_store_put_subscription(f->s, &v, &unused), CK_ERR_USAGE, "already");
    v.digest_seconds = -1;
    assert_fails(ck_store_put_subscription(f->s, &v, &unused), CK_ERR_USAGE, "-1 seconds");
    v = (struct ck_subscription){ .name = CK_V("other"), .id = id + 100 };
    assert_fails(ck_store_put_subscription(f->s, &v, &unused), CK_ERR_UNAVAILABLE,
                 "no subscription");
}

static void subscriptions_stop_at_their_limit(void **state)
{
    struct fixture *f = *state;
    int64_t id = 0;
    ck_autofree char *sql = ck_format(
        "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<%llu)"
        " INSERT INTO subscription(name, way, target, secret, kinds, repository, severity,"
        " digest_seconds, disabled, cursor, made) SELECT 'n'||i,'','','','','',0,0,0,0,0 FROM n",
        (unsigned long long)CK_MAX_SUBSCRIPTIONS - 1);
    tamper(f, sql);
    subscribe(f, "last");
    assert_fails(ck_store_put_subscription(f->s, &(struct ck_subscription){ .name = CK_V("no") },
                                           &id), CK_ERR_LIMIT, "SUBSCRIPTIONS");
    struct ck_subscription *v;
    size_t n = 0;
    assert_ok(ck_store_subscriptions(f->s, &f->arena, &v, &n));
    assert_int_equal(n, CK_MAX_SUBSCRIPTIONS);
}

/* --- deliveries ------------------------------------------------------------------------------- */

static bool plan(struct fixture *f, int64_t id, uint64_t expected, uint64_t cursor,
                 const struct ck_delivery *v, size_t n)
{
    bool done = false;
    assert_ok(ck_store_plan(f->s, id, expected, cursor, v, n, &done));
    return done;
}

static size_t due(struct fixture *f, int64_t now, size_t max, struct ck_delivery **ret,
                  int64_t *ret_next)
{
    size_t n = 99;
    assert_ok(ck_store_due(f->s, now, max, &f->arena, ret, &n, ret_next));
    return n;
}

static struct ck_delivery of(const char *key, uint64_t *events, size_t n, int64_t when)
{
    return (struct ck_delivery){ .key = ck_view_str(key), .events = events, .n_events = n,
                                 .due = when, .made = 5 };
}

static void a_plan_is_made_once(void **state)
{
    struct fixture *f = *state;
    uint64_t events[] = { 1, 2, 3 };
    int64_t id = subscribe(f, "ops"), next = 77;
    struct ck_delivery *d;
    const struct ck_delivery v[] = { of("k1", events, 2, 100), of("k2", events + 2, 1, 50),
                                     of("k3", NULL, 0, 200) };
    assert_true(plan(f, id, 0, 3, v, 3));
    assert_false(plan(f, id, 0, 3, v, 3)); /* another was faster */
    assert_false(plan(f, id + 1, 0, 3, v, 3));
    assert_int_equal(subscription(f, id).cursor, 3);
    assert_int_equal(subscription(f, id).waiting, 3);
    assert_int_equal(due(f, 49, 10, &d, &next), 0);
    assert_int_equal(next, 50);
    assert_int_equal(due(f, 100, 10, &d, &next), 2);
    assert_int_equal(next, 200);
    assert_view(d[0].key, "k2");
    assert_int_equal(d[0].n_events, 1);
    assert_int_equal(d[0].events[0], 3);
    assert_view(d[1].key, "k1");
    assert_int_equal(d[1].n_events, 2);
    assert_int_equal(d[1].events[1], 2);
    assert_int_equal(d[1].subscription, id);
    assert_int_equal(d[1].made, 5);
    assert_int_equal(due(f, 200, 1, &d, &next), 1);
    assert_int_equal(next, 0);
    assert_true(plan(f, id, 3, 9, NULL, 0));
    assert_int_equal(subscription(f, id).cursor, 9);
}

static void a_delivery_goes_when_it_is_through(void **state)
{
    struct fixture *f = *state;
    uint64_t event = 1;
    int64_t id = subscribe(f, "ops"), next;
    const struct ck_delivery v = of("k", &event, 1, 10);
    struct ck_delivery *d;
    assert_true(plan(f, id, 0, 1, &v, 1));
    assert_int_equal(due(f, 10, 10, &d, &next), 1);
    uint64_t number = d->number;
    assert_ok(ck_store_delivered(f->s, number, CK_V("500"), 11, 20));
    assert_int_equal(due(f, 19, 10, &d, &next), 0);
    assert_int_equal(next, 20);
    assert_int_equal(due(f, 20, 10, &d, &next), 1);
    assert_int_equal(d->tries, 1);
    assert_view(d->key, "k");
    struct ck_subscription s = subscription(f, id);
    assert_view(s.last_error, "500");
    assert_int_equal(s.last_time, 11);
    assert_int_equal(s.failed, 0);
    assert_ok(ck_store_delivered(f->s, number, CK_V(""), 21, 0));
    assert_ok(ck_store_delivered(f->s, number, CK_V(""), 22, 0)); /* by another, too late */
    assert_int_equal(due(f, INT64_MAX, 10, &d, &next), 0);
    s = subscription(f, id);
    assert_int_equal(s.delivered, 1);
    assert_int_equal(s.waiting, 0);
    assert_int_equal(s.last_time, 21);
    assert_view(s.last_error, "");
}

static void what_is_given_up_is_counted(void **state)
{
    struct fixture *f = *state;
    int64_t id = subscribe(f, "ops"), next;
    const struct ck_delivery v[] = { of("a", NULL, 0, 10), of("b", NULL, 0, 20) };
    struct ck_delivery *d;
    assert_true(plan(f, id, 0, 1, v, 2));
    assert_int_equal(due(f, 10, 10, &d, &next), 1);
    assert_ok(ck_store_delivered(f->s, d->number, CK_V("410 gone"), 11, 0));
    assert_ok(ck_store_delivered(f->s, d->number, CK_V(""), 12, 0));
    assert_int_equal(due(f, 19, 10, &d, &next), 0);
    struct ck_subscription s = subscription(f, id);
    assert_int_equal(s.failed, 1);
    assert_int_equal(s.delivered, 0);
    assert_int_equal(s.waiting, 1);
    s.disabled = true;
    assert_ok(ck_store_put_subscription(f->s, &s, &id));
    assert_int_equal(due(f, 20, 10, &d, &next), 0);
    assert_int_equal(next, 0);
    s.disabled = false;
    assert_ok(ck_store_put_subscription(f->s, &s, &id));
    assert_int_equal(due(f, 20, 10, &d, &next), 1);
}

static void what_is_given_up_stays_up_to_a_limit(void **state)
{
    struct fixture *f = *state;
    int64_t id = subscribe(f, "ops"), next;
    struct ck_delivery *d;
    ck_autofree char *sql = ck_format(
        "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<%llu)"
        " INSERT INTO delivery(subscription, key, events, due, tries, made, given_up)"
        " SELECT %lld, 'k', X'', 1, 1, 1, i<%llu FROM n", (unsigned long long)
        CK_MAX_DELIVERIES_GIVEN_UP + 1, (long long)id,
        (unsigned long long)CK_MAX_DELIVERIES_GIVEN_UP);
    tamper(f, sql);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(due(f, 1, 1, &d, &next), 1);
        assert_int_equal(d->number, CK_MAX_DELIVERIES_GIVEN_UP + (uint64_t)i);
        assert_ok(ck_store_delivered(f->s, d->number, CK_V("no"), 1, 0));
        sqlite3 *db = NULL;
        sqlite3_stmt *st = NULL;
        ck_autofree char *path = ck_format("%s/state.db", f->dir);
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_prepare_v2(db, "SELECT min(number) FROM delivery", -1, &st, NULL),
                         SQLITE_OK);
        assert_int_equal(sqlite3_step(st), SQLITE_ROW);
        assert_int_equal(sqlite3_column_int64(st, 0), 1 + i);
        sqlite3_finalize(st);
        sqlite3_close(db);
    }
}

static void deliveries_stop_at_their_limits(void **state)
{
    struct fixture *f = *state;
    int64_t id = subscribe(f, "ops"), next;
    bool done = false;
    ck_autofree uint64_t *events = ck_calloc(CK_MAX_DELIVERY_EVENTS + 1, sizeof *events);
    ck_autofree char *key = ck_calloc(CK_MAX_DELIVERY_KEY + 1, 1);
    struct ck_delivery v = { .events = events, .n_events = CK_MAX_DELIVERY_EVENTS,
                             .key = ck_view_of(key, CK_MAX_DELIVERY_KEY) };
    struct ck_delivery *d;
    assert_true(plan(f, id, 0, 1, &v, 1));
    assert_int_equal(due(f, 0, SIZE_MAX, &d, &next), 1);
    assert_int_equal(d->n_events, CK_MAX_DELIVERY_EVENTS);
    v.n_events++;
    assert_fails(ck_store_plan(f->s, id, 1, 2, &v, 1, &done), CK_ERR_LIMIT, "DELIVERY_EVENTS");
    v.n_events = 1;
    v.key.n++;
    assert_fails(ck_store_plan(f->s, id, 1, 2, &v, 1, &done), CK_ERR_LIMIT, "DELIVERY_KEY");
    assert_int_equal(subscription(f, id).cursor, 1);
    ck_autofree char *sql = ck_format(
        "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<%llu)"
        " INSERT INTO delivery(subscription, key, events, due, tries, made)"
        " SELECT %lld, 'k', X'', 1, 1, 1 FROM n", (unsigned long long)CK_MAX_DELIVERIES_DUE,
        (long long)id);
    tamper(f, sql);
    assert_int_equal(due(f, 1, SIZE_MAX, &d, &next), CK_MAX_DELIVERIES_DUE);
}

static void deliveries_go_with_their_subscription(void **state)
{
    struct fixture *f = *state;
    int64_t id = subscribe(f, "ops"), other = subscribe(f, "dev"), next;
    const struct ck_delivery v = of("a", NULL, 0, 10);
    struct ck_delivery *d;
    bool was = false;
    assert_true(plan(f, id, 0, 1, &v, 1));
    assert_true(plan(f, other, 0, 1, &v, 1));
    assert_ok(ck_store_remove_subscription(f->s, id, &was));
    assert_true(was);
    assert_int_equal(due(f, 10, 10, &d, &next), 1);
    assert_int_equal(d->subscription, other);
    assert_ok(ck_store_remove_subscription(f->s, id, &was));
    assert_false(was);
    assert_true(subscribe(f, "ops") > other); /* numbers are not used again */
    assert_fsck(f, false, "");
}

static void attack_damaged_events(void **state)
{
    struct fixture *f = *state;
    int64_t id = subscribe(f, "ops"), next;
    const struct ck_delivery v = of("a", NULL, 0, 10);
    struct ck_delivery *d;
    size_t n = 0;
    assert_true(plan(f, id, 0, 1, &v, 1));
    tamper(f, "UPDATE delivery SET events=X'010203'");
    assert_fails(ck_store_due(f->s, 10, 10, &f->arena, &d, &n, &next), CK_ERR_OURS, "damaged");
    assert_fsck(f, true, "its events are damaged");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(events_are_found_by_what_they_are_of),
        T(many_events_are_read_in_pages),
        T(the_oldest_events_go_behind_the_limit),
        T(an_event_stops_at_its_limit),
        T(a_subscription_sees_events_from_now_on),
        T(names_of_subscriptions_are_checked),
        T(subscriptions_stop_at_their_limit),
        T(a_plan_is_made_once),
        T(a_delivery_goes_when_it_is_through),
        T(what_is_given_up_is_counted),
        T(what_is_given_up_stays_up_to_a_limit),
        T(deliveries_stop_at_their_limits),
        T(deliveries_go_with_their_subscription),
        T(attack_damaged_events),
    };
    return cmocka_run_group_tests_name("store events", tests, NULL, NULL);
}
