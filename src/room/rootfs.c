/* The rootfs room: a directory tree that is already unpacked. It reads what the detectors ask for
 * and nothing else, with openat2(RESOLVE_IN_ROOT): links cannot lead out, landlock would not let
 * them. Result: a layer index in which the asked-for paths are plain files.
 */
#include "base/mem.h"
#include "base/text.h"
#include "detect/detect.h"
#include "layer/index.h"
#include "room/input.h"
#include "room/rooms.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct seen {
    dev_t dev;
    ino_t ino;
};

struct rootfs {
    int root;
    struct ck_index_writer *index;
    CK_VEC(struct seen) seen; /* files that several places lead to count once */
    size_t files;
};

static int open_in_root(int root, const char *path, uint64_t flags)
{
    struct open_how how = { .flags = flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                            .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
    return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

static bool first_time(struct rootfs *r, const struct stat *st)
{
    for (size_t i = 0; i < r->seen.n; i++)
        if (r->seen.v[i].dev == st->st_dev && r->seen.v[i].ino == st->st_ino)
            return false;
    *ck_push(&r->seen) = (struct seen){ st->st_dev, st->st_ino };
    return true;
}

static void gap(struct ck_buf *facts, const char *text)
{
    struct ck_fact f = { .kind = CK_FACT_GAP, .gap = ck_view_str(text) };
    ck_fact_encode(&f, facts);
}

static ck_err *detect(const struct ck_detector *d, int fd, const struct stat *st,
                      struct ck_buf *facts)
{
    ck_put_u8(facts, (uint8_t)d->id);
    if ((uint64_t)st->st_size > ck_limit_value(d->limit)) {
        ck_autofree char *text =
            ck_format("%s of %lld bytes was not read: it is too large (limit %s)", d->name,
                      (long long)st->st_size, ck_limit_name(d->limit));
        gap(facts, text);
        return NULL;
    }
    ck_autobuf struct ck_buf content = ck_buf_new(d->limit);
    CK_TRY(ck_input_all(fd, &content));
    return d->run(ck_buf_view(&content), facts);
}

static ck_err *read_file(struct rootfs *r, const char *path, const struct ck_detector *d, int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return ck_err_errno(CK_ERR_UNAVAILABLE, "%s", path);
    if (!S_ISREG(st.st_mode) || !first_time(r, &st))
        return NULL;
    ck_autobuf struct ck_buf facts = ck_buf_new(CK_LIMIT_FACTS);
    CK_TRY_WRAP(detect(d, fd, &st, &facts), "%s", path);
    struct ck_node node = { .path = ck_view_str(path), .type = CK_NODE_FILE,
                            .mode = st.st_mode & 07777, .size = (uint64_t)st.st_size,
                            .facts = ck_buf_view(&facts) };
    return ck_index_add(r->index, &node);
}

/* Links in circles, no permission: what cannot be read is said, not passed over. */
static ck_err *say_unreadable(struct rootfs *r, const char *path, const struct ck_detector *d,
                              int error)
{
    ck_autobuf struct ck_buf facts = ck_buf_new(CK_LIMIT_FACTS);
    ck_autofree char *text = ck_format("%s was not read: %s", d->name, strerror(error));
    ck_put_u8(&facts, (uint8_t)d->id);
    gap(&facts, text);
    struct ck_node node = { .path = ck_view_str(path), .type = CK_NODE_FILE,
                            .facts = ck_buf_view(&facts) };
    return ck_index_add(r->index, &node);
}

static ck_err *try_file(struct rootfs *r, const char *path, const struct ck_detector *d)
{
    int fd = open_in_root(r->root, path, O_RDONLY);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return NULL;
    if (fd < 0)
        return say_unreadable(r, path, d, errno);
    ck_err *e = read_file(r, path, d, fd);
    close(fd);
    return e;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static ck_err *read_names(struct rootfs *r, DIR *dir, const char *path, const struct ck_detector *d)
{
    CK_VEC(char *) names = { 0 };
    struct dirent *de;
    while ((de = readdir(dir)))
        if (de->d_name[0] != '.')
            *ck_push(&names) = ck_format("%s/%s", path, de->d_name);
    if (names.n)
        qsort(names.v, names.n, sizeof *names.v, by_name);
    ck_err *e = NULL;
    for (size_t i = 0; i < names.n; i++) {
        if (!e && ++r->files > CK_MAX_STATUS_D_FILES)
            e = ck_err_limit(CK_LIMIT_STATUS_D_FILES, "%s", path);
        const struct ck_detector *own = ck_detector_for_path(ck_view_str(names.v[i]));
        if (!e && own == d)
            e = try_file(r, names.v[i], d);
        free(names.v[i]);
    }
    free(names.v);
    return e;
}

static ck_err *try_dir(struct rootfs *r, const char *path, const struct ck_detector *d)
{
    int fd = open_in_root(r->root, path, O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return NULL;
    DIR *dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return ck_err_errno(CK_ERR_UNAVAILABLE, "%s", path);
    }
    ck_err *e = read_names(r, dir, path, d);
    closedir(dir);
    return e;
}

/* Files that only matter by being there; the hub asks for them. */
static ck_err *note_pending(struct rootfs *r, const char *path)
{
    struct stat st;
    int fd = open_in_root(r->root, path, O_RDONLY);
    if (fd < 0)
        return NULL;
    int rc = fstat(fd, &st);
    close(fd);
    if (rc != 0 || !S_ISREG(st.st_mode))
        return NULL;
    struct ck_node node = { .path = ck_view_str(path), .type = CK_NODE_FILE,
                            .size = (uint64_t)st.st_size };
    return ck_index_add(r->index, &node);
}

static ck_err *read_places(struct rootfs *r)
{
    for (size_t i = 0; i < ck_detect_pendings_count; i++)
        CK_TRY(note_pending(r, ck_detect_pendings[i].path));
    for (size_t i = 0; i < ck_detect_places_count; i++) {
        const struct ck_detect_place *p = &ck_detect_places[i];
        const struct ck_detector *d = ck_detector_by_id(p->id);
        if (d)
            CK_TRY(p->dir ? try_dir(r, p->path, d) : try_file(r, p->path, d));
    }
    return NULL;
}

ck_err *ck_room_rootfs(void *state, struct ck_channel *ch, ck_view job, int in, int out)
{
    (void)state;
    (void)job;
    (void)out;
    ck_autobuf struct ck_buf result = ck_buf_new(CK_LIMIT_FACTS);
    struct rootfs r = { .root = in, .index = ck_index_writer_new() };
    ck_err *e = read_places(&r);
    if (!e)
        e = ck_index_finish(r.index, &result);
    ck_index_writer_free(r.index);
    free(r.seen.v);
    return e ? e : ck_room_send(ch, ck_buf_view(&result));
}
