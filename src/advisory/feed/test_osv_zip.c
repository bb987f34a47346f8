#include "advisory/feed/feed.h"
#include "base/buf.h"
#include "base/unit.h"

#include "advisory/feed/test_sink.h"

#include <time.h>
#include <zlib.h>

/* --- A zip, written by the book, with one thing wrong if a test wants it --- */

struct made {
    const char *name, *text;
    int method;
    uint16_t flags;
    uint32_t lie_size, lie_crc, lie_local_size; /* 0: the truth */
    /* bytes cut from the packed data, which the header admits */
    size_t cut;
};

static size_t pack(const struct made *m, uint8_t *out, size_t cap)
{
    size_t n = strlen(m->text);
    if (m->method == 0) {
        memcpy(out, m->text, n);
        return n;
    }
    z_stream z = { 0 };
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (uint8_t *)(uintptr_t)m->text;
    z.avail_in = (unsigned)n;
    z.next_out = out;
    z.avail_out = (unsigned)cap;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    n = z.total_out;
    deflateEnd(&z);
    return n;
}

static void put_header(struct ck_buf *b, const struct made *m, uint32_t packed, bool central,
                       uint32_t at)
{
    uint32_t size = m->lie_size ? m->lie_size : (uint32_t)strlen(m->text);
    uint32_t crc = m->lie_crc ? m->lie_crc : (uint32_t)crc32(0, (const uint8_t *)m->text,
                                                             (unsigned)strlen(m->text));
    ck_put_u32(b, central ? 0x02014b50 : 0x04034b50);
    if (central)
        ck_put_u16(b, 20);
    ck_put_u16(b, 20);
    ck_put_u16(b, m->flags);
    ck_put_u16(b, (uint16_t)m->method);
    ck_put_u32(b, 0); /* time, date */
    ck_put_u32(b, crc);
    ck_put_u32(b, packed);
    ck_put_u32(b, !central && m->lie_local_size ? m->lie_local_size : size);
    ck_put_u16(b, (uint16_t)strlen(m->name));
    ck_put_u16(b, 0);
    if (central) {
        ck_put_u16(b, 0);
        ck_put_u32(b, 0);
        ck_put_u32(b, 0);
        ck_put_u32(b, at);
    }
    ck_put_bytes(b, ck_view_str(m->name));
}

static void put_eocd(struct ck_buf *b, size_t n, size_t start, size_t size)
{
    ck_put_u32(b, 0x06054b50);
    ck_put_u32(b, 0);
    ck_put_u16(b, (uint16_t)n);
    ck_put_u16(b, (uint16_t)n);
    ck_put_u32(b, (uint32_t)size);
    ck_put_u32(b, (uint32_t)start);
    ck_put_u16(b, 0);
}

static struct ck_buf make_zip(const struct made *m, size_t n)
{
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE), dir = ck_buf_new(CK_LIMIT_NONE);
    uint8_t packed[4096];
    for (size_t i = 0; i < n; i++) {
        size_t k = pack(&m[i], packed, sizeof packed) - m[i].cut;
        put_header(&dir, &m[i], (uint32_t)k, true, (uint32_t)b.n);
        put_header(&b, &m[i], (uint32_t)k, false, 0);
        ck_put_bytes(&b, ck_view_of(packed, k));
    }
    size_t start = b.n;
    ck_put_bytes(&b, ck_buf_view(&dir));
    put_eocd(&b, n, start, dir.n);
    ck_buf_free(&dir);
    return b;
}

static void check(struct made m, const char *want)
{
    struct ck_buf b = make_zip(&m, 1);
    assert_feed(ck_feed_osv_zip, ck_buf_view(&b), want);
    ck_buf_free(&b);
}

static void test_members(void **state)
{
    (void)state;
    static const struct made m[] = {
        { .name = "A.json", .text = "{\"id\":\"A\"}", .method = 8 },
        { .name = "README", .text = "not json", .method = 8 },
        { .name = "dir/B.json", .text = "{\"id\":\"B\"}", .method = 0 },
    };
    struct ck_buf b = make_zip(m, 3);
    assert_feed(ck_feed_osv_zip, ck_buf_view(&b), "A\nB\n");
    /* With a comment of its own at the end. */
    b.p[b.n - 2] = 5;
    ck_put_bytes(&b, CK_V("hello"));
    assert_feed(ck_feed_osv_zip, ck_buf_view(&b), "A\nB\n");
    ck_buf_free(&b);
    b = make_zip(m, 0);
    assert_feed(ck_feed_osv_zip, ck_buf_view(&b), "");
    ck_buf_free(&b);
}

static void test_attack_members(void **state)
{
    (void)state;
#define GOOD .name = "A.json", .text = "{\"id\":\"A\"}", .method = 8
#define MEMBER "error: member 0 \"A.json\": "
#define BAD_DEFLATE \
    MEMBER "zip: bad or truncated deflate data, or more or less of it than the header says\n"
    check((struct made){ GOOD, .lie_size = 11 }, BAD_DEFLATE);
    check((struct made){ GOOD, .lie_size = 9 }, BAD_DEFLATE);
    check((struct made){ GOOD, .cut = 3 }, BAD_DEFLATE);
    check((struct made){ GOOD, .lie_crc = 1 }, MEMBER "zip: wrong CRC-32\n");
    check((struct made){ GOOD, .lie_local_size = 12 },
          MEMBER "zip: local header and central directory disagree\n");
    check((struct made){ GOOD, .flags = 1 }, MEMBER "zip: encrypted\n");
    check((struct made){ .name = "A.json", .text = "{\"id\":\"A\"}", .lie_size = 11 },
          MEMBER "zip: a method that is neither stored nor deflate (APPNOTE 4.4.5)\n");
    check((struct made){ GOOD, .lie_size = 33 * 1024 * 1024 },
          MEMBER "zip: 34603008 bytes (limit FEED_RECORD: 33554432 bytes)\n");
    check((struct made){ .name = "A.json", .text = "{\"id\":\"A\",}", .method = 8 },
          MEMBER "OSV record: byte 11: JSON: parse error: invalid object key (must be a string)\n");
}

static void fails_at(const struct ck_buf *b, size_t n, const char *part)
{
    struct seen s = { 0 };
    assert_fails(ck_feed_osv_zip(ck_view_of(b->p, n), &(struct ck_advisory_sink){ seen_put,
                                                                                  &s }),
                 CK_ERR_HOSTILE, part);
}

static void test_attack_directory(void **state)
{
    (void)state;
    struct made m = { .name = "A.json", .text = "{\"id\":\"A\"}", .method = 8 };
    struct ck_buf b = make_zip(&m, 1);
    for (size_t n = 0; n < b.n; n++) /* truncated anywhere */
        fails_at(&b, n, "zip:");
    ck_put_u8(&b, 0);
    fails_at(&b, b.n, "not at the end");
    b.n--;
    b.p[b.n - 6] = 0xff; /* offset of the directory */
    fails_at(&b, b.n, "zip:");
    ck_buf_free(&b);
    b = make_zip(&m, 1);
    b.p[b.n - 12] = b.p[b.n - 14] = 2; /* two members said, one there */
    fails_at(&b, b.n, "member 1: zip: bad entry of the central directory");
    b.p[b.n - 12] = b.p[b.n - 14] = 0;
    fails_at(&b, b.n, "holds more than it says");
    b.p[b.n - 18] = 1; /* disk */
    fails_at(&b, b.n, "several disks");
    ck_buf_free(&b);
}

/* --- The fixtures; a script counted with python's zipfile and json. Of AlmaLinux's 5,680 records
 * 1,197 are bug fixes and enhancements (ALBA, ALEA) that name no vulnerability: they are not put.
 * --- */

struct expected {
    const char *file;
    size_t records, affected, ranges, versions, aliases, fixes, cvss, withdrawn, modular;
    size_t fixed, last, open;         /* ends of ranges */
    size_t state_fixed, state_none;   /* of affected packages */
    size_t severity[CK_SEVERITY_COUNT_];
};

static const struct expected fixtures[] = {
    { "AlmaLinux.zip", 4483, 65614, 65614, 0, 0, 16621, 0, 0, 20181, 65614, 0, 0, 65614, 0,
      { 3, 0, 154, 1907, 2385, 34 } },
    { "Bitnami.zip", 7444, 7444, 19628, 0, 7444, 0, 7433, 0, 0, 19356, 225, 47, 7292, 152,
      { 11, 1, 487, 3596, 2754, 595 } },
    { "Go.zip", 4291, 6125, 7579, 0, 7945, 0, 0, 17, 0, 5309, 0, 2270, 3875, 2250, { 4291 } },
    { "PyPI.zip", 2661, 2660, 5093, 140847, 4475, 0, 202, 10, 0, 4917, 1, 175, 2483, 177,
      { 2661 } },
    { "crates.io.zip", 1206, 1206, 1462, 0, 1516, 0, 417, 13, 0, 996, 0, 466, 740, 466,
      { 1206 } },
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void check_fixture(const struct expected *x, const struct seen *s)
{
    assert_int_equal(s->records, x->records);
    assert_int_equal(s->affected, x->affected);
    assert_int_equal(s->ranges, x->ranges);
    assert_int_equal(s->versions, x->versions);
    assert_int_equal(s->aliases, x->aliases);
    assert_int_equal(s->fixes, x->fixes);
    assert_int_equal(s->cvss, x->cvss);
    assert_int_equal(s->withdrawn, x->withdrawn);
    assert_int_equal(s->modular, x->modular);
    assert_int_equal(s->by_end[CK_END_FIXED], x->fixed);
    assert_int_equal(s->by_end[CK_END_LAST_AFFECTED], x->last);
    assert_int_equal(s->by_end[CK_END_OPEN], x->open);
    assert_int_equal(s->by_state[CK_FIX_FIXED], x->state_fixed);
    assert_int_equal(s->by_state[CK_FIX_NONE], x->state_none);
    assert_memory_equal(s->by_severity, x->severity, sizeof x->severity);
}

static void test_fixtures(void **state)
{
    (void)state;
    double seconds = 0;
    size_t records = 0;
    for (size_t i = 0; i < sizeof fixtures / sizeof fixtures[0]; i++) {
        char path[256];
        snprintf(path, sizeof path, "fixtures/feeds/osv/%s", fixtures[i].file);
        ck_view zip = unit_shared(path);
        struct seen s = { 0 };
        double t = now();
        assert_ok(ck_feed_osv_zip(zip, &(struct ck_advisory_sink){ seen_put, &s }));
        seconds += now() - t;
        records += s.records;
        check_fixture(&fixtures[i], &s);
        free((void *)(uintptr_t)zip.p);
    }
    print_message("%zu records in %.3f s: %.0f a second\n", records, seconds,
                  (double)records / seconds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_attack_members),
        cmocka_unit_test(test_attack_directory),
        cmocka_unit_test(test_fixtures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
