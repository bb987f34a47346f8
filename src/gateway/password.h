/* Passwords of the gate's users: Argon2id (RFC 9106) with the parameters that stand in the encoded
 * string, "$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH". Each takes 19 MiB and some 30 ms while it is
 * computed: whoever calls this sees to it that few are at once.
 */
#ifndef CK_GATEWAY_PASSWORD_H
#define CK_GATEWAY_PASSWORD_H

#include "base/arena.h"
#include "base/err.h"

/* Class USAGE: empty, or longer than PASSWORD. The encoded string is in `a`. */
CK_MUST ck_err *ck_password_hash(ck_view password, struct ck_arena *a, ck_view *ret);

/* Compares in constant time. False too where `encoded` is no such string. */
bool ck_password_matches(ck_view encoded, ck_view password);

#endif
