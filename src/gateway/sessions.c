#include "gateway/sessions.h"

#include "base/mem.h"
#include "gateway/credentials.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

enum { MINUTE = 60, ADDRESS = 64, LOGGED = 60 /* lines a minute */ };

/* A session's number has its seat in the lowest bits: it is found without a search. */
struct seat {
    uint64_t id; /* 0: empty */
    uint64_t used; /* by the clock of uses */
    int64_t version;
    uint8_t key[32];
    struct ck_owner owner;
};

struct minted {
    uint8_t hash[32];
    int64_t made;
    struct ck_owner owner;
};

struct failures {
    char client[ADDRESS];
    int64_t since;
    unsigned n;
};

struct ck_seats {
    pthread_mutex_t mutex;
    uint8_t secret[32];
    char anonymous[CK_SECRET_TEXT];
    uint64_t uses;
    struct seat *seats; /* SESSIONS */
    CK_VEC(struct minted) tokens; /* oldest first */
    CK_VEC(struct failures) failures;
    int64_t logged_since;
    unsigned logged;
};

/* --- owners ----------------------------------------------------------------------------------- */

static void hash_row(const struct ck_user *u, uint8_t ret[32])
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_put_str(&b, u->name);
    ck_put_u32(&b, u->roles);
    ck_put_str(&b, u->repository);
    ck_put_str(&b, u->password);
    ck_put_u64(&b, (uint64_t)u->expires);
    ck_put_u8(&b, u->disabled);
    ck_secret_hash(ck_buf_view(&b), ret);
}

void ck_owner_of(const struct ck_user *u, struct ck_owner *ret)
{
    struct ck_owner o = { .roles = u->roles, .expires = u->expires };
    ck_view name = ck_view_head(u->name, sizeof o.user - 1);
    memcpy(o.user, name.p, name.n);
    hash_row(u, o.row);
    *ret = o;
}

static ck_err *token_stands(struct ck_store *s, const struct ck_owner *o, struct ck_arena *a,
                            bool *ret)
{
    ck_view user;
    uint32_t roles;
    int64_t expires;
    if (!o->has_token)
        return NULL;
    return ck_store_get_token(s, o->token, a, &user, &roles, &expires, ret);
}

ck_err *ck_owner_stands(struct ck_store *s, const struct ck_owner *o, int64_t now, bool *ret)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_user u;
    uint8_t row[32];
    bool ok = false;
    *ret = false;
    if (o->expires && o->expires <= now)
        return NULL;
    CK_TRY(ck_store_get_user(s, ck_view_str(o->user), &a, &u, &ok));
    if (!ok || u.disabled)
        return NULL;
    hash_row(&u, row);
    ok = memcmp(row, o->row, sizeof row) == 0;
    if (ok)
        CK_TRY(token_stands(s, o, &a, &ok));
    *ret = ok;
    return NULL;
}

/* --- the whole -------------------------------------------------------------------------------- */

ck_err *ck_seats_new(struct ck_seats **ret)
{
    uint8_t unused[32];
    struct ck_seats *s = ck_new(struct ck_seats);
    pthread_mutex_init(&s->mutex, NULL);
    s->seats = ck_calloc(CK_MAX_SESSIONS, sizeof *s->seats);
    ck_err *e = ck_secret_new(s->anonymous, unused);
    if (!e && getrandom(s->secret, sizeof s->secret, 0) != sizeof s->secret)
        e = ck_err_errno(CK_ERR_OURS, "random bytes for the sessions");
    if (e) {
        ck_seats_free(s);
        return e;
    }
    *ret = s;
    return NULL;
}

void ck_seats_free(struct ck_seats *s)
{
    if (!s)
        return;
    pthread_mutex_destroy(&s->mutex);
    free(s->seats);
    free(s->tokens.v);
    free(s->failures.v);
    free(s);
}

const char *ck_seats_anonymous(const struct ck_seats *s)
{
    return s->anonymous;
}

void ck_seats_key(const struct ck_seats *s, ck_view kind, ck_view user, ck_view secret,
                  uint8_t ret[32])
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_put_bytes(&b, ck_view_of(s->secret, sizeof s->secret));
    ck_put_str(&b, kind);
    ck_put_str(&b, user);
    ck_put_str(&b, secret);
    ck_secret_hash(ck_buf_view(&b), ret);
    explicit_bzero(b.p, b.n);
}

/* --- sessions --------------------------------------------------------------------------------- */

uint64_t ck_seats_find(struct ck_seats *s, const uint8_t key[32])
{
    uint64_t id = 0;
    pthread_mutex_lock(&s->mutex);
    for (size_t i = 0; i < CK_MAX_SESSIONS && !id; i++)
        if (s->seats[i].id && memcmp(s->seats[i].key, key, 32) == 0)
            id = s->seats[i].id;
    pthread_mutex_unlock(&s->mutex);
    return id;
}

/* An empty seat, or the one that was longest unused. */
static size_t choose(const struct ck_seats *s)
{
    size_t best = 0;
    for (size_t i = 0; i < CK_MAX_SESSIONS; i++) {
        if (!s->seats[i].id)
            return i;
        if (s->seats[i].used < s->seats[best].used)
            best = i;
    }
    return best;
}

static uint64_t random_id(size_t seat)
{
    uint64_t high = 0;
    while (high / CK_MAX_SESSIONS == 0)
        if (getrandom(&high, sizeof high, 0) != sizeof high)
            high = 0;
    return high / CK_MAX_SESSIONS * CK_MAX_SESSIONS + seat;
}

uint64_t ck_seats_add(struct ck_seats *s, const uint8_t key[32], const struct ck_owner *o,
                      int64_t version)
{
    pthread_mutex_lock(&s->mutex);
    size_t i = choose(s);
    struct seat *seat = &s->seats[i];
    *seat = (struct seat){ .id = random_id(i), .used = ++s->uses, .version = version,
                           .owner = *o };
    memcpy(seat->key, key, 32);
    uint64_t id = seat->id;
    pthread_mutex_unlock(&s->mutex);
    return id;
}

/* With the mutex held. */
static struct seat *seat_of(struct ck_seats *s, uint64_t id)
{
    struct seat *seat = &s->seats[id % CK_MAX_SESSIONS];
    return id && seat->id == id ? seat : NULL;
}

bool ck_seats_get(struct ck_seats *s, uint64_t id, struct ck_owner *ret, int64_t *ret_version)
{
    pthread_mutex_lock(&s->mutex);
    struct seat *seat = seat_of(s, id);
    if (seat) {
        seat->used = ++s->uses;
        *ret = seat->owner;
        *ret_version = seat->version;
    }
    pthread_mutex_unlock(&s->mutex);
    return seat != NULL;
}

void ck_seats_stands(struct ck_seats *s, uint64_t id, int64_t version)
{
    pthread_mutex_lock(&s->mutex);
    struct seat *seat = seat_of(s, id);
    if (seat)
        seat->version = version;
    pthread_mutex_unlock(&s->mutex);
}

void ck_seats_end(struct ck_seats *s, uint64_t id)
{
    pthread_mutex_lock(&s->mutex);
    struct seat *seat = seat_of(s, id);
    if (seat)
        *seat = (struct seat){ 0 };
    pthread_mutex_unlock(&s->mutex);
}

/* --- tokens ----------------------------------------------------------------------------------- */

static void drop_token(struct ck_seats *s, size_t i)
{
    memmove(s->tokens.v + i, s->tokens.v + i + 1, (s->tokens.n - i - 1) * sizeof *s->tokens.v);
    s->tokens.n--;
}

static void drop_expired(struct ck_seats *s, int64_t now)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->tokens.n; i++)
        if (s->tokens.v[i].owner.expires > now)
            s->tokens.v[kept++] = s->tokens.v[i];
    s->tokens.n = kept;
}

/* Makes room: the user's oldest where the user has too many, else the oldest of all. */
static void make_room(struct ck_seats *s, const char *user)
{
    size_t n = 0, oldest = 0;
    for (size_t i = s->tokens.n; i-- > 0;) {
        if (strcmp(s->tokens.v[i].owner.user, user) == 0) {
            n++;
            oldest = i;
        }
    }
    if (n >= CK_MAX_USER_TOKENS)
        drop_token(s, oldest);
    else if (s->tokens.n >= CK_MAX_GATE_TOKENS)
        drop_token(s, 0);
}

void ck_seats_add_token(struct ck_seats *s, const uint8_t hash[32], const struct ck_owner *o,
                        int64_t now)
{
    struct minted m = { .made = now, .owner = *o };
    memcpy(m.hash, hash, 32);
    m.owner.minted = true;
    pthread_mutex_lock(&s->mutex);
    drop_expired(s, now);
    make_room(s, o->user);
    *ck_push(&s->tokens) = m;
    pthread_mutex_unlock(&s->mutex);
}

bool ck_seats_get_token(struct ck_seats *s, const uint8_t hash[32], int64_t now,
                        struct ck_owner *ret)
{
    bool found = false;
    pthread_mutex_lock(&s->mutex);
    for (size_t i = 0; i < s->tokens.n && !found; i++) {
        const struct minted *m = &s->tokens.v[i];
        found = memcmp(m->hash, hash, 32) == 0 && m->owner.expires > now;
        if (found)
            *ret = m->owner;
    }
    pthread_mutex_unlock(&s->mutex);
    return found;
}

static void prolong(struct ck_owner *o, int64_t expires)
{
    if (o->ends)
        o->expires = expires < o->ends ? expires : o->ends;
}

void ck_seats_renew(struct ck_seats *s, const uint8_t hash[32], uint64_t session, int64_t expires)
{
    pthread_mutex_lock(&s->mutex);
    for (size_t i = 0; i < s->tokens.n; i++)
        if (memcmp(s->tokens.v[i].hash, hash, 32) == 0)
            prolong(&s->tokens.v[i].owner, expires);
    struct seat *seat = seat_of(s, session);
    if (seat)
        prolong(&seat->owner, expires);
    pthread_mutex_unlock(&s->mutex);
}

void ck_seats_drop_token(struct ck_seats *s, const uint8_t hash[32])
{
    pthread_mutex_lock(&s->mutex);
    for (size_t i = s->tokens.n; i-- > 0;)
        if (memcmp(s->tokens.v[i].hash, hash, 32) == 0)
            drop_token(s, i);
    pthread_mutex_unlock(&s->mutex);
}

/* --- failures --------------------------------------------------------------------------------- */

/* An IPv6 address stands for its /64, which is what one customer has. */
static void client_text(ck_view client, char out[ADDRESS])
{
    struct in6_addr a;
    ck_view head = ck_view_head(client, ADDRESS - 1);
    memcpy(out, head.p, head.n);
    out[head.n] = 0;
    if (inet_pton(AF_INET6, out, &a) != 1 || IN6_IS_ADDR_V4MAPPED(&a))
        return;
    memset(a.s6_addr + 8, 0, 8);
    inet_ntop(AF_INET6, &a, out, ADDRESS);
}

static struct failures *failures_of(struct ck_seats *s, const char *client)
{
    for (size_t i = 0; i < s->failures.n; i++)
        if (strcmp(s->failures.v[i].client, client) == 0)
            return &s->failures.v[i];
    return NULL;
}

unsigned ck_seats_wait(struct ck_seats *s, ck_view client, int64_t now)
{
    char text[ADDRESS];
    unsigned wait = 0;
    if (client.n == 0)
        return 0;
    client_text(client, text);
    pthread_mutex_lock(&s->mutex);
    const struct failures *f = failures_of(s, text);
    if (f && f->n >= CK_MAX_LOGIN_FAILURES && now < f->since + MINUTE)
        wait = (unsigned)(f->since + MINUTE - now);
    pthread_mutex_unlock(&s->mutex);
    return wait;
}

/* The one that began first makes room. */
static struct failures *new_failures(struct ck_seats *s)
{
    size_t oldest = 0;
    if (s->failures.n < CK_MAX_LOGIN_CLIENTS)
        return ck_push(&s->failures);
    for (size_t i = 1; i < s->failures.n; i++)
        if (s->failures.v[i].since < s->failures.v[oldest].since)
            oldest = i;
    return &s->failures.v[oldest];
}

/* With the mutex held: many clients that fail must not fill the log. */
static bool may_log(struct ck_seats *s, int64_t now)
{
    if (now >= s->logged_since + MINUTE) {
        s->logged_since = now;
        s->logged = 0;
    }
    return s->logged++ < LOGGED;
}

bool ck_seats_failed(struct ck_seats *s, ck_view client, int64_t now)
{
    char text[ADDRESS];
    client_text(client, text);
    pthread_mutex_lock(&s->mutex);
    struct failures *f = failures_of(s, text);
    if (!f) {
        f = new_failures(s);
        *f = (struct failures){ .since = now };
        memcpy(f->client, text, sizeof text);
    } else if (now >= f->since + MINUTE) {
        f->since = now;
        f->n = 0;
    }
    bool first = f->n++ == 0;
    bool log = first && may_log(s, now);
    pthread_mutex_unlock(&s->mutex);
    return log;
}
