/* Standard Webhooks (standardwebhooks.com, specification 1.0.0): symmetric signatures. */
#include "base/base64.h"
#include "base/text.h"
#include "notify/notify_int.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <string.h>
#include <sys/random.h>

#define PREFIX "whsec_"
enum { KEY = 32, MAC = 32 };

static ck_err *key_of(ck_view secret, struct ck_arena *a, ck_view *ret)
{
    *ret = secret;
    if (!ck_view_starts(secret, CK_V(PREFIX)))
        return NULL;
    if (!ck_base64_decode(ck_view_from(secret, sizeof PREFIX - 1), false, a, ret) || ret->n == 0)
        return ck_err_new(CK_ERR_USAGE, "behind whsec_ of a secret comes Base64");
    return NULL;
}

ck_err *ck_sign(ck_view secret, ck_view id, int64_t timestamp, ck_view body, struct ck_buf *out)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf text = ck_buf_new(CK_LIMIT_NONE);
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    ck_view key;
    CK_TRY(key_of(secret, &a, &key));
    ck_put_bytes(&text, id);
    ck_buf_format(&text, ".%lld.", (long long)timestamp);
    ck_put_bytes(&text, body);
    if (!HMAC(EVP_sha256(), key.p, (int)key.n, text.p, text.n, mac, &n) || n != MAC)
        return ck_err_new(CK_ERR_OURS, "HMAC-SHA256 failed");
    ck_put_bytes(out, CK_V("v1,"));
    ck_base64_put(out, ck_view_of(mac, n));
    return NULL;
}

ck_err *ck_notify_new_secret(char out[CK_NOTIFY_SECRET_TEXT])
{
    uint8_t key[KEY];
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    if (getrandom(key, sizeof key, 0) != sizeof key)
        return ck_err_errno(CK_ERR_OURS, "random bytes");
    ck_put_bytes(&b, CK_V(PREFIX));
    ck_base64_put(&b, ck_view_of(key, sizeof key));
    memcpy(out, b.p, b.n); /* 6 + 44 */
    out[b.n] = 0;
    explicit_bzero(key, sizeof key);
    explicit_bzero(b.p, b.n);
    return NULL;
}

void ck_uuid_of(const uint8_t random[16], char out[CK_UUID_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;
    for (size_t i = 0; i < 16; i++) {
        uint8_t x = random[i];
        if (i == 6)
            x = (uint8_t)(0x40 | (x & 0x0F));
        if (i == 8)
            x = (uint8_t)(0x80 | (x & 0x3F));
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[n++] = '-';
        out[n++] = digits[x >> 4];
        out[n++] = digits[x & 15];
    }
    out[n] = 0;
}
