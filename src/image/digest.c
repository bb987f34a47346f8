#include "image/digest.h"

#include "base/mem.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *name, *evp;
    size_t size;
} algorithms[CK_DIGEST_ALGORITHM_COUNT_] = {
    [CK_DIGEST_SHA256] = { "sha256", "SHA256", 32 },
    [CK_DIGEST_SHA512] = { "sha512", "SHA512", 64 },
};

size_t ck_digest_size(enum ck_digest_algorithm alg) { return algorithms[alg].size; }
const char *ck_digest_algorithm_name(enum ck_digest_algorithm alg) { return algorithms[alg].name; }

void ck_hex(const uint8_t *p, size_t n, char *out)
{
    static const char digit[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digit[p[i] >> 4];
        out[2 * i + 1] = digit[p[i] & 15];
    }
    out[2 * n] = 0;
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool ck_unhex(ck_view hex, uint8_t *out, size_t n)
{
    if (hex.n % 2 || hex.n / 2 != n)
        return false;
    for (size_t i = 0; i < hex.n; i++) {
        if (hex_value(hex.p[i]) < 0)
            return false;
    }
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(hex_value(hex.p[2 * i]) << 4 | hex_value(hex.p[2 * i + 1]));
    return true;
}

static ck_err *refuse(ck_view text, const char *why)
{
    ck_view shown = ck_view_head(text, 160);
    return ck_err_new(CK_ERR_HOSTILE, "digest \"%.*s\": %s (OCI image-spec, descriptor, Digests)",
                      CK_VF(shown), why);
}

static bool find_algorithm(ck_view name, enum ck_digest_algorithm *ret)
{
    for (int i = 0; i < CK_DIGEST_ALGORITHM_COUNT_; i++) {
        if (ck_view_eq(name, ck_view_str(algorithms[i].name))) {
            *ret = (enum ck_digest_algorithm)i;
            return true;
        }
    }
    return false;
}

ck_err *ck_digest_parse(ck_view text, struct ck_digest *ret)
{
    ck_view hex;
    size_t colon = ck_view_find(text, ':');
    ck_view name = ck_view_split(text, ':', &hex);
    struct ck_digest d = { 0 };
    if (colon == text.n)
        return refuse(text, "must be ALGORITHM:HEX");
    if (!find_algorithm(name, &d.alg))
        return refuse(text, "the algorithm must be sha256 or sha512");
    if (hex.n != 2 * ck_digest_size(d.alg))
        return refuse(text, d.alg == CK_DIGEST_SHA256 ? "must have 64 hex digits"
                                                      : "must have 128 hex digits");
    if (!ck_unhex(hex, d.bytes, ck_digest_size(d.alg)))
        return refuse(text, "must be hex digits in lower case");
    *ret = d;
    return NULL;
}

const char *ck_digest_text(const struct ck_digest *d, char out[CK_DIGEST_TEXT])
{
    int n = snprintf(out, CK_DIGEST_TEXT, "%s:", ck_digest_algorithm_name(d->alg));
    ck_hex(d->bytes, ck_digest_size(d->alg), out + n);
    return out;
}

bool ck_digest_eq(const struct ck_digest *a, const struct ck_digest *b)
{
    return a->alg == b->alg && memcmp(a->bytes, b->bytes, ck_digest_size(a->alg)) == 0;
}

struct ck_hash {
    EVP_MD_CTX *ctx;
    EVP_MD *md;
    enum ck_digest_algorithm alg;
};

struct ck_hash *ck_hash_new(enum ck_digest_algorithm alg)
{
    /* OpenSSL would open its configuration file on first use; a room has no right to open files. */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    struct ck_hash *h = ck_new(struct ck_hash);
    h->alg = alg;
    h->md = EVP_MD_fetch(NULL, algorithms[alg].evp, NULL);
    h->ctx = EVP_MD_CTX_new();
    if (!h->md || !h->ctx || !EVP_DigestInit_ex2(h->ctx, h->md, NULL))
        abort(); /* both algorithms are part of every libcrypto */
    return h;
}

void ck_hash_free(struct ck_hash *h)
{
    if (!h)
        return;
    EVP_MD_CTX_free(h->ctx);
    EVP_MD_free(h->md);
    free(h);
}

void ck_hash_add(struct ck_hash *h, ck_view v)
{
    if (v.n && !EVP_DigestUpdate(h->ctx, v.p, v.n))
        abort();
}

void ck_hash_finish(struct ck_hash *h, struct ck_digest *ret)
{
    struct ck_digest d = { .alg = h->alg };
    unsigned n = 0;
    if (!EVP_DigestFinal_ex(h->ctx, d.bytes, &n) || n != ck_digest_size(h->alg))
        abort();
    *ret = d;
}

void ck_hash_of(enum ck_digest_algorithm alg, ck_view v, struct ck_digest *ret)
{
    struct ck_hash *h = ck_hash_new(alg);
    ck_hash_add(h, v);
    ck_hash_finish(h, ret);
    ck_hash_free(h);
}
