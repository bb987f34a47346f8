#include "serve/sessions.h"

#include "base/limits.h"
#include "base/mem.h"
#include "image/digest.h"

#include <pthread.h>
#include <stdlib.h>

enum { WAYS = 8 };

struct slot {
    uint8_t key[32];
    int64_t until; /* ms; 0: free */
    struct ck_session one;
};

struct ck_sessions {
    pthread_mutex_t mutex;
    struct slot *v;
};

struct ck_sessions *ck_sessions_new(void)
{
    struct ck_sessions *s = ck_new(struct ck_sessions);
    pthread_mutex_init(&s->mutex, NULL);
    s->v = ck_calloc(CK_MAX_SERVE_SESSIONS, sizeof *s->v);
    return s;
}

void ck_sessions_free(struct ck_sessions *s)
{
    pthread_mutex_destroy(&s->mutex);
    free(s->v);
    free(s);
}

static struct slot *set_of(struct ck_sessions *s, ck_view authorization, struct ck_digest *key)
{
    uint32_t at;
    ck_hash_of(CK_DIGEST_SHA256, authorization, key);
    memcpy(&at, key->bytes, sizeof at);
    return s->v + at % (CK_MAX_SERVE_SESSIONS / WAYS) * WAYS;
}

bool ck_sessions_find(struct ck_sessions *s, ck_view authorization, int64_t now_ms,
                      struct ck_session *ret)
{
    struct ck_digest key;
    struct slot *set = set_of(s, authorization, &key);
    bool found = false;
    pthread_mutex_lock(&s->mutex);
    for (size_t i = 0; i < WAYS && !found; i++)
        if (set[i].until > now_ms && memcmp(set[i].key, key.bytes, sizeof set[i].key) == 0) {
            *ret = set[i].one;
            found = true;
        }
    pthread_mutex_unlock(&s->mutex);
    return found;
}

void ck_sessions_keep(struct ck_sessions *s, ck_view authorization, int64_t until_ms,
                      const struct ck_session *one)
{
    struct ck_digest key;
    struct slot *set = set_of(s, authorization, &key), *to = set;
    pthread_mutex_lock(&s->mutex);
    for (size_t i = 0; i < WAYS; i++) {
        if (memcmp(set[i].key, key.bytes, sizeof set[i].key) == 0) {
            to = &set[i];
            break;
        }
        if (set[i].until < to->until)
            to = &set[i];
    }
    memcpy(to->key, key.bytes, sizeof to->key);
    to->until = until_ms;
    to->one = *one;
    pthread_mutex_unlock(&s->mutex);
}

void ck_sessions_forget(struct ck_sessions *s)
{
    pthread_mutex_lock(&s->mutex);
    memset(s->v, 0, CK_MAX_SERVE_SESSIONS * sizeof *s->v);
    pthread_mutex_unlock(&s->mutex);
}
