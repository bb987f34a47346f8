/* What a client says it is: the Authorization header (RFC 9110, 11.6.2; RFC 7617, RFC 6750), scopes
 * of the token protocol, and the secrets that the gate gives out.
 */
#ifndef CK_GATEWAY_CREDENTIALS_H
#define CK_GATEWAY_CREDENTIALS_H

#include "base/arena.h"
#include "base/err.h"

struct ck_credentials {
    enum ck_credentials_kind { CK_NO_CREDENTIALS, CK_BASIC, CK_BEARER } kind;
    ck_view user;   /* of BASIC; no control characters, no colon */
    ck_view secret; /* password or token */
};
/* An empty header is NO_CREDENTIALS. Class HOSTILE: another scheme, no base64, no colon; LIMIT:
 * CREDENTIALS. Views are in `a`. The error never quotes the secret. */
CK_MUST ck_err *ck_credentials_parse(ck_view header, struct ck_arena *a,
                                     struct ck_credentials *ret);

/* "repository:NAME:pull,push"; NAME may have a port in it. */
struct ck_scope {
    ck_view name;
    uint32_t roles; /* CK_ROLE_* that its actions need */
};
/* False: another type, or none at all. Such scopes grant nothing. */
bool ck_scope_parse(ck_view text, struct ck_scope *ret);
/* A repository that users are bound to: its name, or the beginning of names with a star behind. */
bool ck_repository_matches(ck_view pattern, ck_view name);
/* Whether a user bound to `pattern` (struct ck_user) may have such a scope. */
bool ck_scope_within(const struct ck_scope *s, ck_view pattern);

/* 32 random bytes as base64url, and their place in the books: the SHA-256 of that text. */
enum { CK_SECRET_TEXT = 44 };
CK_MUST ck_err *ck_secret_new(char ret[CK_SECRET_TEXT], uint8_t ret_hash[32]);
void ck_secret_hash(ck_view secret, uint8_t ret_hash[32]);
/* Whether it could be one: a password that looks otherwise need not be looked up. */
bool ck_secret_looks_so(ck_view text);

#endif
