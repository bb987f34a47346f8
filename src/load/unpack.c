/* The hub's side of unpacking: a directory of its own for the room, which is renamed at the end. */
#include "base/mem.h"
#include "base/text.h"
#include "base/tree.h"
#include "load/gate.h"
#include "proc/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the room --------------------------------------------------------------------------------- */

struct unpacking {
    const struct ck_image *image;
    const struct ck_load_options *options;
    struct ck_room_proc *room;
    int root;
    uint64_t before, total; /* bytes of the layers that are done, and of all; each is read twice */
    struct ck_buf result;
    struct ck_unpacked sum;
};

static ck_err *take_piece(void *ctx, ck_view bytes)
{
    struct unpacking *u = ctx;
    return ck_buf_add(&u->result, bytes);
}

static void take_progress(void *ctx, uint64_t done)
{
    struct unpacking *u = ctx;
    if (u->options->progress)
        u->options->progress(u->options->ctx, u->before + done, u->total);
}

static ck_err *run_job(struct unpacking *u, const struct ck_job_unpack *j, int in)
{
    ck_autobuf struct ck_buf job = ck_buf_new(CK_LIMIT_NONE);
    const struct ck_room_consumer c = { take_piece, take_progress, u };
    ck_buf_clear(&u->result);
    ck_job_unpack_encode(j, &job);
    CK_TRY(ck_room_job(u->room, ck_buf_view(&job), in, u->root));
    CK_TRY(ck_room_finish(u->room, &c));
    return ck_unpacked_decode(ck_buf_view(&u->result), &u->sum);
}

static ck_err *unpack_layer(struct unpacking *u, const struct ck_image_layer *l)
{
    struct ck_job_unpack j = { .op = CK_UNPACK_LAYER,
                               .setuid = u->options->setuid,
                               .blob = l->where,
                               .compression = l->compression,
                               .diff_id = l->diff_id };
    char text[CK_DIGEST_TEXT];
    if (l->fd < 0 || l->missing)
        return ck_err_new(CK_ERR_UNAVAILABLE, "%s is not in the store (cocket fetch)",
                          ck_digest_text(&l->digest, text));
    CK_TRY(run_job(u, &j, l->fd));
    u->before += 2 * l->size;
    return NULL;
}

static ck_err *unpack_all(struct unpacking *u)
{
    static const struct ck_job_unpack seal = { .op = CK_UNPACK_SEAL };
    for (size_t i = 0; i < u->image->n_layers; i++)
        u->total += 2 * u->image->layers[i].size;
    for (size_t i = 0; i < u->image->n_layers; i++)
        CK_TRY_WRAP(unpack_layer(u, &u->image->layers[i]), "layer %zu", i + 1);
    return run_job(u, &seal, u->root);
}

/* `path` is the room's whole world. */
static ck_err *fill(const struct ck_image *im, const char *path, const struct ck_load_options *o,
                    struct ck_unpacked *ret)
{
    struct ck_room_options ro = { .argument = path, .no_sandbox = o->no_sandbox };
    struct unpacking u = { .image = im, .options = o, .result = ck_buf_new(CK_LIMIT_ANSWER) };
    u.root = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (u.root < 0)
        return ck_err_errno(CK_ERR_OURS, "%s", path);
    ck_err *e = ck_room_start(CK_ROOM_UNPACK, &ro, &u.room);
    if (!e)
        e = unpack_all(&u);
    ck_room_stop(u.room);
    close(u.root);
    ck_buf_free(&u.result);
    if (!e)
        *ret = u.sum;
    return e;
}

/* --- the directory ---------------------------------------------------------------------------- */

/* Without the slashes at its end: the other name stands beside it. */
static char *without_slashes(const char *dir)
{
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/')
        n--;
    return ck_strndup(dir, n);
}

/* rename(2) replaces an empty directory and nothing else. This only says it before the work. */
static ck_err *check_free(const char *dir)
{
    if (mkdir(dir, 0700) == 0)
        return rmdir(dir) == 0 ? NULL : ck_err_errno(CK_ERR_OURS, "%s", dir);
    if (errno != EEXIST)
        return ck_err_errno(CK_ERR_OURS, "%s", dir);
    struct stat st;
    if (lstat(dir, &st) != 0 || !S_ISDIR(st.st_mode))
        return ck_err_new(CK_ERR_USAGE, "%s is there and is no directory", dir);
    if (rmdir(dir) == 0)
        return mkdir(dir, st.st_mode & 0777) == 0 ? NULL : ck_err_errno(CK_ERR_OURS, "%s", dir);
    return ck_err_new(CK_ERR_USAGE, "%s is not empty", dir);
}

static ck_err *make_whole(const struct ck_image *im, const char *dir,
                          const struct ck_load_options *o, struct ck_unpacked *ret)
{
    ck_autofree char *temp = ck_format("%s.partial-XXXXXX", dir);
    if (!mkdtemp(temp))
        return ck_err_errno(CK_ERR_OURS, "%s", temp);
    ck_err *e = fill(im, temp, o, ret);
    if (!e && rename(temp, dir) != 0)
        e = ck_err_errno(CK_ERR_OURS, "%s", dir);
    if (!e)
        return NULL;
    ck_err *left = ck_tree_remove_force(AT_FDCWD, temp);
    if (left) /* both matter: what failed, and what lies there now */
        e = ck_err_wrap(e, "%s could not be removed; it was made when this failed", temp);
    ck_err_free(left);
    return e;
}

static ck_err *unpack(struct ck_source *s, const char *dir, const struct ck_load_options *o,
                      struct ck_arena *a, struct ck_loaded *ret)
{
    struct ck_loaded l;
    ck_autofree char *bare = without_slashes(dir);
    CK_TRY(ck_gate_pass(s, "unpack", bare, o, a, &l));
    if (!l.refused) {
        l.name = ck_arena_dup(a, ck_source_image(s)->name);
        CK_TRY(check_free(bare));
        CK_TRY_WRAP(make_whole(ck_source_image(s), bare, o, &l.tree), "unpacking into %s", bare);
        CK_TRY(ck_gate_log(s, "unpack", bare, &l));
    }
    l.reason = ck_arena_dup(a, l.reason);
    *ret = l;
    return NULL;
}

ck_err *ck_unpack(const char *ref, const char *dir, const struct ck_load_options *o,
                  struct ck_arena *a, struct ck_loaded *ret)
{
    struct ck_source *s = NULL;
    CK_TRY(ck_gate_open(ref, o, a, &s));
    ck_err *e = unpack(s, dir, o, a, ret);
    ck_source_close(s);
    return e;
}
