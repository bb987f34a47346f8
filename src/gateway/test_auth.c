/* AUTH and TOKEN with a store and calls that end here: this file is the gate to auth.c. */
#include "gateway/gateway_int.h"

#include "gateway/credentials.h"
#include "gateway/password.h"
#include "gateway/sessions.h"
#include "store/unit_fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

/* --- the gate --------------------------------------------------------------------------------- */

struct answered {
    bool done;
    uint16_t status;
    uint64_t session;
    uint32_t roles, retry_after, keep_ms;
    char user[128], body[512];
};

/* A call whose answer is kept; core is ours to use. */
struct test_call {
    struct ck_call call;
    struct answered got;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t answered = PTHREAD_COND_INITIALIZER;

static void copy(char *to, size_t size, ck_view v)
{
    snprintf(to, size, "%.*s", CK_VF(v));
}

void ck_call_answer(struct ck_call *c, struct ck_answer *w)
{
    struct test_call *t = (struct test_call *)c;
    pthread_mutex_lock(&mutex);
    t->got = (struct answered){ .done = true, .status = w->status, .session = w->session,
                                .roles = w->roles, .retry_after = w->retry_after,
                                .keep_ms = w->keep_ms };
    copy(t->got.user, sizeof t->got.user, w->message);
    copy(t->got.body, sizeof t->got.body, w->body);
    pthread_cond_broadcast(&answered);
    pthread_mutex_unlock(&mutex);
}

void ck_call_refuse(struct ck_call *c, uint16_t status, enum ck_oci_error code, const char *fmt,
                    ...)
{
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    struct ck_answer w = { .status = status, .code = code, .message = ck_view_str(text) };
    ck_call_answer(c, &w);
}

void ck_call_fail(struct ck_call *c, ck_err *e)
{
    ck_call_refuse(c, 500, CK_OCI_UNKNOWN, "%s", ck_err_text(e));
    ck_err_free(e);
}

void ck_gateway_say(struct ck_gateway *g, const char *event, ...) { (void)g, (void)event; }
void ck_gateway_count(struct ck_gateway *g, const char *metric, int64_t add)
{
    (void)g, (void)metric, (void)add;
}

struct gate {
    struct fixture *f;
    struct ck_gateway_options o;
    struct ck_gateway g;
    struct ck_store *other; /* the command line: another connection */
};

static int gate_setup(void **state)
{
    struct gate *t = ck_new(struct gate);
    if (setup(state) != 0)
        return -1;
    t->f = *state;
    t->o.anonymous_pull = true;
    t->g = (struct ck_gateway){ .o = &t->o, .store = t->f->s, .sessions = ck_logins_new() };
    assert_ok(ck_store_open(t->f->dir, &t->other));
    *state = t;
    return 0;
}

static int gate_teardown(void **state)
{
    struct gate *t = *state;
    ck_logins_free(t->g.sessions);
    ck_store_close(t->other);
    *state = t->f;
    free(t);
    return teardown(state);
}

static void wait_for(struct test_call *c)
{
    pthread_mutex_lock(&mutex);
    while (!c->got.done)
        pthread_cond_wait(&answered, &mutex);
    pthread_mutex_unlock(&mutex);
}

static void begin(struct gate *t, struct test_call *c, enum ck_ask_kind kind)
{
    c->call.g = &t->g;
    c->call.ask.kind = kind;
    c->call.ask.fd = -1;
    ck_auth_ask(&c->call);
}

static struct answered auth_from(struct gate *t, const char *client, const char *header)
{
    struct test_call c = { 0 };
    ck_view word = ck_view_str(header);
    c.call.ask.words = &word;
    c.call.ask.n_words = 1;
    c.call.ask.client = ck_view_str(client);
    begin(t, &c, CK_ASK_AUTH);
    wait_for(&c);
    ck_arena_free(&c.call.arena);
    return c.got;
}

static struct answered auth(struct gate *t, const char *header)
{
    return auth_from(t, "192.0.2.1", header);
}

/* Base64 with the alphabet of section 4, as a client writes it. */
static const char *basic(struct gate *t, const char *pair)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                   "0123456789+/";
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    size_t n = strlen(pair);
    for (size_t i = 0; i < n; i += 3) {
        uint32_t x = (uint32_t)(uint8_t)pair[i] << 16;
        x |= i + 1 < n ? (uint32_t)(uint8_t)pair[i + 1] << 8 : 0;
        x |= i + 2 < n ? (uint32_t)(uint8_t)pair[i + 2] : 0;
        for (int k = 0; k < 4; k++)
            ck_put_u8(&b, i + k > n ? '=' : (uint8_t)alphabet[x >> (18 - 6 * k) & 63]);
    }
    ck_autofree char *text = ck_buf_steal_str(&b);
    return ck_arena_format(&t->f->arena, "Basic %s", text);
}

static struct answered token(struct gate *t, uint64_t session, const char *scope)
{
    struct test_call c = { 0 };
    ck_view word = ck_view_str(scope);
    c.call.ask.words = &word;
    c.call.ask.n_words = *scope != 0;
    c.call.ask.session = session;
    begin(t, &c, CK_ASK_TOKEN);
    wait_for(&c);
    ck_arena_free(&c.call.arena);
    return c.got;
}

static const char *bearer(struct gate *t, const struct answered *a)
{
    char text[64] = "";
    assert_int_equal(sscanf(a->body, "{\"token\":\"%43[A-Za-z0-9_-]\"", text), 1);
    return ck_arena_format(&t->f->arena, "Bearer %s", text);
}

static struct ck_user add_user(struct gate *t, const char *name, uint32_t roles)
{
    struct ck_user u = { .name = ck_view_str(name), .roles = roles,
                         .robot = ck_view_starts(ck_view_str(name), CK_V("robot-")) };
    assert_ok(ck_password_hash(CK_V("sesame"), &t->f->arena, &u.password));
    assert_ok(ck_store_put_user(t->other, &u));
    return u;
}

static bool stands(struct gate *t, uint64_t session)
{
    ck_view user;
    uint32_t roles;
    return ck_session_of(&t->g, session, &t->f->arena, &user, &roles);
}

/* A change of the books counts within a second; we wait that long. */
static bool ends_within_a_second(struct gate *t, uint64_t session)
{
    for (int i = 0; i < 100; i++) {
        if (!stands(t, session))
            return true;
        nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
    }
    return false;
}

/* --- passwords -------------------------------------------------------------------------------- */

static void a_password_opens_a_session(void **state)
{
    struct gate *t = *state;
    add_user(t, "ann", CK_ROLE_PULL | CK_ROLE_PUSH);
    struct answered a = auth(t, basic(t, "ann:sesame"));
    assert_int_equal(a.status, 200);
    assert_string_equal(a.user, "ann");
    assert_int_equal(a.roles, 3);
    assert_true(a.session != 0 && a.keep_ms > 0 && a.keep_ms <= 500);
    assert_true(stands(t, a.session));
    assert_false(stands(t, a.session + 1));
    assert_false(stands(t, 0));
    /* once more is the same session, without the work */
    int64_t before = clock();
    assert_true(auth(t, basic(t, "ann:sesame")).session == a.session);
    assert_true(clock() - before < CLOCKS_PER_SEC / 100);
    assert_int_equal(auth(t, basic(t, "ann:Sesame")).status, 401);
    assert_int_equal(auth(t, basic(t, "bob:sesame")).status, 401);
    assert_int_equal(auth(t, "Basic ???").status, 401);
    assert_int_equal(auth(t, "Digest x").status, 401);
}

static void anonymous_may_pull_where_the_gate_says_so(void **state)
{
    struct gate *t = *state;
    struct answered a = auth(t, "");
    assert_int_equal(a.status, 200);
    assert_true(a.session == 0);
    assert_int_equal(a.roles, CK_ROLE_PULL);
    a = token(t, 0, "repository:x:pull,push");
    assert_int_equal(a.status, 200);
    const char *header = bearer(t, &a);
    a = auth(t, header);
    assert_int_equal(a.status, 200);
    assert_true(a.session == 0);
    assert_int_equal(a.roles, CK_ROLE_PULL);
    t->o.anonymous_pull = false;
    assert_int_equal(auth(t, "").status, 401);
    assert_int_equal(auth(t, header).status, 401);
    assert_int_equal(token(t, 0, "").status, 401);
}

static void sessions_end_with_what_they_rest_on(void **state)
{
    struct gate *t = *state;
    struct ck_user u = add_user(t, "ann", 1);
    bool was = false;
    uint64_t first = auth(t, basic(t, "ann:sesame")).session;
    assert_true(stands(t, first));
    assert_ok(ck_log_append(t->other, CK_V("x"), NULL, CK_V(""), CK_V(""))); /* something else */
    nanosleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL);
    assert_true(stands(t, first));
    u.disabled = true;
    assert_ok(ck_store_put_user(t->other, &u));
    assert_true(ends_within_a_second(t, first));
    assert_int_equal(auth(t, basic(t, "ann:sesame")).status, 401);
    u.disabled = false;
    assert_ok(ck_store_put_user(t->other, &u));
    uint64_t second = auth(t, basic(t, "ann:sesame")).session;
    assert_true(second != 0 && second != first);
    assert_ok(ck_password_hash(CK_V("another"), &t->f->arena, &u.password));
    assert_ok(ck_store_put_user(t->other, &u));
    assert_true(ends_within_a_second(t, second));
    uint64_t third = auth(t, basic(t, "ann:another")).session;
    assert_true(stands(t, third));
    assert_ok(ck_store_remove_user(t->other, CK_V("ann"), &was));
    assert_true(ends_within_a_second(t, third));
    u.expires = time(NULL) - 1;
    assert_ok(ck_store_put_user(t->other, &u));
    assert_int_equal(auth(t, basic(t, "ann:another")).status, 401);
    u.expires = time(NULL) + 2;
    assert_ok(ck_store_put_user(t->other, &u));
    uint64_t fourth = auth(t, basic(t, "ann:another")).session;
    assert_true(fourth != 0);
    nanosleep(&(struct timespec){ .tv_sec = 2 }, NULL);
    assert_false(stands(t, fourth));
}

static ck_err *count_failures(void *ctx, const struct ck_log_record *r)
{
    if (ck_view_eq(r->event, CK_V("login-failed")))
        ++*(unsigned *)ctx;
    return NULL;
}

static void attack_guessing_has_to_wait(void **state)
{
    struct gate *t = *state;
    unsigned logged = 0;
    add_user(t, "ann", 1);
    uint64_t session = auth(t, basic(t, "ann:sesame")).session;
    for (unsigned i = 0; i < CK_MAX_LOGIN_FAILURES; i++)
        assert_int_equal(auth(t, basic(t, i % 2 ? "ann:guess" : "nobody:guess")).status, 401);
    struct answered a = auth(t, basic(t, "ann:guess"));
    assert_int_equal(a.status, 429);
    assert_true(a.retry_after > 0 && a.retry_after <= 60);
    /* also with the right one, but not who has come in before, and nobody else */
    assert_int_equal(auth(t, basic(t, "ann:sesame")).status, 200);
    assert_true(auth(t, basic(t, "ann:sesame")).session == session);
    add_user(t, "bob", 1);
    assert_int_equal(auth(t, basic(t, "bob:sesame")).status, 429);
    assert_int_equal(auth_from(t, "192.0.2.2", basic(t, "bob:sesame")).status, 200);
    assert_ok(ck_log_read(t->f->s, 0, count_failures, &logged));
    assert_int_equal(logged, 1);
}

static double seconds_of(struct gate *t, const char *header, const char *client)
{
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    assert_int_equal(auth_from(t, client, header).status, 401);
    clock_gettime(CLOCK_MONOTONIC, &b);
    return (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

static void attack_the_time_does_not_say_who_is_a_user(void **state)
{
    struct gate *t = *state;
    double known = 1e9, unknown = 1e9;
    add_user(t, "ann", 1);
    seconds_of(t, basic(t, "first:x"), ""); /* makes the hash that nobody has */
    for (int i = 0; i < 5; i++) {
        double a = seconds_of(t, basic(t, "ann:guess"), ""),
               b = seconds_of(t, basic(t, "nobody:guess"), "");
        known = a < known ? a : known;
        unknown = b < unknown ? b : unknown;
    }
    assert_true(unknown > known / 2 && known > unknown / 2);
}

static void logins_beyond_the_limit_are_told_to_wait(void **state)
{
    struct gate *t = *state;
    enum { MORE = 16 };
    size_t n = CK_MAX_PASSWORD_CHECKS + MORE, late = 0, came = 0;
    struct test_call *calls = ck_calloc(n, sizeof *calls);
    add_user(t, "ann", 1);
    ck_view word = ck_view_str(basic(t, "ann:sesame"));
    for (size_t i = 0; i < n; i++) {
        calls[i].call.ask.words = &word;
        calls[i].call.ask.n_words = 1;
        begin(t, &calls[i], CK_ASK_AUTH);
    }
    for (size_t i = 0; i < n; i++) {
        wait_for(&calls[i]);
        late += calls[i].got.status == 429;
        came += calls[i].got.status == 200;
        ck_arena_free(&calls[i].call.arena);
    }
    assert_int_equal(late + came, n);
    assert_true(late > 0 && came >= CK_MAX_PASSWORD_CHECKS);
    free(calls);
}

static void who_waits_is_answered_when_the_gate_ends(void **state)
{
    struct gate *t = *state;
    enum { CALLS = 20 };
    struct test_call calls[CALLS] = { 0 };
    size_t refused = 0;
    add_user(t, "ann", 1);
    ck_view word = ck_view_str(basic(t, "ann:sesame"));
    for (size_t i = 0; i < CALLS; i++) {
        calls[i].call.ask.words = &word;
        calls[i].call.ask.n_words = 1;
        begin(t, &calls[i], CK_ASK_AUTH);
    }
    ck_logins_stop(t->g.sessions);
    for (size_t i = 0; i < CALLS; i++) {
        assert_true(calls[i].got.done);
        refused += calls[i].got.status == 503;
        ck_arena_free(&calls[i].call.arena);
    }
    assert_true(refused > 0);
    assert_int_equal(auth(t, basic(t, "ann:other")).status, 429);
}

/* --- tokens ----------------------------------------------------------------------------------- */

static void a_login_gets_tokens_for_what_it_may(void **state)
{
    struct gate *t = *state;
    struct ck_user u = add_user(t, "ann", CK_ROLE_PULL | CK_ROLE_PUSH);
    u.repository = CK_V("hosted/team/*");
    assert_ok(ck_store_put_user(t->other, &u));
    static const struct {
        const char *scope;
        uint32_t roles;
    } cases[] = {
        { "", CK_ROLE_PULL | CK_ROLE_PUSH },
        { "repository:hosted/team/x:pull", CK_ROLE_PULL },
        { "repository:hosted/team/x:pull,push", CK_ROLE_PULL | CK_ROLE_PUSH },
        { "repository:hosted/other:pull,push", 0 },
        { "registry:catalog:*", 0 },
    };
    uint64_t session = auth(t, basic(t, "ann:sesame")).session;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct answered given = token(t, session, cases[i].scope), a;
        assert_int_equal(given.status, 200);
        assert_non_null(strstr(given.body, "\"access_token\":\""));
        assert_non_null(strstr(given.body, "\"expires_in\":300,\"issued_at\":\"20"));
        a = auth(t, bearer(t, &given));
        assert_int_equal(a.status, 200);
        assert_string_equal(a.user, "ann");
        assert_int_equal(a.roles, cases[i].roles);
        assert_true(a.session != session);
        /* also as a password, under any name */
        const char *pair = ck_arena_format(&t->f->arena, "x:%s", bearer(t, &given) + 7);
        assert_int_equal(auth(t, basic(t, pair)).roles, cases[i].roles);
        /* but it gets no other one */
        assert_int_equal(token(t, a.session, "").status, 401);
    }
    struct answered given = token(t, session, "");
    const char *header = bearer(t, &given);
    u.disabled = true;
    assert_ok(ck_store_put_user(t->other, &u));
    assert_int_equal(auth(t, header).status, 401);
    assert_true(ends_within_a_second(t, session));
    assert_int_equal(token(t, session, "").status, 401);
    assert_int_equal(token(t, 12345, "").status, 401);
    assert_int_equal(auth(t, "Bearer AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").status, 401);
    assert_int_equal(auth(t, "Bearer x").status, 401);
}

static void robots_have_tokens_in_the_books(void **state)
{
    struct gate *t = *state;
    struct ck_user u = { .name = CK_V("robot-ci"), .robot = true, .roles = CK_ROLE_PULL };
    char secret[CK_SECRET_TEXT], old[CK_SECRET_TEXT];
    uint8_t hash[32];
    assert_ok(ck_store_put_user(t->other, &u));
    assert_ok(ck_secret_new(secret, hash));
    assert_ok(ck_store_put_token(t->other, hash, u.name, CK_ROLE_PULL | CK_ROLE_PUSH, 0));
    assert_ok(ck_secret_new(old, hash));
    assert_ok(ck_store_put_token(t->other, hash, u.name, CK_ROLE_PULL, time(NULL) - 1));
    struct answered a = auth(t, ck_arena_format(&t->f->arena, "Bearer %s", secret));
    assert_int_equal(a.status, 200);
    assert_int_equal(a.roles, CK_ROLE_PULL); /* never more than the user has */
    assert_string_equal(a.user, "robot-ci");
    struct answered minted = token(t, a.session, "repository:x:pull");
    assert_int_equal(auth(t, bearer(t, &minted)).status, 200);
    assert_int_equal(auth(t, ck_arena_format(&t->f->arena, "Bearer %s", old)).status, 401);
    assert_int_equal(auth(t, basic(t, "robot-ci:")).status, 401); /* it has no password */
    assert_int_equal(auth(t, basic(t, ck_arena_format(&t->f->arena, "robot-ci:%s", secret))).roles,
                     CK_ROLE_PULL);
    assert_ok(ck_store_drop_tokens(t->other, u.name));
    assert_true(ends_within_a_second(t, a.session));
    assert_int_equal(auth(t, bearer(t, &minted)).status, 401);
}

/* --- tables ----------------------------------------------------------------------------------- */

static struct ck_owner owner(const char *name)
{
    struct ck_owner o = { .roles = 1 };
    snprintf(o.user, sizeof o.user, "%s", name);
    return o;
}

static void the_longest_unused_session_goes(void **state)
{
    (void)state;
    struct ck_seats *s = NULL;
    struct ck_owner o = owner("ann"), got;
    uint8_t key[32] = { 0 };
    int64_t version;
    assert_ok(ck_seats_new(&s));
    uint64_t first = ck_seats_add(s, key, &o, 0), second = 0;
    for (uint64_t i = 1; i < CK_MAX_SESSIONS; i++) {
        memcpy(key, &i, sizeof i);
        uint64_t id = ck_seats_add(s, key, &o, 0);
        second = i == 1 ? id : second;
    }
    assert_true(ck_seats_get(s, first, &got, &version)); /* all have room; and it is used */
    key[31] = 1;
    uint64_t last = ck_seats_add(s, key, &o, 0);
    assert_true(ck_seats_get(s, first, &got, &version));
    assert_true(ck_seats_get(s, last, &got, &version));
    assert_false(ck_seats_get(s, second, &got, &version));
    assert_true(ck_seats_find(s, key) == last);
    ck_seats_end(s, last);
    assert_true(ck_seats_find(s, key) == 0);
    ck_seats_free(s);
}

static void put_minted(struct ck_seats *s, uint32_t number, const char *user)
{
    uint8_t hash[32] = { 0 };
    struct ck_owner o = owner(user);
    o.expires = 300;
    memcpy(hash, &number, sizeof number);
    ck_seats_add_token(s, hash, &o, 100);
}

static bool has_minted(struct ck_seats *s, uint32_t number, int64_t now)
{
    uint8_t hash[32] = { 0 };
    struct ck_owner o;
    memcpy(hash, &number, sizeof number);
    return ck_seats_get_token(s, hash, now, &o);
}

static void the_oldest_tokens_go(void **state)
{
    (void)state;
    struct ck_seats *s = NULL;
    uint32_t n = 0;
    assert_ok(ck_seats_new(&s));
    for (uint32_t i = 0; i < CK_MAX_USER_TOKENS; i++)
        put_minted(s, n++, "ann");
    assert_true(has_minted(s, 0, 299));
    assert_false(has_minted(s, 0, 300));
    put_minted(s, n++, "bob");
    assert_true(has_minted(s, 0, 100));
    put_minted(s, n++, "ann");
    assert_false(has_minted(s, 0, 100));
    assert_true(has_minted(s, 1, 100));
    for (uint32_t i = 0; n <= CK_MAX_GATE_TOKENS; i++) {
        char name[16];
        snprintf(name, sizeof name, "u%u", i / 1000);
        put_minted(s, n++, name);
    }
    assert_true(has_minted(s, 1, 100)); /* the table is full now */
    put_minted(s, n++, "eve");
    assert_false(has_minted(s, 1, 100));
    assert_true(has_minted(s, 2, 100));
    ck_seats_free(s);
}

static void failures_count_for_a_minute(void **state)
{
    (void)state;
    struct ck_seats *s = NULL;
    assert_ok(ck_seats_new(&s));
    ck_view a = CK_V("2001:db8:1:2:aaaa::1"), b = CK_V("2001:db8:1:2:bbbb::2"),
            c = CK_V("2001:db8:1:3::1");
    for (unsigned i = 0; i < CK_MAX_LOGIN_FAILURES; i++) {
        assert_int_equal(ck_seats_wait(s, a, 1000), 0);
        assert_int_equal(ck_seats_failed(s, a, 1000), i == 0);
        ck_seats_failed(s, CK_V(""), 1000);
    }
    assert_int_equal(ck_seats_wait(s, a, 1000), 60);
    assert_int_equal(ck_seats_wait(s, b, 1059), 1); /* of the same /64 */
    assert_int_equal(ck_seats_wait(s, c, 1000), 0);
    assert_int_equal(ck_seats_wait(s, CK_V(""), 1000), 0);
    assert_int_equal(ck_seats_wait(s, a, 1060), 0);
    assert_true(ck_seats_failed(s, a, 1060));
    assert_int_equal(ck_seats_wait(s, a, 1060), 0);
    /* other clients do not push it out before there are too many */
    unsigned logged = 0;
    for (unsigned i = 0; i < CK_MAX_LOGIN_CLIENTS; i++) {
        char text[32];
        snprintf(text, sizeof text, "10.%u.%u.1", i / 256, i % 256);
        logged += ck_seats_failed(s, ck_view_str(text), 2000 + i / 1000);
    }
    assert_int_equal(logged, 60);
    for (unsigned i = 1; i < CK_MAX_LOGIN_FAILURES; i++)
        ck_seats_failed(s, CK_V("10.15.255.1"), 2010);
    assert_true(ck_seats_wait(s, CK_V("10.15.255.1"), 2010) > 0);
    ck_seats_free(s);
}

#define G(name) cmocka_unit_test_setup_teardown(name, gate_setup, gate_teardown)

/* --- logins by a page ------------------------------------------------------------------------- */

static ck_err *page_login(struct gate *t, uint64_t session, char *token)
{
    struct ck_call c = { .g = &t->g, .ask = { .session = session } };
    ck_err *e = ck_login_begin(&c, token);
    ck_arena_free(&c.arena);
    return e;
}

static void a_page_logs_in_and_out(void **state)
{
    struct gate *t = *state;
    char token[CK_SECRET_TEXT], further[CK_SECRET_TEXT];
    add_user(t, "ann", CK_ROLE_PULL);
    uint64_t by_password = auth(t, basic(t, "ann:sesame")).session;
    assert_fails(page_login(t, 0, token), CK_ERR_USAGE, "log in");
    assert_ok(page_login(t, by_password, token));
    const char *header = ck_arena_format(&t->f->arena, "Bearer %s", token);
    struct answered a = auth(t, header);
    assert_int_equal(a.status, 200);
    assert_string_equal(a.user, "ann");
    assert_true(auth(t, header).session == a.session);
    assert_fails(page_login(t, a.session, further), CK_ERR_USAGE, "log in");
    ck_login_end(&t->g, ck_view_str(token));
    assert_false(stands(t, a.session));
    assert_int_equal(auth(t, header).status, 401);
    assert_true(stands(t, by_password));
}

/* Times are given: nobody waits twelve hours for a test. */
static void a_page_s_login_lasts_while_it_is_used(void **state)
{
    (void)state;
    enum { NOW = 1000000 };
    struct ck_seats *s = NULL;
    struct ck_owner o = { .user = "ann", .expires = NOW + 100, .ends = NOW + 1000 }, got;
    struct ck_owner other = { .user = "bob", .expires = NOW + 100 };
    uint8_t hash[32] = { 1 }, others[32] = { 2 }, key[32] = { 3 };
    int64_t version;
    assert_ok(ck_seats_new(&s));
    ck_seats_add_token(s, hash, &o, NOW);
    ck_seats_add_token(s, others, &other, NOW);
    uint64_t session = ck_seats_add(s, key, &o, 0);
    ck_seats_renew(s, hash, session, NOW + 200);
    assert_true(ck_seats_get_token(s, hash, NOW + 199, &got));
    assert_true(got.minted);
    assert_false(ck_seats_get_token(s, hash, NOW + 200, &got));
    assert_true(ck_seats_get(s, session, &got, &version));
    assert_int_equal(got.expires, NOW + 200);
    ck_seats_renew(s, hash, session, NOW + 2000); /* never beyond its end */
    assert_true(ck_seats_get_token(s, hash, NOW + 999, &got));
    assert_false(ck_seats_get_token(s, hash, NOW + 1000, &got));
    ck_seats_renew(s, others, 0, NOW + 200); /* of docker login: is not renewed */
    assert_false(ck_seats_get_token(s, others, NOW + 100, &got));
    ck_seats_drop_token(s, hash);
    assert_false(ck_seats_get_token(s, hash, NOW, &got));
    assert_true(ck_seats_get_token(s, others, NOW, &got));
    ck_seats_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        G(a_password_opens_a_session),
        G(anonymous_may_pull_where_the_gate_says_so),
        G(sessions_end_with_what_they_rest_on),
        G(attack_guessing_has_to_wait),
        G(attack_the_time_does_not_say_who_is_a_user),
        G(logins_beyond_the_limit_are_told_to_wait),
        G(who_waits_is_answered_when_the_gate_ends),
        G(a_login_gets_tokens_for_what_it_may),
        G(robots_have_tokens_in_the_books),
        cmocka_unit_test(the_longest_unused_session_goes),
        cmocka_unit_test(the_oldest_tokens_go),
        cmocka_unit_test(failures_count_for_a_minute),
        G(a_page_logs_in_and_out),
        cmocka_unit_test(a_page_s_login_lasts_while_it_is_used),
    };
    return cmocka_run_group_tests_name("auth", tests, NULL, NULL);
}
