/* The feed room: one file of a feed is mapped or decompressed into memory and parsed; every record
 * goes to the hub as [length, bytes] in the normal form.
 */
#include "advisory/feed/feed.h"
#include "base/mem.h"
#include "room/feed_codec.h"
#include "room/input.h"
#include "room/rooms.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

struct feed {
    struct ck_channel *ch;
    struct ck_buf batch; /* records on their way: few frames instead of many */
    uint64_t records;
};

static ck_err *flush(struct feed *f)
{
    CK_TRY(ck_room_send(f->ch, ck_buf_view(&f->batch)));
    ck_buf_clear(&f->batch);
    return NULL;
}

/* The record was appended behind `start`, a place for its length. */
static ck_err *end_record(struct feed *f, size_t start)
{
    size_t n = f->batch.n - start - 4;
    if (n > CK_MAX_FEED_RECORD)
        return ck_err_limit(CK_LIMIT_FEED_RECORD, "a record of the feed");
    if (++f->records > CK_MAX_FEED_RECORDS)
        return ck_err_limit(CK_LIMIT_FEED_RECORDS, "the feed");
    for (size_t i = 0; i < 4; i++)
        f->batch.p[start + i] = (uint8_t)(n >> (8 * i));
    return f->batch.n >= CK_FRAME_PAYLOAD - 4096 ? flush(f) : NULL;
}

static ck_err *put_advisory(void *ctx, const struct ck_advisory *adv)
{
    struct feed *f = ctx;
    size_t start = f->batch.n;
    ck_put_u32(&f->batch, 0);
    ck_advisory_encode(adv, &f->batch);
    return end_record(f, start);
}

static ck_err *put_source(void *ctx, const struct ck_archive_source *s)
{
    struct feed *f = ctx;
    size_t start = f->batch.n;
    ck_put_u32(&f->batch, 0);
    ck_archive_source_encode(s, &f->batch);
    return end_record(f, start);
}

static ck_err *put_entry(void *ctx, const struct ck_changelog_entry *entry)
{
    struct feed *f = ctx;
    size_t start = f->batch.n;
    ck_put_u32(&f->batch, 0);
    ck_changelog_entry_encode(entry, &f->batch);
    return end_record(f, start);
}

static ck_err *parse_release(struct feed *f, ck_view text)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_release r;
    CK_TRY(ck_debian_release(text, &a, &r));
    size_t start = f->batch.n;
    ck_put_u32(&f->batch, 0);
    ck_release_encode(&r, &f->batch);
    return end_record(f, start);
}

static ck_err *parse_deb(struct feed *f, ck_view deb, ck_view package)
{
    ck_autobuf struct ck_buf text = ck_buf_new(CK_LIMIT_CHANGELOG);
    bool found = false;
    CK_TRY(ck_debian_deb_changelog(deb, package, &text, &found));
    return found ? ck_debian_changelog(ck_buf_view(&text), put_entry, f) : NULL;
}

static ck_err *parse(struct feed *f, const struct ck_job_feed *j, ck_view bytes)
{
    struct ck_advisory_sink sink = { put_advisory, f };
    switch (j->kind) {
    case CK_FEED_OSV_JSON:
        return ck_feed_osv(bytes, &sink);
    case CK_FEED_OSV_ZIP:
        return ck_feed_osv_zip(bytes, &sink);
    case CK_FEED_ALPINE_SECDB:
        return ck_feed_alpine_secdb(bytes, &sink);
    case CK_FEED_DEBIAN_TRACKER:
        return ck_feed_debian_tracker(bytes, &sink);
    case CK_FEED_KEV:
        return ck_feed_kev(bytes, &sink);
    case CK_FEED_DEBIAN_RELEASE:
        return parse_release(f, bytes);
    case CK_FEED_DEBIAN_PACKAGES:
        return ck_debian_packages(bytes, put_source, f);
    case CK_FEED_DEBIAN_CHANGELOG:
        return parse_deb(f, bytes, j->package);
    case CK_FEED_FILE_COUNT_:
        break;
    }
    return ck_err_new(CK_ERR_OURS, "no such feed file");
}

static ck_err *inflate_all(ck_view in, enum ck_compression compression, struct ck_buf *out)
{
    uint8_t piece[65536];
    struct ck_inflate *z = ck_inflate_new(compression);
    ck_err *e = NULL;
    size_t n;
    do {
        n = 0;
        e = ck_inflate_step(z, &in, piece, sizeof piece, &n);
        if (!e)
            e = ck_buf_add(out, ck_view_of(piece, n));
    } while (!e && (in.n || n == sizeof piece));
    if (!e)
        e = ck_inflate_finish(z);
    ck_inflate_free(z);
    return e;
}

static ck_err *parse_mapped(struct feed *f, const struct ck_job_feed *j, ck_view file)
{
    if (j->compression == CK_COMPRESSION_NONE)
        return parse(f, j, file);
    ck_autobuf struct ck_buf plain = ck_buf_new(CK_LIMIT_FEED);
    CK_TRY(inflate_all(file, j->compression, &plain));
    return parse(f, j, ck_buf_view(&plain));
}

ck_err *ck_room_feed(void *state, struct ck_channel *ch, ck_view job, int in, int out)
{
    (void)state;
    (void)out;
    struct ck_job_feed j;
    struct stat st;
    CK_TRY(ck_job_feed_decode(job, &j));
    if (fstat(in, &st) != 0)
        return ck_err_errno(CK_ERR_UNAVAILABLE, "feed");
    if (st.st_size <= 0)
        return ck_err_new(CK_ERR_HOSTILE, "the file is empty");
    if ((uint64_t)st.st_size > CK_MAX_FEED)
        return ck_err_limit(CK_LIMIT_FEED, "a feed of %lld bytes", (long long)st.st_size);
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, in, 0);
    if (p == MAP_FAILED)
        return ck_err_errno(CK_ERR_OURS, "mapping the feed");

    struct feed f = { .ch = ch, .batch = ck_buf_new(CK_LIMIT_NONE) };
    ck_err *e = parse_mapped(&f, &j, ck_view_of(p, (size_t)st.st_size));
    if (!e)
        e = flush(&f);
    ck_buf_free(&f.batch);
    munmap(p, (size_t)st.st_size);
    return e;
}
