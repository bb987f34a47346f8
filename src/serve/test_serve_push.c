/* The registry's routes that write. */
#include "serve/unit_serve.h"

static struct hub *hub;

#define MARIA_SAYS "Host: x\r\nConnection: close\r\nAuthorization: " MARIA_BASIC "\r\n"

/* A request of maria's with a body. `headers`: further ones, each with its "\r\n". */
static char *send_body(const char *line, const char *headers, const uint8_t *p, size_t n)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_buf_format(&b, "%s HTTP/1.1\r\n" MARIA_SAYS "%sContent-Length: %zu\r\n\r\n", line,
                  headers, n);
    ck_put_bytes(&b, ck_view_of(p, n));
    return exchange(hub->port, (const char *)b.p, b.n);
}

static char *send_text(const char *line, const char *headers, const char *text)
{
    return send_body(line, headers, (const uint8_t *)text, strlen(text));
}

static char *send_chunks(const char *line, const uint8_t *p, size_t n, size_t chunk)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_buf_format(&b, "%s HTTP/1.1\r\n" MARIA_SAYS "Transfer-Encoding: chunked\r\n\r\n", line);
    for (size_t at = 0; at < n; at += chunk) {
        size_t m = n - at < chunk ? n - at : chunk;
        ck_buf_format(&b, "%zx\r\n", m);
        ck_put_bytes(&b, ck_view_of(p + at, m));
        ck_put_bytes(&b, CK_V("\r\n"));
    }
    ck_put_bytes(&b, CK_V("0\r\n\r\n"));
    return exchange(hub->port, (const char *)b.p, b.n);
}

static bool answers(char *a, int status, const char *part)
{
    bool good = status_of_answer(a) == status && has_part(a, part);
    if (!good)
        print_error("not %d: %.400s\n", status, a ? a : "");
    free(a);
    return good;
}

static void start(void)
{
    assert_true(answers(send_text("POST /v2/mine/app/blobs/uploads/", "", ""), 202,
                        "Location: /v2/mine/app/blobs/uploads/up-1\r\n"));
}

static struct ck_buf noise(size_t n)
{
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    uint8_t *p = ck_buf_room(&b, n + 1);
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(i * 2654435761u >> 13);
    b.n = n;
    return b;
}

static char *put_line(const struct ck_buf *content)
{
    struct ck_digest d;
    char text[CK_DIGEST_TEXT];
    ck_hash_of(CK_DIGEST_SHA256, ck_buf_view(content), &d);
    return ck_format("PUT /v2/mine/app/blobs/uploads/up-1?digest=%s", ck_digest_text(&d, text));
}

/* --- blobs ------------------------------------------------------------------------------------ */

static void a_blob_in_one_stream(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = noise(3000000);
    ck_autofree char *put = put_line(&b);
    for (int slow = 0; slow < 2; slow++) {
        atomic_store(&hub->slow_reader, slow);
        start();
        assert_true(answers(send_chunks("PATCH /v2/mine/app/blobs/uploads/up-1", b.p, b.n, 50000),
                            202, "Range: 0-2999999\r\n"));
        assert_true(ck_view_eq(ck_buf_view(&hub->upload), ck_buf_view(&b)));
        assert_true(answers(send_text(put, "", ""), 201, "Location: /v2/mine/app/blobs/sha256:"));
    }
    atomic_store(&hub->slow_reader, false);
    start();
    assert_true(answers(send_body(put, "", b.p, b.n), 201, "Docker-Content-Digest: sha256:"));
}

static void a_blob_in_chunks(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = noise(100000);
    ck_autofree char *put = put_line(&b);
    const char *patch = "PATCH /v2/mine/app/blobs/uploads/up-1";
    start();
    assert_true(answers(send_body(patch, "Content-Range: 0-59999\r\n", b.p, 60000), 202,
                        "Range: 0-59999\r\n"));
    assert_true(answers(send_body(patch, "Content-Range: 50000-59999\r\n", b.p, 10000), 416,
                        "Range: 0-59999\r\n"));
    assert_true(answers(send_body(patch, "Content-Range: 60000-70000\r\n", b.p, 10000), 400,
                        "SIZE_INVALID"));
    assert_true(answers(send_text("GET /v2/mine/app/blobs/uploads/up-1", "", ""), 204,
                        "Range: 0-4\r\n")); /* as the hub says */
    assert_true(answers(send_body(put, "Content-Range: 60000-99999\r\n", b.p + 60000, 40000), 201,
                        "Location: "));
}

static void a_blob_in_one_request_or_none(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = noise(5000);
    ck_autofree char *put = put_line(&b);
    ck_autofree char *post = ck_format("POST /v2/mine/app/blobs/uploads/%s", strchr(put, '?'));
    assert_true(answers(send_body(post, "", b.p, b.n), 201, "Docker-Content-Digest: "));
    ck_autofree char *mount = ck_format("POST /v2/mine/app/blobs/uploads/?mount=%s&from=other/one",
                                        hub->blob_text);
    assert_true(answers(send_text(mount, "", ""), 201, hub->blob_text));
    *strchr(mount, '&') = 0; /* from anywhere: the hub finds none, and an upload begins */
    assert_true(answers(send_text(mount, "", ""), 202, "up-1"));
    assert_true(answers(send_text("POST /v2/mine/app/blobs/uploads/", "", "x"), 400, "SIZE_INV"));
    assert_true(answers(send_text("POST /v2/mine/app/blobs/uploads/?mount=x", "", ""), 400,
                        "DIGEST_INVALID"));
}

static void uploads_that_go_wrong(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = noise(200000);
    const char *put = "PUT /v2/mine/app/blobs/uploads/up-1";
    start();
    assert_true(answers(send_text(put, "", ""), 400, "DIGEST_INVALID"));
    ck_autofree char *other = ck_format("%s?digest=%s", put, hub->blob_text);
    assert_true(answers(send_text(other, "", ""), 400, "another digest"));
    assert_true(answers(send_body("PATCH /v2/full/blobs/uploads/up-1", "", b.p, b.n), 507,
                        "the disk is full"));
    assert_true(answers(send_text("PATCH /v2/a/blobs/uploads/a:b", "", "x"), 404,
                        "BLOB_UPLOAD_UNKNOWN"));
    assert_true(answers(send_text("DELETE /v2/mine/app/blobs/uploads/up-1", "", ""), 204, ""));
    assert_int_equal(atomic_load(&hub->aborts), 0);
}

/* The client goes away in the middle, or falls silent: its bytes do not count. */
static void uploaders_that_vanish_or_stall(void **state)
{
    (void)state;
    static const char head[] = "PATCH /v2/mine/app/blobs/uploads/up-1 HTTP/1.1\r\n" MARIA_SAYS
                               "Content-Length: 1000\r\n\r\nhalf";
    start();
    int fd = dial(hub->port);
    speak(fd, head, sizeof head - 1);
    usleep(200000);
    close(fd);
    for (int i = 0; i < 50 && !atomic_load(&hub->aborts); i++)
        usleep(100000);
    assert_int_equal(atomic_load(&hub->aborts), 1);
    fd = dial(hub->port);
    speak(fd, head, sizeof head - 1);
    for (int i = 0; i < 80 && atomic_load(&hub->aborts) < 2; i++)
        usleep(100000);
    assert_int_equal(atomic_load(&hub->aborts), 2);
    close(fd);
}

/* --- manifests -------------------------------------------------------------------------------- */

static void manifests_are_put_and_deleted(void **state)
{
    (void)state;
    const char *type = "Content-Type: application/vnd.oci.image.manifest.v1+json\r\n";
    assert_true(answers(send_text("PUT /v2/mine/app/manifests/v1", type, "{\"a\":1}"), 201,
                        "OCI-Subject: sha256:"));
    assert_true(hub_said(hub, "ref=v1 client=127.0.0.1 agent= "
                              "type=application/vnd.oci.image.manifest.v1+json"));
    ck_autofree char *tagged = ck_format("PUT /v2/mine/app/manifests/%s?tag=a&tag=b",
                                         hub->manifest_text);
    assert_true(answers(send_text(tagged, type, "{}"), 201, "OCI-Tag: b"));
    assert_true(answers(send_text("PUT /v2/mine/app/manifests/v1?tag=a", type, "{}"), 400,
                        "MANIFEST_INVALID"));
    assert_true(answers(send_text("PUT /v2/mine/app/manifests/v1", type, ""), 400,
                        "there is no manifest"));
    assert_true(answers(send_text("DELETE /v2/mine/app/manifests/v1", "", ""), 202, ""));
    ck_autofree char *blob = ck_format("DELETE /v2/mine/app/blobs/%s", hub->blob_text);
    assert_true(answers(send_text(blob, "", ""), 202, ""));
}

static void manifests_of_four_megabytes_and_no_more(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = noise(CK_MAX_DOCUMENT + 1);
    const char *put = "PUT /v2/mine/app/manifests/big";
    assert_true(answers(send_body(put, "", b.p, CK_MAX_DOCUMENT), 201, "Location: "));
    assert_true(answers(send_body(put, "", b.p, CK_MAX_DOCUMENT + 1), 413, "SIZE_INVALID"));
    assert_true(answers(send_chunks(put, b.p, CK_MAX_DOCUMENT, 100000), 201, "Location: "));
    assert_true(answers(send_chunks(put, b.p, CK_MAX_DOCUMENT + 1, 100000), 413, "SIZE_INVALID"));
}

static void pushes_need_the_role(void **state)
{
    (void)state;
    static const char *const lines[] = { "PUT /v2/a/manifests/1", "DELETE /v2/a/manifests/1",
                                         "POST /v2/a/blobs/uploads/",
                                         "PATCH /v2/a/blobs/uploads/x" };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        ck_autofree char *line = ck_format("%s HTTP/1.1\nContent-Length: 0", lines[i]);
        assert_get(hub->port, line, 401, "WWW-Authenticate: Bearer");
    }
}

int main(int argc, char **argv)
{
    ck_room_main(argc, argv, serve_bodies);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_blob_in_one_stream),
        cmocka_unit_test(a_blob_in_chunks),
        cmocka_unit_test(a_blob_in_one_request_or_none),
        cmocka_unit_test(uploads_that_go_wrong),
        cmocka_unit_test(uploaders_that_vanish_or_stall),
        cmocka_unit_test(manifests_are_put_and_deleted),
        cmocka_unit_test(manifests_of_four_megabytes_and_no_more),
        cmocka_unit_test(pushes_need_the_role),
    };
    const struct ck_serve_config c = hub_config();
    hub = hub_open(&c);
    int rc = cmocka_run_group_tests_name("serve-push", tests, NULL, NULL);
    hub_close(hub);
    return rc;
}
