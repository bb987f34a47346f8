#include "gateway/credentials.h"

#include "base/base64.h"
#include "image/digest.h"
#include "serve/wire.h"

#include <string.h>
#include <strings.h>
#include <sys/random.h>

/* --- the header ------------------------------------------------------------------------------- */

static bool is_scheme(ck_view word, const char *name)
{
    return word.n == strlen(name) && strncasecmp((const char *)word.p, name, word.n) == 0;
}

static ck_err *parse_basic(ck_view text, struct ck_arena *a, struct ck_credentials *ret)
{
    ck_view pair;
    if (!ck_base64_decode(text, false, a, &pair))
        return ck_err_new(CK_ERR_HOSTILE, "Authorization: Basic without base64");
    size_t colon = ck_view_find(pair, ':');
    if (colon == pair.n)
        return ck_err_new(CK_ERR_HOSTILE, "Authorization: no colon behind the user");
    for (size_t i = 0; i < colon; i++)
        if (pair.p[i] < 0x20 || pair.p[i] == 0x7f)
            return ck_err_new(CK_ERR_HOSTILE, "Authorization: control characters in the user");
    *ret = (struct ck_credentials){ CK_BASIC, ck_view_head(pair, colon),
                                    ck_view_from(pair, colon + 1) };
    return NULL;
}

static ck_err *parse_bearer(ck_view text, struct ck_arena *a, struct ck_credentials *ret)
{
    if (text.n == 0)
        return ck_err_new(CK_ERR_HOSTILE, "Authorization: Bearer without a token");
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] <= 0x20 || text.p[i] >= 0x7f)
            return ck_err_new(CK_ERR_HOSTILE, "Authorization: a token has visible letters only");
    *ret = (struct ck_credentials){ CK_BEARER, CK_V(""), ck_arena_dup(a, text) };
    return NULL;
}

ck_err *ck_credentials_parse(ck_view header, struct ck_arena *a, struct ck_credentials *ret)
{
    ck_view rest;
    if (header.n > CK_MAX_CREDENTIALS)
        return ck_err_limit(CK_LIMIT_CREDENTIALS, "Authorization: %zu bytes", header.n);
    header = ck_view_trim(header);
    if (header.n == 0) {
        *ret = (struct ck_credentials){ .kind = CK_NO_CREDENTIALS };
        return NULL;
    }
    ck_view scheme = ck_view_split(header, ' ', &rest);
    if (is_scheme(scheme, "Basic"))
        return parse_basic(ck_view_trim(rest), a, ret);
    if (is_scheme(scheme, "Bearer"))
        return parse_bearer(ck_view_trim(rest), a, ret);
    return ck_err_new(CK_ERR_HOSTILE, "Authorization: neither Basic nor Bearer");
}

/* --- scopes ----------------------------------------------------------------------------------- */

static uint32_t roles_of(ck_view action)
{
    static const struct {
        const char *action;
        uint32_t roles;
    } table[] = {
        { "pull", CK_ROLE_PULL }, { "push", CK_ROLE_PUSH }, { "delete", CK_ROLE_PUSH },
        { "*", CK_ROLE_PULL | CK_ROLE_PUSH },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (ck_view_eq(action, ck_view_str(table[i].action)))
            return table[i].roles;
    return 0;
}

bool ck_scope_parse(ck_view text, struct ck_scope *ret)
{
    ck_view rest, actions, type = ck_view_split(text, ':', &rest);
    size_t last = rest.n;
    while (last > 0 && rest.p[last - 1] != ':')
        last--;
    if (!ck_view_eq(type, CK_V("repository")) || last < 2)
        return false;
    struct ck_scope s = { .name = ck_view_head(rest, last - 1) };
    for (actions = ck_view_from(rest, last); actions.n;)
        s.roles |= roles_of(ck_view_split(actions, ',', &actions));
    *ret = s;
    return true;
}

bool ck_repository_matches(ck_view pattern, ck_view name)
{
    if (pattern.n && pattern.p[pattern.n - 1] == '*')
        return ck_view_starts(name, ck_view_head(pattern, pattern.n - 1));
    return ck_view_eq(pattern, name);
}

static bool names_a_registry(ck_view name)
{
    ck_view rest, first = ck_view_split(name, '/', &rest);
    return ck_view_find(first, '.') < first.n || ck_view_find(first, ':') < first.n;
}

/* The name is as in the client's path: what has no registry in front may be Docker's. Which one is
 * meant is seen when it is asked for (place.c), and there the pattern holds once more. */
bool ck_scope_within(const struct ck_scope *s, ck_view pattern)
{
    static const char *const docker[] = { "docker.io/", "docker.io/library/" };
    if (pattern.n == 0 || ck_repository_matches(pattern, s->name))
        return true;
    if (names_a_registry(s->name))
        return false;
    for (size_t i = 0; i < sizeof docker / sizeof *docker; i++) {
        ck_view front = ck_view_str(docker[i]);
        if (ck_view_starts(pattern, front) &&
            ck_repository_matches(ck_view_from(pattern, front.n), s->name))
            return true;
    }
    return false;
}

/* --- secrets ---------------------------------------------------------------------------------- */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void ck_secret_hash(ck_view secret, uint8_t ret_hash[32])
{
    struct ck_digest d;
    ck_hash_of(CK_DIGEST_SHA256, secret, &d);
    memcpy(ret_hash, d.bytes, 32);
}

ck_err *ck_secret_new(char ret[CK_SECRET_TEXT], uint8_t ret_hash[32])
{
    uint8_t bytes[33] = { 0 }; /* the last one stands for the bits that are missing */
    if (getrandom(bytes, 32, 0) != 32)
        return ck_err_errno(CK_ERR_OURS, "random bytes for a token");
    for (size_t i = 0; i < CK_SECRET_TEXT - 1; i++) {
        size_t bit = 6 * i, at = bit / 8;
        unsigned two = (unsigned)bytes[at] << 8 | bytes[at + 1];
        ret[i] = alphabet[two >> (10 - bit % 8) & 63];
    }
    ret[CK_SECRET_TEXT - 1] = 0;
    ck_secret_hash(ck_view_str(ret), ret_hash);
    return NULL;
}

bool ck_secret_looks_so(ck_view text)
{
    if (text.n != CK_SECRET_TEXT - 1)
        return false;
    for (size_t i = 0; i < text.n; i++)
        if (!text.p[i] || !strchr(alphabet, text.p[i]))
            return false;
    return true;
}
