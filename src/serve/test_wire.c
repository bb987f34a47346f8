#include "base/mem.h"
#include "base/unit.h"
#include "serve/names.h"
#include "serve/wire.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

static const char hex64[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static struct ck_ask full_ask(ck_view *words)
{
    words[0] = CK_V("Basic bWFyaWE6cw==");
    words[1] = CK_V("");
    return (struct ck_ask){
        .id = 7, .kind = CK_ASK_MANIFEST, .session = 1ull << 63, .client = CK_V("2001:db8::1"),
        .agent = CK_V("docker/24.0 (linux)"), .head = true, .ns = CK_V("docker.io"),
        .host = CK_V("gate.example"), .repository = CK_V("docker.io/library/debian"),
        .reference = CK_V("12-slim"), .content_type = CK_V("application/json; a=b"),
        .artifact_type = CK_V("application/x+json"), .from = CK_V("a/b"), .last = CK_V("v1"),
        .namespace_ = CK_V("default"), .upload = CK_V("f-0_1"), .has_n = true, .has_range = true,
        .n = 100, .first = 5, .length = 1ull << 40, .words = words, .n_words = 2, .fd = -1,
    };
}

static struct ck_answer full_answer(void)
{
    struct ck_answer w = {
        .id = 0xffffffff, .status = 403, .code = CK_OCI_DENIED, .message = CK_V("denied: cvé"),
        .explain = CK_V("/explain/sha256:00"), .content_type = CK_V("text/plain"),
        .ns = CK_V("docker.io"), .location = CK_V("/v2/x"), .upload = CK_V("u"),
        .link = CK_V("v9"), .warning = CK_V("moves in May"), .has_digest = true,
        .has_subject = true, .filtered = true, .size = 4096, .offset = 12, .retry_after = 30,
        .keep_ms = 60000, .session = 3, .roles = 15, .body = CK_V("{}"), .fd = -1,
    };
    ck_hash_of(CK_DIGEST_SHA256, CK_V("a"), &w.digest);
    ck_hash_of(CK_DIGEST_SHA512, CK_V("b"), &w.subject);
    return w;
}

/* --- there and back --------------------------------------------------------------------------- */

static void a_question_comes_out_as_it_went_in(void **state)
{
    (void)state;
    ck_view words[2];
    struct ck_ask q = full_ask(words), r;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE), again = ck_buf_new(CK_LIMIT_NONE);
    ck_autoarena struct ck_arena a = { 0 };
    enum ck_wire_type type;
    ck_ask_encode(&q, &b);
    assert_ok(ck_wire_type_of(ck_buf_view(&b), &type));
    assert_int_equal(type, CK_WIRE_ASK);
    assert_ok(ck_ask_decode(ck_buf_view(&b), &a, &r));
    assert_int_equal(r.id, 7);
    assert_int_equal(r.kind, CK_ASK_MANIFEST);
    assert_true(r.session == 1ull << 63 && r.head && r.has_n && r.has_range);
    assert_true(r.n == 100 && r.first == 5 && r.length == 1ull << 40);
    assert_view(r.repository, "docker.io/library/debian");
    assert_view(r.reference, "12-slim");
    assert_view(r.upload, "f-0_1");
    assert_int_equal(r.n_words, 2);
    assert_view(r.words[0], "Basic bWFyaWE6cw==");
    assert_int_equal(r.fd, -1);
    ck_ask_encode(&r, &again);
    assert_true(ck_view_eq(ck_buf_view(&b), ck_buf_view(&again)));
}

static void an_answer_comes_out_as_it_went_in(void **state)
{
    (void)state;
    struct ck_answer w = full_answer(), r;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE), again = ck_buf_new(CK_LIMIT_NONE);
    ck_answer_encode(&w, &b);
    assert_ok(ck_answer_decode(ck_buf_view(&b), &r));
    assert_int_equal(r.status, 403);
    assert_int_equal(r.code, CK_OCI_DENIED);
    assert_true(ck_digest_eq(&r.digest, &w.digest) && ck_digest_eq(&r.subject, &w.subject));
    assert_true(r.has_digest && r.has_subject && r.filtered);
    assert_view(r.message, "denied: cvé");
    assert_view(r.warning, "moves in May");
    assert_true(r.size == 4096 && r.offset == 12 && r.retry_after == 30 && r.keep_ms == 60000);
    assert_true(r.session == 3 && r.roles == 15);
    ck_answer_encode(&r, &again);
    assert_true(ck_view_eq(ck_buf_view(&b), ck_buf_view(&again)));
}

static void listeners_words_and_settings_come_out_as_they_went_in(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_wire_listener l = { .local = true, .routes = CK_ROUTES_DOCKER }, m;
    enum ck_wire_type type;
    ck_wire_listener_encode(&l, &b);
    assert_ok(ck_wire_listener_decode(ck_buf_view(&b), &m));
    assert_true(!m.tls && m.local && m.routes == CK_ROUTES_DOCKER);
    b.p[2] = CK_ROUTES_COUNT_;
    assert_fails(ck_wire_listener_decode(ck_buf_view(&b), &m), CK_ERR_HOSTILE, "a listener");
    static const enum ck_wire_type bare[] = { CK_WIRE_OPEN, CK_WIRE_FORGET, CK_WIRE_DRAIN };
    for (size_t i = 0; i < 3; i++) {
        ck_buf_clear(&b);
        ck_wire_word_encode(bare[i], &b);
        assert_ok(ck_wire_type_of(ck_buf_view(&b), &type));
        assert_int_equal(type, bare[i]);
        ck_put_u8(&b, 0);
        assert_fails(ck_wire_type_of(ck_buf_view(&b), &type), CK_ERR_HOSTILE, "a length");
    }
    assert_fails(ck_wire_type_of(CK_V("\6x"), &type), CK_ERR_HOSTILE, "unknown type");
    assert_fails(ck_wire_type_of(CK_V(""), &type), CK_ERR_HOSTILE, "unknown type");

    struct ck_serve_config c = { .certificate = CK_V("CERT"), .key = CK_V("KEY"),
                                 .url = CK_V("https://gate.example:5443"), .service = CK_V("gate"),
                                 .head_deny_405 = true, .threads = 2, .connections = 3,
                                 .connections_per_client = 4, .requests_per_second = 5,
                                 .idle_seconds = 6, .drain_seconds = 7 }, d;
    ck_buf_clear(&b);
    ck_serve_config_encode(&c, &b);
    assert_ok(ck_serve_config_decode(ck_buf_view(&b), &d));
    assert_view(d.url, "https://gate.example:5443");
    assert_view(d.key, "KEY");
    assert_true(!d.anonymous_pull && d.head_deny_405 && d.threads == 2 && d.connections == 3);
    assert_true(d.connections_per_client == 4 && d.requests_per_second == 5);
    assert_true(d.idle_seconds == 6 && d.drain_seconds == 7);
    ck_put_u8(&b, 0);
    assert_fails(ck_serve_config_decode(ck_buf_view(&b), &d), CK_ERR_HOSTILE, "serve job");
}

/* --- lies ------------------------------------------------------------------------------------- */

/* Every shorter packet, one byte more, and every byte changed: no reader's error, and what still
 * decodes encodes to the same bytes. */
static void mangled_packets_are_refused_or_mean_what_they_say(void **state)
{
    (void)state;
    ck_view words[2];
    struct ck_ask q = full_ask(words), r;
    struct ck_answer w = full_answer(), x;
    ck_autobuf struct ck_buf ask = ck_buf_new(CK_LIMIT_NONE), answer = ck_buf_new(CK_LIMIT_NONE);
    ck_autobuf struct ck_buf again = ck_buf_new(CK_LIMIT_NONE);
    ck_ask_encode(&q, &ask);
    ck_answer_encode(&w, &answer);
    ck_autoarena struct ck_arena a = { 0 };
    for (size_t n = 0; n < ask.n; n++)
        assert_fails(ck_ask_decode(ck_view_of(ask.p, n), &a, &r), CK_ERR_HOSTILE, "a question");
    for (size_t n = 0; n < answer.n; n++)
        assert_fails(ck_answer_decode(ck_view_of(answer.p, n), &x), CK_ERR_HOSTILE, "an answer");
    ck_put_u8(&ask, 0);
    ck_put_u8(&answer, 0);
    assert_fails(ck_ask_decode(ck_buf_view(&ask), &a, &r), CK_ERR_HOSTILE, "a question");
    assert_fails(ck_answer_decode(ck_buf_view(&answer), &x), CK_ERR_HOSTILE, "an answer");
    ask.n--;
    answer.n--;
    for (size_t i = 0; i < ask.n; i++) {
        ask.p[i] ^= 0x80;
        ck_err *e = ck_ask_decode(ck_buf_view(&ask), &a, &r);
        ck_buf_clear(&again);
        if (!e)
            ck_ask_encode(&r, &again);
        assert_true(e || ck_view_eq(ck_buf_view(&ask), ck_buf_view(&again)));
        ck_err_free(e);
        ask.p[i] ^= 0x80;
    }
    for (size_t i = 0; i < answer.n; i++) {
        answer.p[i] ^= 0x80;
        ck_err *e = ck_answer_decode(ck_buf_view(&answer), &x);
        ck_buf_clear(&again);
        if (!e)
            ck_answer_encode(&x, &again);
        assert_true(e || ck_view_eq(ck_buf_view(&answer), ck_buf_view(&again)));
        ck_err_free(e);
        answer.p[i] ^= 0x80;
    }
}

static bool ask_passes(const struct ck_ask *q)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_ask r;
    ck_ask_encode(q, &b);
    ck_err *e = ck_ask_decode(ck_buf_view(&b), &a, &r);
    ck_err_free(e);
    assert_int_equal(!e, ck_ask_sound(q));
    return !e;
}

static bool answer_passes(const struct ck_answer *w)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_answer r;
    ck_answer_encode(w, &b);
    ck_err *e = ck_answer_decode(ck_buf_view(&b), &r);
    ck_err_free(e);
    return !e;
}

static void a_lying_room_is_refused(void **state)
{
    (void)state;
    ck_view words[CK_WIRE_WORDS + 1] = { 0 };
    const struct ck_ask good = full_ask(words);
    struct ck_ask q = good;
#define LIE(field, value) \
    q = good;             \
    q.field = (value);    \
    assert_false(ask_passes(&q))
    assert_true(ask_passes(&q));
    LIE(id, 0);
    LIE(kind, CK_ASK_KIND_COUNT_);
    LIE(repository, CK_V("../../etc"));
    LIE(repository, CK_V("A/b"));
    LIE(reference, CK_V("sha256:beef"));
    LIE(reference, CK_V("a/b"));
    LIE(ns, CK_V("a b"));
    LIE(client, CK_V("1.2.3.4\n"));
    LIE(agent, CK_V("a\r\nb"));
    LIE(upload, CK_V("\"x\""));
    LIE(from, CK_V("-"));
    LIE(n_words, CK_WIRE_WORDS + 1);
    q = good;
    q.n_words = CK_WIRE_WORDS;
    assert_true(ask_passes(&q));
    words[0] = CK_V("two\nlines");
    assert_false(ask_passes(&good));
#undef LIE
}

static void a_lying_hub_is_refused(void **state)
{
    (void)state;
    const struct ck_answer good = full_answer();
    struct ck_answer w = good;
#define LIE(field, value) \
    w = good;             \
    w.field = (value);    \
    assert_false(answer_passes(&w))
    assert_true(answer_passes(&w));
    LIE(id, 0);
    LIE(status, 99);
    LIE(status, 600);
    LIE(code, CK_OCI_ERROR_COUNT_);
    LIE(roles, 16);
    LIE(content_type, CK_V("text/html\r\nSet-Cookie: a"));
    LIE(location, CK_V("/v2/\r\n"));
    LIE(explain, CK_V("https://elsewhere.example/"));
    LIE(warning, CK_V("one\ntwo"));
    LIE(digest.alg, CK_DIGEST_ALGORITHM_COUNT_);
    LIE(digest.bytes[32], 1); /* beyond a sha256 */
#undef LIE
}

static ck_view bytes_of(struct ck_buf *b, size_t n)
{
    ck_buf_clear(b);
    memset(ck_buf_room(b, n), 'a', n);
    b->n = n;
    return ck_buf_view(b);
}

static void limits_hold_at_the_limit_and_one_past_it(void **state)
{
    (void)state;
    ck_view words[2];
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_ask q = full_ask(words);
    struct ck_answer w = full_answer(), r;
    for (size_t past = 0; past < 2; past++) {
        q = full_ask(words);
        q.agent = bytes_of(&b, CK_MAX_SERVE_AGENT + past);
        assert_int_equal(ask_passes(&q), !past);
        q = full_ask(words);
        q.repository = bytes_of(&b, CK_MAX_REGISTRY_NAME + past);
        assert_int_equal(ask_passes(&q), !past);
        q = full_ask(words);
        words[0] = bytes_of(&b, CK_MAX_HTTP_FIELD + past);
        assert_int_equal(ask_passes(&q), !past);
        w = full_answer();
        w.content_type = bytes_of(&b, CK_MAX_REGISTRY_NAME + past);
        assert_int_equal(answer_passes(&w), !past);
        w = full_answer();
        w.body = bytes_of(&b, CK_WIRE_BODY + past);
        assert_int_equal(answer_passes(&w), !past);
    }
    /* What people are told is cut rather than lost. */
    ck_autobuf struct ck_buf packet = ck_buf_new(CK_LIMIT_NONE);
    w = full_answer();
    w.message = bytes_of(&b, CK_MAX_SERVE_MESSAGE + 1);
    w.warning = bytes_of(&b, CK_MAX_REGISTRY_WARNING + 1);
    ck_answer_encode(&w, &packet);
    assert_ok(ck_answer_decode(ck_buf_view(&packet), &r));
    assert_int_equal(r.message.n, CK_MAX_SERVE_MESSAGE);
    assert_int_equal(r.warning.n, CK_MAX_REGISTRY_WARNING);
}

static void names_are_those_of_the_specification(void **state)
{
    (void)state;
    static const char *const good[] = { "a", "a/b", "a.b", "a_b", "a__b", "a---b", "0/1/2",
                                        "docker.io/library/debian" };
    static const char *const bad[] = { "", "/", "a/", "/a", "a//b", "A", "a..b", "a___b", "a._b",
                                       "-a", "a-", ".a", "a.", "_", "a:b", "a b", "a/../b",
                                       "\xc3" };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(ck_is_repository(ck_view_str(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(ck_is_repository(ck_view_str(bad[i])));
    char tag[130];
    memset(tag, 'A', sizeof tag);
    assert_true(ck_is_tag(ck_view_of(tag, 128)));
    assert_false(ck_is_tag(ck_view_of(tag, 129)));
    assert_true(ck_is_tag(CK_V("_.-")));
    assert_false(ck_is_tag(CK_V("")) || ck_is_tag(CK_V(".a")) || ck_is_tag(CK_V("-a")) ||
                 ck_is_tag(CK_V("a:b")) || ck_is_tag(CK_V("a b")));
    ck_autofree char *digest = ck_format("sha256:%s", hex64);
    assert_true(ck_is_digest(ck_view_str(digest)));
    digest[10] = 'F';
    assert_false(ck_is_digest(ck_view_str(digest)));
}

/* --- the socket ------------------------------------------------------------------------------- */

static void pair_of(int s[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
}

static void packets_travel_with_their_descriptor(void **state)
{
    (void)state;
    int s[2], fd = -1, pipes[2];
    uint8_t *frame = malloc(CK_WIRE_PACKET);
    ck_view got;
    bool end = true;
    pair_of(s);
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    assert_ok(ck_wire_send(s[0], CK_V("one"), -1));
    assert_ok(ck_wire_send(s[0], CK_V("two"), pipes[1]));
    close(pipes[1]);
    assert_ok(ck_wire_receive(s[1], frame, &got, &fd, &end));
    assert_view(got, "one");
    assert_true(fd == -1 && !end);
    assert_ok(ck_wire_receive(s[1], frame, &got, &fd, &end));
    assert_view(got, "two");
    assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    char c = 0;
    assert_int_equal(read(pipes[0], &c, 1), 1);
    close(fd);
    assert_int_equal(read(pipes[0], &c, 1), 0); /* nobody else has it */
    close(pipes[0]);
    close(s[0]);
    assert_ok(ck_wire_receive(s[1], frame, &got, &fd, &end));
    assert_true(end);
    assert_fails(ck_wire_send(s[1], CK_V("x"), -1), CK_ERR_OURS, "wire");
    close(s[1]);
    free(frame);
}

/* Two descriptors, and one byte more than a packet. */
static void what_is_no_packet_is_refused(void **state)
{
    (void)state;
    int s[2], fd = -1;
    uint8_t *frame = calloc(1, CK_WIRE_PACKET + 1);
    ck_view got;
    bool end;
    pair_of(s);
    assert_fails(ck_wire_send(s[0], ck_view_of(frame, CK_WIRE_PACKET + 1), -1), CK_ERR_LIMIT, "");
    assert_ok(ck_wire_send(s[0], ck_view_of(frame, CK_WIRE_PACKET), -1));
    assert_ok(ck_wire_receive(s[1], frame, &got, &fd, &end));
    assert_int_equal(got.n, CK_WIRE_PACKET);
    assert_int_equal(send(s[0], frame, CK_WIRE_PACKET + 1, 0), CK_WIRE_PACKET + 1);
    assert_fails(ck_wire_receive(s[1], frame, &got, &fd, &end), CK_ERR_HOSTILE, "too long");

    int two[2] = { 0, 0 };
    union {
        char space[CMSG_SPACE(sizeof two)];
        struct cmsghdr align;
    } control = { { 0 } };
    struct iovec iov = { frame, 1 };
    struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space,
                         .msg_controllen = sizeof control.space };
    assert_int_equal(pipe2(two, O_CLOEXEC), 0);
    struct cmsghdr *cm = CMSG_FIRSTHDR(&mh);
    cm->cmsg_level = SOL_SOCKET;
    cm->cmsg_type = SCM_RIGHTS;
    cm->cmsg_len = CMSG_LEN(sizeof two);
    memcpy(CMSG_DATA(cm), two, sizeof two);
    assert_int_equal(sendmsg(s[0], &mh, 0), 1);
    assert_fails(ck_wire_receive(s[1], frame, &got, &fd, &end), CK_ERR_HOSTILE, "too many");
    close(two[1]);
    char c;
    assert_int_equal(read(two[0], &c, 1), 0); /* neither was kept */
    close(two[0]);
    close(s[0]);
    close(s[1]);
    free(frame);
}

static void *read_all(void *p)
{
    int *s = p;
    uint8_t *frame = malloc(CK_WIRE_PACKET);
    ck_view got;
    bool end = false;
    size_t n = 0;
    usleep(50000);
    while (!end) {
        int fd = -1;
        ck_err *e = ck_wire_receive(*s, frame, &got, &fd, &end);
        if (e)
            abort();
        n += !end;
    }
    free(frame);
    *s = (int)n;
    return NULL;
}

static void a_full_wire_is_waited_for(void **state)
{
    (void)state;
    int s[2];
    bool sent = true;
    static uint8_t big[CK_WIRE_PACKET];
    pair_of(s);
    assert_int_equal(fcntl(s[0], F_SETFL, O_NONBLOCK), 0);
    int n = 0;
    while (sent) {
        assert_ok(ck_wire_try_send(s[0], ck_view_of(big, sizeof big), -1, &sent));
        n += sent;
    }
    assert_true(n > 0);
    pthread_t reader;
    int other = s[1];
    assert_int_equal(pthread_create(&reader, NULL, read_all, &other), 0);
    for (int i = 0; i < 20; i++)
        assert_ok(ck_wire_send(s[0], ck_view_of(big, sizeof big), -1));
    close(s[0]);
    pthread_join(reader, NULL);
    assert_int_equal(other, n + 20);
    close(s[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_comes_out_as_it_went_in),
        cmocka_unit_test(an_answer_comes_out_as_it_went_in),
        cmocka_unit_test(listeners_words_and_settings_come_out_as_they_went_in),
        cmocka_unit_test(mangled_packets_are_refused_or_mean_what_they_say),
        cmocka_unit_test(a_lying_room_is_refused),
        cmocka_unit_test(a_lying_hub_is_refused),
        cmocka_unit_test(limits_hold_at_the_limit_and_one_past_it),
        cmocka_unit_test(names_are_those_of_the_specification),
        cmocka_unit_test(packets_travel_with_their_descriptor),
        cmocka_unit_test(what_is_no_packet_is_refused),
        cmocka_unit_test(a_full_wire_is_waited_for),
    };
    return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
