/* Archives of an image: an OCI layout, with manifest.json beside it for those who read what `docker
 * save` writes. Docker (with either of its image stores), podman and containerd all keep the
 * manifest, and so its digest, as it stands in index.json. */
#include "base/mem.h"
#include "base/text.h"
#include "load/cargo.h"
#include "load/json.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

/* --- documents -------------------------------------------------------------------------------- */

static ck_err *put_index(struct ck_tar_out *t, const struct ck_cargo *c, ck_view tag)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    CK_TRY(ck_tar_out_put(t, CK_V("oci-layout"), CK_V(CK_JSON_LAYOUT)));
    struct ck_descriptor d = ck_cargo_entry(c, tag);
    ck_json_index(&d, 1, &b);
    return ck_tar_out_put(t, CK_V("index.json"), ck_buf_view(&b));
}

static ck_err *put_docker(struct ck_tar_out *t, const struct ck_cargo *c)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    char path[CK_BLOB_NAME];
    ck_json_pair(&b, "[{", "Config", ck_view_str(ck_blob_path(&c->image->config_digest, path)));
    ck_buf_format(&b, ",\"RepoTags\":");
    if (c->name.n) {
        ck_buf_format(&b, "[");
        ck_buf_json_str(&b, c->name);
        ck_buf_format(&b, "]");
    } else {
        ck_buf_format(&b, "null");
    }
    ck_buf_format(&b, ",\"Layers\":[");
    for (size_t i = 0; i < c->image->n_layers; i++) {
        ck_buf_format(&b, i ? "," : "");
        ck_buf_json_str(&b, ck_view_str(ck_blob_path(&c->image->layers[i].digest, path)));
    }
    ck_buf_format(&b, "]}]");
    return ck_tar_out_put(t, CK_V("manifest.json"), ck_buf_view(&b));
}

/* --- the archive ------------------------------------------------------------------------------ */

struct copying {
    struct ck_tar_out *tar;
    const struct ck_cargo *cargo;
    uint64_t done;
};

static ck_err *put_piece(void *ctx, ck_view piece)
{
    struct copying *k = ctx;
    CK_TRY(ck_tar_out_data(k->tar, piece));
    k->done += piece.n;
    if (k->cargo->progress)
        k->cargo->progress(k->cargo->ctx, k->done, k->cargo->bytes);
    return NULL;
}

/* Documents first: who reads a stream then knows what comes. */
ck_err *ck_cargo_archive(const struct ck_cargo *c, enum ck_archive_kind kind, ck_view tag, int fd)
{
    struct ck_tar_out t = { .fd = fd };
    struct copying k = { .tar = &t, .cargo = c };
    char path[CK_BLOB_NAME];
    CK_TRY(put_index(&t, c, tag));
    if (kind == CK_ARCHIVE_DOCKER && c->image)
        CK_TRY(put_docker(&t, c));
    for (size_t i = 0; i < c->n; i++) {
        const struct ck_cargo_blob *b = &c->blobs[i];
        CK_TRY(ck_tar_out_file(&t, ck_view_str(ck_blob_path(&b->digest, path)), b->size));
        CK_TRY(ck_blob_copy(c->store, b, put_piece, &k));
    }
    return ck_tar_out_end(&t);
}

/* --- on a thread ------------------------------------------------------------------------------ */

struct ck_feeder {
    const struct ck_cargo *cargo;
    enum ck_archive_kind kind;
    int fd;
    pthread_t thread;
    ck_err *e;
    bool unread; /* the reader has gone */
};

static void *feed(void *arg)
{
    struct ck_feeder *f = arg;
    errno = 0;
    f->e = ck_cargo_archive(f->cargo, f->kind, (ck_view){ 0 }, f->fd);
    f->unread = f->e && errno == EPIPE;
    close(f->fd);
    return NULL;
}

ck_err *ck_feeder_start(const struct ck_cargo *c, enum ck_archive_kind kind, int *ret_fd,
                        struct ck_feeder **ret)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return ck_err_errno(CK_ERR_OURS, "pipe");
    struct ck_feeder *f = ck_new(struct ck_feeder);
    f->cargo = c;
    f->kind = kind;
    f->fd = ends[1];
    if (pthread_create(&f->thread, NULL, feed, f) != 0) {
        close(ends[0]);
        close(ends[1]);
        free(f);
        return ck_err_new(CK_ERR_OURS, "no thread could be started");
    }
    *ret_fd = ends[0];
    *ret = f;
    return NULL;
}

/* That the reader went away is never the cause: it has said why, or it had read enough. */
ck_err *ck_feeder_finish(struct ck_feeder *f, ck_err *theirs)
{
    pthread_join(f->thread, NULL);
    ck_err *mine = f->e;
    if (f->unread) {
        ck_err_free(mine);
        mine = NULL;
    }
    free(f);
    if (!mine)
        return theirs;
    ck_err_free(theirs);
    return mine;
}
