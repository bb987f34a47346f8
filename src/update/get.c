#include "update/get.h"

#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct ck_getter ck_getter_new(const struct ck_update_options *o)
{
    return (struct ck_getter){ .o = o, .digest = ck_hash_new(CK_DIGEST_SHA256) };
}

void ck_getter_close(struct ck_getter *g)
{
    ck_room_stop(ck_steal(g->fetch));
    ck_room_stop(ck_steal(g->feed));
    if (g->digest)
        ck_hash_free(ck_steal(g->digest));
}

bool ck_is_url(const char *source)
{
    return strncmp(source, "http://", 7) == 0 || strncmp(source, "https://", 8) == 0;
}

static ck_err *hash_file(struct ck_getter *g, struct ck_got *got)
{
    enum { PIECE = 65536 };
    uint8_t *piece = ck_calloc(1, PIECE);
    struct ck_hash *h = ck_hash_new(CK_DIGEST_SHA256);
    ssize_t n;
    got->size = 0;
    while ((n = pread(got->fd, piece, PIECE, (off_t)got->size)) > 0) {
        ck_hash_add(h, ck_view_of(piece, (size_t)n));
        got->size += (uint64_t)n;
    }
    ck_hash_finish(h, &got->digest);
    ck_hash_free(h);
    free(piece);
    if (n < 0 || lseek(got->fd, 0, SEEK_SET) != 0) /* gpgv reads from where it stands */
        return ck_err_errno(CK_ERR_UNAVAILABLE, "reading");
    ck_hash_add(g->digest, ck_view_of(got->digest.bytes, 32));
    return NULL;
}

static ck_err *open_path(const char *path, struct ck_got *got, bool *ret_missing)
{
    struct stat st;
    got->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (got->fd < 0 && errno == ENOENT && ret_missing) {
        *ret_missing = true;
        return NULL;
    }
    if (got->fd < 0)
        return ck_err_errno(CK_ERR_UNAVAILABLE, "%s", path);
    if (fstat(got->fd, &st) == 0 && S_ISREG(st.st_mode))
        return NULL;
    close(got->fd);
    return ck_err_new(CK_ERR_UNAVAILABLE, "%s is not a regular file", path);
}

/* --- over the network ------------------------------------------------------------------------- */

static ck_err *take_status(void *ctx, ck_view bytes)
{
    ck_cur c = ck_cur_of(bytes);
    *(unsigned *)ctx = ck_cur_le16(&c);
    return ck_cur_ok(&c) && ck_cur_end(&c)
               ? NULL
               : ck_err_new(CK_ERR_HOSTILE, "malformed message: HTTP status");
}

static ck_err *fetch_once(struct ck_getter *g, const char *url, int out, unsigned *ret_status)
{
    struct ck_room_options ro = { .no_sandbox = g->o->no_sandbox };
    struct ck_room_consumer c = { .piece = take_status, .ctx = ret_status };
    struct ck_job_fetch j = { .url = ck_view_str(url), .max = CK_MAX_FEED };
    ck_autobuf struct ck_buf job = ck_buf_new(CK_LIMIT_NONE);
    if (!g->fetch)
        CK_TRY(ck_room_start(CK_ROOM_FETCH, &ro, &g->fetch));
    ck_job_fetch_encode(&j, &job);
    ck_err *e = ck_room_job(g->fetch, ck_buf_view(&job), out, out);
    if (!e)
        e = ck_room_finish(g->fetch, &c);
    if (e && ck_err_class(e) != CK_ERR_UNAVAILABLE) /* more than no connection: start anew */
        ck_room_stop(ck_steal(g->fetch));
    return e;
}

enum { HTTP_FAILURE = 400, HTTP_NOT_FOUND = 404, HTTP_TIMEOUT = 408, HTTP_TOO_MANY = 429,
       HTTP_SERVER_ERROR = 500 };

/* Whether asking again may help. */
static bool is_passing(const ck_err *e, unsigned status)
{
    if (e)
        return ck_err_class(e) == CK_ERR_UNAVAILABLE;
    return status >= HTTP_SERVER_ERROR || status == HTTP_TIMEOUT || status == HTTP_TOO_MANY;
}

static ck_err *refused(const char *url, unsigned status)
{
    ck_autofree char *shown = ck_url_shown(url);
    return ck_err_new(CK_ERR_UNAVAILABLE, "%s: HTTP status %u", shown, status);
}

static ck_err *fetch(struct ck_getter *g, const char *url, struct ck_got *got, bool *ret_missing)
{
    enum { TRIES = 3 };
    got->fd = memfd_create("feed", MFD_CLOEXEC);
    if (got->fd < 0)
        return ck_err_errno(CK_ERR_OURS, "memfd");
    for (unsigned i = 1;; i++) {
        unsigned status = 0;
        ck_err *e = fetch_once(g, url, got->fd, &status);
        if (!e && status && status < HTTP_FAILURE)
            return NULL;
        if (i < TRIES && is_passing(e, status) && ftruncate(got->fd, 0) == 0 &&
            lseek(got->fd, 0, SEEK_SET) == 0) {
            struct timespec pause = { .tv_sec = 1 << (i - 1) };
            ck_err_free(e);
            nanosleep(&pause, NULL);
            continue;
        }
        close(got->fd);
        if (e)
            return e;
        if (status != HTTP_NOT_FOUND || !ret_missing)
            return refused(url, status);
        *ret_missing = true;
        return NULL;
    }
}

ck_err *ck_get(struct ck_getter *g, const char *source, struct ck_got *ret, bool *ret_missing)
{
    bool missing = false;
    struct ck_got got = { .fd = -1 };
    CK_TRY(ck_is_url(source) ? fetch(g, source, &got, ret_missing ? &missing : NULL)
                             : open_path(source, &got, ret_missing ? &missing : NULL));
    if (ret_missing)
        *ret_missing = missing;
    if (missing)
        return NULL;
    ck_err *e = hash_file(g, &got);
    if (e) {
        close(got.fd);
        ck_autofree char *shown = ck_url_shown(source);
        return ck_err_wrap(e, "%s", shown);
    }
    *ret = got;
    return NULL;
}

/* --- parsing
 * ---------------------------------------------------------------------------------------- */

struct records {
    struct ck_buf pending; /* of a record that is not whole yet */
    ck_err *(*put)(void *ctx, ck_view record);
    void *ctx;
};

static ck_err *take_piece(void *ctx, ck_view bytes)
{
    struct records *r = ctx;
    CK_TRY(ck_buf_add(&r->pending, bytes));
    ck_cur c = ck_cur_of(ck_buf_view(&r->pending));
    size_t used = 0;
    while (ck_cur_left(&c) >= 4) {
        uint32_t n = ck_cur_le32(&c);
        if (n > CK_MAX_FEED_RECORD)
            return ck_err_limit(CK_LIMIT_FEED_RECORD, "a record of %u bytes", n);
        if (ck_cur_left(&c) < n)
            break;
        CK_TRY(r->put(r->ctx, ck_cur_take(&c, n)));
        used = c.at;
    }
    memmove(r->pending.p, r->pending.p + used, r->pending.n - used);
    r->pending.n -= used;
    return NULL;
}

ck_err *ck_parse(struct ck_getter *g, const struct ck_job_feed *job, int fd,
                 ck_err *(*put)(void *ctx, ck_view record), void *ctx)
{
    struct ck_room_options ro = { .no_sandbox = g->o->no_sandbox };
    struct records r = { .pending = ck_buf_new(CK_LIMIT_NONE), .put = put, .ctx = ctx };
    struct ck_room_consumer c = { .piece = take_piece, .ctx = &r };
    ck_autobuf struct ck_buf bytes = ck_buf_new(CK_LIMIT_NONE);
    if (!g->feed)
        CK_TRY(ck_room_start(CK_ROOM_FEED, &ro, &g->feed));
    ck_job_feed_encode(job, &bytes);
    ck_err *e = ck_room_job(g->feed, ck_buf_view(&bytes), fd, -1);
    if (!e)
        e = ck_room_finish(g->feed, &c);
    if (!e && r.pending.n)
        e = ck_err_new(CK_ERR_HOSTILE, "the feed room stopped in the middle of a record");
    ck_buf_free(&r.pending);
    if (e) /* of no more use after an error */
        ck_room_stop(ck_steal(g->feed));
    return e;
}

enum ck_compression ck_compression_of_name(const char *name)
{
    ck_view v = ck_view_str(name);
    if (ck_view_ends(v, CK_V(".gz")))
        return CK_COMPRESSION_GZIP;
    if (ck_view_ends(v, CK_V(".xz")))
        return CK_COMPRESSION_XZ;
    if (ck_view_ends(v, CK_V(".zst")))
        return CK_COMPRESSION_ZSTD;
    return CK_COMPRESSION_NONE;
}

const char *ck_getter_digest(struct ck_getter *g, char out[CK_DIGEST_TEXT])
{
    struct ck_digest d;
    ck_hash_finish(g->digest, &d);
    ck_hash_free(g->digest);
    g->digest = ck_hash_new(CK_DIGEST_SHA256);
    return ck_digest_text(&d, out);
}
