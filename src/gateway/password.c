#include "gateway/password.h"

#include <argon2.h>
#include <sys/random.h>

/* OWASP's smallest choice for Argon2id; the memory bar of the gate leaves room for one. */
enum { MEMORY_KIB = 19 * 1024, PASSES = 2, LANES = 1, SALT = 16, HASH = 32, ENCODED = 256 };

ck_err *ck_password_hash(ck_view password, struct ck_arena *a, ck_view *ret)
{
    uint8_t salt[SALT];
    char encoded[ENCODED];
    if (password.n == 0)
        return ck_err_new(CK_ERR_USAGE, "the password is empty");
    if (password.n > CK_MAX_PASSWORD)
        return ck_err_new(CK_ERR_USAGE, "the password has more than %llu bytes",
                          (unsigned long long)CK_MAX_PASSWORD);
    if (getrandom(salt, sizeof salt, 0) != sizeof salt)
        return ck_err_errno(CK_ERR_OURS, "random bytes for a password");
    int rc = argon2id_hash_encoded(PASSES, MEMORY_KIB, LANES, password.p, password.n, salt,
                                   sizeof salt, HASH, encoded, sizeof encoded);
    if (rc != ARGON2_OK)
        return ck_err_new(CK_ERR_OURS, "hashing a password: %s", argon2_error_message(rc));
    *ret = ck_arena_dup(a, ck_view_str(encoded));
    return NULL;
}

bool ck_password_matches(ck_view encoded, ck_view password)
{
    char text[ENCODED];
    if (encoded.n == 0 || encoded.n >= sizeof text || password.n > CK_MAX_PASSWORD)
        return false;
    memcpy(text, encoded.p, encoded.n);
    text[encoded.n] = 0;
    return argon2id_verify(text, password.n ? (const void *)password.p : "", password.n) ==
           ARGON2_OK;
}
