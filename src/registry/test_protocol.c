#include "base/unit.h"
#include "base/mem.h"
#include "registry/protocol.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/un.h>

/* --- challenges ------------------------------------------------------------------------------- */

static ck_err *challenge(const char *header)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_challenge c;
    return ck_challenge_parse(ck_view_str(header), &a, &c);
}

static void challenges_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        int scheme;
        const char *realm, *service, *scope, *error;
    } cases[] = {
        { "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\","
          "scope=\"repository:library/alpine:pull\"",
          CK_CHALLENGE_BEARER, "https://auth.docker.io/token", "registry.docker.io",
          "repository:library/alpine:pull", "" },
        { "bEARER\t REALM = \"x\" , error=\"invalid_token\"", CK_CHALLENGE_BEARER, "x", "", "",
          "invalid_token" },
        { "Basic realm=\"basic-realm\"", CK_CHALLENGE_BASIC, "basic-realm", "", "", "" },
        { "Basic", CK_CHALLENGE_BASIC, "", "", "", "" },
        { "Basic realm=plain", CK_CHALLENGE_BASIC, "plain", "", "", "" },
        { "", CK_CHALLENGE_NONE, "", "", "", "" },
        { " , ,", CK_CHALLENGE_NONE, "", "", "", "" },
        { "Digest qop=\"auth\", nonce=abc", CK_CHALLENGE_NONE, "", "", "", "" },
        { "Negotiate", CK_CHALLENGE_NONE, "", "", "", "" },
        /* several in one header, Bearer first or last, words of other schemes between */
        { "Basic realm=\"a\", Bearer realm=\"b\",service=\"s\"", CK_CHALLENGE_BEARER, "b", "s", "",
          "" },
        { "Bearer realm=\"b\",service=\"s\", Basic realm=\"a\"", CK_CHALLENGE_BEARER, "b", "s", "",
          "" },
        { "Negotiate YII/+-._~==, Digest realm=\"d\",, Basic realm=\"a\"", CK_CHALLENGE_BASIC, "a",
          "", "", "" },
        { "Negotiate, NTLM ,Basic realm=\"a\"", CK_CHALLENGE_BASIC, "a", "", "", "" },
        { "Bearer realm=\"first\", Bearer realm=\"second\"", CK_CHALLENGE_BEARER, "first", "", "",
          "" },
        /* what looks like a challenge inside a quoted string is none */
        { "Basic realm=\"x, Bearer realm=\\\"https://evil/\\\"\"", CK_CHALLENGE_BASIC,
          "x, Bearer realm=\"https://evil/\"", "", "", "" },
        { "Bearer realm=\"a\\\\b\\\"c\\d\"", CK_CHALLENGE_BEARER, "a\\b\"cd", "", "", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_challenge c;
        assert_ok(ck_challenge_parse(ck_view_str(cases[i].header), &a, &c));
        assert_int_equal(c.scheme, cases[i].scheme);
        assert_view(c.realm, cases[i].realm);
        assert_view(c.service, cases[i].service);
        assert_view(c.scope, cases[i].scope);
        assert_view(c.error, cases[i].error);
    }
}

static void attack_bearer_without_realm(void **state)
{
    (void)state;
    assert_fails(challenge("Bearer"), CK_ERR_HOSTILE,
                 "WWW-Authenticate: a Bearer challenge without realm");
    assert_fails(challenge("Bearer realm=\"\""), CK_ERR_HOSTILE, "without realm");
    assert_fails(challenge("Bearer service=\"x\", Basic realm=\"y\""), CK_ERR_HOSTILE,
                 "without realm");
    assert_fails(challenge("Bearer QWxhZGRpbg=="), CK_ERR_HOSTILE, "without realm");
}

static void attack_realm_twice(void **state)
{
    (void)state;
    assert_fails(challenge("Bearer realm=\"https://a/\", realm=\"https://b/\""), CK_ERR_HOSTILE,
                 "\"realm\" twice in one challenge");
    assert_fails(challenge("Bearer realm=a,SCOPE=x,scope=y"), CK_ERR_HOSTILE, "\"scope\" twice");
}

static void broken_challenges_are_refused(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "realm=\"x\"", "a parameter before any scheme" },
        { "Bearer realm=\"x", "a quoted string that does not end" },
        { "Bearer realm=\"x\\", "a quoted string that does not end" },
        { "Bearer realm=\"x\" Basic", "goes on without a comma" },
        { "Bearer realm=https://x/", "goes on without a comma" },
        { "Bearer realm=", "without realm" },
        { "Bearer realm=\"a\", service=", "a parameter without a value" },
        { "Bearer \"x\"", "no parameter of a challenge" },
        { "Bearer realm \"x\"", "no parameter of a challenge" },
        { "\"Bearer\"", "no challenge" },
        { "Basic realm=\"a\", @", "no challenge" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_fails(challenge(cases[i][0]), CK_ERR_HOSTILE, cases[i][1]);
}

static void attack_header_with_nul(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_challenge c = { .scheme = CK_CHALLENGE_BASIC };
    ck_view target;
    bool found;
    assert_fails(ck_challenge_parse(CK_V("Bearer realm=\"https://a.example\0.evil/\""), &a, &c),
                 CK_ERR_HOSTILE, "byte 31: a control character");
    assert_int_equal(c.scheme, CK_CHALLENGE_BASIC);
    assert_fails(challenge("Bearer realm=\"x\"\r\nX: y"), CK_ERR_HOSTILE, "a control character");
    assert_fails(ck_link_next(CK_V("</x\0>; rel=next"), &a, &target, &found), CK_ERR_HOSTILE,
                 "Link: byte 3: a control character");
    assert_false(ck_retry_after(CK_V("12\0"), 0, &(uint64_t){ 0 }));
}

/* `n` times `s` between two texts. Free with free(). */
static char *many(const char *head, const char *s, size_t n, const char *tail)
{
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_put_bytes(&b, ck_view_str(head));
    for (size_t i = 0; i < n; i++)
        ck_put_bytes(&b, ck_view_str(s));
    ck_put_bytes(&b, ck_view_str(tail));
    return ck_buf_steal_str(&b);
}

static void challenges_stop_at_their_limits(void **state)
{
    (void)state;
    const size_t field = CK_MAX_HTTP_FIELD, frame = sizeof "Basic realm=\"\"" - 1;
    ck_autofree char *fits = many("Basic realm=\"", "x", field - frame, "\"");
    ck_autofree char *more = many("Basic realm=\"", "x", field - frame + 1, "\"");
    assert_ok(challenge(fits));
    assert_fails(challenge(more), CK_ERR_LIMIT, "limit HTTP_FIELD");
    ck_autofree char *params = many("Basic a=b", ", a=b", CK_MAX_HTTP_PARAMS - 2, "");
    ck_autofree char *too_many = many("Basic a=b", ", a=b", CK_MAX_HTTP_PARAMS - 1, "");
    assert_ok(challenge(params));
    assert_fails(challenge(too_many), CK_ERR_LIMIT, "limit HTTP_PARAMS");
}

/* --- answers ---------------------------------------------------------------------------------- */

static ck_err *token(const char *json)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_token t;
    return ck_token_parse(ck_view_str(json), &a, &t);
}

static void tokens_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *json, *token;
        uint64_t expires_in;
    } cases[] = {
        { "{\"token\":\"abc\"}", "abc", 60 },
        { "{\"access_token\":\"abc\",\"expires_in\":300}", "abc", 300 },
        { "{\"token\":\"a\",\"access_token\":\"b\",\"issued_at\":\"2026-08-01T00:00:00Z\"}", "a",
          60 },
        { "{\"token\":\"\",\"access_token\":\"b\"}", "b", 60 },
        { "{\"token\":null,\"access_token\":\"b\",\"expires_in\":null}", "b", 60 },
        { "{\"token\":\"a\",\"expires_in\":0}", "a", 60 },
        { "{\"token\":\"a\",\"expires_in\":9223372036854775807}", "a", 86400 },
        { "{\"token\":\"a\",\"refresh_token\":\"r\",\"scope\":[]}", "a", 60 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_token t;
        assert_ok(ck_token_parse(ck_view_str(cases[i].json), &a, &t));
        assert_view(t.token, cases[i].token);
        assert_int_equal(t.expires_in, cases[i].expires_in);
    }
}

static void attack_token_that_ends_the_header(void **state)
{
    (void)state;
    assert_fails(token("{\"token\":\"a\\r\\nX-Evil: 1\"}"), CK_ERR_HOSTILE,
                 "token answer: token: byte 1 cannot stand in a header");
    assert_fails(token("{\"token\":\"a b\"}"), CK_ERR_HOSTILE, "byte 1 cannot");
    assert_fails(token("{\"access_token\":\"\\u00e4\"}"), CK_ERR_HOSTILE, "byte 0 cannot");
    assert_fails(token("{\"token\":\"a\\u0000\"}"), CK_ERR_HOSTILE, "a NUL");
}

static void attack_token_with_duplicate_keys(void **state)
{
    (void)state;
    assert_fails(token("{\"token\":\"a\",\"token\":\"b\"}"), CK_ERR_HOSTILE, "duplicate");
    assert_fails(token("{\"token\":\"a\",\"Token\":\"b\"}"), CK_ERR_HOSTILE, "only in case");
    assert_fails(token("{\"TOKEN\":\"b\"}"), CK_ERR_HOSTILE, "in another case");
}

static void broken_tokens_are_refused(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "", "no valid JSON" },
        { "[]", "must be an object" },
        { "{}", "token answer: no token" },
        { "{\"token\":7}", "token answer: token: must be a string" },
        { "{\"token\":\"a\",\"expires_in\":\"60\"}", "expires_in: must be a whole number" },
        { "{\"token\":\"a\",\"expires_in\":-1}", "must not be negative" },
        { "{\"token\":\"a\",\"expires_in\":1e9}", "must be a whole number" },
        { "<html>", "no valid JSON" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_fails(token(cases[i][0]), CK_ERR_HOSTILE, cases[i][1]);
}

static void attack_endless_nesting(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autofree char *deep = many("{\"token\":", "[", 200000, "");
    assert_fails(token(deep), CK_ERR_LIMIT, "limit JSON_DEPTH");
    ck_autofree char *errors = many("{\"errors\":", "[", 200000, "");
    assert_int_equal(ck_registry_error_text(ck_view_str(errors), &a).n, 0);
}

static void tokens_stop_at_their_limits(void **state)
{
    (void)state;
    ck_autofree char *fits = many("{\"token\":\"", "x", CK_MAX_TOKEN, "\"}");
    ck_autofree char *more = many("{\"token\":\"", "x", CK_MAX_TOKEN + 1, "\"}");
    assert_ok(token(fits));
    assert_fails(token(more), CK_ERR_LIMIT, "limit TOKEN:");
    const size_t frame = sizeof "{\"token\":\"a\"}" - 1;
    ck_autofree char *all = many("{\"token\":\"a\"", " ", CK_MAX_TOKEN_ANSWER - frame, "}");
    ck_autofree char *too_much =
        many("{\"token\":\"a\"", " ", CK_MAX_TOKEN_ANSWER - frame + 1, "}");
    assert_ok(token(all));
    assert_fails(token(too_much), CK_ERR_LIMIT, "limit TOKEN_ANSWER");
}

static void errors_become_one_line(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no access\",\"detail\":null}]}",
          "DENIED: no access" },
        { "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no\",\"detail\":\"see x\"}]}",
          "DENIED: no: see x" },
        { "{\"errors\":[{\"code\":\"A\",\"detail\":{\"x\":1}},{},{\"message\":\"b\"}]}", "A; b" },
        { "{\"errors\":[{\"code\":\"A\",\"message\":\"x\\ny\\u001b[2J\"}]}", "A: x y [2J" },
        { "{\"errors\":[7,{\"code\":[],\"message\":{}}]}", "" },
        { "{\"errors\":{}}", "" },
        { "{\"details\":\"incorrect username or password\"}", "incorrect username or password" },
        { "{\"error\":\"invalid_grant\",\"error_description\":\"token is expired\"}",
          "token is expired" },
        { "[]", "" },
        { "<html>502</html>", "" },
        { "", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        assert_view(ck_registry_error_text(ck_view_str(cases[i][0]), &a), cases[i][1]);
    }
}

static void attack_endless_error_text(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autofree char *wide = many("{\"errors\":[{\"message\":\"y", "\xC3\xA4", 400, "\"}]}");
    ck_view text = ck_registry_error_text(ck_view_str(wide), &a);
    assert_int_equal(text.n, 299); /* a whole character less than 300 */
    assert_true(ck_utf8_valid(text));
    ck_autofree char *lots =
        many("{\"errors\":[{\"code\":\"A\"}", ",{\"code\":\"A\"}", 20000, "]}");
    assert_int_equal(ck_registry_error_text(ck_view_str(lots), &a).n, 300);
}

/* --- Link and Retry-After --------------------------------------------------------------------- */

static void links_are_read(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "</v2/x/tags/list?n=1&last=a>; rel=\"next\"", "/v2/x/tags/list?n=1&last=a" },
        { "</a>;rel=next", "/a" },
        { "</a>; REL=\"prev NEXT\"; title=\"x, <y>; rel=z\"", "/a" },
        { "</a>; rel=\"prev\", <https://h/b>; rel=\"next\"", "https://h/b" },
        { "</a>; rel=next, </b>; rel=next", "/a" },
        { "<>; rel=next", "" },
        { "</a>; rel=\"first\"; rel=\"next\"", NULL },
        { "</a>; rel=next; anchor=\"/other\"", NULL },
        { "</a>; rel=\"nextone\"", NULL },
        { "</a>", NULL },
        { "</a>; crossorigin", NULL },
        { "", NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        ck_view target = CK_V("untouched");
        bool found = false;
        assert_ok(ck_link_next(ck_view_str(cases[i][0]), &a, &target, &found));
        assert_int_equal(found, cases[i][1] != NULL);
        assert_view(target, cases[i][1] ? cases[i][1] : "untouched");
    }
}

static ck_err *link_of(const char *header)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_view target;
    bool found;
    return ck_link_next(ck_view_str(header), &a, &target, &found);
}

static void broken_links_are_refused(void **state)
{
    (void)state;
    assert_fails(link_of("/a; rel=next"), CK_ERR_HOSTILE, "Link: byte 0: no link");
    assert_fails(link_of("</a"), CK_ERR_HOSTILE, "a target that does not end");
    assert_fails(link_of("</a b>; rel=next"), CK_ERR_HOSTILE, "a byte that no URL has");
    assert_fails(link_of("</\xC3\xA4>; rel=next"), CK_ERR_HOSTILE, "a byte that no URL has");
    assert_fails(link_of("</a>; rel=next </b>"), CK_ERR_HOSTILE, "goes on without a comma");
    assert_fails(link_of("</a>; rel="), CK_ERR_HOSTILE, "a parameter without a value");
    ck_autofree char *fits = many("</a>", "; x", CK_MAX_HTTP_PARAMS, "");
    ck_autofree char *more = many("</a>", "; x", CK_MAX_HTTP_PARAMS + 1, "");
    assert_ok(link_of(fits));
    assert_fails(link_of(more), CK_ERR_LIMIT, "limit HTTP_PARAMS");
    ck_autofree char *links = many("</a>", ",</a>", CK_MAX_HTTP_PARAMS, "");
    assert_fails(link_of(links), CK_ERR_LIMIT, "limit HTTP_PARAMS");
}

static void waits_are_read(void **state)
{
    (void)state;
    const int64_t now = 784111777 - 10; /* ten seconds before the date of RFC 9110 */
    static const struct {
        const char *header;
        bool ok;
        uint64_t seconds;
    } cases[] = {
        { "120", true, 120 },
        { " 0 ", true, 0 },
        { "76;w=21600", true, 76 },
        { "1000000000", true, 1000000000 },
        { "Sun, 06 Nov 1994 08:49:37 GMT", true, 10 },
        { "Sunday, 06-Nov-94 08:49:37 GMT", true, 10 },
        { "Sun Nov  6 08:49:37 1994", true, 10 },
        { "Sun Nov 16 08:49:37 1994", true, 864010 },
        { "Sun, 06 Nov 1994 08:49:00 GMT", true, 0 }, /* over */
        { "Sun, 06 Nov 1994 08:49:37 CET", false, 0 },
        { "Sun, 06 Nov 1994 08:49:37", false, 0 },
        { "Sun, 06 Nov 1994 08:49:37 GMT+1", false, 0 },
        { "Sun, 06 Xyz 1994 08:49:37 GMT", false, 0 },
        { "Sun, 36 Nov 1994 08:49:37 GMT", false, 0 },
        { "Sun, 06 Nov 1994 24:49:37 GMT", false, 0 },
        { "-1", false, 0 },
        { "1.5", false, 0 },
        { "99999999999999999999", false, 0 },
        { "18446744073709551615", false, 0 },
        { "soon", false, 0 },
        { "", false, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t seconds = 7;
        assert_int_equal(ck_retry_after(ck_view_str(cases[i].header), now, &seconds), cases[i].ok);
        if (cases[i].ok)
            assert_int_equal(seconds, cases[i].seconds);
    }
}

static void moments_are_told_from_spans(void **state)
{
    (void)state;
    uint64_t seconds = 0;
    assert_true(ck_retry_after(CK_V("1700000090"), 1700000000, &seconds));
    assert_int_equal(seconds, 90);
    assert_true(ck_retry_after(CK_V("1699999999"), 1700000000, &seconds));
    assert_int_equal(seconds, 0);
    assert_true(ck_retry_after(CK_V("Monday, 14-Nov-23 22:13:30 GMT"), 1699999990, &seconds));
    assert_int_equal(seconds, 20);
}

/* --- URLs ------------------------------------------------------------------------------------- */

static void urls_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool secure;
        const char *host;
        unsigned port;
        const char *target;
    } cases[] = {
        { "https://auth.docker.io/token", true, "auth.docker.io", 443, "/token" },
        { "HTTPS://Auth.Docker.IO/Token?a=B", true, "auth.docker.io", 443, "/Token?a=B" },
        { "http://localhost:5000", false, "localhost", 5000, "/" },
        { "https://h?x=/y", true, "h", 443, "/?x=/y" },
        { "https://h/a@b:c", true, "h", 443, "/a@b:c" },
        { "http://127.0.0.1:65535/", false, "127.0.0.1", 65535, "/" },
        { "http://[::1]:80/x", false, "::1", 80, "/x" },
        { "http://[0:0:0:0:0:0:0:1]", false, "::1", 80, "/" },
        { "http://[::FFFF:7f00:1]/", false, "::ffff:127.0.0.1", 80, "/" },
        /* decimal and octal addresses are hosts: what counts is what they resolve to */
        { "http://2130706433/", false, "2130706433", 80, "/" },
        { "http://0177.0.0.1/", false, "0177.0.0.1", 80, "/" },
        { "http://my_registry/", false, "my_registry", 80, "/" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_url u;
        assert_ok(ck_url_parse(ck_view_str(cases[i].text), &a, &u));
        assert_int_equal(u.secure, cases[i].secure);
        assert_view(u.host, cases[i].host);
        assert_int_equal(u.port, cases[i].port);
        assert_view(u.target, cases[i].target);
    }
}

static ck_err *url(const char *text)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_url u;
    return ck_url_parse(ck_view_str(text), &a, &u);
}

static void attack_user_info_that_looks_like_the_host(void **state)
{
    (void)state;
    assert_fails(url("https://auth.docker.io@evil.example/token"), CK_ERR_HOSTILE,
                 "URL: a user name or password in it");
    assert_fails(url("https://auth.docker.io:443@evil.example/"), CK_ERR_HOSTILE, "a user name");
    assert_fails(url("https://@evil.example/"), CK_ERR_HOSTILE, "a user name");
    assert_fails(url("https://evil.example\\@auth.docker.io/"), CK_ERR_HOSTILE,
                 "a byte that no URL has");
    assert_fails(url("https://evil.example#@auth.docker.io/"), CK_ERR_HOSTILE, "a fragment");
}

static void broken_urls_are_refused(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "", "neither http:// nor https://" },
        { "/token", "neither" },
        { "//h/", "neither" },
        { "ftp://h/", "neither" },
        { "file:///etc/passwd", "neither" },
        { "https:/h/", "neither" },
        { "https://", "no host" },
        { "https:///x", "no host" },
        { "https://:80/", "no host" },
        { "https://h..x/", "no host" },
        { "https://.h/", "no host" },
        { "https://h./", "no host" },
        { "https://h%2f/", "no host" },
        { "https://a,b/", "no host" },
        { "https://h:/", "no port" },
        { "https://h:0/", "no port" },
        { "https://h:65536/", "no port" },
        { "https://h:0000080/", "no port" },
        { "https://h:8a/", "no port" },
        { "https://[::1/", "no IPv6 address" },
        { "https://[]/", "no IPv6 address" },
        { "https://[fe80::1%25eth0]/", "no IPv6 address" },
        { "https://[127.0.0.1]/", "no IPv6 address" },
        { "https://[::1]80/", "no port" },
        { "https://h/a b", "a byte that no URL has" },
        { "https://h/\r\nX: y", "a byte that no URL has" },
        { "https://h/\xC3\xA4", "a byte that no URL has" },
        { "https://h\xC3\xA4/", "a byte that no URL has" },
        { "https://h/#x", "a fragment" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_fails(url(cases[i][0]), CK_ERR_HOSTILE, cases[i][1]);
    ck_autofree char *label = many("https://", "x", 64, "/");
    assert_fails(url(label), CK_ERR_HOSTILE, "no host");
    ck_autofree char *name = many("https://x", ".x", 127, "/");
    assert_fails(url(name), CK_ERR_HOSTILE, "a host of 255 bytes");
    ck_autofree char *fits = many("https://h/", "x", CK_MAX_HTTP_FIELD - 10, "");
    ck_autofree char *more = many("https://h/", "x", CK_MAX_HTTP_FIELD - 9, "");
    assert_ok(url(fits));
    assert_fails(url(more), CK_ERR_LIMIT, "limit HTTP_FIELD");
}

/* --- realms ----------------------------------------------------------------------------------- */

static void expect_realms(const char *const (*cases)[2], size_t n, bool allowed)
{
    for (size_t i = 0; i < n; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_url registry, realm;
        assert_ok(ck_url_parse(ck_view_str(cases[i][0]), &a, &registry));
        assert_ok(ck_url_parse(ck_view_str(cases[i][1]), &a, &realm));
        if (ck_realm_allowed(&registry, &realm) != allowed)
            print_error("%s -> %s\n", cases[i][0], cases[i][1]);
        assert_int_equal(ck_realm_allowed(&registry, &realm), allowed);
    }
}

static void realms_of_the_same_site_are_allowed(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "https://registry-1.docker.io", "https://auth.docker.io/token" },
        { "https://registry.hub.docker.com", "https://auth.docker.io/token" },
        { "https://registry.gitlab.com", "https://gitlab.com/jwt/auth" },
        { "https://docker.elastic.co", "https://docker-auth.elastic.co/auth" },
        { "https://ghcr.io", "https://ghcr.io/token" },
        { "https://r.example.co.uk", "https://auth.example.co.uk" },
        { "https://r.example.com.au", "https://auth.example.com.au" },
        { "https://mine.azurecr.io", "https://mine.azurecr.io/oauth2/token" },
        { "http://localhost:5000", "http://localhost:5001/auth" },
        { "http://127.0.0.1:5000", "http://127.0.0.1:5001/auth" },
        { "https://[::1]:5000", "https://[0:0::1]:5001/auth" },
        { "http://r.example.com", "https://auth.example.com/" },
        { "http://r.example.com", "http://auth.example.com/" },
        { "https://registry", "https://registry:8443/" },
    };
    expect_realms(cases, sizeof cases / sizeof cases[0], true);
}

static void attack_realm_on_another_host(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "https://registry-1.docker.io", "https://evil.example/token" },
        { "https://registry-1.docker.io", "https://auth-docker.io/token" },
        { "https://registry-1.docker.io", "https://docker.io.evil.example/token" },
        { "https://registry-1.docker.io", "https://xdocker.io/token" },
        { "https://registry-1.docker.io", "http://auth.docker.io/token" }, /* in the clear */
        { "https://registry-1.docker.io", "https://io/token" },
        { "https://r.example.co.uk", "https://evil.co.uk" },
        { "https://r.example.co.uk", "https://co.uk" },
        { "https://r.example.com.au", "https://evil.com.au" },
        { "https://co.uk", "https://evil.co.uk" },
        { "https://mine.azurecr.io", "https://evil.azurecr.io/oauth2/token" },
        { "https://1.dkr.ecr.us-east-1.amazonaws.com", "https://evil.us-east-1.amazonaws.com" },
        { "https://a.github.io", "https://b.github.io" },
        { "http://localhost:5000", "http://localhost.evil.example/" },
        { "http://registry", "http://evil" },
        { "http://localhost", "http://127.0.0.1" },
    };
    expect_realms(cases, sizeof cases / sizeof cases[0], false);
}

static void attack_realm_at_a_neighbouring_address(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "http://10.0.0.1:5000", "http://10.0.0.2:5000/" },
        { "http://10.0.0.1", "http://9.9.0.1/" }, /* the same last two labels */
        { "http://10.0.0.1", "http://169.254.169.254/latest/meta-data" },
        { "http://10.0.0.1", "http://evil.0.1/" },
        { "http://[2001:db8::1]", "http://[2001:db8::2]/" },
        { "http://x.0x7f.1", "http://y.0x7f.1/" },
    };
    expect_realms(cases, sizeof cases / sizeof cases[0], false);
}

/* --- addresses -------------------------------------------------------------------------------- */

static bool is_private(const char *text)
{
    struct sockaddr_storage ss = { 0 };
    struct sockaddr_in *in = (struct sockaddr_in *)&ss;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ss;
    if (inet_pton(AF_INET, text, &in->sin_addr) == 1)
        ss.ss_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1)
        ss.ss_family = AF_INET6;
    else
        fail_msg("no address: %s", text);
    return ck_address_is_private((const struct sockaddr *)&ss);
}

static void attack_private_addresses(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255",
        "127.0.0.1", "127.255.255.255", "169.254.0.0", "169.254.169.254", "169.254.255.255",
        "172.16.0.0", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.0.0",
        "192.168.255.255", "198.18.0.0", "198.19.255.255", "198.51.100.7", "203.0.113.7",
        "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::10.0.0.1", "::8.8.8.8", "fc00::1", "fd12:3456::1", "fe80::1", "febf::1",
        "fec0::1", "ff02::1", "100::1", "100:0:0:1::1", "2001::1", "2001:1ff::1", "2001:db8::1",
        "3fff::1", "3fff:fff::1", "5f00::1", "64:ff9b:1::1", "64:ff9b:1:ffff::808:808",
        /* an IPv4 address inside */
        "::ffff:127.0.0.1", "::ffff:10.1.2.3", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a00:1::1",
        "2002:a9fe:a9fe::",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (!is_private(cases[i]))
            print_error("%s\n", cases[i]);
        assert_true(is_private(cases[i]));
    }
}

static void public_addresses_are_told_from_their_neighbours(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "1.0.0.0", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
        "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255",
        "172.32.0.0", "192.0.1.0", "192.0.3.0", "192.88.98.1", "192.167.255.255", "192.169.0.0",
        "198.17.255.255", "198.20.0.0", "198.51.101.0", "203.0.114.0", "223.255.255.255",
        "2001:200::1", "2001:db9::1", "2001:4860:4860::8888", "2606:4700::1", "2a00::1",
        "3ffe::1", "101::1", "100:0:0:2::1", "5f01::1", "fb00::1", "fe00::1",
        "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1", "64:ff9b:2::1",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (is_private(cases[i]))
            print_error("%s\n", cases[i]);
        assert_false(is_private(cases[i]));
    }
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    assert_true(ck_address_is_private((const struct sockaddr *)&un));
}

/* --- listings --------------------------------------------------------------------------------- */

static void listings_are_read(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_view *v = NULL;
    size_t n = 7;
    assert_ok(ck_names_parse(CK_V("{\"repositories\":[\"a\",\"b/c\"],\"x\":1}"), "repositories",
                             &a, &v, &n));
    assert_int_equal(n, 2);
    assert_view(v[1], "b/c");
    assert_ok(ck_names_parse(CK_V("{\"name\":\"a\",\"tags\":null}"), "tags", &a, &v, &n));
    assert_int_equal(n, 0);
    assert_ok(ck_names_parse(CK_V("{}"), "tags", &a, &v, &n));
    assert_fails(ck_names_parse(CK_V("[]"), "tags", &a, &v, &n), CK_ERR_HOSTILE, "listing");
    assert_fails(ck_names_parse(CK_V("{\"tags\":[\"\xc3\xa4\"]}"), "tags", &a, &v, &n),
                 CK_ERR_HOSTILE, "tags[0]: byte 0 stands in no name");
}

static void listings_stop_at_their_limits(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_view *v = NULL;
    size_t n = 0;
    for (size_t more = 0; more < 2; more++) {
        ck_autobuf struct ck_buf text = ck_buf_new(CK_LIMIT_NONE);
        ck_put_bytes(&text, CK_V("{\"tags\":[\""));
        for (size_t i = 0; i < CK_MAX_REGISTRY_NAME + more; i++)
            ck_put_u8(&text, 'x');
        ck_put_bytes(&text, CK_V("\"]}"));
        ck_err *e = ck_names_parse(ck_buf_view(&text), "tags", &a, &v, &n);
        if (more)
            assert_fails(e, CK_ERR_LIMIT, "(limit REGISTRY_NAME");
        else
            assert_ok(e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(challenges_are_read),
        cmocka_unit_test(attack_bearer_without_realm),
        cmocka_unit_test(attack_realm_twice),
        cmocka_unit_test(broken_challenges_are_refused),
        cmocka_unit_test(attack_header_with_nul),
        cmocka_unit_test(challenges_stop_at_their_limits),
        cmocka_unit_test(tokens_are_read),
        cmocka_unit_test(attack_token_that_ends_the_header),
        cmocka_unit_test(attack_token_with_duplicate_keys),
        cmocka_unit_test(broken_tokens_are_refused),
        cmocka_unit_test(attack_endless_nesting),
        cmocka_unit_test(tokens_stop_at_their_limits),
        cmocka_unit_test(listings_are_read),
        cmocka_unit_test(listings_stop_at_their_limits),
        cmocka_unit_test(errors_become_one_line),
        cmocka_unit_test(attack_endless_error_text),
        cmocka_unit_test(links_are_read),
        cmocka_unit_test(broken_links_are_refused),
        cmocka_unit_test(waits_are_read),
        cmocka_unit_test(moments_are_told_from_spans),
        cmocka_unit_test(urls_are_read),
        cmocka_unit_test(attack_user_info_that_looks_like_the_host),
        cmocka_unit_test(broken_urls_are_refused),
        cmocka_unit_test(realms_of_the_same_site_are_allowed),
        cmocka_unit_test(attack_realm_on_another_host),
        cmocka_unit_test(attack_realm_at_a_neighbouring_address),
        cmocka_unit_test(attack_private_addresses),
        cmocka_unit_test(public_addresses_are_told_from_their_neighbours),
    };
    return cmocka_run_group_tests_name("protocol", tests, NULL, NULL);
}
