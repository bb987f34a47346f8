/* Blobs that are there. Every change of a name below blobs/ happens while the write lock of the
 * database is held, so that a file and its row are never judged while another process is between
 * the two. */
#include "store/store_int.h"

#include "base/file.h"
#include "base/mem.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

ck_err *ck_blob_row(struct ck_store *s, const struct ck_digest *d, uint64_t *ret_size,
                    bool *ret_found)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT size FROM blob WHERE digest=?", &q));
    ck_bind_digest(&q, d);
    bool row = false;
    CK_TRY(ck_query_step(&q, &row));
    if (row)
        *ret_size = (uint64_t)ck_column_int(&q, 0);
    *ret_found = row;
    return NULL;
}

/* The row alone is not believed: somebody may have deleted or cut the file. */
static ck_err *has(struct ck_lease *l, const struct ck_digest *d, uint64_t *ret_size, bool *ret_has)
{
    bool found = false;
    CK_TRY(ck_blob_row(l->s, d, ret_size, &found));
    *ret_has = found && ck_blob_there(l->s, d, *ret_size);
    return *ret_has ? ck_lease_add(l, d) : NULL;
}

ck_err *ck_store_has(struct ck_lease *l, const struct ck_digest *d, uint64_t *ret_size,
                     bool *ret_has)
{
    uint64_t size = 0;
    bool yes = false;
    CK_TRY(ck_tx_write_relaxed(l->s));
    CK_TRY(ck_tx_end(l->s, has(l, d, &size, &yes)));
    if (ret_size && yes)
        *ret_size = size;
    *ret_has = yes;
    return NULL;
}

static ck_err *row_alone(struct ck_store *s, const struct ck_digest *d, uint64_t *ret_size,
                         bool *ret_found)
{
    CK_TRY(ck_tx_read(s));
    return ck_tx_end(s, ck_blob_row(s, d, ret_size, ret_found));
}

ck_err *ck_store_open_blob(struct ck_store *s, const struct ck_digest *d, int *ret_fd,
                           uint64_t *ret_size)
{
    char text[CK_DIGEST_TEXT];
    struct stat st;
    uint64_t size = 0;
    bool found = false;
    CK_TRY(row_alone(s, d, &size, &found));
    int fd = found ? openat(s->blobs[d->alg], ck_blob_file(d, text),
                            O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
                   : -1;
    if (!found)
        return ck_err_new(CK_ERR_UNAVAILABLE, "%s is not in the store %s", ck_digest_text(d, text),
                          s->dir);
    if (fd < 0)
        return ck_err_errno(CK_ERR_OURS, "store %s: %s (see cocket fsck)", s->dir,
                            ck_digest_text(d, text));
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != size) {
        close(fd);
        return ck_err_new(CK_ERR_OURS, "store %s: %s does not have the %llu bytes that it had (see "
                          "cocket fsck)", s->dir, ck_digest_text(d, text),
                          (unsigned long long)size);
    }
    *ret_fd = fd;
    *ret_size = size;
    return NULL;
}

/* --- naming a blob ---------------------------------------------------------------------------- */

static ck_err *insert(struct ck_store *s, const struct ck_digest *d, uint64_t size)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "INSERT INTO blob VALUES(?,?) ON CONFLICT DO NOTHING", &q));
    ck_bind_digest(&q, d);
    ck_bind_int(&q, (int64_t)size);
    return ck_query_run(&q);
}

/* What has the name already is replaced: it has the same bytes, or it was damaged. */
static ck_err *publish(struct ck_lease *l, const char *partial, const struct ck_digest *d,
                       uint64_t size)
{
    struct ck_store *s = l->s;
    char text[CK_DIGEST_TEXT];
    int dir = s->blobs[d->alg];
    if (renameat(s->partial, partial, dir, ck_blob_file(d, text)) != 0 || fsync(dir) != 0)
        return ck_err_errno(CK_ERR_OURS, "store %s: naming %s", s->dir, ck_digest_text(d, text));
    CK_TRY(insert(s, d, size));
    return ck_lease_add(l, d);
}

ck_err *ck_blob_publish(struct ck_lease *l, const char *partial, const struct ck_digest *d,
                        uint64_t size)
{
    CK_TRY(ck_tx_write(l->s));
    return ck_tx_end(l->s, publish(l, partial, d, size));
}

/* --- documents -------------------------------------------------------------------------------- */

static ck_err *write_temp(struct ck_store *s, const char *name, ck_view bytes)
{
    int fd = openat(s->partial, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
    if (fd < 0)
        return ck_err_errno(CK_ERR_OURS, "store %s: partial/%s", s->dir, name);
    ck_err *e = ck_write_all(fd, bytes);
    if (!e && (fchmod(fd, 0444) != 0 || fsync(fd) != 0))
        e = ck_err_errno(CK_ERR_OURS, "partial/%s", name);
    if (close(fd) != 0 && !e)
        e = ck_err_errno(CK_ERR_OURS, "partial/%s", name);
    return e ? ck_err_wrap(e, "store %s", s->dir) : NULL;
}

ck_err *ck_store_put(struct ck_lease *l, const struct ck_digest *d, ck_view bytes)
{
    char want[CK_DIGEST_TEXT], have[CK_DIGEST_TEXT];
    struct ck_digest got;
    bool there = false;
    if (bytes.n > CK_MAX_DOCUMENT)
        return ck_err_limit(CK_LIMIT_DOCUMENT, "%s: %zu bytes", ck_digest_text(d, want), bytes.n);
    ck_hash_of(d->alg, bytes, &got);
    if (!ck_digest_eq(&got, d))
        return ck_err_new(CK_ERR_HOSTILE, "%s: the bytes have the digest %s",
                          ck_digest_text(d, want), ck_digest_text(&got, have));
    CK_TRY(ck_store_has(l, d, NULL, &there));
    if (there)
        return NULL;
    ck_autofree char *name = ck_random_name("put.");
    ck_err *e = write_temp(l->s, name, bytes);
    if (!e)
        e = ck_blob_publish(l, name, d, bytes.n);
    if (e)
        unlinkat(l->s->partial, name, 0);
    return e;
}
