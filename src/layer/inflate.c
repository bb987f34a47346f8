#include "layer/inflate.h"

#include "base/mem.h"

#include <isa-l/igzip_lib.h>
#include <lzma.h>
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

enum {
    GZIP_RESERVED = 0xe0,
    ZSTD_MAGIC_BYTES = 4,
    /* What one call of a decoder is given at most: a bomb is judged between the calls. */
    SLICE = 4 * 1024 * 1024,
};

/* Where a stream of members or frames stands. */
enum border {
    BORDER_START,  /* nothing was seen yet */
    BORDER_INSIDE, /* in a member or frame */
    BORDER_AFTER,  /* one is complete: another one, padding or the end may follow */
    BORDER_ZEROS,  /* only zero padding may follow */
};

struct gzip {
    struct inflate_state state;
    struct isal_gzip_header header; /* no buffers: extra field, name and comment are skipped */
    bool in_header;
    uint64_t members;
    enum border border;
};

struct zstd {
    ZSTD_DCtx *ctx;
    enum border border;
    uint8_t magic[ZSTD_MAGIC_BYTES]; /* of the next frame, as far as it was seen */
    size_t magic_n;
};

struct ck_inflate {
    enum ck_compression format;
    enum ck_limit output; /* bounds out_total */
    uint64_t in_total, out_total;
    bool failed;
    union {
        struct gzip gzip;
        struct zstd zstd;
        lzma_stream xz;
    };
};

/* What a decoder works on: input that is left, output that is free. */
struct io {
    ck_view in;
    uint8_t *out;
    size_t cap;
};

/* Stands for one format. `run` makes progress on io, or leaves it as it is. */
struct format {
    const char *name;
    void (*start)(struct ck_inflate *z);
    void (*stop)(struct ck_inflate *z);
    ck_err *(*run)(struct ck_inflate *z, struct io *io);
    ck_err *(*finish)(struct ck_inflate *z);
};
static const struct format formats[CK_COMPRESSION_COUNT_];

/* Accounts for what a decoder took and gave. */
static void moved(struct ck_inflate *z, struct io *io, size_t in, size_t out)
{
    io->in = ck_view_from(io->in, in);
    io->out += out;
    io->cap -= out;
    z->in_total += in;
    z->out_total += out;
}

static ck_err *broken(const struct ck_inflate *z, const char *what)
{
    return ck_err_at(CK_ERR_HOSTILE, z->in_total, "%s: %s", ck_compression_name(z->format), what);
}

static ck_err *truncated(const struct ck_inflate *z)
{
    return broken(z, "the compressed stream is truncated");
}

/* --- none --- */

static void nothing(struct ck_inflate *z) { (void)z; }

static ck_err *none_run(struct ck_inflate *z, struct io *io)
{
    size_t n = io->in.n < io->cap ? io->in.n : io->cap;
    if (n)
        memcpy(io->out, io->in.p, n);
    moved(z, io, n, n);
    return NULL;
}

static ck_err *none_finish(struct ck_inflate *z)
{
    (void)z;
    return NULL;
}

/* --- gzip --- */

static void gzip_start(struct ck_inflate *z)
{
    isal_inflate_init(&z->gzip.state);
}

/* Between members: begins the next one or takes padding. */
static ck_err *gzip_border(struct ck_inflate *z, struct io *io)
{
    struct gzip *g = &z->gzip;
    if (g->border == BORDER_START || (g->border == BORDER_AFTER && io->in.p[0] == 0x1f)) {
        if (g->members == CK_MAX_GZIP_MEMBERS)
            return ck_err_limit(CK_LIMIT_GZIP_MEMBERS, "gzip: too many members");
        g->members++;
        g->border = BORDER_INSIDE;
        g->in_header = true;
        isal_inflate_reset(&g->state);
        isal_gzip_header_init(&g->header);
        g->state.crc_flag = ISAL_GZIP_NO_HDR_VER;
        return NULL;
    }
    g->border = BORDER_ZEROS;
    size_t n = 0;
    while (n < io->in.n && io->in.p[n] == 0)
        n++;
    moved(z, io, n, 0);
    if (io->in.n)
        return broken(z, "no member and no zero padding behind a member (RFC 1952 section 2.2)");
    return NULL;
}

static const char *gzip_reason(int code)
{
    static const struct {
        int code;
        const char *text;
    } reasons[] = {
        { ISAL_INVALID_BLOCK, "invalid deflate block (RFC 1951 section 3.2.3)" },
        { ISAL_INVALID_SYMBOL, "invalid deflate symbol (RFC 1951 section 3.2.5)" },
        { ISAL_INVALID_LOOKBACK, "distance to before the start (RFC 1951 section 3.2.5)" },
        { ISAL_INVALID_WRAPPER, "no gzip header (RFC 1952 section 2.3)" },
        { ISAL_UNSUPPORTED_METHOD, "compression method is not deflate (RFC 1952 section 2.3.1)" },
        { ISAL_INCORRECT_CHECKSUM, "a checksum or length does not match (RFC 1952 section 2.3)" },
        { ISAL_NEED_DICT, "needs a dictionary" },
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].code == code)
            return reasons[i].text;
    return "cannot be decoded";
}

static ck_err *gzip_run(struct ck_inflate *z, struct io *io)
{
    struct gzip *g = &z->gzip;
    if (g->border != BORDER_INSIDE)
        return io->in.n ? gzip_border(z, io) : NULL;

    uint32_t in = io->in.n < SLICE ? (uint32_t)io->in.n : SLICE;
    uint32_t out = io->cap < SLICE ? (uint32_t)io->cap : SLICE;
    g->state.next_in = (uint8_t *)(uintptr_t)io->in.p; /* it only reads */
    g->state.avail_in = in;
    g->state.next_out = io->out;
    g->state.avail_out = out;
    /* The header is read on its own: isal_inflate forgets its CRC from one call to the next. */
    int code = g->in_header ? isal_read_gzip_header(&g->state, &g->header)
                            : isal_inflate(&g->state);
    if (g->in_header && code == ISAL_DECOMP_OK) {
        g->in_header = false;
        if (g->header.flags & GZIP_RESERVED)
            return broken(z, "reserved flags are set (RFC 1952 section 2.3.1.2)");
    }
    moved(z, io, in - g->state.avail_in, out - g->state.avail_out);
    if (code < 0 || code == ISAL_NEED_DICT)
        return broken(z, gzip_reason(code));
    if (g->state.block_state == ISAL_BLOCK_FINISH)
        g->border = BORDER_AFTER;
    return NULL;
}

static ck_err *gzip_finish(struct ck_inflate *z)
{
    bool complete = z->gzip.border == BORDER_AFTER || z->gzip.border == BORDER_ZEROS;
    return complete ? NULL : truncated(z);
}

/* --- zstd --- */

static void zstd_start(struct ck_inflate *z)
{
    z->zstd.ctx = ZSTD_createDCtx();
    if (!z->zstd.ctx)
        abort();
    int log = 63 - __builtin_clzll(CK_MAX_ZSTD_WINDOW);
    if (ZSTD_isError(ZSTD_DCtx_setParameter(z->zstd.ctx, ZSTD_d_windowLogMax, log)))
        abort();
}

static void zstd_stop(struct ck_inflate *z) { ZSTD_freeDCtx(z->zstd.ctx); }

static ck_err *zstd_decode(struct ck_inflate *z, ck_view in, size_t *ret_taken, struct io *io)
{
    ZSTD_inBuffer ib = { in.p, in.n < SLICE ? in.n : SLICE, 0 };
    ZSTD_outBuffer ob = { io->out, io->cap < SLICE ? io->cap : SLICE, 0 };
    size_t code = ZSTD_decompressStream(z->zstd.ctx, &ob, &ib);
    moved(z, io, 0, ob.pos);
    *ret_taken = ib.pos;
    if (ZSTD_getErrorCode(code) == ZSTD_error_frameParameter_windowTooLarge)
        return ck_err_limit(CK_LIMIT_ZSTD_WINDOW, "zstd: byte %llu: a frame with a larger window",
                            (unsigned long long)z->in_total);
    if (ZSTD_isError(code))
        return broken(z, ZSTD_getErrorName(code));
    z->zstd.border = code == 0 ? BORDER_AFTER : BORDER_INSIDE;
    return NULL;
}

/* Between frames: reads the magic number itself, since the library also takes the formats of
 * before RFC 8878. */
static ck_err *zstd_border(struct ck_inflate *z, struct io *io)
{
    struct zstd *s = &z->zstd;
    while (s->magic_n < ZSTD_MAGIC_BYTES && io->in.n) {
        s->magic[s->magic_n++] = io->in.p[0];
        moved(z, io, 1, 0);
    }
    if (s->magic_n < ZSTD_MAGIC_BYTES)
        return NULL;
    ck_cur c = ck_cur_of(ck_view_of(s->magic, ZSTD_MAGIC_BYTES));
    uint32_t magic = ck_cur_le32(&c);
    if (magic != ZSTD_MAGICNUMBER &&
        (magic & ZSTD_MAGIC_SKIPPABLE_MASK) != ZSTD_MAGIC_SKIPPABLE_START)
        return broken(z, "no frame begins here (RFC 8878 section 3.1)");
    s->magic_n = 0;
    size_t taken = 0;
    CK_TRY(zstd_decode(z, ck_view_of(s->magic, ZSTD_MAGIC_BYTES), &taken, io));
    return taken == ZSTD_MAGIC_BYTES ? NULL : broken(z, "the frame's header cannot be read");
}

static ck_err *zstd_run(struct ck_inflate *z, struct io *io)
{
    if (z->zstd.border != BORDER_INSIDE)
        return io->in.n ? zstd_border(z, io) : NULL;
    size_t taken = 0;
    ck_err *e = zstd_decode(z, io->in, &taken, io);
    moved(z, io, taken, 0);
    return e;
}

static ck_err *zstd_finish(struct ck_inflate *z)
{
    return z->zstd.border == BORDER_AFTER && z->zstd.magic_n == 0 ? NULL : truncated(z);
}

/* --- xz --- */

static void xz_start(struct ck_inflate *z)
{
    z->xz = (lzma_stream)LZMA_STREAM_INIT;
    uint32_t flags = LZMA_CONCATENATED | LZMA_TELL_UNSUPPORTED_CHECK;
    if (lzma_stream_decoder(&z->xz, CK_MAX_XZ_MEMORY, flags) != LZMA_OK)
        abort();
}

static void xz_stop(struct ck_inflate *z) { lzma_end(&z->xz); }

static ck_err *xz_error(const struct ck_inflate *z, lzma_ret code)
{
    switch (code) {
    case LZMA_MEMLIMIT_ERROR:
        return ck_err_limit(CK_LIMIT_XZ_MEMORY, "xz: byte %llu: the dictionary needs %llu bytes",
                            (unsigned long long)z->in_total,
                            (unsigned long long)lzma_memusage(&z->xz));
    case LZMA_FORMAT_ERROR:
        return broken(z, "no xz stream begins here");
    case LZMA_UNSUPPORTED_CHECK:
        return broken(z, "a check of unknown kind");
    case LZMA_OPTIONS_ERROR:
        return broken(z, "filters or options that are not supported");
    default:
        return broken(z, "the compressed data is damaged");
    }
}

static ck_err *xz_run(struct ck_inflate *z, struct io *io)
{
    lzma_stream *s = &z->xz;
    size_t in = io->in.n < SLICE ? io->in.n : SLICE;
    size_t out = io->cap < SLICE ? io->cap : SLICE;
    s->next_in = io->in.p;
    s->avail_in = in;
    s->next_out = io->out;
    s->avail_out = out;
    lzma_ret code = lzma_code(s, LZMA_RUN);
    moved(z, io, in - s->avail_in, out - s->avail_out);
    /* LZMA_BUF_ERROR only says that there was nothing to do. */
    return code == LZMA_OK || code == LZMA_BUF_ERROR ? NULL : xz_error(z, code);
}

static ck_err *xz_finish(struct ck_inflate *z)
{
    uint8_t none = 0;
    z->xz.next_in = &none;
    z->xz.avail_in = 0;
    z->xz.next_out = &none;
    z->xz.avail_out = 0;
    lzma_ret code = lzma_code(&z->xz, LZMA_FINISH);
    if (code == LZMA_OK || code == LZMA_BUF_ERROR)
        return truncated(z);
    return code == LZMA_STREAM_END ? NULL : xz_error(z, code);
}

/* --- the common part --- */

static const struct format formats[CK_COMPRESSION_COUNT_] = {
    [CK_COMPRESSION_NONE] = { "tar", nothing, nothing, none_run, none_finish },
    [CK_COMPRESSION_GZIP] = { "gzip", gzip_start, nothing, gzip_run, gzip_finish },
    [CK_COMPRESSION_ZSTD] = { "zstd", zstd_start, zstd_stop, zstd_run, zstd_finish },
    [CK_COMPRESSION_XZ] = { "xz", xz_start, xz_stop, xz_run, xz_finish },
};

const char *ck_compression_name(enum ck_compression c) { return formats[c].name; }

struct ck_inflate *ck_inflate_new(enum ck_compression c)
{
    struct ck_inflate *z = ck_new(struct ck_inflate);
    z->format = c;
    z->output = CK_LIMIT_LAYER_TAR;
    formats[c].start(z);
    return z;
}

void ck_inflate_bound(struct ck_inflate *z, enum ck_limit output) { z->output = output; }

void ck_inflate_free(struct ck_inflate *z)
{
    if (!z)
        return;
    formats[z->format].stop(z);
    free(z);
}

static ck_err *judge(const struct ck_inflate *z)
{
    const char *name = ck_compression_name(z->format);
    if (z->out_total > ck_limit_value(z->output))
        return ck_err_limit(z->output, "%s: byte %llu: decompresses to more", name,
                            (unsigned long long)z->in_total);
    if (z->out_total > CK_MAX_RATIO_FLOOR && z->out_total > z->in_total * CK_MAX_LAYER_RATIO)
        return ck_err_limit(CK_LIMIT_LAYER_RATIO,
                            "%s: %llu bytes became %llu: a decompression bomb", name,
                            (unsigned long long)z->in_total, (unsigned long long)z->out_total);
    return NULL;
}

static ck_err *step(struct ck_inflate *z, struct io *io)
{
    unsigned idle = 0; /* crossing a border moves nothing once; more often is a loop */
    while (io->cap && idle < 2) {
        uint64_t in = z->in_total, out = z->out_total;
        CK_TRY(formats[z->format].run(z, io));
        CK_TRY(judge(z));
        idle = z->in_total == in && z->out_total == out ? idle + 1 : 0;
    }
    return idle && io->in.n ? broken(z, "the decoder does not advance") : NULL;
}

ck_err *ck_inflate_step(struct ck_inflate *z, ck_view *in, uint8_t *out, size_t cap, size_t *ret_n)
{
    if (z->failed)
        return broken(z, "went on after an error");
    struct io io = { *in, out, cap };
    ck_err *e = step(z, &io);
    if (e) {
        z->failed = true;
        return e;
    }
    *in = io.in;
    *ret_n = cap - io.cap;
    return NULL;
}

ck_err *ck_inflate_finish(struct ck_inflate *z)
{
    return z->failed ? broken(z, "went on after an error") : formats[z->format].finish(z);
}
