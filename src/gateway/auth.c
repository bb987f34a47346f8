/* AUTH and TOKEN: who is it, and what may they do.
 *
 * Passwords are verified by one thread, one at a time: each takes memory and time, and the threads
 * that answer pulls must not wait for them.
 */
#include "gateway/credentials.h"
#include "gateway/gateway_int.h"
#include "gateway/password.h"
#include "gateway/sessions.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

_Static_assert(CK_ROLE_PULL == 1 && CK_ROLE_PUSH == 2 && CK_ROLE_RELEASE == 4 &&
               CK_ROLE_ADMIN == 8, "ck_roles_parse has the same order");

enum {
    KEEP_MS = 500,  /* that the room may go on with what AUTH said */
    LOOK_MS = 250,  /* between two looks at the store's version: a user that changes is out within
                       the sum of both */
    TOKEN_SECONDS = 300,
    IDLE_SECONDS = 3600,        /* a login by a page ends when it was not used for so long */
    LOGIN_SECONDS = 12 * 3600,  /* and then in any case: a working day */
};

/* A login that waits for its password to be verified. */
struct login {
    struct ck_call *call;
    struct ck_credentials credentials; /* in the call's arena */
    uint8_t key[32];
    struct login *next;
};

struct ck_sessions {
    struct ck_seats *seats; /* NULL: there were no random bytes; then nobody logs in */
    pthread_mutex_t mutex;  /* over the rest */
    pthread_cond_t more;
    struct login *first, **last;
    size_t n;
    bool running, stopping;
    pthread_t thread;
    int64_t looked; /* ms */
    int64_t version;
    ck_view nobody; /* a hash that no password has, for users that are not there */
    struct ck_arena arena;
};

struct ck_sessions *ck_logins_new(void)
{
    struct ck_sessions *s = ck_new(struct ck_sessions);
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->more, NULL);
    s->last = &s->first;
    ck_err_free(ck_seats_new(&s->seats));
    return s;
}

void ck_logins_free(struct ck_sessions *s)
{
    if (!s)
        return;
    ck_logins_stop(s);
    ck_seats_free(s->seats);
    pthread_cond_destroy(&s->more);
    pthread_mutex_destroy(&s->mutex);
    ck_arena_free(&s->arena);
    free(s);
}

/* --- sessions --------------------------------------------------------------------------------- */

static ck_err *store_version(struct ck_gateway *g, int64_t *ret)
{
    struct ck_sessions *s = g->sessions;
    int64_t now = ck_clock_ms(), version = 0;
    pthread_mutex_lock(&s->mutex);
    bool look = !s->looked || now - s->looked >= LOOK_MS;
    *ret = s->version;
    pthread_mutex_unlock(&s->mutex);
    if (!look)
        return NULL;
    CK_TRY(ck_store_version(g->store, &version));
    pthread_mutex_lock(&s->mutex);
    s->version = version;
    s->looked = now;
    pthread_mutex_unlock(&s->mutex);
    *ret = version;
    return NULL;
}

/* Where the store has changed, who logged in is looked at again. */
static ck_err *look_again(struct ck_gateway *g, uint64_t id, const struct ck_owner *o,
                          int64_t seen, bool *ret)
{
    int64_t version = 0, now = time(NULL);
    CK_TRY(store_version(g, &version));
    *ret = !o->expires || o->expires > now;
    if (!*ret || version == seen)
        return NULL;
    CK_TRY(ck_owner_stands(g->store, o, now, ret));
    if (*ret)
        ck_seats_stands(g->sessions->seats, id, version);
    return NULL;
}

static bool owner_of(struct ck_gateway *g, uint64_t session, struct ck_owner *ret)
{
    struct ck_seats *seats = g->sessions->seats;
    int64_t seen = 0;
    bool stands = false;
    if (!seats || !ck_seats_get(seats, session, ret, &seen))
        return false;
    ck_err *e = look_again(g, session, ret, seen, &stands);
    if (e) {
        ck_gateway_say(g, "failed", "error", ck_err_text(e), NULL);
        ck_err_free(e);
        return false;
    }
    if (!stands)
        ck_seats_end(seats, session);
    return stands;
}

bool ck_session_of(struct ck_gateway *g, uint64_t session, struct ck_arena *a, ck_view *ret_user,
                   uint32_t *ret_roles)
{
    struct ck_owner o;
    if (!owner_of(g, session, &o))
        return false;
    *ret_user = ck_arena_dup(a, ck_view_str(o.user));
    *ret_roles = o.roles;
    return true;
}

/* --- answers ---------------------------------------------------------------------------------- */

static void welcome(struct ck_call *c, uint64_t session, ck_view user, uint32_t roles)
{
    struct ck_answer w = { .status = 200, .session = session, .roles = roles,
                           .message = ck_arena_dup(&c->arena, user), .keep_ms = KEEP_MS,
                           .fd = -1 };
    ck_call_answer(c, &w);
}

static void welcome_anonymous(struct ck_call *c)
{
    if (c->g->o->anonymous_pull)
        welcome(c, 0, CK_V("anonymous"), CK_ROLE_PULL);
    else
        ck_call_refuse(c, 401, CK_OCI_UNAUTHORIZED, "log in first");
}

static void welcome_owner(struct ck_call *c, const uint8_t key[32], const struct ck_owner *o)
{
    ck_gateway_count(c->g, "cocket_logins_total{result=\"ok\"}", 1);
    /* Version 0 is none: the next question looks at the books once more. */
    welcome(c, ck_seats_add(c->g->sessions->seats, key, o, 0), ck_view_str(o->user), o->roles);
}

static void refuse_wait(struct ck_call *c, unsigned seconds, const char *why)
{
    struct ck_answer w = { .status = 429, .code = CK_OCI_TOOMANYREQUESTS,
                           .message = ck_view_str(why), .retry_after = seconds, .fd = -1 };
    ck_call_answer(c, &w);
}

/* The answer is the same whatever was wrong. */
static void refuse_login(struct ck_call *c, ck_view user)
{
    struct ck_gateway *g = c->g;
    ck_gateway_count(g, "cocket_logins_total{result=\"failed\"}", 1);
    if (ck_seats_failed(g->sessions->seats, c->ask.client, time(NULL))) {
        ck_view name = ck_view_head(user, CK_MAX_USER_NAME);
        const char *client = ck_arena_format(&c->arena, "%.*s", CK_VF(c->ask.client)),
                   *shown = ck_arena_format(&c->arena, "%.*s", CK_VF(name));
        ck_gateway_say(g, "login-failed", "user", shown, "client", client, NULL);
        ck_view from = ck_view_str(ck_arena_format(&c->arena, "from %s", *client ? client
                                                                         : "a unix socket"));
        ck_err *e = ck_log_append_as(g->store, "gate", CK_V("login-failed"), NULL, name, from);
        if (e)
            ck_gateway_say(g, "failed", "error", ck_err_text(e), NULL);
        ck_err_free(e);
    }
    ck_call_refuse(c, 401, CK_OCI_UNAUTHORIZED, "no such user, or another password");
}

/* --- tokens as credentials -------------------------------------------------------------------- */

static int64_t sooner(int64_t a, int64_t b)
{
    return !a || (b && b < a) ? b : a;
}

/* A robot's token: what it grants is never more than what its user may. */
static ck_err *owner_by_books(struct ck_gateway *g, const uint8_t hash[32], struct ck_arena *a,
                              struct ck_owner *ret, bool *ret_found)
{
    struct ck_user u;
    struct ck_owner o;
    ck_view user;
    uint32_t roles = 0;
    int64_t expires = 0;
    bool found = false;
    CK_TRY(ck_store_get_token(g->store, hash, a, &user, &roles, &expires, &found));
    if (found)
        CK_TRY(ck_store_get_user(g->store, user, a, &u, &found));
    if (!found)
        return NULL;
    ck_owner_of(&u, &o);
    o.roles &= roles;
    o.expires = sooner(o.expires, expires);
    o.has_token = true;
    memcpy(o.token, hash, 32);
    *ret = o;
    *ret_found = true;
    return NULL;
}

static ck_err *owner_by_token(struct ck_call *c, ck_view secret, struct ck_owner *ret, bool *ret_ok)
{
    uint8_t hash[32];
    int64_t now = time(NULL);
    bool found = false;
    *ret_ok = false;
    if (!ck_secret_looks_so(secret))
        return NULL;
    ck_secret_hash(secret, hash);
    found = ck_seats_get_token(c->g->sessions->seats, hash, now, ret);
    if (!found)
        CK_TRY(owner_by_books(c->g, hash, &c->arena, ret, &found));
    if (found)
        CK_TRY(ck_owner_stands(c->g->store, ret, now, ret_ok));
    if (found && !*ret_ok && ret->minted) /* it does not come back with what it rested on */
        ck_seats_drop_token(c->g->sessions->seats, hash);
    return NULL;
}

static bool is_anonymous(struct ck_call *c, ck_view token)
{
    return ck_view_eq(token, ck_view_str(ck_seats_anonymous(c->g->sessions->seats)));
}

/* --- passwords: a thread of their own --------------------------------------------------------- */

static ck_err *verify(struct ck_sessions *s, const struct login *l, struct ck_owner *ret,
                      bool *ret_ok)
{
    struct ck_gateway *g = l->call->g;
    struct ck_user u = { 0 };
    bool found = false;
    CK_TRY(ck_store_get_user(g->store, l->credentials.user, &l->call->arena, &u, &found));
    if (!s->nobody.n) {
        char secret[CK_SECRET_TEXT];
        uint8_t unused[32];
        CK_TRY(ck_secret_new(secret, unused));
        CK_TRY(ck_password_hash(ck_view_str(secret), &s->arena, &s->nobody));
    }
    bool can = found && u.password.n;
    bool same = ck_password_matches(can ? u.password : s->nobody, l->credentials.secret);
    *ret_ok = can && same && !u.disabled && !(u.expires && u.expires <= time(NULL));
    if (*ret_ok)
        ck_owner_of(&u, ret);
    return NULL;
}

static void finish(struct ck_sessions *s, struct login *l)
{
    struct ck_owner o;
    bool ok = false;
    ck_err *e = verify(s, l, &o, &ok);
    if (e)
        ck_call_fail(l->call, e);
    else if (ok)
        welcome_owner(l->call, l->key, &o);
    else
        refuse_login(l->call, l->credentials.user);
    free(l);
}

static struct login *take(struct ck_sessions *s)
{
    struct login *l = s->first;
    if (l && !(s->first = l->next))
        s->last = &s->first;
    s->n -= l != NULL;
    return l;
}

static void *verifier(void *arg)
{
    struct ck_sessions *s = arg;
    for (;;) {
        pthread_mutex_lock(&s->mutex);
        while (!s->first && !s->stopping)
            pthread_cond_wait(&s->more, &s->mutex);
        struct login *l = s->stopping ? NULL : take(s);
        pthread_mutex_unlock(&s->mutex);
        if (!l)
            return NULL;
        finish(s, l);
    }
}

void ck_logins_stop(struct ck_sessions *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->mutex);
    s->stopping = true;
    bool running = s->running;
    s->running = false;
    pthread_cond_broadcast(&s->more);
    pthread_mutex_unlock(&s->mutex);
    if (running)
        pthread_join(s->thread, NULL);
    for (struct login *l; (l = take(s)) != NULL; free(l))
        ck_call_refuse(l->call, 503, CK_OCI_TOOMANYREQUESTS, "the gate is being closed");
}

/* False: there are too many. */
static bool queue(struct ck_sessions *s, struct login *l)
{
    pthread_mutex_lock(&s->mutex);
    if (!s->running && !s->stopping)
        s->running = pthread_create(&s->thread, NULL, verifier, s) == 0;
    bool ok = s->running && s->n < CK_MAX_PASSWORD_CHECKS;
    if (ok) {
        *s->last = l;
        s->last = &l->next;
        s->n++;
        pthread_cond_signal(&s->more);
    }
    pthread_mutex_unlock(&s->mutex);
    return ok;
}

static void ask_password(struct ck_call *c, const struct ck_credentials *k, const uint8_t key[32])
{
    unsigned wait = ck_seats_wait(c->g->sessions->seats, c->ask.client, time(NULL));
    if (wait) {
        ck_gateway_count(c->g, "cocket_logins_total{result=\"held\"}", 1);
        refuse_wait(c, wait, "too many wrong passwords; try again later");
        return;
    }
    struct login *l = ck_new(struct login);
    *l = (struct login){ .call = c, .credentials = *k };
    memcpy(l->key, key, 32);
    if (queue(c->g->sessions, l))
        return;
    free(l);
    refuse_wait(c, 2, "too many log in at once; try again");
}

/* --- AUTH ------------------------------------------------------------------------------------- */

static void check_token(struct ck_call *c, const struct ck_credentials *k, const uint8_t key[32])
{
    struct ck_owner o;
    bool ok = false;
    ck_err *e = owner_by_token(c, k->secret, &o, &ok);
    if (e)
        ck_call_fail(c, e);
    else if (ok)
        welcome_owner(c, key, &o);
    else if (k->kind == CK_BASIC)
        ask_password(c, k, key);
    else
        ck_call_refuse(c, 401, CK_OCI_UNAUTHORIZED, "the token is not known, or has expired");
}

static void renew(struct ck_call *c, ck_view secret, uint64_t session)
{
    uint8_t hash[32];
    ck_secret_hash(secret, hash);
    ck_seats_renew(c->g->sessions->seats, hash, session, time(NULL) + IDLE_SECONDS);
}

static void auth(struct ck_call *c)
{
    struct ck_credentials k;
    struct ck_owner o;
    uint8_t key[32];
    ck_view header = c->ask.n_words ? c->ask.words[0] : CK_V("");
    ck_err *e = ck_credentials_parse(header, &c->arena, &k);
    if (e) {
        ck_call_refuse(c, 401, CK_OCI_UNAUTHORIZED, "%s", ck_err_text(e));
        ck_err_free(e);
        return;
    }
    if (k.kind == CK_NO_CREDENTIALS || (k.kind == CK_BEARER && is_anonymous(c, k.secret))) {
        welcome_anonymous(c);
        return;
    }
    ck_seats_key(c->g->sessions->seats, k.kind == CK_BASIC ? CK_V("basic") : CK_V("bearer"),
                 k.user, k.secret, key);
    uint64_t session = ck_seats_find(c->g->sessions->seats, key);
    bool known = session && owner_of(c->g, session, &o);
    if (known && o.ends)
        renew(c, k.secret, session);
    if (known)
        welcome(c, session, ck_view_str(o.user), o.roles);
    else
        check_token(c, &k, key);
}

/* --- TOKEN ------------------------------------------------------------------------------------ */

/* Without a scope (docker login) it is as good as what it was asked with. */
static uint32_t granted(const struct ck_call *c, uint32_t roles, ck_view pattern)
{
    uint32_t asked = 0;
    for (size_t i = 0; i < c->ask.n_words; i++) {
        struct ck_scope s;
        if (ck_scope_parse(c->ask.words[i], &s) && ck_scope_within(&s, pattern))
            asked |= s.roles;
    }
    if (c->ask.n_words == 0 || (roles & CK_ROLE_ADMIN))
        return c->ask.n_words == 0 ? roles : asked;
    return roles & asked;
}

static void give(struct ck_call *c, const char *token, int64_t seconds, int64_t now)
{
    char issued[32];
    ck_format_time(issued, now);
    struct ck_answer w = {
        .status = 200, .content_type = CK_V("application/json"), .fd = -1,
        .body = ck_view_str(ck_arena_format(&c->arena, "{\"token\":\"%s\",\"access_token\":\"%s\","
                                            "\"expires_in\":%lld,\"issued_at\":\"%s\"}\n",
                                            token, token, (long long)seconds, issued)),
    };
    ck_call_answer(c, &w);
}

static ck_err *mint(struct ck_call *c, const struct ck_owner *o, int64_t now,
                    char token[CK_SECRET_TEXT], int64_t *ret_seconds)
{
    struct ck_owner minted = *o;
    struct ck_user u = { 0 };
    uint8_t hash[32];
    bool found = false;
    CK_TRY(ck_store_get_user(c->g->store, ck_view_str(o->user), &c->arena, &u, &found));
    CK_TRY(ck_secret_new(token, hash));
    minted.roles = granted(c, o->roles, u.repository);
    minted.expires = sooner(o->expires, now + TOKEN_SECONDS);
    *ret_seconds = minted.expires - now;
    ck_seats_add_token(c->g->sessions->seats, hash, &minted, now);
    return NULL;
}

static void token_for(struct ck_call *c, const struct ck_owner *o)
{
    char token[CK_SECRET_TEXT];
    int64_t now = time(NULL), seconds = 0;
    if (o->minted) {
        ck_call_refuse(c, 401, CK_OCI_UNAUTHORIZED, "a token is given for a password, or for a "
                       "token of the user's own");
        return;
    }
    ck_err *e = mint(c, o, now, token, &seconds);
    if (e)
        ck_call_fail(c, e);
    else
        give(c, token, seconds, now);
}

static void token(struct ck_call *c)
{
    struct ck_owner o;
    if (c->ask.session && owner_of(c->g, c->ask.session, &o))
        token_for(c, &o);
    else if (c->ask.session)
        ck_call_refuse(c, 401, CK_OCI_UNAUTHORIZED, "the session has ended: log in again");
    else if (c->g->o->anonymous_pull)
        give(c, ck_seats_anonymous(c->g->sessions->seats), TOKEN_SECONDS, time(NULL));
    else
        ck_call_refuse(c, 401, CK_OCI_UNAUTHORIZED, "log in first");
}

/* --- logins by a page ------------------------------------------------------------------------- */

ck_err *ck_login_begin(struct ck_call *c, char *ret_token)
{
    struct ck_owner o;
    uint8_t hash[32];
    int64_t now = time(NULL);
    if (!c->ask.session || !owner_of(c->g, c->ask.session, &o) || o.minted)
        return ck_err_with_status(ck_err_new(CK_ERR_USAGE, "log in with a user and its password"),
                                  401);
    CK_TRY(ck_secret_new(ret_token, hash));
    o.ends = sooner(o.expires, now + LOGIN_SECONDS);
    o.expires = sooner(o.ends, now + IDLE_SECONDS);
    ck_seats_add_token(c->g->sessions->seats, hash, &o, now);
    return NULL;
}

void ck_login_end(struct ck_gateway *g, ck_view token)
{
    struct ck_seats *seats = g->sessions->seats;
    uint8_t hash[32], key[32];
    if (!seats)
        return;
    ck_secret_hash(token, hash);
    ck_seats_drop_token(seats, hash);
    ck_seats_key(seats, CK_V("bearer"), CK_V(""), token, key);
    for (uint64_t session; (session = ck_seats_find(seats, key)) != 0;)
        ck_seats_end(seats, session);
}

void ck_auth_ask(struct ck_call *c)
{
    if (!c->g->sessions->seats)
        ck_call_refuse(c, 503, CK_OCI_UNKNOWN, "the gate has no random bytes");
    else if (c->ask.kind == CK_ASK_TOKEN)
        token(c);
    else
        auth(c);
}
