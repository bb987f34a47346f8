/* The registry's routes that read, sessions, health, metrics and explanations. */
#include "serve/unit_serve.h"

static struct hub *hub;

/* --- one row each ----------------------------------------------------------------------------- */

static void versions_and_health(void **state)
{
    (void)state;
    /* Also where anybody may pull: else no client would ever send its password. */
    assert_get(hub->port, "GET /v2/ HTTP/1.1", 401,
               "Docker-Distribution-API-Version: registry/2.0");
    assert_get(hub->port, "HEAD /v2 HTTP/1.1", 401, "Bearer realm=");
    assert_get(hub->port, "GET /healthz HTTP/1.1", 200, "ok\n");
    assert_get(hub->port, "GET /readyz HTTP/1.1", 503, "no database\n");
    assert_get(hub->port, "GET /nothing HTTP/1.1", 404, "NAME_UNKNOWN");
    assert_get(hub->port, "POST /healthz HTTP/1.1", 405, "Allow: GET, HEAD");
    assert_get(hub->port, "OPTIONS /healthz HTTP/1.1", 405, "UNSUPPORTED");
    assert_get(hub->port, "POST /v2/a/tags/list HTTP/1.1", 405, "UNSUPPORTED");
}

static void a_manifest_comes_as_it_is(void **state)
{
    (void)state;
    ck_autofree char *a = ask_http(hub->port, "GET /v2/library/debian/manifests/12?ns=docker.io "
                                   "HTTP/1.1\nUser-Agent: me/1");
    assert_int_equal(status_of_answer(a), 200);
    assert_has(a, "Content-Type: application/vnd.oci.image.manifest.v1+json");
    assert_has(a, "Docker-Content-Digest: sha256:");
    assert_has(a, hub->manifest_text);
    assert_has(a, "OCI-Namespace: docker.io");
    assert_has(a, "Content-Length: 2000");
    assert_int_equal(strlen(body_of(a)), 2000);
    assert_true(hub_said(hub, "ns=docker.io host=gate.example repo=library/debian ref=12 "
                              "client=127.0.0.1 agent=me/1"));
    ck_autofree char *b = ask_http(hub->port, "GET /v2/a/manifests/%s HTTP/1.1\nIf-None-Match: "
                                   "\"x\", \"%s\"", hub->manifest_text, hub->manifest_text);
    assert_int_equal(status_of_answer(b), 304);
    assert_string_equal(body_of(b), "");
    assert_has(b, "ETag: \"sha256:");
    assert_get(hub->port, "GET /v2/warned/manifests/1 HTTP/1.1", 200,
               "Warning: 299 - \"moves in \\\"May\\\"\"");
}

static void head_is_as_get_without_a_body(void **state)
{
    (void)state;
    static const char *const names[] = { "a", "headless", "kept/head" };
    for (size_t i = 0; i < 3; i++)
        for (int again = 0; again < 2; again++) {
            ck_autofree char *a = ask_http(hub->port, "HEAD /v2/%s/manifests/1 HTTP/1.1", names[i]);
            assert_int_equal(status_of_answer(a), 200);
            assert_has(a, "Content-Length: 2000");
            assert_has(a, "Docker-Content-Digest: sha256:");
            assert_string_equal(body_of(a), "");
        }
    ck_autofree char *b = ask_http(hub->port, "HEAD /v2/headless/blobs/%s HTTP/1.1",
                                   hub->blob_text);
    assert_has(b, "Content-Length: 1048576");
    assert_int_equal(status_of_answer(b), 200);
}

static void ranges_of_blobs(void **state)
{
    (void)state;
    static const struct {
        const char *range;
        int status;
        const char *part;
        size_t n;
    } rows[] = {
        { "bytes=500-1499", 206, "Content-Range: bytes 500-1499/1048576", 1000 },
        { "bytes=1048000-", 206, "Content-Range: bytes 1048000-1048575/1048576", 576 },
        { "bytes=-500", 206, "Content-Range: bytes 1048076-1048575/1048576", 500 },
        { "bytes=1048000-9999999", 206, "bytes 1048000-1048575/1048576", 576 },
        { "bytes=500-0", 416, "Content-Range: bytes */1048576", 0 },
        { "bytes=1048576-", 416, "bytes */1048576", 0 },
        { "bytes=-0", 416, "bytes */1048576", 0 },
        { "bytes=0-1,5-6", 200, "Accept-Ranges: bytes", 1048576 },
        { "lines=1-2", 200, "Content-Length: 1048576", 1048576 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t k = 0; k < 2; k++) {
            ck_autofree char *a = ask_http(hub->port, "GET /v2/%s/blobs/%s HTTP/1.1\nRange: %s",
                                           k ? "kept/r" : "a", hub->blob_text, rows[i].range);
            assert_int_equal(status_of_answer(a), rows[i].status);
            assert_has(a, rows[i].part);
            if (rows[i].n)
                assert_int_equal(strlen(body_of(a)), rows[i].n);
        }
    ck_autofree char *b = ask_http(hub->port, "GET /v2/a/blobs/%s HTTP/1.1\nRange: bytes=26-27",
                                   hub->blob_text);
    assert_string_equal(body_of(b), "AB");
}

static void listings_have_pages_and_filters(void **state)
{
    (void)state;
    assert_get(hub->port, "GET /v2/a/b/tags/list?n=1&last=v%200 HTTP/1.1", 200,
               "Link: </v2/a/b/tags/list?last=v1%20x&n=1>; rel=\"next\"");
    assert_true(hub_said(hub, "last=v 0 n=1"));
    assert_get(hub->port, "GET /v2/a/tags/list?n=x HTTP/1.1", 400, "UNSUPPORTED");
    assert_get(hub->port, "GET /v2/_catalog?n=0 HTTP/1.1", 200, "\"tags\":[\"v1\"]");
    ck_autofree char *a = ask_http(hub->port, "GET /v2/a/referrers/%s?artifactType=application/x+y "
                                   "HTTP/1.1", hub->blob_text);
    assert_has(a, "OCI-Filters-Applied: artifactType");
    assert_has(a, "Content-Type: application/vnd.oci.image.index.v1+json");
    assert_true(hub_said(hub, "artifact=application/x+y"));
    ck_autofree char *b = ask_http(hub->port, "GET /v2/a/referrers/%s HTTP/1.1", hub->blob_text);
    assert_null(strstr(b, "OCI-Filters-Applied"));
}

static void names_that_break_the_grammar(void **state)
{
    (void)state;
    assert_get(hub->port, "GET /v2/A/manifests/1 HTTP/1.1", 400, "NAME_INVALID");
    assert_get(hub->port, "GET /v2/a__b___c/tags/list HTTP/1.1", 400, "NAME_INVALID");
    assert_get(hub->port, "GET /v2/a/manifests/.x HTTP/1.1", 400, "MANIFEST_INVALID");
    assert_get(hub->port, "GET /v2/a/manifests/sha256:baddigest HTTP/1.1", 400, "DIGEST_INVALID");
    assert_get(hub->port, "GET /v2/a/blobs/sha256:bad HTTP/1.1", 400, "DIGEST_INVALID");
    assert_get(hub->port, "GET /v2/a/referrers/x HTTP/1.1", 400, "DIGEST_INVALID");
    assert_get(hub->port, "GET /v2/manifests/1 HTTP/1.1", 400, "NAME_INVALID");
    assert_get(hub->port, "GET /v2/a/things/1 HTTP/1.1", 404, "NAME_UNKNOWN");
}

/* --- refusals --------------------------------------------------------------------------------- */

static void denials_reach_the_person(void **state)
{
    (void)state;
    const char *detail = "\"detail\":\"http://gate.example/explain/sha256:00\"";
    assert_get(hub->port, "GET /v2/denied/manifests/1 HTTP/1.1", 403, "\"code\":\"DENIED\"");
    assert_get(hub->port, "GET /v2/denied/manifests/1 HTTP/1.1", 403, detail);
    assert_get(hub->port, "GET /v2/denied/manifests/1 HTTP/1.1", 403,
               "\"message\":\"rule \\\"no-critical\\\": CVE-2024-1\"");
    assert_get(hub->port, "HEAD /v2/denied/manifests/1 HTTP/1.1", 403, "application/json");
    assert_get(hub->port, "GET /v2/denied/404/manifests/1 HTTP/1.1", 403, "DENIED");
    assert_get(hub->port, "GET /v2/missing/manifests/1 HTTP/1.1", 404, "MANIFEST_UNKNOWN");
    assert_get(hub->port, "GET /v2/busy/manifests/1 HTTP/1.1", 429, "Retry-After: 7");
    assert_get(hub->port, "GET /v2/busy/manifests/1 HTTP/1.1", 429, "TOOMANYREQUESTS");
    ck_autofree char *a = ask_http(hub->port, "GET /v2/missing/blobs/%s HTTP/1.1", hub->blob_text);
    assert_has(a, "BLOB_UNKNOWN");
}

static void a_denied_head_may_be_405(void **state)
{
    (void)state;
    struct ck_serve_config c = hub_config();
    c.head_deny_405 = true;
    struct hub *h = hub_open(&c);
    assert_get(h->port, "HEAD /v2/denied/manifests/1 HTTP/1.1", 405, "application/json");
    assert_get(h->port, "GET /v2/denied/manifests/1 HTTP/1.1", 403, "DENIED");
    assert_get(h->port, "HEAD /v2/missing/manifests/1 HTTP/1.1", 404, "application/json");
    hub_close(h);
}

/* --- who it is -------------------------------------------------------------------------------- */

static void who_must_log_in(void **state)
{
    (void)state;
    struct ck_serve_config c = hub_config();
    c.anonymous_pull = false;
    struct hub *h = hub_open(&c);
    const char *bearer = "WWW-Authenticate: Bearer realm=\"http://gate.example/token\","
                         "service=\"gate\"";
    assert_get(h->port, "GET /v2/ HTTP/1.1", 401, bearer);
    assert_get(h->port, "GET /v2/ HTTP/1.1\nAuthorization: Basic eDp5", 401, "wrong password");
    assert_get(h->port, "GET /v2/ HTTP/1.1\nAuthorization: " MARIA_BASIC, 200, "{}");
    assert_get(h->port, "GET /v2/ HTTP/1.1\nAuthorization: Bearer tok", 200, "{}");
    assert_get(h->port, "GET /v2/a/b/manifests/1 HTTP/1.1", 401,
               ",scope=\"repository:a/b:pull\"\r\n");
    assert_get(h->port, "POST /v2/a/b/blobs/uploads/ HTTP/1.1\nContent-Length: 0", 401,
               ",scope=\"repository:a/b:pull,push\"\r\n");
    assert_get(h->port, "POST /v2/a/b/blobs/uploads/ HTTP/1.1\nContent-Length: 0\n"
               "Authorization: " ROBOT_BASIC, 403, "your account may not do this");
    assert_get(h->port, "GET /token?service=gate&scope=repository:a:pull HTTP/1.1", 401,
               "WWW-Authenticate: Basic realm=\"cocket\"");
    assert_get(h->port, "GET /token?account=maria&service=gate&scope=repository:a:pull&"
               "scope=repository:b:pull,push HTTP/1.1\nAuthorization: " MARIA_BASIC, 200,
               "\"token\":\"tok\"");
    assert_true(hub_said(h, "session=7 head=0 from= words=2"));
    assert_get(h->port, "GET /token?scope=a+b%20c HTTP/1.1\nAuthorization: " MARIA_BASIC, 200,
               "Cache-Control: no-store");
    assert_true(hub_said(h, "session=7 head=0 from= words=3"));
    hub_close(h);
}

static void sessions_are_kept_by_their_credentials(void **state)
{
    (void)state;
    unsigned before = atomic_load(&hub->asks[CK_ASK_AUTH]);
    for (int i = 0; i < 3; i++)
        assert_get(hub->port, "GET /v2/a/manifests/1 HTTP/1.1\nAuthorization: " MARIA_BASIC, 200,
                   "sha256:");
    assert_int_equal(atomic_load(&hub->asks[CK_ASK_AUTH]), before + 1);
    assert_true(hub_said(hub, "session=7"));
    hub_word(hub, CK_WIRE_FORGET);
    usleep(100000);
    assert_get(hub->port, "GET /v2/a/manifests/1 HTTP/1.1\nAuthorization: " MARIA_BASIC, 200, "");
    assert_int_equal(atomic_load(&hub->asks[CK_ASK_AUTH]), before + 2);
    for (int i = 0; i < 2; i++) /* a refusal is not kept */
        assert_get(hub->port, "GET /v2/ HTTP/1.1\nAuthorization: Basic eDp5", 401, "");
    assert_int_equal(atomic_load(&hub->asks[CK_ASK_AUTH]), before + 4);
}

static void post_token(const char *form, int want, const char *part)
{
    ck_autofree char *text = ck_format("POST /token HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                       "Content-Length: %zu\r\n\r\n%s", strlen(form), form);
    ck_autofree char *a = exchange(hub->port, text, strlen(text));
    assert_int_equal(status_of_answer(a), want);
    assert_has(a, part);
}

static void tokens_by_form(void **state)
{
    (void)state;
    post_token("grant_type=password&username=maria&password=s&service=gate&scope=repository:a:pull",
               200, "\"token\":\"tok\"");
    post_token("grant_type=refresh_token&refresh_token=tok&service=gate", 200, "\"tok\"");
    post_token("grant_type=password&username=maria&password=x", 401, "wrong password");
    post_token("grant_type=password&username=ma%3Aria&password=x", 400, "grant_type");
    post_token("grant_type=magic", 400, "grant_type");
    post_token("grant_type=password&grant_type=password", 400, "twice");
    post_token("a=%zz", 400, "percent");
}

/* --- kept answers ----------------------------------------------------------------------------- */

static void what_is_kept_is_not_asked_again(void **state)
{
    (void)state;
    usleep(1500000); /* what others pulled has been told by now */
    unsigned before = atomic_load(&hub->asks[CK_ASK_MANIFEST]);
    unsigned pulled = atomic_load(&hub->pulled);
    for (int i = 0; i < 5; i++)
        assert_get(hub->port, "GET /v2/kept/x/manifests/1 HTTP/1.1", 200, hub->manifest_text);
    assert_get(hub->port, "HEAD /v2/kept/x/manifests/1 HTTP/1.1", 200, hub->manifest_text);
    assert_int_equal(atomic_load(&hub->asks[CK_ASK_MANIFEST]), before + 1);
    /* Another namespace, host, session: another question. */
    assert_get(hub->port, "GET /v2/kept/x/manifests/1?ns=a.example HTTP/1.1", 200, "a.example");
    assert_get(hub->port, "GET /v2/kept/x/manifests/1 HTTP/1.1\nAuthorization: " MARIA_BASIC, 200,
               "");
    assert_int_equal(atomic_load(&hub->asks[CK_ASK_MANIFEST]), before + 3);
    for (int i = 0; i < 30 && atomic_load(&hub->pulled) < pulled + 4; i++)
        usleep(100000);
    assert_int_equal(atomic_load(&hub->pulled), pulled + 4); /* the first one was the hub's own */
    ck_autofree char *line = ck_format("PULLED manifest kept/x@1 %s ", hub->manifest_text);
    assert_true(hub_said(hub, line));
    hub_word(hub, CK_WIRE_FORGET);
    usleep(100000);
    assert_get(hub->port, "GET /v2/kept/x/manifests/1 HTTP/1.1", 200, hub->manifest_text);
    assert_int_equal(atomic_load(&hub->asks[CK_ASK_MANIFEST]), before + 4);
}

static void pulls_before_forget_are_told(void **state)
{
    (void)state;
    unsigned pulled = atomic_load(&hub->pulled);
    for (int i = 0; i < 4; i++) {
        ck_autofree char *a = ask_http(hub->port, "GET /v2/kept/f/blobs/%s HTTP/1.1\nRange: "
                                       "bytes=0-9", hub->blob_text);
        assert_int_equal(status_of_answer(a), 206);
    }
    hub_word(hub, CK_WIRE_FORGET);
    for (int i = 0; i < 30 && atomic_load(&hub->pulled) < pulled + 3; i++)
        usleep(100000);
    assert_int_equal(atomic_load(&hub->pulled), pulled + 3);
}

/* --- for people and programs ------------------------------------------------------------------ */

static void explanations_are_pages_or_json(void **state)
{
    (void)state;
    ck_autofree char *a = ask_http(hub->port, "GET /explain/library/debian:12 HTTP/1.1\n"
                                   "Accept: text/html,application/xhtml+xml");
    assert_int_equal(status_of_answer(a), 200);
    assert_has(a, "Content-Type: text/html; charset=utf-8");
    assert_has(a, "Content-Security-Policy: default-src 'none'");
    assert_has(a, "&lt;script&gt;alert(1)&lt;/script&gt;");
    assert_null(strstr(a, "<script"));
    assert_get(hub->port, "GET /explain/library/debian:12 HTTP/1.1", 200,
               "Content-Type: application/json");
    assert_true(hub_said(hub, "repo=library/debian ref=12"));
    assert_get(hub->port, "GET /explain/%3Cb%3E HTTP/1.1", 404, "application/json");
}

static void metrics_are_for_administrators_or_their_own_port(void **state)
{
    (void)state;
    assert_get(hub->port, "GET /metrics HTTP/1.1", 401, "Basic realm");
    assert_get(hub->port, "GET /metrics HTTP/1.1\nAuthorization: " ROBOT_BASIC, 403, "DENIED");
    assert_get(hub->port, "GET /metrics HTTP/1.1\nAuthorization: " MARIA_BASIC, 200,
               "cocket_hub 1\n");
    assert_get(hub->metrics_port, "GET /metrics HTTP/1.1", 200,
               "cocket_http_requests_total{route=\"manifest\",status=\"2xx\"}");
    assert_get(hub->metrics_port, "GET /metrics HTTP/1.1", 200, "cocket_kept_hits_total");
    assert_get(hub->metrics_port, "GET /v2/ HTTP/1.1", 404, "nothing here");
    assert_get(hub->metrics_port, "GET /explain/a HTTP/1.1", 404, "nothing here");
}

int main(int argc, char **argv)
{
    ck_room_main(argc, argv, serve_bodies);
    const struct ck_serve_config c = hub_config();
    hub = hub_open(&c);
    if (argc > 1) { /* for measuring: serves until its input ends */
        printf("%u %s\n", hub->port, hub->blob_text);
        fflush(stdout);
        char b;
        while (read(0, &b, 1) > 0)
            ;
        hub_close(hub);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_and_health),
        cmocka_unit_test(a_manifest_comes_as_it_is),
        cmocka_unit_test(head_is_as_get_without_a_body),
        cmocka_unit_test(ranges_of_blobs),
        cmocka_unit_test(listings_have_pages_and_filters),
        cmocka_unit_test(names_that_break_the_grammar),
        cmocka_unit_test(denials_reach_the_person),
        cmocka_unit_test(a_denied_head_may_be_405),
        cmocka_unit_test(who_must_log_in),
        cmocka_unit_test(sessions_are_kept_by_their_credentials),
        cmocka_unit_test(tokens_by_form),
        cmocka_unit_test(what_is_kept_is_not_asked_again),
        cmocka_unit_test(pulls_before_forget_are_told),
        cmocka_unit_test(explanations_are_pages_or_json),
        cmocka_unit_test(metrics_are_for_administrators_or_their_own_port),
    };
    int rc = cmocka_run_group_tests_name("serve", tests, NULL, NULL);
    hub_close(hub);
    return rc;
}
