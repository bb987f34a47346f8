#include "advisory/feed/feed.h"
#include "base/buf.h"
#include "base/unit.h"

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#define LOG                                                     \
    "p (1.0-1) unstable; urgency=low\n\n  * CVE-2020-1234\n\n" \
    " -- A <a@b>  Thu, 01 Jan 2015 00:00:00 +0000\n"
#define UPSTREAM "Version 1.0\n\n * upstream's own words\n"

/* --- A .deb, made here: ar, tar and the compressions of dpkg-deb ------------------------------ */

static struct ck_buf gzip(ck_view v)
{
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    z_stream z = { .next_in = (uint8_t *)(uintptr_t)v.p, .avail_in = (unsigned)v.n };
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.avail_out = (unsigned)deflateBound(&z, v.n);
    z.next_out = ck_buf_room(&b, z.avail_out);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    b.n = z.total_out;
    deflateEnd(&z);
    return b;
}

static struct ck_buf xz(ck_view v)
{
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    size_t cap = lzma_stream_buffer_bound(v.n);
    lzma_ret rc = lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, NULL, v.p, v.n,
                                          ck_buf_room(&b, cap), &b.n, cap);
    assert_int_equal(rc, LZMA_OK);
    return b;
}

static struct ck_buf zst(ck_view v)
{
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    size_t cap = ZSTD_compressBound(v.n);
    b.n = ZSTD_compress(ck_buf_room(&b, cap), cap, v.p, v.n, 3);
    assert_false(ZSTD_isError(b.n));
    return b;
}

struct file {
    const char *path, *text, *link;
    bool gzip;
};

static void put_tar(struct ck_buf *b, const struct file *f)
{
    char h[512] = { 0 };
    struct ck_buf content = ck_buf_new(CK_LIMIT_NONE);
    if (f->text && f->gzip)
        content = gzip(ck_view_str(f->text));
    else if (f->text)
        ck_put_bytes(&content, ck_view_str(f->text));
    bool dir = !f->text && !f->link;
    snprintf(h, 100, "%s", f->path);
    memcpy(h + 100, "0000644\0" "0000000\0" "0000000\0", 24);
    snprintf(h + 124, 12, "%011zo", content.n);
    memcpy(h + 136, "00000000000", 12);
    memset(h + 148, ' ', 8);
    h[156] = dir ? '5' : f->link ? '2' : '0';
    if (f->link)
        snprintf(h + 157, 100, "%s", f->link);
    memcpy(h + 257, "ustar\0" "00", 8);
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof h; i++)
        sum += (uint8_t)h[i];
    snprintf(h + 148, 8, "%06o", sum);
    ck_put_bytes(b, ck_view_of(h, sizeof h));
    ck_put_bytes(b, ck_buf_view(&content));
    while (b->n % 512)
        ck_put_u8(b, 0);
    ck_buf_free(&content);
}

static void put_member(struct ck_buf *b, const char *name, ck_view data)
{
    ck_buf_format(b, "%-16s%-12d%-6d%-6d%-8d%-10zu`\n", name, 0, 0, 0, 100644, data.n);
    ck_put_bytes(b, data);
    if (data.n % 2)
        ck_put_u8(b, '\n');
}

static struct ck_buf make_deb(const char *data_name, const struct file *files, size_t n)
{
    struct ck_buf deb = ck_buf_new(CK_LIMIT_NONE), tar = ck_buf_new(CK_LIMIT_NONE);
    for (size_t i = 0; i < n; i++)
        put_tar(&tar, &files[i]);
    for (size_t i = 0; i < 1024; i++)
        ck_put_u8(&tar, 0);
    struct ck_buf packed = ck_buf_new(CK_LIMIT_NONE);
    if (strstr(data_name, ".gz"))
        packed = gzip(ck_buf_view(&tar));
    else if (strstr(data_name, ".xz"))
        packed = xz(ck_buf_view(&tar));
    else if (strstr(data_name, ".zst"))
        packed = zst(ck_buf_view(&tar));
    else
        ck_put_bytes(&packed, ck_buf_view(&tar));
    ck_put_bytes(&deb, CK_V("!<arch>\n"));
    put_member(&deb, "debian-binary", CK_V("2.0\n"));
    put_member(&deb, "control.tar.xz", CK_V("what is in here is nobody's business"));
    put_member(&deb, data_name, ck_buf_view(&packed));
    ck_buf_free(&tar);
    ck_buf_free(&packed);
    return deb;
}

static void check(ck_view deb, const char *want)
{
    struct ck_buf text = ck_buf_new(CK_LIMIT_NONE);
    bool found = !want;
    assert_ok(ck_debian_deb_changelog(deb, CK_V("p"), &text, &found));
    assert_int_equal(found, want != NULL);
    assert_view(ck_buf_view(&text), want ? want : "");
    ck_buf_free(&text);
}

static void check_files(const struct file *files, size_t n, const char *want)
{
    struct ck_buf deb = make_deb("data.tar.xz", files, n);
    check(ck_buf_view(&deb), want);
    ck_buf_free(&deb);
}
#define CHECK(want, ...)                                                      \
    do {                                                                      \
        const struct file files_[] = { __VA_ARGS__ };                         \
        check_files(files_, sizeof files_ / sizeof files_[0], want);          \
    } while (0)

#define DOC "./usr/share/doc/p/"

static void test_compressions(void **state)
{
    (void)state;
    static const char *const names[] = { "data.tar", "data.tar.gz", "data.tar.xz", "data.tar.zst",
                                         "data.tar.xz/" };
    static const struct file files[] = { { .path = "./" }, { .path = DOC },
                                         { .path = DOC "changelog.Debian.gz", .text = LOG,
                                           .gzip = true } };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct ck_buf deb = make_deb(names[i], files, 3);
        check(ck_buf_view(&deb), LOG);
        ck_buf_free(&deb);
    }
}

static void test_which_file(void **state)
{
    (void)state;
    const struct file debian = { .path = DOC "changelog.Debian.gz", .text = LOG, .gzip = true };
    const struct file upstream = { .path = DOC "changelog.gz", .text = UPSTREAM, .gzip = true };
    const struct file nmu = { .path = DOC "changelog.Debian.amd64.gz", .text = LOG, .gzip = true };
    CHECK(LOG, nmu, debian, upstream);
    CHECK(LOG, upstream, debian);
    CHECK(NULL, nmu, upstream); /* upstream's words are no Debian changelog */
    CHECK(LOG, { .path = DOC "changelog.gz", .text = LOG, .gzip = true }); /* a native package */
    CHECK(LOG, { .path = DOC "changelog.Debian", .text = LOG });
    CHECK("\n" LOG, { .path = "usr/share/doc/p/changelog", .text = "\n" LOG });
}

static void test_none_of_its_own(void **state)
{
    (void)state;
    CHECK(NULL, { .path = "./usr/share/doc/p", .link = "libp1" });
    CHECK(NULL, { .path = DOC "changelog.Debian.gz", .link = "../libp1/changelog.Debian.gz" });
    CHECK(NULL, { .path = "./usr/share/doc/pp/changelog.Debian.gz", .text = LOG, .gzip = true });
    CHECK(NULL, { .path = DOC "x/changelog.Debian.gz", .text = LOG, .gzip = true });
    CHECK(NULL, { .path = "./etc/usr/share/doc/p/changelog.Debian.gz", .text = LOG, .gzip = true });
}

static void fails(ck_view deb, enum ck_err_class cls, const char *part)
{
    struct ck_buf text = ck_buf_new(CK_LIMIT_NONE);
    bool found = false;
    assert_fails(ck_debian_deb_changelog(deb, CK_V("p"), &text, &found), cls, part);
    assert_int_equal(text.n, 0);
    ck_buf_free(&text);
}

static void test_attack_ar(void **state)
{
    (void)state;
    fails(CK_V(""), CK_ERR_HOSTILE, "deb: no ar archive");
    fails(CK_V("!<arch>\n"), CK_ERR_HOSTILE, "bad ar header");
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_put_bytes(&b, CK_V("!<arch>\n"));
    put_member(&b, "control.tar", CK_V("2.0\n"));
    fails(ck_buf_view(&b), CK_ERR_HOSTILE, "does not begin with debian-binary");
    b.n = 8;
    put_member(&b, "debian-binary", CK_V("3.0\n"));
    fails(ck_buf_view(&b), CK_ERR_HOSTILE, "does not begin with debian-binary");
    b.n = 8;
    put_member(&b, "debian-binary", CK_V("2.0\n"));
    fails(ck_buf_view(&b), CK_ERR_HOSTILE, "no data.tar");
    size_t n = b.n;
    put_member(&b, "data.tar.bz2", CK_V("x"));
    fails(ck_buf_view(&b), CK_ERR_HOSTILE, "\"data.tar.bz2\": not a compression that we know");
    b.n = n;
    ck_buf_format(&b, "%-16s%-12d%-6d%-6d%-8d%-10s`\n", "data.tar", 0, 0, 0, 0, "9999999999");
    fails(ck_buf_view(&b), CK_ERR_HOSTILE, "longer than the file");
    b.n = n;
    ck_buf_format(&b, "%-16s%-12d%-6d%-6d%-8d%-10s`\n", "data.tar", 0, 0, 0, 0, "-1");
    fails(ck_buf_view(&b), CK_ERR_HOSTILE, "longer than the file");
    ck_buf_free(&b);
}

static void test_attack_truncated(void **state)
{
    (void)state;
    static const struct file files[] = { { .path = DOC "a", .text = UPSTREAM },
                                         { .path = DOC "changelog.gz", .text = LOG,
                                           .gzip = true } };
    struct ck_buf deb = make_deb("data.tar.gz", files, 2);
    for (size_t n = 0; n + 1 < deb.n; n++)
        fails(ck_view_of(deb.p, n), CK_ERR_HOSTILE, "deb");
    ck_buf_free(&deb);
}

/* 64 MiB of zeros in 64 KiB. */
static void test_attack_changelog_bomb(void **state)
{
    (void)state;
    struct ck_buf zeros = ck_buf_new(CK_LIMIT_NONE);
    memset(ck_buf_room(&zeros, 64 << 20), ' ', 64 << 20);
    zeros.n = 64 << 20;
    zeros.p[zeros.n - 1] = '\0';
    const struct file f = { .path = DOC "changelog.Debian.gz", .text = (const char *)zeros.p,
                            .gzip = true };
    struct ck_buf deb = make_deb("data.tar.xz", &f, 1);
    fails(ck_buf_view(&deb), CK_ERR_LIMIT, "CHANGELOG");
    ck_buf_free(&deb);
    ck_buf_free(&zeros);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compressions),
        cmocka_unit_test(test_which_file),
        cmocka_unit_test(test_none_of_its_own),
        cmocka_unit_test(test_attack_ar),
        cmocka_unit_test(test_attack_truncated),
        cmocka_unit_test(test_attack_changelog_bomb),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
