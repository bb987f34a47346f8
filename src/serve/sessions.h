/* Who the bearer of an Authorization header is, kept for as long as the hub said, by the SHA-256 of
 * the header: no secret stays in memory.
 */
#ifndef CK_SERVE_SESSIONS_H
#define CK_SERVE_SESSIONS_H

#include "base/view.h"

enum { CK_SESSION_USER = 128 };
struct ck_session {
    uint64_t session;
    uint32_t roles;
    char user[CK_SESSION_USER]; /* cut */
};

struct ck_sessions;
struct ck_sessions *ck_sessions_new(void);
void ck_sessions_free(struct ck_sessions *s);
bool ck_sessions_find(struct ck_sessions *s, ck_view authorization, int64_t now_ms,
                      struct ck_session *ret);
void ck_sessions_keep(struct ck_sessions *s, ck_view authorization, int64_t until_ms,
                      const struct ck_session *one);
void ck_sessions_forget(struct ck_sessions *s);

#endif
