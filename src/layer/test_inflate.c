#include "layer/inflate.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/unit.h"

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

enum { OUT = 256 * 1024 };

/* Decompresses; the output goes to `out`, or is only counted where that is NULL. */
static ck_err *run_to(struct ck_inflate *z, ck_view in, size_t piece, size_t cap,
                      struct ck_buf *out, uint64_t *ret_n)
{
    ck_autofree uint8_t *space = ck_calloc(1, cap);
    for (bool last = !in.n;;) {
        ck_view part = ck_view_head(in, piece);
        size_t before = part.n, n = 0;
        CK_TRY(ck_inflate_step(z, &part, space, cap, &n));
        if (out)
            ck_put_bytes(out, ck_view_of(space, n));
        *ret_n += n;
        in = ck_view_from(in, before - part.n);
        if (last && n == 0)
            break;
        last = !in.n;
    }
    return ck_inflate_finish(z);
}

static ck_err *run(enum ck_compression c, ck_view in, size_t piece, size_t cap,
                   struct ck_buf *out, uint64_t *ret_n)
{
    struct ck_inflate *z = ck_inflate_new(c);
    *ret_n = 0;
    ck_err *e = run_to(z, in, piece, cap, out, ret_n);
    ck_inflate_free(z);
    return e;
}

static void assert_refused(enum ck_compression c, const struct ck_buf *b, enum ck_err_class cls,
                           const char *why)
{
    uint64_t n;
    assert_fails(run(c, ck_buf_view(b), SIZE_MAX, OUT, NULL, &n), cls, why);
}

/* --- encoders --- */

static void add_gzip(struct ck_buf *b, ck_view v)
{
    z_stream s = { 0 };
    assert_int_equal(deflateInit2(&s, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t bound = deflateBound(&s, v.n) + 64;
    s.next_in = (uint8_t *)(uintptr_t)v.p;
    s.avail_in = (unsigned)v.n;
    s.next_out = ck_buf_room(b, bound);
    s.avail_out = (unsigned)bound;
    assert_int_equal(deflate(&s, Z_FINISH), Z_STREAM_END);
    b->n += s.total_out;
    deflateEnd(&s);
}

static void add_zstd(struct ck_buf *b, ck_view v, int window_log)
{
    ZSTD_CCtx *c = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
    if (window_log) {
        ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, window_log);
        ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, 0);
    }
    size_t bound = ZSTD_compressBound(v.n) + 64;
    ZSTD_outBuffer out = { ck_buf_room(b, bound), bound, 0 };
    ZSTD_inBuffer in = { v.p, v.n, 0 };
    while (in.pos < in.size)
        assert_false(ZSTD_isError(ZSTD_compressStream2(c, &out, &in, ZSTD_e_continue)));
    assert_int_equal(ZSTD_compressStream2(c, &out, &in, ZSTD_e_end), 0);
    b->n += out.pos;
    ZSTD_freeCCtx(c);
}

static void add_xz(struct ck_buf *b, ck_view v)
{
    lzma_stream x = LZMA_STREAM_INIT;
    size_t bound = lzma_stream_buffer_bound(v.n);
    assert_int_equal(lzma_easy_encoder(&x, 1, LZMA_CHECK_CRC64), LZMA_OK);
    x.next_in = v.p;
    x.avail_in = v.n;
    x.next_out = ck_buf_room(b, bound);
    x.avail_out = bound;
    assert_int_equal(lzma_code(&x, LZMA_FINISH), LZMA_STREAM_END);
    b->n += x.total_out;
    lzma_end(&x);
}

static void add(enum ck_compression c, struct ck_buf *b, ck_view v)
{
    if (c == CK_COMPRESSION_GZIP)
        add_gzip(b, v);
    else if (c == CK_COMPRESSION_ZSTD)
        add_zstd(b, v, 0);
    else if (c == CK_COMPRESSION_XZ)
        add_xz(b, v);
    else
        ck_put_bytes(b, v);
}

/* Bytes that compress somewhat, the same in every run. */
static void fill(struct ck_buf *b, size_t n)
{
    uint32_t x = 1;
    while (b->n < n) {
        x = x * 1103515245 + 12345;
        ck_put_u8(b, (uint8_t)("abcdefgh"[x >> 29] + (x >> 20) % 3));
    }
}

/* --- what must work --- */

static void every_format_in_any_pieces(void **state)
{
    (void)state;
    struct ck_buf ck_autobuf data = ck_buf_new(CK_LIMIT_NONE);
    static const size_t pieces[][2] = { { SIZE_MAX, OUT }, { 1, 7 }, { 7, 1 }, { 4096, 512 } };
    fill(&data, 70000);
    for (enum ck_compression c = 0; c < CK_COMPRESSION_COUNT_; c++) {
        struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
        add(c, &b, ck_buf_view(&data));
        for (size_t i = 0; i < 4; i++) {
            struct ck_buf ck_autobuf out = ck_buf_new(CK_LIMIT_NONE);
            uint64_t n;
            assert_ok(run(c, ck_buf_view(&b), pieces[i][0], pieces[i][1], &out, &n));
            assert_true(ck_view_eq(ck_buf_view(&out), ck_buf_view(&data)));
        }
    }
}

static void several_members_streams_and_frames(void **state)
{
    (void)state;
    static const size_t pieces[] = { SIZE_MAX, 1, 13 };
    for (enum ck_compression c = CK_COMPRESSION_GZIP; c < CK_COMPRESSION_COUNT_; c++) {
        struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
        add(c, &b, CK_V("one,"));
        add(c, &b, CK_V(""));
        add(c, &b, CK_V("two"));
        for (size_t i = 0; i < 3; i++) {
            struct ck_buf ck_autobuf out = ck_buf_new(CK_LIMIT_NONE);
            uint64_t n;
            assert_ok(run(c, ck_buf_view(&b), pieces[i], 16, &out, &n));
            assert_view(ck_buf_view(&out), "one,two");
        }
    }
}

static void gzip_with_all_header_fields(void **state)
{
    (void)state;
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_buf ck_autobuf plain = ck_buf_new(CK_LIMIT_NONE);
    ck_put_bytes(&b, ck_view_of("\x1f\x8b\x08\x1e\0\0\0\0\0\xff\x04\0ABCDname\0comment\0", 29));
    ck_put_u16(&b, (uint16_t)crc32(0, b.p, (unsigned)b.n));
    add_gzip(&plain, CK_V("text"));
    ck_put_bytes(&b, ck_view_from(ck_buf_view(&plain), 10));
    for (size_t piece = 1; piece < 40; piece++) {
        struct ck_buf ck_autobuf out = ck_buf_new(CK_LIMIT_NONE);
        uint64_t n;
        assert_ok(run(CK_COMPRESSION_GZIP, ck_buf_view(&b), piece, 64, &out, &n));
        assert_view(ck_buf_view(&out), "text");
    }
    b.p[29] ^= 1;
    assert_refused(CK_COMPRESSION_GZIP, &b, CK_ERR_HOSTILE, "does not match");
}

static void zeros_behind_a_gzip_are_padding(void **state)
{
    (void)state;
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    uint64_t n;
    add_gzip(&b, CK_V("text"));
    for (int i = 0; i < 1000; i++)
        ck_put_u8(&b, 0);
    assert_ok(run(CK_COMPRESSION_GZIP, ck_buf_view(&b), 100, OUT, NULL, &n));
    add_gzip(&b, CK_V("hidden"));
    assert_refused(CK_COMPRESSION_GZIP, &b, CK_ERR_HOSTILE, "no member and no zero padding");
}

static void skippable_zstd_frames(void **state)
{
    (void)state;
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    static const size_t pieces[] = { SIZE_MAX, 1, 3, 5 };
    for (uint32_t i = 0; i < 16; i++) {
        ck_put_u32(&b, ZSTD_MAGIC_SKIPPABLE_START + i);
        ck_put_str(&b, ck_view_of("skipskipskip", i % 12));
    }
    add_zstd(&b, CK_V("one"), 0);
    ck_put_u32(&b, ZSTD_MAGIC_SKIPPABLE_START);
    ck_put_u32(&b, 0);
    for (size_t i = 0; i < 4; i++) {
        struct ck_buf ck_autobuf out = ck_buf_new(CK_LIMIT_NONE);
        uint64_t n;
        assert_ok(run(CK_COMPRESSION_ZSTD, ck_buf_view(&b), pieces[i], OUT, &out, &n));
        assert_view(ck_buf_view(&out), "one");
    }
}

/* --- damage --- */

static void truncated_streams_are_refused_at_every_byte(void **state)
{
    (void)state;
    for (enum ck_compression c = CK_COMPRESSION_GZIP; c < CK_COMPRESSION_COUNT_; c++) {
        struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
        add(c, &b, CK_V("some text, some text, some text"));
        for (size_t cut = 0; cut < b.n; cut++) {
            uint64_t n;
            assert_fails(run(c, ck_view_head(ck_buf_view(&b), cut), SIZE_MAX, OUT, NULL, &n),
                         CK_ERR_HOSTILE, "the compressed stream is truncated");
        }
    }
}

static void garbage_behind_the_stream(void **state)
{
    (void)state;
    static const char *const why[] = { [CK_COMPRESSION_GZIP] = "no member and no zero padding",
                                       [CK_COMPRESSION_ZSTD] = "no frame begins here",
                                       [CK_COMPRESSION_XZ] = "xz: " };
    for (enum ck_compression c = CK_COMPRESSION_GZIP; c < CK_COMPRESSION_COUNT_; c++) {
        struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
        add(c, &b, CK_V("text"));
        ck_put_bytes(&b, CK_V("garbage"));
        assert_refused(c, &b, CK_ERR_HOSTILE, why[c]);
    }
}

static void another_format_is_refused(void **state)
{
    (void)state;
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    ck_put_bytes(&b, CK_V("this is no compressed stream at all"));
    assert_refused(CK_COMPRESSION_GZIP, &b, CK_ERR_HOSTILE, "gzip: no gzip header");
    assert_refused(CK_COMPRESSION_ZSTD, &b, CK_ERR_HOSTILE, "zstd: no frame begins here");
    assert_refused(CK_COMPRESSION_XZ, &b, CK_ERR_HOSTILE, "xz: no xz stream begins here");
    b.n = 0;
    ck_put_u32(&b, 0xFD2FB527); /* zstd 0.7 */
    ck_put_bytes(&b, CK_V("old frame"));
    assert_refused(CK_COMPRESSION_ZSTD, &b, CK_ERR_HOSTILE, "byte 4: zstd: no frame begins here");
}

static void gzip_checksum_and_length(void **state)
{
    (void)state;
    for (size_t back = 1; back <= 8; back++) {
        struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
        add_gzip(&b, CK_V("some text"));
        b.p[b.n - back] ^= 0x10;
        assert_refused(CK_COMPRESSION_GZIP, &b, CK_ERR_HOSTILE,
                       "checksum or length does not match");
    }
}

static void zstd_checksum(void **state)
{
    (void)state;
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    add_zstd(&b, CK_V("some text"), 0);
    b.p[b.n - 1] ^= 1;
    assert_refused(CK_COMPRESSION_ZSTD, &b, CK_ERR_HOSTILE, "checksum");
}

static void an_error_is_final(void **state)
{
    (void)state;
    uint8_t out[16];
    size_t n = 7;
    struct ck_inflate *z = ck_inflate_new(CK_COMPRESSION_GZIP);
    ck_view in = CK_V("no gzip at all");
    assert_fails(ck_inflate_step(z, &in, out, sizeof out, &n), CK_ERR_HOSTILE, "gzip");
    assert_int_equal(n, 7);
    assert_fails(ck_inflate_step(z, &in, out, sizeof out, &n), CK_ERR_HOSTILE, "after an error");
    assert_fails(ck_inflate_finish(z), CK_ERR_HOSTILE, "after an error");
    ck_inflate_free(z);
}

/* --- limits --- */

static void gzip_members_at_the_limit_and_one_past(void **state)
{
    (void)state;
    struct ck_buf ck_autobuf one = ck_buf_new(CK_LIMIT_NONE);
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    uint64_t n;
    add_gzip(&one, CK_V(""));
    for (uint64_t i = 0; i < CK_MAX_GZIP_MEMBERS; i++)
        ck_put_bytes(&b, ck_buf_view(&one));
    assert_ok(run(CK_COMPRESSION_GZIP, ck_buf_view(&b), SIZE_MAX, OUT, NULL, &n));
    ck_put_bytes(&b, ck_buf_view(&one));
    assert_refused(CK_COMPRESSION_GZIP, &b, CK_ERR_LIMIT, "GZIP_MEMBERS");
}

/* Row 25. */
static void zstd_window_at_the_limit_and_one_past(void **state)
{
    (void)state;
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    uint64_t n;
    add_zstd(&b, CK_V("some text"), 25);
    assert_ok(run(CK_COMPRESSION_ZSTD, ck_buf_view(&b), SIZE_MAX, OUT, NULL, &n));
    assert_int_equal(b.p[5], (25 - 10) << 3); /* Window_Descriptor */
    b.p[5]++;                                 /* 36 MiB, the next size there is */
    assert_refused(CK_COMPRESSION_ZSTD, &b, CK_ERR_LIMIT, "ZSTD_WINDOW");
    b.p[5] = (31 - 10) << 3; /* 2 GiB */
    assert_refused(CK_COMPRESSION_ZSTD, &b, CK_ERR_LIMIT, "ZSTD_WINDOW");
}

/* Row 23: the dictionary's size is one byte of the block header, with a CRC32 behind it. */
static void xz_dictionary_at_the_limit_and_one_past(void **state)
{
    (void)state;
    static const struct {
        uint8_t size;
        bool fits;
    } cases[] = { { 28, true }, { 29, false }, { 40, false } }; /* 64 MiB, 96 MiB, 4 GiB */
    for (size_t i = 0; i < 3; i++) {
        struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
        uint64_t n;
        add_xz(&b, CK_V("some text"));
        uint8_t *block = b.p + 12; /* size, flags, filter id, size of properties, properties */
        size_t header = 4u * block[0];
        assert_int_equal(block[2], 0x21);
        block[4] = cases[i].size;
        uint32_t crc = lzma_crc32(block, header, 0);
        memcpy(block + header, &crc, 4);
        if (cases[i].fits)
            assert_ok(run(CK_COMPRESSION_XZ, ck_buf_view(&b), SIZE_MAX, OUT, NULL, &n));
        else
            assert_refused(CK_COMPRESSION_XZ, &b, CK_ERR_LIMIT, "XZ_MEMORY");
    }
}

/* Row 24: an xz stream that stops giving output must not hang its reader. */
static void xz_that_stalls(void **state)
{
    (void)state;
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    uint8_t out[4];
    add_xz(&b, CK_V("some text"));
    struct ck_inflate *z = ck_inflate_new(CK_COMPRESSION_XZ);
    ck_view in = ck_view_head(ck_buf_view(&b), 20);
    for (int i = 0; i < 5; i++) {
        size_t n = 1;
        assert_ok(ck_inflate_step(z, &in, out, sizeof out, &n));
        assert_int_equal(n, 0);
    }
    assert_fails(ck_inflate_finish(z), CK_ERR_HOSTILE, "truncated");
    ck_inflate_free(z);
}

/* A zstd frame of `n` bytes of zeros in RLE blocks of 128 KiB. */
static void add_zstd_zeros(struct ck_buf *b, uint64_t n)
{
    const uint32_t most = 128 * 1024;
    ck_put_u32(b, ZSTD_MAGICNUMBER);
    ck_put_u8(b, 0);              /* no content size, no checksum */
    ck_put_u8(b, (17 - 10) << 3); /* a window of 128 KiB */
    for (;;) {
        uint32_t block = n < most ? (uint32_t)n : most;
        uint32_t header = block << 3 | 1 << 1 | (n == block);
        ck_put_u8(b, (uint8_t)header);
        ck_put_u16(b, (uint16_t)(header >> 8));
        ck_put_u8(b, 0);
        n -= block;
        if (!n)
            return;
    }
}

static void ratio_at_the_floor_and_one_past(void **state)
{
    (void)state;
    for (unsigned past = 0; past < 2; past++) {
        struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
        uint64_t n = 0;
        add_zstd_zeros(&b, CK_MAX_RATIO_FLOOR + past);
        if (past)
            assert_refused(CK_COMPRESSION_ZSTD, &b, CK_ERR_LIMIT, "LAYER_RATIO");
        else
            assert_ok(run(CK_COMPRESSION_ZSTD, ck_buf_view(&b), SIZE_MAX, OUT, NULL, &n));
        assert_int_equal(n, past ? 0 : CK_MAX_RATIO_FLOOR);
    }
}

/* A skippable frame of exactly the size that makes the ratio the limit, or one byte less. */
static void ratio_at_the_limit_and_one_past(void **state)
{
    (void)state;
    const uint64_t total = CK_MAX_RATIO_FLOOR + CK_MAX_LAYER_RATIO * 100;
    for (unsigned past = 0; past < 2; past++) {
        struct ck_buf ck_autobuf zeros = ck_buf_new(CK_LIMIT_NONE);
        struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
        uint64_t n = 0;
        uint64_t in = (total + CK_MAX_LAYER_RATIO - 1) / CK_MAX_LAYER_RATIO - past;
        add_zstd_zeros(&zeros, total);
        uint32_t skip = (uint32_t)(in - zeros.n - 8);
        ck_put_u32(&b, ZSTD_MAGIC_SKIPPABLE_START);
        ck_put_u32(&b, skip);
        memset(ck_buf_room(&b, skip), 0, skip);
        b.n += skip;
        ck_put_bytes(&b, ck_buf_view(&zeros));
        if (past)
            assert_refused(CK_COMPRESSION_ZSTD, &b, CK_ERR_LIMIT, "LAYER_RATIO");
        else
            assert_ok(run(CK_COMPRESSION_ZSTD, ck_buf_view(&b), SIZE_MAX, OUT, NULL, &n));
    }
}

/* Row 22. */
static void gzip_bomb_of_ten_gigabytes_in_members(void **state)
{
    (void)state;
    struct ck_buf ck_autobuf zeros = ck_buf_new(CK_LIMIT_NONE);
    struct ck_buf ck_autobuf one = ck_buf_new(CK_LIMIT_NONE);
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    const size_t n = 16 * 1024 * 1024;
    memset(ck_buf_room(&zeros, n), 0, n);
    zeros.n = n;
    add_gzip(&one, ck_buf_view(&zeros));
    for (int i = 0; i < 640; i++)
        ck_put_bytes(&b, ck_buf_view(&one));
    assert_refused(CK_COMPRESSION_GZIP, &b, CK_ERR_LIMIT, "a decompression bomb");
}

static void xz_bomb(void **state)
{
    (void)state;
    struct ck_buf ck_autobuf zeros = ck_buf_new(CK_LIMIT_NONE);
    struct ck_buf ck_autobuf one = ck_buf_new(CK_LIMIT_NONE);
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    const size_t n = 64 * 1024 * 1024;
    memset(ck_buf_room(&zeros, n), 0, n);
    zeros.n = n;
    add_xz(&one, ck_buf_view(&zeros));
    for (int i = 0; i < 20; i++)
        ck_put_bytes(&b, ck_buf_view(&one));
    assert_refused(CK_COMPRESSION_XZ, &b, CK_ERR_LIMIT, "LAYER_RATIO");
}

/* LAYER_TAR is 64 GiB; the same code with a smaller limit in its place. */
static void output_at_the_limit_and_one_past(void **state)
{
    (void)state;
    for (enum ck_compression c = 0; c < CK_COMPRESSION_COUNT_; c++)
        for (unsigned past = 0; past < 2; past++) {
            struct ck_buf ck_autobuf data = ck_buf_new(CK_LIMIT_NONE);
            struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
            uint64_t n = 0;
            struct ck_inflate *z = ck_inflate_new(c);
            ck_inflate_bound(z, CK_LIMIT_DOCUMENT);
            fill(&data, CK_MAX_DOCUMENT + past);
            add(c, &b, ck_buf_view(&data));
            ck_err *e = run_to(z, ck_buf_view(&b), SIZE_MAX, OUT, NULL, &n);
            if (past)
                assert_fails(e, CK_ERR_LIMIT, "decompresses to more (limit DOCUMENT");
            else
                assert_ok(e);
            ck_inflate_free(z);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_in_any_pieces),
        cmocka_unit_test(several_members_streams_and_frames),
        cmocka_unit_test(gzip_with_all_header_fields),
        cmocka_unit_test(zeros_behind_a_gzip_are_padding),
        cmocka_unit_test(skippable_zstd_frames),
        cmocka_unit_test(truncated_streams_are_refused_at_every_byte),
        cmocka_unit_test(garbage_behind_the_stream),
        cmocka_unit_test(another_format_is_refused),
        cmocka_unit_test(gzip_checksum_and_length),
        cmocka_unit_test(zstd_checksum),
        cmocka_unit_test(an_error_is_final),
        cmocka_unit_test(gzip_members_at_the_limit_and_one_past),
        cmocka_unit_test(zstd_window_at_the_limit_and_one_past),
        cmocka_unit_test(xz_dictionary_at_the_limit_and_one_past),
        cmocka_unit_test(xz_that_stalls),
        cmocka_unit_test(ratio_at_the_floor_and_one_past),
        cmocka_unit_test(ratio_at_the_limit_and_one_past),
        cmocka_unit_test(gzip_bomb_of_ten_gigabytes_in_members),
        cmocka_unit_test(xz_bomb),
        cmocka_unit_test(output_at_the_limit_and_one_past),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
