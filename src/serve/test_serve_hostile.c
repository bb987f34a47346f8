/* Clients that lie, stop, flood and vanish; the end of the room. */
#include "serve/unit_serve.h"

#include <sys/resource.h>

static struct hub *hub;

static char *raw(const char *text) { return exchange(hub->port, text, strlen(text)); }

static size_t count(const char *text, const char *part)
{
    size_t n = 0;
    for (const char *p = text; p && (p = strstr(p, part)); p += strlen(part))
        n++;
    return n;
}

/* --- requests that two readers read differently ----------------------------------------------- */

#define SMUGGLED "GET /v2/smuggled/manifests/1 HTTP/1.1\r\nHost: x\r\n\r\n"
static void smuggling_is_refused(void **state)
{
    (void)state;
    static const char *const attacks[] = {
        "POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n"
        "\r\n0\r\n\r\n" SMUGGLED,
        "POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 60\r\n\r\n"
        SMUGGLED,
        "POST /token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n" SMUGGLED,
        "POST /token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        "Transfer-Encoding: identity\r\n\r\n0\r\n\r\n" SMUGGLED,
        "POST /token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" SMUGGLED,
        "GET /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\n" SMUGGLED,
        "GET /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: 0x5\r\n\r\n" SMUGGLED,
        "GET /v2/ HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n" SMUGGLED,
        "GET /v2/ HTTP/1.1\r\nHost: x\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n" SMUGGLED,
        "GET /v2/ HTTP/1.1\r\n\r\n" SMUGGLED,
        "GET /v2/ HTTP/1.1\r\nHost: x\r\nA\x01: b\r\n\r\n" SMUGGLED,
    };
    for (size_t i = 0; i < sizeof attacks / sizeof attacks[0]; i++) {
        ck_autofree char *a = raw(attacks[i]);
        if (status_of_answer(a) != 400 || count(a, "HTTP/1.1 ") != count(a, "HTTP/1.1 400"))
            print_error("attack %zu: %.600s\n", i, a ? a : "");
        assert_int_equal(status_of_answer(a), 400);
        assert_int_equal(count(a, "HTTP/1.1 "), count(a, "HTTP/1.1 400"));
    }
    assert_false(hub_said(hub, "repo=smuggled"));
}

static void paths_and_queries_that_mean_two_things(void **state)
{
    (void)state;
    static const char *const targets[] = {
        "/v2/a/../b/manifests/1", "/v2/a/%2e%2e/manifests/1", "/v2//manifests/1",
        "/v2/a%2fb/manifests/1",  "/v2/a/manifests/%00",      "/v2/a/manifests/%0a",
        "/v2/a/manifests/%zz",    "/v2/a/manifests/1%",       "/v2/./a/manifests/1",
        "http://x/v2/",           "*",                        "/v2/\xc3\xa9/manifests/1",
        "/v2/a/tags/list?n=1&n=2", "/v2/a/tags/list?n=%00",   "/v2/a/tags/list?last=%ff",
    };
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        ck_autofree char *line = ck_format("GET %s HTTP/1.1", targets[i]);
        assert_get(hub->port, line, 400, "HTTP/1.1 400");
    }
}

static void heads_and_bodies_that_are_too_long(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_put_bytes(&b, CK_V("GET /v2/ HTTP/1.1\r\nHost: x\r\nX: "));
    for (int i = 0; i < 200000; i++)
        ck_put_u8(&b, 'a');
    ck_put_bytes(&b, CK_V("\r\n\r\n"));
    ck_autofree char *a = exchange(hub->port, (const char *)b.p, b.n);
    assert_true(status_of_answer(a) == 431 || status_of_answer(a) == 413 || !*a);
    ck_buf_clear(&b);
    ck_put_bytes(&b, CK_V("GET /"));
    for (int i = 0; i < 200000; i++)
        ck_put_u8(&b, 'a');
    ck_put_bytes(&b, CK_V(" HTTP/1.1\r\nHost: x\r\n\r\n"));
    ck_autofree char *c = exchange(hub->port, (const char *)b.p, b.n);
    assert_true(status_of_answer(c) == 414 || !*c);
    ck_buf_clear(&b);
    ck_put_bytes(&b, CK_V("GET /v2/?"));
    for (int i = 0; i < 60; i++)
        ck_buf_format(&b, "a%d=1&", i);
    ck_put_bytes(&b, CK_V(" HTTP/1.1"));
    ck_put_u8(&b, 0);
    assert_get(hub->port, (const char *)b.p, 400, "too many parameters");
    ck_autofree char *d = raw("POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n");
    assert_int_equal(status_of_answer(d), 413);
    ck_autofree char *e = raw("GET /v2/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer tok\r\n"
                              "Connection: close\r\n"
                              "Content-Length: 5\r\n\r\nhello");
    assert_int_equal(status_of_answer(e), 200);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    ck_autofree char *a = raw("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
                              "GET /v2/a/manifests/1 HTTP/1.1\r\nHost: x\r\n\r\n"
                              "GET /v2/kept/p/manifests/1 HTTP/1.1\r\nHost: x\r\n\r\n"
                              "GET /v2/missing/manifests/1 HTTP/1.1\r\nHost: x\r\n"
                              "Connection: close\r\n\r\n");
    assert_int_equal(count(a, "HTTP/1.1 200 OK"), 3);
    assert_int_equal(count(a, "HTTP/1.1 404"), 1);
    assert_true(strstr(a, "ok\n") < strstr(a, "MANIFEST_UNKNOWN"));
}

/* --- clients that stop ------------------------------------------------------------------------ */

static bool closes_within(int fd, int seconds)
{
    struct timeval patience = { seconds, 0 };
    char p[4096];
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ssize_t n;
    while ((n = recv(fd, p, sizeof p, 0)) > 0)
        ;
    return n == 0 || errno == ECONNRESET;
}

static void half_requests_are_ended(void **state)
{
    (void)state;
    static const char *const halves[] = {
        "", "GET /v2/", "GET /v2/ HTTP/1.1\r\nHost: x\r\n",
        "POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf",
    };
    for (size_t i = 0; i < sizeof halves / sizeof halves[0]; i++) {
        int fd = dial(hub->port);
        speak(fd, halves[i], strlen(halves[i]));
        assert_true(closes_within(fd, 6));
        close(fd);
    }
}

/* One byte now and then is not enough either. */
static void dripping_requests_are_ended(void **state)
{
    (void)state;
    static const char head[] = "GET /v2/ HTTP/1.1\r\nHost: x\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaa";
    int fd = dial(hub->port);
    bool ended = false;
    for (size_t i = 0; i < sizeof head - 1 && !ended; i++) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        speak(fd, head + i, 1);
        ended = poll(&p, 1, 200) > 0;
    }
    assert_true(ended);
    close(fd);
}

static void dripping_bodies_are_ended(void **state)
{
    (void)state;
    static const char head[] = "POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n";
    struct ck_serve_config c = hub_config();
    c.idle_seconds = 1; /* ten times that for the body */
    struct hub *h = hub_open(&c);
    int fd = dial(h->port);
    bool ended = false;
    speak(fd, head, sizeof head - 1);
    for (int i = 0; i < 60 && !ended; i++) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        ended = poll(&p, 1, 300) > 0;
        assert_true(!ended || i > 20);
        speak(fd, "a", 1);
    }
    assert_true(ended);
    close(fd);
    hub_close(h);
}

static void a_thousand_half_open_connections(void **state)
{
    (void)state;
    enum { MANY = 1000 };
    struct rlimit rl = { 4096, 4096 };
    static int fds[MANY];
    getrlimit(RLIMIT_NOFILE, &rl);
    rl.rlim_cur = rl.rlim_max < 8192 ? rl.rlim_max : 8192;
    setrlimit(RLIMIT_NOFILE, &rl);
    struct ck_serve_config c = hub_config();
    c.connections = 512; /* fewer than there are */
    c.idle_seconds = 30;
    c.connections_per_client = 400;
    struct hub *h = hub_open(&c);
    for (int i = 0; i < MANY; i++) {
        ck_autofree char *from = ck_format("127.0.%d.1", 1 + i / 250);
        fds[i] = dial_from(h->port, from);
        speak(fds[i], "GET /v2/ HT", 11);
    }
    for (int i = 0; i < 5; i++)
        assert_get(h->port, "GET /v2/kept/a/manifests/1 HTTP/1.1", 200, h->manifest_text);
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
    hub_close(h);
}

static const char one_manifest[] = "GET /v2/a/manifests/1 HTTP/1.1\r\nHost: x\r\n"
                                   "Connection: close\r\n\r\n";

static void one_client_has_its_share_of_connections(void **state)
{
    (void)state;
    struct ck_serve_config c = hub_config();
    c.connections_per_client = 8;
    c.idle_seconds = 20;
    struct hub *h = hub_open(&c);
    int fds[20], ended = 0;
    for (int i = 0; i < 20; i++)
        fds[i] = dial(h->port);
    usleep(300000);
    for (int i = 0; i < 20; i++) {
        struct pollfd p = { .fd = fds[i], .events = POLLIN };
        ended += poll(&p, 1, 0) > 0;
    }
    assert_int_equal(ended, 12);
    int other = dial_from(h->port, "127.0.0.9");
    speak(other, one_manifest, sizeof one_manifest - 1);
    ck_autofree char *a = hear_all(other);
    assert_int_equal(status_of_answer(a), 200);
    for (int i = 0; i < 20; i++)
        close(fds[i]);
    hub_close(h);
}

static void one_client_has_its_share_of_requests(void **state)
{
    (void)state;
    struct ck_serve_config c = hub_config();
    c.requests_per_second = 2;
    struct hub *h = hub_open(&c);
    int good = 0, limited = 0;
    for (int i = 0; i < 40; i++) {
        ck_autofree char *a = ask_http(h->port, "GET /v2/a/manifests/1 HTTP/1.1");
        good += status_of_answer(a) == 200;
        limited += status_of_answer(a) == 429 && strstr(a, "Retry-After: 1") &&
                   strstr(a, "TOOMANYREQUESTS");
    }
    assert_in_range(good, 20, 24); /* the burst, and what a moment gives */
    assert_int_equal(good + limited, 40);
    int other = dial_from(h->port, "127.0.0.9");
    speak(other, one_manifest, sizeof one_manifest - 1);
    ck_autofree char *a = hear_all(other);
    assert_int_equal(status_of_answer(a), 200);
    hub_close(h);
}

static void readers_that_stop_reading_are_ended(void **state)
{
    (void)state;
    ck_autofree char *text = ck_format("GET /v2/kept/s/blobs/%s HTTP/1.1\r\nHost: x\r\n\r\n",
                                       hub->blob_text);
    int small = 65536, fd = dial(hub->port);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    for (int i = 0; i < 8; i++)
        speak(fd, text, strlen(text));
    usleep(5000000); /* idle_seconds is 2 */
    size_t n = 0;
    char p[65536];
    ssize_t got;
    while ((got = recv(fd, p, sizeof p, 0)) > 0)
        n += (size_t)got;
    close(fd);
    assert_true(n < 8 * (size_t)1048576);
    assert_get(hub->port, "GET /healthz HTTP/1.1", 200, "ok");
}

/* --- clients that vanish ---------------------------------------------------------------------- */

static void vanishing_while_the_question_is_open(void **state)
{
    (void)state;
    static const char text[] = "GET /v2/slow/manifests/1 HTTP/1.1\r\nHost: x\r\n\r\n";
    int fds[32];
    for (int i = 0; i < 32; i++) {
        fds[i] = dial(hub->port);
        speak(fds[i], text, sizeof text - 1);
    }
    for (int i = 0; i < 100 && hub->n_held < 32; i++)
        usleep(50000);
    assert_int_equal(hub->n_held, 32);
    for (int i = 0; i < 31; i++)
        close(fds[i]);
    hub_release(hub);
    char p[4096];
    assert_true(recv(fds[31], p, sizeof p, 0) > 12);
    assert_memory_equal(p, "HTTP/1.1 200", 12);
    close(fds[31]);
    assert_get(hub->port, "GET /v2/a/manifests/1 HTTP/1.1", 200, hub->manifest_text);
    bool alone = false;
    for (int i = 0; i < 100 && !alone; i++) { /* their ends take a turn of the room's loops */
        ck_autofree char *m = ask_http(hub->metrics_port, "GET /metrics HTTP/1.1");
        alone = strstr(m, "cocket_http_requests_in_flight 1\n") != NULL;
        usleep(20000);
    }
    assert_true(alone);
}

static void *hammer(void *ctx)
{
    static const char text[] = "GET /v2/kept/h/manifests/1 HTTP/1.1\r\nHost: x\r\n\r\n";
    size_t *answered = ctx;
    int fd = dial(hub->port);
    char p[8192];
    for (int i = 0; i < 400; i++) {
        size_t n = 0;
        ssize_t got = 1;
        speak(fd, text, sizeof text - 1);
        while (n < sizeof p - 1 && got > 0) {
            got = recv(fd, p + n, sizeof p - 1 - n, 0);
            n += got > 0 ? (size_t)got : 0;
            p[n] = 0;
            if (strstr(p, "\r\n\r\n") && strlen(body_of(p)) == 2000)
                break;
        }
        *answered += status_of_answer(p) == 200 && strlen(body_of(p)) == 2000;
        if (i % 50 == 49) { /* as a client that goes away after its question */
            speak(fd, text, sizeof text - 1);
            close(fd);
            fd = dial(hub->port);
        }
    }
    close(fd);
    return NULL;
}

/* Kept answers are given out, forgotten and made anew at the same time. */
static void forgetting_under_load(void **state)
{
    (void)state;
    pthread_t threads[8];
    size_t answered[8] = { 0 }, all = 0;
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, &answered[i]), 0);
    for (int i = 0; i < 40; i++) {
        hub_word(hub, CK_WIRE_FORGET);
        usleep(10000);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        all += answered[i];
    }
    assert_int_equal(all, 8 * 400);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void draining_finishes_what_is_open(void **state)
{
    (void)state;
    static const char text[] = "GET /v2/slow/manifests/1 HTTP/1.1\r\nHost: x\r\n\r\n";
    const struct ck_serve_config c = hub_config();
    struct hub *h = hub_open(&c);
    int idle = dial(h->port), open = dial(h->port);
    speak(open, text, sizeof text - 1);
    for (int i = 0; i < 100 && !h->n_held; i++)
        usleep(20000);
    hub_word(h, CK_WIRE_DRAIN);
    usleep(300000);
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(h->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int late = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_not_equal(connect(late, (struct sockaddr *)&a, sizeof a), 0);
    close(late);
    assert_true(closes_within(idle, 1));
    hub_release(h);
    ck_autofree char *answer = hear_all(open);
    assert_int_equal(status_of_answer(answer), 200);
    close(idle);
    hub_close(h);
}

/* What is not finished in time is told so. */
static void draining_has_an_end(void **state)
{
    (void)state;
    static const char text[] = "GET /v2/slow/manifests/1 HTTP/1.1\r\nHost: x\r\n\r\n";
    static const char upload[] =
        "PATCH /v2/mine/blobs/uploads/up-1 HTTP/1.1\r\nHost: x\r\nAuthorization: " MARIA_BASIC
        "\r\nContent-Length: 999\r\n\r\nhalf";
    struct ck_serve_config c = hub_config();
    c.drain_seconds = 1;
    c.idle_seconds = 30;
    struct hub *h = hub_open(&c);
    int open = dial(h->port), half = dial(h->port);
    speak(open, text, sizeof text - 1);
    speak(half, upload, sizeof upload - 1);
    for (int i = 0; i < 100 && !(h->n_held && h->reading); i++)
        usleep(20000);
    hub_word(h, CK_WIRE_DRAIN);
    ck_autofree char *answer = hear_all(open);
    assert_int_equal(status_of_answer(answer), 503);
    close(half);
    hub_close(h);
}

static void the_room_ends_with_its_wire(void **state)
{
    (void)state;
    const struct ck_serve_config c = hub_config();
    struct hub *h = hub_open(&c);
    int fd = dial(h->port);
    speak(fd, "GET /v2/slow/manifests/1 HTTP/1.1\r\nHost: x\r\n\r\n", 47);
    for (int i = 0; i < 100 && !h->n_held; i++)
        usleep(20000);
    shutdown(h->wire, SHUT_RDWR);
    assert_ok(ck_room_finish(h->room, NULL));
    ck_autofree char *answer = hear_all(fd);
    assert_int_equal(status_of_answer(answer), 503);
    pthread_join(h->thread, NULL);
    ck_room_stop(h->room);
    close(h->wire);
    close(h->manifest);
    close(h->blob);
    ck_buf_free(&h->said);
    free(h);
}

static void a_hub_that_lies_ends_the_room(void **state)
{
    (void)state;
    const struct ck_serve_config c = hub_config();
    struct hub *h = hub_open(&c);
    struct ck_ask nobody = { .id = 12345 };
    struct ck_answer w = { .status = 200 };
    hub_answer(h, &nobody, &w, -1);
    assert_fails(ck_room_finish(h->room, NULL), CK_ERR_HOSTILE, "nobody asked");
    shutdown(h->wire, SHUT_RDWR);
    pthread_join(h->thread, NULL);
    ck_room_stop(h->room);
    close(h->wire);
    close(h->manifest);
    close(h->blob);
    ck_buf_free(&h->said);
    free(h);
}

/* --- TLS -------------------------------------------------------------------------------------- */

static char *read_of(const char *command)
{
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    FILE *f = popen(command, "re");
    size_t n;
    assert_non_null(f);
    while ((n = fread(ck_buf_room(&b, 65537), 1, 65536, f)) > 0)
        b.n += n;
    pclose(f);
    return ck_buf_steal_str(&b);
}

static void tls_of_this_century(void **state)
{
    (void)state;
    char dir[] = "/tmp/cocket-serve-XXXXXX";
    assert_non_null(mkdtemp(dir));
    ck_autofree char *make = ck_format(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "
        "/CN=localhost -addext subjectAltName=DNS:localhost -keyout %s/key -out %s/cert "
        "2>&1 >/dev/null && cat %s/cert", dir, dir, dir);
    ck_autofree char *certificate = read_of(make);
    ck_autofree char *read_key = ck_format("cat %s/key", dir);
    ck_autofree char *key = read_of(read_key);
    struct ck_serve_config c = hub_config();
    c.certificate = ck_view_str(strstr(certificate, "-----BEGIN CERT"));
    c.key = ck_view_str(key);
    struct hub *h = hub_open(&c);
    static const struct {
        const char *options, *part;
    } rows[] = {
        { "--tlsv1.3", "manifest.v1+json" },
        { "--tls-max 1.2", "manifest.v1+json" },
        { "--tls-max 1.1 --tlsv1.0 --ciphers DEFAULT@SECLEVEL=0", "curl: (35)" },
    };
    for (size_t i = 0; i < 3; i++) {
        ck_autofree char *curl = ck_format("curl -sS -i --http1.1 --cacert %s/cert %s "
                                           "https://localhost:%u/v2/kept/t/manifests/1 2>&1",
                                           dir, rows[i].options, h->tls_port);
        ck_autofree char *a = read_of(curl);
        assert_has(a, rows[i].part);
    }
    ck_autofree char *curl = ck_format("curl -sS --http1.1 --cacert %s/cert https://localhost:%u"
                                       "/v2/kept/t/blobs/%s | sha256sum", dir, h->tls_port,
                                       h->blob_text);
    ck_autofree char *sum = read_of(curl);
    assert_true(strncmp(sum, h->blob_text + 7, 64) == 0);
    ck_autofree char *plain = exchange(h->tls_port, "GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n", 30);
    assert_int_equal(status_of_answer(plain), 0);
    hub_close(h);
    ck_autofree char *clean = ck_format("rm -r %s", dir);
    free(read_of(clean));
}

int main(int argc, char **argv)
{
    ck_room_main(argc, argv, serve_bodies);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(smuggling_is_refused),
        cmocka_unit_test(paths_and_queries_that_mean_two_things),
        cmocka_unit_test(heads_and_bodies_that_are_too_long),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(half_requests_are_ended),
        cmocka_unit_test(dripping_requests_are_ended),
        cmocka_unit_test(dripping_bodies_are_ended),
        cmocka_unit_test(a_thousand_half_open_connections),
        cmocka_unit_test(one_client_has_its_share_of_connections),
        cmocka_unit_test(one_client_has_its_share_of_requests),
        cmocka_unit_test(readers_that_stop_reading_are_ended),
        cmocka_unit_test(vanishing_while_the_question_is_open),
        cmocka_unit_test(forgetting_under_load),
        cmocka_unit_test(draining_finishes_what_is_open),
        cmocka_unit_test(draining_has_an_end),
        cmocka_unit_test(the_room_ends_with_its_wire),
        cmocka_unit_test(a_hub_that_lies_ends_the_room),
        cmocka_unit_test(tls_of_this_century),
    };
    const struct ck_serve_config c = hub_config();
    hub = hub_open(&c);
    int rc = cmocka_run_group_tests_name("serve-hostile", tests, NULL, NULL);
    hub_close(hub);
    return rc;
}
