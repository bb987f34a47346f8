/* Everything that a registry says: header fields, answers, URLs. */
#include "registry/protocol.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

static bool accepts(ck_err *e)
{
    bool yes = !e;
    ck_err_free(e);
    return yes;
}

static void fields(ck_view v, struct ck_arena *a)
{
    struct ck_challenge c;
    ck_view target;
    bool found = false;
    uint64_t seconds;
    if (accepts(ck_challenge_parse(v, a, &c)) && c.scheme == CK_CHALLENGE_BEARER && !c.realm.n)
        abort();
    if (accepts(ck_link_next(v, a, &target, &found)) && found &&
        ck_view_find(target, ' ') < target.n)
        abort();
    const int64_t now = 1700000000;
    if (ck_retry_after(v, now, &seconds) && seconds > INT64_MAX)
        abort();
}

static void answers(ck_view v, struct ck_arena *a)
{
    struct ck_token t;
    if (accepts(ck_token_parse(v, a, &t)) && (t.token.n == 0 || t.expires_in < 60))
        abort();
    ck_view *names = NULL;
    size_t n = 0;
    if (accepts(ck_names_parse(v, "tags", a, &names, &n)))
        for (size_t i = 0; i < n; i++)
            if (!names[i].n || names[i].n > CK_MAX_REGISTRY_NAME ||
                ck_view_find(names[i], '\n') < names[i].n)
                abort();
    ck_view text = ck_registry_error_text(v, a);
    if (text.n > 300 || ck_view_find(text, '\n') < text.n)
        abort();
}

static void urls(ck_view v, struct ck_arena *a)
{
    struct ck_url u, other;
    ck_view second;
    ck_view first = ck_view_split(v, '\n', &second);
    if (!accepts(ck_url_parse(first, a, &u)))
        return;
    if (u.host.n == 0 || u.target.n == 0 || u.target.p[0] != '/' || u.port == 0)
        abort();
    if (ck_view_find(u.host, '@') < u.host.n || !ck_realm_allowed(&u, &u))
        abort();
    if (accepts(ck_url_parse(second, a, &other)) && u.secure == other.secure &&
        ck_realm_allowed(&u, &other) != ck_realm_allowed(&other, &u))
        abort();
}

/* An IPv4 address inside an IPv6 one is as private as it is alone. */
static void addresses(ck_view v)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
    if (v.n < 4)
        return;
    memcpy(&in.sin_addr, v.p, 4);
    in6.sin6_addr.s6_addr[10] = in6.sin6_addr.s6_addr[11] = 0xFF;
    memcpy(in6.sin6_addr.s6_addr + 12, v.p, 4);
    if (ck_address_is_private((const struct sockaddr *)&in) !=
        ck_address_is_private((const struct sockaddr *)&in6))
        abort();
    if (v.n >= 16)
        memcpy(&in6.sin6_addr, v.p, 16);
    ck_address_is_private((const struct sockaddr *)&in6);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_view v = ck_view_of(data, size);
    fields(v, &a);
    answers(v, &a);
    urls(v, &a);
    addresses(v);
    return 0;
}
