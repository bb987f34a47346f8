/* What the room reads without libmicrohttpd: targets, forms, places, ranges; and its tables. */
#include "base/mem.h"
#include "base/base64.h"
#include "base/unit.h"
#include "serve/kept.h"
#include "serve/limiter.h"
#include "serve/page.h"
#include "serve/range.h"
#include "serve/route.h"
#include "serve/sessions.h"
#include "serve/uri.h"

static const char *parse(const char *text, ck_view *path, struct ck_params *p)
{
    static char raw[4096];
    snprintf(raw, sizeof raw, "%s", text);
    return ck_uri_parse((uint8_t *)raw, strlen(raw), path, p);
}

static void targets_are_decoded_once(void **state)
{
    (void)state;
    struct ck_params p;
    ck_view path, v;
    assert_null(parse("/v2/a%2Db/tags?x=1%2b2+3&y&z=&scope=a&scope=b%26", &path, &p));
    assert_view(path, "/v2/a-b/tags");
    assert_true(ck_params_find(&p, "x", &v));
    assert_view(v, "1+2 3");
    assert_true(ck_params_find(&p, "y", &v) && v.n == 0);
    assert_true(ck_params_find(&p, "z", &v) && v.n == 0);
    assert_false(ck_params_find(&p, "w", &v));
    assert_int_equal(p.n, 5);
    assert_view(p.v[4].value, "b&");
    assert_null(parse("/a%2541", &path, &p)); /* not twice */
    assert_view(path, "/a%41");
    assert_null(parse("/", &path, &p));
    assert_null(parse("/a/?&&", &path, &p));
    assert_int_equal(p.n, 0);
}

static void targets_that_mean_two_things(void **state)
{
    (void)state;
    static const struct {
        const char *target, *part;
    } rows[] = {
        { "", "not a path" },           { "x", "not a path" },
        { "http://a/b", "not a path" }, { "/a%2fb", "encoded slash" },
        { "/a%2Fb", "encoded slash" },  { "/%", "percent" },
        { "/%4", "percent" },           { "/%4g", "percent" },
        { "/%00", "control" },          { "/%7f", "control" },
        { "/%c3%a9", "ASCII" },         { "/a//b", "component" },
        { "//a", "component" },         { "/a/./b", "component" },
        { "/a/..", "component" },       { "/%2e%2e/a", "component" },
        { "/?a=%", "percent" },         { "/?a=%0a", "control" },
        { "/?a=%ff", "control" },       { "/?a=1&a=2", "twice" },
        { "/?a=1&%61=2", "twice" },
    };
    struct ck_params p;
    ck_view path;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *wrong = parse(rows[i].target, &path, &p);
        if (!wrong || !strstr(wrong, rows[i].part))
            print_error("%s: %s\n", rows[i].target, wrong ? wrong : "taken");
        assert_true(wrong && strstr(wrong, rows[i].part));
    }
}

static void parameters_up_to_their_number(void **state)
{
    (void)state;
    struct ck_params p;
    ck_view path;
    for (int past = 0; past < 2; past++) {
        ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
        ck_put_bytes(&b, CK_V("/?"));
        for (int i = 0; i < CK_URI_PARAMS + past; i++)
            ck_buf_format(&b, "a%d=&", i);
        const char *wrong = ck_uri_parse(b.p, b.n, &path, &p);
        assert_int_equal(wrong != NULL, past);
        assert_int_equal(p.n, CK_URI_PARAMS);
    }
}

static void base64_has_its_padding(void **state)
{
    (void)state;
    static const char *const rows[][2] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
                                           { "foo", "Zm9v" }, { "\xff\xfe\xfd!", "//79IQ==" } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
        ck_base64_put(&b, ck_view_str(rows[i][0]));
        assert_view(ck_buf_view(&b), rows[i][1]);
    }
}

#define D "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
static void places_of_the_registry(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        enum ck_place_kind kind;
        const char *repository, *reference;
        enum ck_oci_error error;
    } rows[] = {
        { "/v2/", CK_AT_BASE, "", "", 0 },
        { "/v2", CK_AT_BASE, "", "", 0 },
        { "/v2/_catalog", CK_AT_CATALOG, "", "", 0 },
        { "/v2/a/_catalog", CK_AT_NOWHERE, "", "", 0 },
        { "/v2/a/manifests/v1", CK_AT_MANIFEST, "a", "v1", 0 },
        { "/v2/a/manifests/" D, CK_AT_MANIFEST, "a", D, 0 },
        { "/v2/manifests/manifests/manifests", CK_AT_MANIFEST, "manifests", "manifests", 0 },
        { "/v2/a/blobs/uploads/blobs/" D, CK_AT_BLOB, "a/blobs/uploads", D, 0 },
        { "/v2/a/blobs/uploads/", CK_AT_UPLOADS, "a", "", 0 },
        { "/v2/a/blobs/uploads/x_1", CK_AT_UPLOAD, "a", "x_1", 0 },
        { "/v2/a/blobs/uploads/x.1", CK_AT_UPLOAD, "a", "x.1", CK_OCI_BLOB_UPLOAD_UNKNOWN },
        { "/v2/a/uploads/x", CK_AT_NOWHERE, "", "", 0 },
        { "/v2/a/b.c/d__e/tags/list", CK_AT_TAGS, "a/b.c/d__e", "", 0 },
        { "/v2/tags/list", CK_AT_TAGS, "", "", CK_OCI_NAME_INVALID },
        { "/v2/a/tags/lists", CK_AT_NOWHERE, "", "", 0 },
        { "/v2/a/referrers/" D, CK_AT_REFERRERS, "a", D, 0 },
        { "/v2/a/referrers/v1", CK_AT_REFERRERS, "a", "v1", CK_OCI_DIGEST_INVALID },
        { "/v2/a/blobs/v1", CK_AT_BLOB, "a", "v1", CK_OCI_DIGEST_INVALID },
        { "/v2/a/manifests/-", CK_AT_MANIFEST, "a", "-", CK_OCI_MANIFEST_INVALID },
        { "/v2/a/manifests/md5:ab", CK_AT_MANIFEST, "a", "md5:ab", CK_OCI_DIGEST_INVALID },
        { "/v2/a/manifests/", CK_AT_NOWHERE, "", "", 0 },
        { "/v2/A/manifests/1", CK_AT_MANIFEST, "A", "1", CK_OCI_NAME_INVALID },
        { "/v1/a/manifests/1", CK_AT_NOWHERE, "", "", 0 },
        { "/v2x", CK_AT_NOWHERE, "", "", 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ck_at at = ck_route_of(ck_view_str(rows[i].path));
        if (at.kind != rows[i].kind || at.error != rows[i].error)
            print_error("%s: %d %d\n", rows[i].path, at.kind, at.error);
        assert_int_equal(at.kind, rows[i].kind);
        assert_int_equal(at.error, rows[i].error);
        assert_view(at.repository, rows[i].repository);
        assert_view(at.reference, rows[i].reference);
    }
}

static void ranges(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        uint64_t size;
        enum ck_range what;
        uint64_t first, length;
    } rows[] = {
        { "bytes=500-1499", 10000, CK_RANGE_PART, 500, 1000 },
        { "bytes=500-", 1000, CK_RANGE_PART, 500, 500 },
        { "bytes=-500", 1000, CK_RANGE_PART, 500, 500 },
        { "bytes=-5000", 1000, CK_RANGE_PART, 0, 1000 },
        { "bytes=2000-5000", 4000, CK_RANGE_PART, 2000, 2000 },
        { "bytes=0-0", 1, CK_RANGE_PART, 0, 1 },
        { "bytes=500-0", 1000, CK_RANGE_NONE, 0, 0 },
        { "bytes=5000-", 1000, CK_RANGE_NONE, 0, 0 },
        { "bytes=1000-1000", 1000, CK_RANGE_NONE, 0, 0 },
        { "bytes=-0", 1000, CK_RANGE_NONE, 0, 0 },
        { "bytes=-1", 0, CK_RANGE_NONE, 0, 0 },
        { "bytes=0-", 0, CK_RANGE_NONE, 0, 0 },
        { "bytes=0-18446744073709551615", 10, CK_RANGE_PART, 0, 10 },
        { "bytes=0-18446744073709551616", 10, CK_RANGE_WHOLE, 0, 0 },
        { "bytes=-", 10, CK_RANGE_WHOLE, 0, 0 },
        { "bytes=5", 10, CK_RANGE_WHOLE, 0, 0 },
        { "bytes=1-2,3-4", 10, CK_RANGE_WHOLE, 0, 0 },
        { "octets=1-2", 10, CK_RANGE_WHOLE, 0, 0 },
        { "bytes= 1-2", 10, CK_RANGE_WHOLE, 0, 0 },
        { "", 10, CK_RANGE_WHOLE, 0, 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t first = 0, length = 0;
        assert_int_equal(ck_range_parse(ck_view_str(rows[i].header), rows[i].size, &first,
                                        &length), rows[i].what);
        assert_true(first == rows[i].first && length == rows[i].length);
    }
    uint64_t first, length;
    assert_true(ck_content_range_parse(CK_V("5-9"), &first, &length) && first == 5 && length == 5);
    assert_true(ck_content_range_parse(CK_V("bytes 0-0/*"), &first, &length) && length == 1);
    static const char *const bad[] = { "", "5", "9-5", "-5", "5-", "a-b", "bytes=0-1",
                                       "0-18446744073709551615" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(ck_content_range_parse(ck_view_str(bad[i]), &first, &length));
}

/* --- tables ----------------------------------------------------------------------------------- */

static int destroyed;
static void destroy(struct MHD_Response *w)
{
    (void)w;
    destroyed++;
}

static void tally(void *ctx, const struct ck_kept_key *key, const char *digest, ck_view client,
                  uint64_t n)
{
    (void)key;
    (void)digest;
    (void)client;
    *(uint64_t *)ctx += n;
}

static void add(struct ck_kept *k, int name, size_t bytes, int64_t until)
{
    char text[16];
    static int anything;
    snprintf(text, sizeof text, "r%d", name);
    const struct ck_kept_key key = { .kind = CK_ASK_MANIFEST, .repository = ck_view_str(text) };
    const struct ck_kept_entry e = { .whole = (struct MHD_Response *)&anything, .fd = -1,
                                     .bytes = bytes };
    ck_kept_put_back(k, ck_kept_add(k, &key, &e, until));
}

static struct ck_kept_entry *find(struct ck_kept *k, int name, const char *client)
{
    char text[16];
    snprintf(text, sizeof text, "r%d", name);
    const struct ck_kept_key key = { .kind = CK_ASK_MANIFEST, .repository = ck_view_str(text) };
    return ck_kept_find(k, &key, ck_view_str(client), *client, 100);
}

static void kept_answers_have_a_limit_and_lose_no_pull(void **state)
{
    (void)state;
    size_t entries, bytes;
    uint64_t pulls = 0;
    destroyed = 0;
    struct ck_kept *k = ck_kept_new(destroy);
    add(k, 1, CK_MAX_SERVE_KEPT / 2, 200);
    add(k, 2, CK_MAX_SERVE_KEPT / 2, 200);
    struct ck_kept_entry *one = find(k, 1, "10.0.0.1"); /* now the newest, and in use */
    assert_non_null(one);
    assert_int_equal(destroyed, 0);
    add(k, 3, 1, 200); /* one byte more than there may be */
    assert_int_equal(destroyed, 1);
    assert_null(find(k, 2, ""));
    ck_kept_forget(k);
    assert_int_equal(destroyed, 2); /* the one in use lives on */
    assert_null(find(k, 1, ""));
    ck_kept_put_back(k, one);
    assert_int_equal(destroyed, 3);
    ck_kept_report(k, tally, &pulls);
    assert_int_equal(pulls, 1);
    ck_kept_report(k, tally, &pulls);
    assert_int_equal(pulls, 1);
    add(k, 4, 1, 100);
    assert_null(find(k, 4, "")); /* too old */
    add(k, 5, 1, 200);
    for (int i = 0; i < 40; i++) {
        char client[16];
        snprintf(client, sizeof client, "10.0.1.%d", i);
        struct ck_kept_entry *e = find(k, 5, client);
        assert_int_equal(e != NULL, i < 16); /* of more the hub hears itself */
        if (e)
            ck_kept_put_back(k, e);
    }
    ck_kept_size(k, &entries, &bytes);
    assert_int_equal(entries, 2);
    ck_kept_free(k);
}

static void buckets_fill_again(void **state)
{
    (void)state;
    struct ck_limiter *l = ck_limiter_new(5);
    for (int i = 0; i < 51; i++)
        assert_int_equal(ck_limiter_take(l, CK_V("a"), 1000), i < 50);
    assert_true(ck_limiter_take(l, CK_V("b"), 1000));
    assert_true(ck_limiter_take(l, CK_V("a"), 1200));
    assert_false(ck_limiter_take(l, CK_V("a"), 1200));
    for (uint64_t i = 0; i < 2 * CK_MAX_SERVE_BUCKETS; i++) { /* others make room for others */
        char client[24];
        snprintf(client, sizeof client, "c%llu", (unsigned long long)i);
        assert_true(ck_limiter_take(l, ck_view_str(client), 2000));
    }
    ck_limiter_free(l);
}

static void sessions_end_and_are_forgotten(void **state)
{
    (void)state;
    struct ck_sessions *s = ck_sessions_new();
    struct ck_session one = { .session = 9, .roles = 3, .user = "maria" }, got = { 0 };
    ck_sessions_keep(s, CK_V("Basic x"), 200, &one);
    assert_true(ck_sessions_find(s, CK_V("Basic x"), 199, &got));
    assert_int_equal(got.session, 9);
    assert_string_equal(got.user, "maria");
    assert_false(ck_sessions_find(s, CK_V("Basic x"), 200, &got));
    assert_false(ck_sessions_find(s, CK_V("Basic y"), 100, &got));
    for (int i = 0; i < 5000; i++) {
        char text[16];
        snprintf(text, sizeof text, "k%d", i);
        ck_sessions_keep(s, ck_view_str(text), 300 + i, &one);
    }
    assert_true(ck_sessions_find(s, CK_V("k4999"), 100, &got));
    assert_false(ck_sessions_find(s, CK_V("k0"), 100, &got));
    ck_sessions_forget(s);
    assert_false(ck_sessions_find(s, CK_V("k4999"), 100, &got));
    ck_sessions_free(s);
}

static void pages_escape_everything(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_page_put(&b, CK_V("<b>"), CK_V("{\"<k>\":[\"\\\"'&<\\u202e\",1,1.5,true,false,null,{}]}"));
    ck_put_u8(&b, 0);
    const char *page = (const char *)b.p;
    assert_non_null(strstr(page, "<h1>&lt;b&gt;</h1>"));
    assert_non_null(strstr(page, "<dt>&lt;k&gt;</dt>"));
    assert_non_null(strstr(page, "&quot;&#39;&amp;&lt;"));
    assert_null(strstr(page, "\u202e"));
    ck_buf_clear(&b);
    ck_page_put(&b, CK_V("x"), CK_V("not <json>"));
    ck_put_u8(&b, 0);
    assert_non_null(strstr((const char *)b.p, "<pre>not &lt;json&gt;</pre>"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_are_decoded_once),
        cmocka_unit_test(targets_that_mean_two_things),
        cmocka_unit_test(parameters_up_to_their_number),
        cmocka_unit_test(base64_has_its_padding),
        cmocka_unit_test(places_of_the_registry),
        cmocka_unit_test(ranges),
        cmocka_unit_test(kept_answers_have_a_limit_and_lose_no_pull),
        cmocka_unit_test(buckets_fill_again),
        cmocka_unit_test(sessions_end_and_are_forgotten),
        cmocka_unit_test(pages_escape_everything),
    };
    return cmocka_run_group_tests_name("uri", tests, NULL, NULL);
}
