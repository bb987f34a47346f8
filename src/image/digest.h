/* Digests (OCI image-spec v1.1, descriptor, Digests) and the hashing behind them (OpenSSL EVP).
 */
#ifndef CK_IMAGE_DIGEST_H
#define CK_IMAGE_DIGEST_H

#include "base/err.h"
#include "base/view.h"

enum ck_digest_algorithm { CK_DIGEST_SHA256, CK_DIGEST_SHA512, CK_DIGEST_ALGORITHM_COUNT_ };

struct ck_digest {
    enum ck_digest_algorithm alg;
    uint8_t bytes[64]; /* unused ones are 0 */
};

enum { CK_DIGEST_TEXT = 7 + 128 + 1 }; /* "sha512:" hex NUL */

/* Registered algorithms, exact length, lower case; anything else is refused by name. */
CK_MUST ck_err *ck_digest_parse(ck_view text, struct ck_digest *ret);
/* "sha256:..." */
const char *ck_digest_text(const struct ck_digest *d, char out[CK_DIGEST_TEXT]);
size_t ck_digest_size(enum ck_digest_algorithm alg); /* 32, 64 */
const char *ck_digest_algorithm_name(enum ck_digest_algorithm alg);
bool ck_digest_eq(const struct ck_digest *a, const struct ck_digest *b);

struct ck_hash;
struct ck_hash *ck_hash_new(enum ck_digest_algorithm alg);
void ck_hash_free(struct ck_hash *h);
void ck_hash_add(struct ck_hash *h, ck_view v);
void ck_hash_finish(struct ck_hash *h, struct ck_digest *ret);
void ck_hash_of(enum ck_digest_algorithm alg, ck_view v, struct ck_digest *ret);

/* Lower case hex of n bytes; out has 2n+1. */
void ck_hex(const uint8_t *p, size_t n, char *out);
bool ck_unhex(ck_view hex, uint8_t *out, size_t n); /* exactly n bytes, lower case */

#endif
