/* The web UI's routes, with the files that this build has; without Node it has none. */
#include "serve/page.h"
#include "serve/ui.h"
#include "serve/unit_serve.h"

#include <zlib.h>

static struct hub *hub;

static bool has_ui(void) { return ck_ui_files[0].path != NULL; }

static const struct ck_ui_file *some(const char *suffix)
{
    for (const struct ck_ui_file *f = ck_ui_files; f->path; f++)
        if (strlen(f->path) >= strlen(suffix) &&
            strcmp(f->path + strlen(f->path) - strlen(suffix), suffix) == 0)
            return f;
    return NULL;
}

static void assert_guarded(const char *a)
{
    assert_has(a, "Content-Security-Policy: default-src 'none'; script-src 'self'; "
                  "style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
                  "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
                  "trusted-types 'none'\r\n");
    assert_has(a, "X-Content-Type-Options: nosniff\r\n");
    assert_has(a, "Referrer-Policy: no-referrer\r\n");
    assert_has(a, "Permissions-Policy: camera=()");
    assert_has(a, "Cross-Origin-Opener-Policy: same-origin\r\n");
    assert_has(a, "Cross-Origin-Resource-Policy: same-origin\r\n");
    assert_has(a, "X-Frame-Options: DENY\r\n");
}

static void each_page_is_the_same_page(void **state)
{
    (void)state;
    static const char *const paths[] = { "/", "/ui", "/ui/", "/ui/images/sha256:ab",
                                         "/ui/repositories?name=a%2Fb", "/ui/%3Cscript%3E" };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        ck_autofree char *a = ask_http(hub->port, "GET %s HTTP/1.1", paths[i]);
        assert_int_equal(status_of_answer(a), 200);
        assert_has(a, "Content-Type: text/html; charset=utf-8\r\n");
        assert_has(a, "Cache-Control: no-cache\r\n");
        assert_has(a, has_ui() ? "<div id=\"app\"></div>" : "built without the web UI");
        assert_null(strstr(body_of(a), "<script>"));
        assert_guarded(a);
    }
    assert_get(hub->port, "POST / HTTP/1.1\nContent-Length: 0", 405, "UNSUPPORTED");
    assert_get(hub->port, "POST /ui/login HTTP/1.1\nContent-Length: 0", 405, "UNSUPPORTED");
}

/* Nobody is asked who he is: wrong credentials do not keep anybody from signing in. */
static void anybody_may_have_it(void **state)
{
    (void)state;
    assert_get(hub->port, "GET /ui/ HTTP/1.1\nAuthorization: Basic eDp5", 200, "text/html");
    assert_get(hub->metrics_port, "GET / HTTP/1.1", 404, "nothing here");
    assert_get(hub->metrics_port, "GET /ui/ HTTP/1.1", 404, "nothing here");
}

static void assert_plain(const char *a, const struct ck_ui_file *f)
{
    assert_null(strstr(a, "Content-Encoding"));
    assert_int_equal(strlen(body_of(a)), f->n);
}

static void compressed_for_who_takes_it(void **state)
{
    (void)state;
    static const struct {
        const char *accept;
        bool gzip;
    } rows[] = {
        { "gzip", true },          { "br, GZIP;q=0.5", true }, { "*", true },
        { "identity", false },     { "gzip;q=0", false },      { "gzip ; q=0.000, *", false },
        { "*;q=0", false },        { "gzipped", false },       { "br, deflate", false },
        { "x-gzip;q=0.01", true },
    };
    const struct ck_ui_file *f = some(".css");
    if (!f)
        skip();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char length[64];
        ck_autofree char *a = ask_http(hub->port, "GET %s HTTP/1.1\nAccept-Encoding: %s", f->path,
                                       rows[i].accept);
        assert_int_equal(status_of_answer(a), 200);
        snprintf(length, sizeof length, "Content-Length: %zu\r\n", rows[i].gzip ? f->n_gzip : f->n);
        assert_has(a, length);
        assert_has(a, "Vary: Accept-Encoding\r\n");
        assert_guarded(a);
        if (rows[i].gzip)
            assert_has(a, "Content-Encoding: gzip\r\n");
        else
            assert_plain(a, f);
    }
}

static void assets_last_and_have_their_types(void **state)
{
    (void)state;
    static const char *const kinds[][2] = { { ".js", "Content-Type: text/javascript" },
                                            { ".css", "Content-Type: text/css" },
                                            { ".svg", "Content-Type: image/svg+xml" } };
    if (!has_ui())
        skip();
    for (size_t i = 0; i < 3; i++) {
        const struct ck_ui_file *f = some(kinds[i][0]);
        assert_non_null(f);
        ck_autofree char *a = ask_http(hub->port, "HEAD %s HTTP/1.1", f->path);
        assert_int_equal(status_of_answer(a), 200);
        assert_has(a, kinds[i][1]);
        assert_has(a, "Cache-Control: public, max-age=31536000, immutable\r\n");
        assert_string_equal(body_of(a), "");
    }
}

static void what_is_not_there(void **state)
{
    (void)state;
    static const char *const paths[] = { "/assets/", "/assets/x.js", "/assets/index.html",
                                         "/assets/%3Cscript%3E" };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        ck_autofree char *a = ask_http(hub->port, "GET %s HTTP/1.1", paths[i]);
        assert_int_equal(status_of_answer(a), 404);
        assert_has(a, "Content-Type: text/plain");
        assert_has(a, "Cache-Control: no-cache");
        assert_guarded(a);
    }
    assert_get(hub->port, "GET /index.html HTTP/1.1", 404, "nothing here");
    assert_get(hub->port, "GET /assets/../index.html HTTP/1.1", 400, "");
}

static void what_one_has_is_not_sent_again(void **state)
{
    (void)state;
    const struct ck_ui_file *f = some("/index.html");
    if (!f)
        skip();
    static const char *const forms[] = { "%s", "W/%s", "\"x\", %s", "*" };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        char match[128] = "";
        const char *at = strstr(forms[i], "%s");
        snprintf(match, sizeof match, "%.*s%s", at ? (int)(at - forms[i]) : 1, forms[i],
                 at ? f->etag : "");
        ck_autofree char *a = ask_http(hub->port, "GET /ui/log HTTP/1.1\nIf-None-Match: %s", match);
        assert_int_equal(status_of_answer(a), 304);
        assert_has(a, f->etag);
        assert_string_equal(body_of(a), "");
    }
    assert_get(hub->port, "GET /ui/log HTTP/1.1\nIf-None-Match: \"y\"", 200, f->etag);
}

/* Each file comes out of its gzip bytes whole, and there are no more than the bar. */
static void files_are_what_they_say(void **state)
{
    (void)state;
    size_t total = 0;
    for (const struct ck_ui_file *f = ck_ui_files; f->path; f++) {
        ck_autofree uint8_t *out = malloc(f->n + 1);
        assert_non_null(out);
        z_stream z = { .next_in = (Bytef *)(uintptr_t)f->gzip, .avail_in = (uInt)f->n_gzip,
                       .next_out = out, .avail_out = (uInt)f->n + 1 };
        assert_int_equal(inflateInit2(&z, 16 + MAX_WBITS), Z_OK);
        assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
        assert_int_equal(z.total_out, f->n);
        assert_int_equal(z.avail_in, 0);
        inflateEnd(&z);
        assert_ptr_equal(ck_ui_find(ck_view_str(f->path)), f);
        total += f->n_gzip;
    }
    assert_true(total <= 150 * 1024);
    assert_null(ck_ui_find(CK_V("/none")));
    assert_null(ck_ui_find(CK_V("")));
}

static void explanations_lead_to_the_page(void **state)
{
    (void)state;
#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    static const struct {
        const char *json;
        bool leads;
    } rows[] = {
        { "{\"digest\":\"" DIGEST "\"}", true },
        { "{\"digest\":\"" DIGEST "\\\"><script>\"}", false },
        { "{\"digest\":\"sha256:..\"}", false },
        { "{\"digest\":7}", false },
        { "{}", false },
        { "[\"" DIGEST "\"]", false },
        { DIGEST, false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
        ck_page_put(&b, CK_V("it"), ck_view_str(rows[i].json));
        ck_put_u8(&b, 0);
        const char *at = strstr((const char *)b.p, "<a href=\"/ui/images/" DIGEST "\">");
        assert_int_equal(at != NULL, rows[i].leads && has_ui());
        assert_null(strstr((const char *)b.p, "<script>"));
    }
}

int main(int argc, char **argv)
{
    ck_room_main(argc, argv, serve_bodies);
    const struct ck_serve_config c = hub_config();
    hub = hub_open(&c);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_page_is_the_same_page),
        cmocka_unit_test(anybody_may_have_it),
        cmocka_unit_test(compressed_for_who_takes_it),
        cmocka_unit_test(assets_last_and_have_their_types),
        cmocka_unit_test(what_is_not_there),
        cmocka_unit_test(what_one_has_is_not_sent_again),
        cmocka_unit_test(files_are_what_they_say),
        cmocka_unit_test(explanations_lead_to_the_page),
    };
    int rc = cmocka_run_group_tests_name("web", tests, NULL, NULL);
    hub_close(hub);
    return rc;
}
