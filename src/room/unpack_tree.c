#include "room/unpack_tree.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/tree.h"
#include "layer/path.h"
#include "room/unpack_dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, SET_ID = S_ISUID | S_ISGID };
_Static_assert(PATH_BYTES == sizeof(((struct ck_index_space *)0)->path), "PATH");

struct ck_unpack_tree {
    int root;
    bool setuid;
    struct ck_unpack_dirs dirs;
    const struct ck_index *layer;
    struct ck_unpacked sum;
    /* the file that is being written; fd is -1 where the entry has no content */
    int fd;
    uint32_t mode;
    int64_t mtime;
    bool sparse;
    uint64_t size;
    struct ck_buf extents;
    ck_cur extent;
    uint64_t left; /* of the present extent */
};

struct ck_unpack_tree *ck_unpack_tree_new(bool setuid)
{
    struct ck_unpack_tree *t = ck_new(struct ck_unpack_tree);
    t->root = t->fd = -1;
    t->setuid = setuid;
    t->extents = ck_buf_new(CK_LIMIT_NONE); /* the tar reader has counted them */
    return t;
}

void ck_unpack_tree_free(struct ck_unpack_tree *t)
{
    if (!t)
        return;
    if (t->fd >= 0)
        close(t->fd);
    ck_buf_free(&t->extents);
    ck_unpack_dirs_free(&t->dirs);
    free(t);
}

void ck_unpack_tree_at(struct ck_unpack_tree *t, int root)
{
    struct stat st;
    t->root = root;
    if (!t->dirs.n && fstat(root, &st) == 0)
        ck_unpack_dirs_put(&t->dirs, &(struct ck_unpack_dir){ .ino = st.st_ino, .mode = 0755 });
}

const struct ck_unpacked *ck_unpack_tree_sum(const struct ck_unpack_tree *t) { return &t->sum; }

/* --- errors ----------------------------------------------------------------------------------- */

/* errno as an error: what the layer is to blame for, and what the machine is. */
static ck_err *failed(const char *what, const char *name)
{
    switch (errno) {
    case EXDEV:
    case ELOOP:
        return ck_err_new(CK_ERR_HOSTILE,
                          "%s %s: a link of a lower layer leads out of the tree (absolute, or too "
                          "many \"..\")", what, name);
    case ENAMETOOLONG:
    case EILSEQ:
    case EINVAL:
        return ck_err_errno(CK_ERR_HOSTILE, "%s %s", what, name);
    default:
        return ck_err_errno(CK_ERR_OURS, "%s %s", what, name);
    }
}

/* Takes away what stands there. */
static ck_err *clear(int dir, const char *name)
{
    ck_err *e = ck_tree_remove(dir, name);
    return e && errno == ENAMETOOLONG ? ck_err_reclass(e, CK_ERR_HOSTILE) : e;
}

/* --- directories ------------------------------------------------------------------------------ */

/* A path as the kernel takes it; "" is ".". */
static ck_err *to_c(ck_view path, char out[PATH_BYTES])
{
    if (path.n >= PATH_BYTES)
        return ck_err_limit(CK_LIMIT_PATH, "a path of %zu bytes", path.n);
    if (!path.n)
        path = CK_V(".");
    memcpy(out, path.p, path.n);
    out[path.n] = 0;
    return NULL;
}

/* The kernel asks for another try where something moved while it went through a "..". */
static int open_beneath(const struct ck_unpack_tree *t, const char *path)
{
    enum { TRIES = 16 };
    struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                            .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
    int fd = -1;
    for (int i = 0; i < TRIES; i++) {
        fd = (int)syscall(SYS_openat2, t->root, path, &how, sizeof how);
        if (fd >= 0 || errno != EAGAIN)
            break;
    }
    return fd;
}

static ck_err *depth_of(struct ck_unpack_tree *t, int dir, unsigned *ret)
{
    struct stat st;
    if (fstat(dir, &st) != 0)
        return failed("looking at", "a directory");
    const struct ck_unpack_dir *d = ck_unpack_dirs_find(&t->dirs, st.st_ino);
    if (!d)
        return ck_err_new(CK_ERR_OURS, "somebody else writes into the tree");
    *ret = d->depth;
    return NULL;
}

/* Makes a directory that is writable until the tree is sealed. */
static ck_err *make_dir(struct ck_unpack_tree *t, int at, const char *name)
{
    struct stat st;
    unsigned depth = 0;
    CK_TRY(depth_of(t, at, &depth));
    if (depth + 1 > CK_MAX_PATH_DEPTH)
        return ck_err_limit(CK_LIMIT_PATH_DEPTH, "directories made through links");
    if (mkdirat(at, name, 0700) != 0 || fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return failed("making directory", name);
    ck_unpack_dirs_put(&t->dirs, &(struct ck_unpack_dir){ .ino = st.st_ino, .mode = 0755,
                                                          .depth = (uint16_t)(depth + 1) });
    return NULL;
}

/* `name` in `at` could not be opened as a directory: it is missing, or something of a lower layer,
 * which a directory replaces. A link that leads nowhere is neither. */
static ck_err *make_missing(struct ck_unpack_tree *t, int at, const char *name)
{
    struct stat st;
    if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? make_dir(t, at, name) : failed("looking at", name);
    if (S_ISLNK(st.st_mode))
        return ck_err_new(CK_ERR_HOSTILE, "%s: a link of a lower layer that leads to no directory",
                          name);
    CK_TRY(clear(at, name));
    return make_dir(t, at, name);
}

static ck_err *step_down(struct ck_unpack_tree *t, int *at, const char *prefix, const char *name,
                         bool make)
{
    int fd = open_beneath(t, prefix);
    if (fd < 0 && make && (errno == ENOENT || errno == ENOTDIR)) {
        CK_TRY(make_missing(t, *at, name));
        fd = open_beneath(t, prefix);
    }
    if (fd < 0)
        return failed("opening directory", prefix);
    close(*at);
    *at = fd;
    return NULL;
}

/* Component by component, to make what is missing and to name what is wrong. */
static ck_err *walk_down(struct ck_unpack_tree *t, char *path, int *at)
{
    char *start = path;
    for (bool last = false; !last; start++) {
        char *slash = strchr(start, '/');
        last = !slash;
        if (slash)
            *slash = 0;
        CK_TRY(step_down(t, at, path, start, true));
        if (slash)
            *slash = '/';
        start = slash ? slash : start;
    }
    return NULL;
}

/* Opens the directory `path`. Missing ones are made where `make`; else *ret is -1 for them. */
static ck_err *open_dir(struct ck_unpack_tree *t, ck_view path, bool make, int *ret)
{
    char text[PATH_BYTES];
    CK_TRY(to_c(path, text));
    int fd = open_beneath(t, text);
    bool missing = fd < 0 && (errno == ENOENT || errno == ENOTDIR);
    if (fd >= 0 || (missing && !make)) {
        *ret = fd;
        return NULL;
    }
    if (!make)
        return failed("opening directory", text);
    fd = open_beneath(t, ".");
    if (fd < 0)
        return failed("opening", "the tree");
    ck_err *e = walk_down(t, text, &fd);
    if (e)
        close(fd);
    else
        *ret = fd;
    return e;
}

/* The directory that a path stands in, and its last component. `dir` is -1 where it is missing and
 * was not to be made. */
struct spot {
    int dir;
    char name[PATH_BYTES];
};

static ck_err *find_spot(struct ck_unpack_tree *t, ck_view path, bool make, struct spot *ret)
{
    CK_TRY(to_c(ck_path_base(path), ret->name));
    return open_dir(t, ck_path_parent(path), make, &ret->dir);
}

static void leave(struct spot *s)
{
    if (s->dir >= 0)
        close(s->dir);
}

/* A directory stands at the spot, or is made there in place of what does. */
static ck_err *ensure_dir(struct ck_unpack_tree *t, const struct spot *s)
{
    struct stat st;
    if (fstatat(s->dir, s->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        if (S_ISDIR(st.st_mode))
            return NULL;
        CK_TRY(clear(s->dir, s->name));
    } else if (errno != ENOENT) {
        return failed("looking at", s->name);
    }
    return make_dir(t, s->dir, s->name);
}

/* --- what a layer hides ----------------------------------------------------------------------- */

static ck_err *remove_each(void *ctx, int dir, const char *name)
{
    (void)ctx;
    return ck_tree_remove(dir, name);
}

/* An opaque mark makes its path a directory of its own: a link there is not emptied at its
 * target. */
static ck_err *hide_below(const struct spot *s)
{
    int fd = openat(s->dir, s->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? NULL : clear(s->dir, s->name);
    ck_err *e = ck_tree_each(fd, remove_each, NULL);
    close(fd);
    return e;
}

static ck_err *apply_node(struct ck_unpack_tree *t, const struct ck_node *n)
{
    struct spot s;
    if (!n->path.n)
        return n->opaque ? ck_tree_each(t->root, remove_each, NULL) : NULL;
    if (!n->whiteout && !n->opaque && n->type != CK_NODE_DIR)
        return NULL;
    CK_TRY(find_spot(t, n->path, n->type == CK_NODE_DIR, &s));
    if (s.dir < 0)
        return NULL;
    ck_err *e = NULL;
    if (n->whiteout)
        e = clear(s.dir, s.name);
    if (!e && n->opaque)
        e = hide_below(&s);
    if (!e && n->type == CK_NODE_DIR)
        e = ensure_dir(t, &s);
    leave(&s);
    return e;
}

ck_err *ck_unpack_tree_layer(struct ck_unpack_tree *t, const struct ck_index *layer)
{
    struct ck_index_walk *w = ck_new(struct ck_index_walk);
    struct ck_index_space space;
    struct ck_node node;
    bool end = false;
    t->layer = layer;
    ck_err *e = ck_index_find(layer, CK_V(""), &space, &node, &end);
    if (!e && end)
        e = apply_node(t, &node);
    if (!e)
        e = ck_index_walk_start(layer, CK_V(""), w);
    for (end = false; !e && !end;) {
        e = ck_index_walk_next(w, &node, &end);
        if (!e && !end) {
            e = apply_node(t, &node);
            e = e ? ck_err_wrap(e, "\"%.*s\"", CK_VF(node.path)) : NULL;
        }
    }
    free(w);
    return e;
}

/* --- entries ---------------------------------------------------------------------------------- */

static uint32_t kept_mode(struct ck_unpack_tree *t, const struct ck_tar_entry *e)
{
    uint32_t keep = e->type == CK_TAR_DIR ? 01777 : 0777;
    if (t->setuid)
        keep = 07777;
    t->sum.stripped += (e->mode & SET_ID & ~keep) != 0;
    return e->mode & keep;
}

static ck_err *take_dir(struct ck_unpack_tree *t, const struct spot *s,
                        const struct ck_tar_entry *e)
{
    struct stat st;
    if (s)
        CK_TRY(ensure_dir(t, s));
    if ((s ? fstatat(s->dir, s->name, &st, AT_SYMLINK_NOFOLLOW) : fstat(t->root, &st)) != 0)
        return failed("looking at", s ? s->name : "the tree");
    struct ck_unpack_dir *d = ck_unpack_dirs_find(&t->dirs, st.st_ino);
    if (!d)
        return ck_err_new(CK_ERR_OURS, "somebody else writes into the tree");
    d->mode = (uint16_t)kept_mode(t, e);
    d->mtime = e->mtime;
    d->named = true;
    return NULL;
}

static ck_err *take_file(struct ck_unpack_tree *t, const struct spot *s,
                         const struct ck_tar_entry *e)
{
    uint64_t size = e->sparse ? e->real_size : e->size;
    if (size > CK_MAX_UNPACK_TREE - t->sum.bytes)
        return ck_err_limit(CK_LIMIT_UNPACK_TREE, "the image's files");
    CK_TRY(clear(s->dir, s->name));
    t->fd = openat(s->dir, s->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (t->fd < 0)
        return failed("making file", s->name);
    t->sum.bytes += size;
    t->sum.capabilities += e->has_capability;
    t->mode = kept_mode(t, e);
    t->mtime = e->mtime;
    t->sparse = e->sparse;
    t->size = size;
    t->left = 0;
    ck_buf_clear(&t->extents);
    if (e->sparse)
        ck_put_bytes(&t->extents, e->extents);
    t->extent = ck_cur_of(ck_buf_view(&t->extents));
    return NULL;
}

static ck_err *take_symlink(const struct spot *s, ck_view target)
{
    char text[PATH_BYTES];
    if (!target.n || ck_view_find(target, 0) < target.n)
        return ck_err_new(CK_ERR_HOSTILE, "a link to nothing");
    CK_TRY(to_c(target, text));
    CK_TRY(clear(s->dir, s->name));
    return symlinkat(text, s->dir, s->name) == 0 ? NULL : failed("making link", s->name);
}

/* Whether this layer says that the target is something that is never made. */
static ck_err *leads_to_device(const struct ck_unpack_tree *t, ck_view link, bool *ret)
{
    struct ck_index_space space;
    struct ck_node node;
    bool found = false;
    CK_TRY(ck_index_find(t->layer, link, &space, &node, &found));
    *ret = found && (node.type == CK_NODE_DEVICE || node.type == CK_NODE_FIFO);
    return NULL;
}

static ck_err *link_to(const struct spot *from, const struct spot *s, ck_view target)
{
    struct stat have, new;
    if (from->dir < 0 || fstatat(from->dir, from->name, &have, AT_SYMLINK_NOFOLLOW) != 0)
        return ck_err_new(CK_ERR_HOSTILE, "a hard link to \"%.*s\", which is not there",
                          CK_VF(target));
    if (S_ISDIR(have.st_mode))
        return ck_err_new(CK_ERR_HOSTILE, "a hard link to a directory");
    if (fstatat(s->dir, s->name, &new, AT_SYMLINK_NOFOLLOW) == 0 && new.st_ino == have.st_ino &&
        new.st_dev == have.st_dev)
        return NULL; /* two names of one place, through a link above it */
    CK_TRY(clear(s->dir, s->name));
    if (linkat(from->dir, from->name, s->dir, s->name, 0) == 0)
        return NULL;
    if (errno == EXDEV)
        return ck_err_new(CK_ERR_OURS, "this kernel's landlock does not let rooms make hard links "
                                       "between directories (Linux 5.19 does)");
    return errno == ENOENT ? ck_err_new(CK_ERR_HOSTILE, "a hard link to what it replaces")
                           : failed("making hard link", s->name);
}

static ck_err *take_hardlink(struct ck_unpack_tree *t, const struct spot *s, ck_view link)
{
    struct spot from;
    bool device = false;
    CK_TRY(leads_to_device(t, link, &device));
    if (device) {
        t->sum.skipped++;
        return clear(s->dir, s->name);
    }
    CK_TRY(find_spot(t, link, false, &from));
    ck_err *e = link_to(&from, s, link);
    leave(&from);
    return e;
}

static ck_err *take(struct ck_unpack_tree *t, const struct spot *s, const struct ck_tar_entry *e,
                    ck_view link)
{
    switch (e->type) {
    case CK_TAR_DIR:
        return take_dir(t, s, e);
    case CK_TAR_FILE:
        return take_file(t, s, e);
    case CK_TAR_SYMLINK:
        return take_symlink(s, link);
    case CK_TAR_HARDLINK:
        return take_hardlink(t, s, link);
    case CK_TAR_CHAR:
    case CK_TAR_BLOCK:
    case CK_TAR_FIFO:
        t->sum.skipped++;
        return clear(s->dir, s->name);
    }
    return ck_err_new(CK_ERR_OURS, "no such type");
}

ck_err *ck_unpack_tree_entry(struct ck_unpack_tree *t, const struct ck_tar_entry *e, ck_view path,
                             ck_view link)
{
    struct spot s;
    if (t->sum.entries == CK_MAX_UNPACK_ENTRIES)
        return ck_err_limit(CK_LIMIT_UNPACK_ENTRIES, "the image has more");
    t->sum.entries++;
    if (!path.n)
        return take_dir(t, NULL, e);
    CK_TRY(find_spot(t, path, true, &s));
    ck_err *err = take(t, &s, e, link);
    leave(&s);
    return err;
}

static ck_err *write_extents(struct ck_unpack_tree *t, ck_view piece)
{
    while (piece.n) {
        if (!t->left) {
            uint64_t offset = ck_cur_le64(&t->extent);
            t->left = ck_cur_le64(&t->extent);
            if (!ck_cur_ok(&t->extent))
                return ck_err_new(CK_ERR_OURS, "more content than extents");
            if (lseek(t->fd, (off_t)offset, SEEK_SET) < 0)
                return ck_err_errno(CK_ERR_OURS, "seeking");
            continue;
        }
        ck_view now = ck_view_head(piece, t->left < piece.n ? (size_t)t->left : piece.n);
        CK_TRY(ck_write_all(t->fd, now));
        t->left -= now.n;
        piece = ck_view_from(piece, now.n);
    }
    return NULL;
}

ck_err *ck_unpack_tree_data(struct ck_unpack_tree *t, ck_view piece)
{
    if (t->fd < 0)
        return NULL;
    return t->sparse ? write_extents(t, piece) : ck_write_all(t->fd, piece);
}

/* Time before mode: a file of mode 0 keeps its descriptor. */
static ck_err *set_attributes(int fd, uint32_t mode, bool has_time, int64_t mtime)
{
    const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = mtime } };
    if (has_time && futimens(fd, times) != 0)
        return ck_err_errno(CK_ERR_OURS, "setting a time");
    return fchmod(fd, mode) == 0 ? NULL : ck_err_errno(CK_ERR_OURS, "setting a mode");
}

ck_err *ck_unpack_tree_end(struct ck_unpack_tree *t)
{
    if (t->fd < 0)
        return NULL;
    ck_err *e = NULL;
    if (t->sparse && ftruncate(t->fd, (off_t)t->size) != 0)
        e = ck_err_errno(CK_ERR_OURS, "setting a size");
    if (!e)
        e = set_attributes(t->fd, t->mode, true, t->mtime);
    if (close(t->fd) != 0 && !e)
        e = ck_err_errno(CK_ERR_OURS, "closing a file");
    t->fd = -1;
    return e;
}

/* --- sealing ---------------------------------------------------------------------------------- */

static ck_err *seal_dir(struct ck_unpack_tree *t, int fd);

static ck_err *seal_each(void *ctx, int dir, const char *name)
{
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
        return NULL;
    if (fd < 0)
        return failed("opening directory", name);
    ck_err *e = seal_dir(ctx, fd);
    close(fd);
    return e;
}

/* Below first: a directory that has its mode may be closed to us. */
static ck_err *seal_dir(struct ck_unpack_tree *t, int fd)
{
    struct stat st;
    CK_TRY(ck_tree_each(fd, seal_each, t));
    if (fstat(fd, &st) != 0)
        return failed("looking at", "a directory");
    const struct ck_unpack_dir *d = ck_unpack_dirs_find(&t->dirs, st.st_ino);
    if (!d)
        return ck_err_new(CK_ERR_OURS, "somebody else writes into the tree");
    return set_attributes(fd, d->mode, d->named, d->mtime);
}

ck_err *ck_unpack_tree_seal(struct ck_unpack_tree *t)
{
    return seal_dir(t, t->root);
}
