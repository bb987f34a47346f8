/* The words of the OCI distribution protocol 1.1: pure functions from bytes to values, used by the
 * fetch room. Everything here comes from a registry and is hostile.
 */
#ifndef CK_REGISTRY_PROTOCOL_H
#define CK_REGISTRY_PROTOCOL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* WWW-Authenticate (RFC 9110 section 11.6.1; distribution, token authentication). */
struct ck_challenge {
    enum { CK_CHALLENGE_NONE, CK_CHALLENGE_BASIC, CK_CHALLENGE_BEARER } scheme;
    ck_view realm, service, scope, error; /* unquoted; in the arena */
};
/* One header value, which may hold several challenges: Bearer is preferred to Basic, the first to
 * later ones. Unknown schemes are passed over; a Bearer challenge without realm is refused. */
CK_MUST ck_err *ck_challenge_parse(ck_view header, struct ck_arena *a, struct ck_challenge *ret);

/* The token server's answer: {"token" | "access_token", "expires_in", "issued_at"}. */
struct ck_token {
    ck_view token;       /* visible ASCII only */
    uint64_t expires_in; /* seconds; 60 where it does not say, at least 60, at most a day */
};
CK_MUST ck_err *ck_token_parse(ck_view json, struct ck_arena *a, struct ck_token *ret);

/* {"errors":[{"code","message","detail"}]} as one line: "DENIED: ...", or what token servers say
 * instead; empty where it is none. Never fails: an error body is only there to be shown. Cut at 300
 * bytes, escaped by whoever prints it. */
ck_view ck_registry_error_text(ck_view json, struct ck_arena *a);

/* {"repositories": [...]} of _catalog and {"tags": [...]} of tags/list, by `key`; null: none. Each
 * is visible ASCII of at most REGISTRY_NAME bytes, which may still be no name. Limit LISTED_NAMES.
 */
CK_MUST ck_err *ck_names_parse(ck_view json, const char *key, struct ck_arena *a, ck_view **ret,
                               size_t *ret_n);

/* Link: </v2/x/referrers/...>; rel="next" (RFC 8288). *ret_found false where there is none. The
 * target is as sent, mostly a path: the caller resolves it and compares the host. */
CK_MUST ck_err *ck_link_next(ck_view header, struct ck_arena *a, ck_view *ret_target,
                             bool *ret_found);

/* Retry-After: seconds or an HTTP date, and RateLimit-Reset (also as seconds since 1970); in
 * seconds from `now`, as many as were asked for: the caller has a ceiling. False where the value is
 * neither. */
bool ck_retry_after(ck_view header, int64_t now, uint64_t *ret_seconds);

/* scheme, host, port, path of an absolute http(s) URL; user info and fragments are refused. */
struct ck_url {
    bool secure;
    ck_view host; /* without brackets and port, lower case; IPv6 in its normal form */
    unsigned port;
    ck_view target; /* from the '/' on; "/" where there is none */
};
CK_MUST ck_err *ck_url_parse(ck_view text, struct ck_arena *a, struct ck_url *ret);

/* Whether credentials for `host` may be sent to `realm` (CVE-2026-33540, CVE-2026-48978): the same
 * registrable site (the last two labels, the last three below a two-letter second level such as
 * co.uk), https if the registry spoke https; the well-known pairs (docker.io's auth.docker.io and
 * registry-1.docker.io are one site). An IP address, and a host below a suffix that many owners
 * share (azurecr.io), is only its own site. Without credentials any realm may be asked. */
bool ck_realm_allowed(const struct ck_url *registry, const struct ck_url *realm);

/* Loopback, link-local (169.254.169.254), private, unique-local, carrier-grade NAT, multicast,
 * documentation, unspecified, and the same mapped into IPv6 or NAT64/6to4, and what is no address
 * of the internet: not to be connected to unless allowed. `sa` need not be aligned. */
struct sockaddr;
bool ck_address_is_private(const struct sockaddr *sa);

#endif
