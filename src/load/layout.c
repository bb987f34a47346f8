/* oci:DIR. */
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "load/json.h"
#include "load/target.h"
#include "source/others.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- blobs ------------------------------------------------------------------------------------ */

struct copying {
    const struct ck_cargo *cargo;
    uint64_t done;
    int fd;
};

static ck_err *put_piece(void *ctx, ck_view piece)
{
    struct copying *k = ctx;
    CK_TRY(ck_write_all(k->fd, piece));
    k->done += piece.n;
    if (k->cargo->progress)
        k->cargo->progress(k->cargo->ctx, k->done, k->cargo->bytes);
    return NULL;
}

/* A directory of the layout, made where it is missing; not one that a link leads to. */
static ck_err *open_dir(int at, const char *name, int *ret)
{
    if (mkdirat(at, name, 0755) != 0 && errno != EEXIST)
        return ck_err_errno(CK_ERR_OURS, "%s", name);
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return ck_err_errno(CK_ERR_OURS, "%s", name);
    *ret = fd;
    return NULL;
}

/* Under another name until its digest came out and it is on the disk. */
static ck_err *put_file(struct copying *k, int dir, const struct ck_cargo_blob *b, const char *hex)
{
    ck_autofree char *temp = ck_format(".%s.partial-%ld", hex, (long)getpid());
    k->fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (k->fd < 0)
        return ck_err_errno(CK_ERR_OURS, "%s", temp);
    ck_err *e = ck_blob_copy(k->cargo->store, b, put_piece, k);
    if (!e && fsync(k->fd) != 0)
        e = ck_err_errno(CK_ERR_OURS, "%s", temp);
    close(k->fd);
    if (!e && renameat(dir, temp, dir, hex) != 0)
        e = ck_err_errno(CK_ERR_OURS, "%s", hex);
    if (e)
        unlinkat(dir, temp, 0);
    return e;
}

static ck_err *put_blob(struct copying *k, int blobs, const struct ck_cargo_blob *b)
{
    char path[CK_BLOB_NAME];
    int dir = -1;
    CK_TRY(open_dir(blobs, ck_digest_algorithm_name(b->digest.alg), &dir));
    ck_err *e = put_file(k, dir, b, strrchr(ck_blob_path(&b->digest, path), '/') + 1);
    if (!e && fsync(dir) != 0)
        e = ck_err_errno(CK_ERR_OURS, "blobs");
    close(dir);
    return e;
}

static ck_err *put_blobs(const struct ck_cargo *c, int layout)
{
    struct copying k = { .cargo = c };
    int blobs = -1;
    CK_TRY(open_dir(layout, "blobs", &blobs));
    ck_err *e = NULL;
    for (size_t i = 0; i < c->n && !e; i++)
        e = put_blob(&k, blobs, &c->blobs[i]);
    close(blobs);
    return e;
}

/* --- index.json ------------------------------------------------------------------------------- */

static bool same_place(const struct ck_descriptor *a, const struct ck_descriptor *b)
{
    return ck_view_eq(a->ref_name, b->ref_name) &&
           (a->ref_name.n || ck_digest_eq(&a->digest, &b->digest));
}

/* What stands there, if cocket would write the same again. */
static ck_err *read_index(const char *dir, bool no_sandbox, struct ck_arena *a,
                          struct ck_index_doc *ret)
{
    ck_autobuf struct ck_buf have = ck_buf_new(CK_LIMIT_DOCUMENT);
    ck_autobuf struct ck_buf again = ck_buf_new(CK_LIMIT_NONE);
    struct ck_index_doc ix;
    CK_TRY(ck_layout_read(dir, no_sandbox, a, &have, &ix));
    ck_json_index(ix.manifests, ix.n, &again);
    if (!ck_view_eq(ck_buf_view(&have), ck_buf_view(&again)))
        return ck_err_new(CK_ERR_USAGE,
                          "%s: another program wrote its index.json, and cocket would lose what it "
                          "says; choose a new directory", dir);
    *ret = ix;
    return NULL;
}

static ck_err *write_index(const char *dir, const struct ck_index_doc *old,
                           const struct ck_descriptor *new, struct ck_arena *a)
{
    ck_autobuf struct ck_buf json = ck_buf_new(CK_LIMIT_NONE);
    struct ck_descriptor *v = ck_arena_alloc(a, old->n + 1, sizeof *v);
    size_t n = 0;
    for (size_t i = 0; i < old->n; i++)
        if (!same_place(&old->manifests[i], new))
            v[n++] = old->manifests[i];
    v[n++] = *new;
    if (n > CK_MAX_MANIFESTS)
        return ck_err_limit(CK_LIMIT_MANIFESTS, "%s", dir);
    ck_json_index(v, n, &json);
    return ck_file_write(ck_arena_format(a, "%s/index.json", dir), ck_buf_view(&json),
                         CK_FILE_DURABLE);
}

/* --- the layout ------------------------------------------------------------------------------- */

static bool has(const char *dir, const char *name)
{
    ck_autofree char *path = ck_format("%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

static ck_err *start(const char *dir, bool *ret_new)
{
    *ret_new = mkdir(dir, 0755) == 0;
    if (!*ret_new && errno != EEXIST)
        return ck_err_errno(CK_ERR_OURS, "%s", dir);
    bool empty = *ret_new || rmdir(dir) == 0; /* an empty one is as good as new */
    if (empty && !*ret_new) {
        if (mkdir(dir, 0755) != 0)
            return ck_err_errno(CK_ERR_OURS, "%s", dir);
        *ret_new = true;
    }
    if (!*ret_new && !(has(dir, "oci-layout") && has(dir, "index.json")))
        return ck_err_new(CK_ERR_USAGE, "%s is neither empty nor an OCI layout", dir);
    return NULL;
}

static ck_err *fill(const struct ck_cargo *c, const struct ck_load_target *t,
                    const struct ck_load_options *o, bool new, struct ck_arena *a)
{
    struct ck_index_doc old = { 0 };
    struct ck_descriptor entry = ck_cargo_entry(c, t->name);
    if (!new)
        CK_TRY(read_index(t->path, o->no_sandbox, a, &old));
    int dir = open(t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return ck_err_errno(CK_ERR_OURS, "%s", t->path);
    ck_err *e = put_blobs(c, dir);
    close(dir);
    if (!e && new)
        e = ck_file_write(ck_arena_format(a, "%s/oci-layout", t->path), CK_V(CK_JSON_LAYOUT),
                          CK_FILE_DURABLE);
    return e ? e : write_index(t->path, &old, &entry, a);
}

ck_err *ck_load_layout(const struct ck_cargo *c, const struct ck_load_target *t,
                       const struct ck_load_options *o)
{
    ck_autoarena struct ck_arena a = { 0 };
    bool new = false;
    CK_TRY(start(t->path, &new));
    return fill(c, t, o, new, &a);
}
