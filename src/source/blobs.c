/* Names to bytes: in a directory, in an archive, in an archive that is compressed as a whole. */
#include "base/file.h"
#include "base/mem.h"
#include "room/input.h"
#include "source/source_int.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* --- directory
 * ------------------------------------------------------------------------------------ */

/* A layout is data: links in it must not lead out of it (to /etc/shadow, to a device). */
static int open_beneath(int dir, const char *name)
{
    struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                            .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
    return (int)syscall(SYS_openat2, dir, name, &how, sizeof how);
}

static ck_err *find_in_dir(struct ck_source *s, ck_view name, struct ck_found *ret, bool *ret_found)
{
    ck_autofree char *path = ck_strndup(name.p, name.n);
    struct stat st;
    int fd = open_beneath(s->view.dir, path);
    if (fd < 0 && errno == ENOENT) {
        *ret_found = false;
        return NULL;
    }
    if (fd < 0 && (errno == EXDEV || errno == ELOOP))
        return ck_err_new(CK_ERR_HOSTILE, "%s: a link leads out of the layout", path);
    if (fd < 0)
        return ck_err_errno(CK_ERR_UNAVAILABLE, "%s", path);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return ck_err_new(CK_ERR_HOSTILE, "%s is not a regular file", path);
    }
    *ret = (struct ck_found){ .fd = fd, .close = true,
                              .slice = { .length = (uint64_t)st.st_size } };
    *ret_found = true;
    return NULL;
}

/* --- archive
 * -------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    const struct ck_member *x = a, *y = b;
    return ck_view_cmp(x->name, y->name);
}

/* Sorts the members by name. A name that stands there twice means one thing to those who unpack and
 * another to those who look it up: refused. */
static ck_err *index_members(struct ck_members *m)
{
    if (m->n)
        qsort(m->v, m->n, sizeof *m->v, by_name);
    for (size_t i = 1; i < m->n; i++)
        if (ck_view_eq(m->v[i].name, m->v[i - 1].name))
            return ck_err_new(CK_ERR_HOSTILE, "\"%.*s\" stands in the archive twice",
                              CK_VF(m->v[i].name));
    return NULL;
}

ck_err *ck_archive_open(struct ck_source *s, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ck_err_errno(CK_ERR_UNAVAILABLE, "%s", path);
    return ck_archive_open_fd(s, fd, path);
}

ck_err *ck_archive_open_fd(struct ck_source *s, int fd, const char *path)
{
    static const struct ck_job_archive list = { .op = CK_ARCHIVE_LIST };
    ck_autobuf struct ck_buf job = ck_buf_new(CK_LIMIT_NONE);
    struct stat st;
    s->view.file = fd;
    if (fstat(s->view.file, &st) != 0 || !S_ISREG(st.st_mode))
        return ck_err_new(CK_ERR_UNAVAILABLE, "%s is not a regular file", path);

    struct ck_room_options o = { .no_sandbox = s->options.no_sandbox };
    struct ck_room_proc *room = NULL;
    ck_job_archive_encode(&list, &job);
    CK_TRY(ck_room_start(CK_ROOM_ARCHIVE, &o, &room));
    ck_err *e = ck_room_call(room, ck_buf_view(&job), s->view.file, &s->table);
    ck_room_stop(room);
    if (e)
        return e;
    CK_TRY(ck_members_decode(ck_buf_view(&s->table), &s->arena, &s->view.members));
    return index_members(&s->view.members);
}

static const struct ck_member *member(const struct ck_members *m, ck_view name)
{
    struct ck_member key = { .name = name };
    return m->n ? bsearch(&key, m->v, m->n, sizeof *m->v, by_name) : NULL;
}

static ck_err *find_in_archive(struct ck_source *s, ck_view name, struct ck_found *ret,
                               bool *ret_found)
{
    const struct ck_member *m = member(&s->view.members, name);
    for (unsigned hops = 0; m && m->type == CK_MEMBER_LINK; hops++) {
        if (hops == CK_MAX_SYMLINKS)
            return ck_err_limit(CK_LIMIT_SYMLINKS, "\"%.*s\" in the archive", CK_VF(name));
        m = member(&s->view.members, m->link);
    }
    *ret_found = m != NULL;
    if (m)
        *ret = (struct ck_found){
            .fd = s->view.file,
            .slice = { m->offset, m->size, s->view.members.compressed },
            .content = m->content,
        };
    return NULL;
}

ck_err *ck_view_find_blob(struct ck_source *s, ck_view name, struct ck_found *ret, bool *ret_found)
{
    return s->view.dir >= 0 ? find_in_dir(s, name, ret, ret_found)
                            : find_in_archive(s, name, ret, ret_found);
}

/* --- copying out of a compressed archive ------------------------------------------------------ */

ck_err *ck_source_copy(struct ck_source *s, struct ck_slice *members, size_t n, int *ret_fd)
{
    struct ck_job_archive j = { .op = CK_ARCHIVE_COPY, .members = members, .n = n };
    ck_autobuf struct ck_buf job = ck_buf_new(CK_LIMIT_NONE);
    struct ck_room_options o = { .no_sandbox = s->options.no_sandbox };
    int ends[2];
    ck_job_archive_encode(&j, &job);
    CK_TRY(ck_room_start(CK_ROOM_ARCHIVE, &o, &s->copier));
    if (pipe2(ends, O_CLOEXEC) != 0)
        return ck_err_errno(CK_ERR_OURS, "pipe");
    ck_err *e = ck_room_job(s->copier, ck_buf_view(&job), s->view.file, ends[1]);
    close(ends[1]);
    if (e)
        close(ends[0]);
    else
        *ret_fd = ends[0];
    return e;
}

ck_err *ck_source_stream_end(struct ck_source *s)
{
    ck_err *e = ck_room_finish(s->copier, NULL);
    ck_room_stop(ck_steal(s->copier));
    return e;
}

static int by_offset(const void *a, const void *b, void *ctx)
{
    const struct ck_image_layer *layers = ctx;
    uint64_t x = layers[*(const size_t *)a].where.offset,
             y = layers[*(const size_t *)b].where.offset;
    return x < y ? -1 : x > y;
}

ck_err *ck_source_stream(struct ck_source *s, size_t *layers, size_t n, int *ret_fd)
{
    qsort_r(layers, n, sizeof *layers, by_offset, s->image.layers);
    struct ck_slice *members = ck_arena_alloc(&s->arena, n, sizeof *members);
    for (size_t i = 0; i < n; i++)
        members[i] = s->image.layers[layers[i]].where;
    return ck_source_copy(s, members, n, ret_fd);
}

/* --- documents -------------------------------------------------------------------------------- */

static ck_err *read_input(struct ck_input in, struct ck_buf *out)
{
    uint8_t piece[16384];
    size_t n = 1;
    while (n) {
        CK_TRY(ck_input_read(&in, piece, sizeof piece, &n));
        CK_TRY(ck_buf_add(out, ck_view_of(piece, n)));
    }
    return NULL;
}

static ck_err *read_slice(const struct ck_found *f, struct ck_buf *out)
{
    return read_input((struct ck_input){ .fd = f->fd, .slice = f->slice }, out);
}

static ck_err *read_copied(struct ck_source *s, const struct ck_found *f, struct ck_buf *out)
{
    struct ck_slice one = f->slice;
    int fd = -1;
    CK_TRY(ck_source_copy(s, &one, 1, &fd));
    ck_err *e = read_input((struct ck_input){ .fd = fd, .slice = { .pipe = true } }, out);
    close(fd);
    ck_err *end = ck_source_stream_end(s);
    if (!e)
        return end;
    ck_err_free(end);
    return e;
}

static ck_err *read_found(struct ck_source *s, const struct ck_found *f, struct ck_buf *out)
{
    if (f->slice.length > CK_MAX_DOCUMENT)
        return ck_err_limit(CK_LIMIT_DOCUMENT, "a document of %llu bytes",
                            (unsigned long long)f->slice.length);
    if (f->content.n)
        return ck_buf_add(out, f->content);
    return f->slice.pipe ? read_copied(s, f, out) : read_slice(f, out);
}

ck_err *ck_source_document(struct ck_source *s, ck_view name, const struct ck_descriptor *d,
                           struct ck_buf *out)
{
    struct ck_found f;
    bool found = false;
    if (d)
        CK_TRY(ck_source_bring(s, d));
    CK_TRY(ck_view_find_blob(s, name, &f, &found));
    if (!found)
        return ck_err_new(CK_ERR_UNAVAILABLE, "\"%.*s\" is missing", CK_VF(name));
    ck_err *e = read_found(s, &f, out);
    if (f.close)
        close(f.fd);
    if (!e && d)
        e = ck_descriptor_verify(d, ck_buf_view(out));
    return e ? ck_err_wrap(e, "\"%.*s\"", CK_VF(name)) : NULL;
}

ck_err *ck_source_decode(struct ck_source *s, enum ck_document what, ck_view declared, ck_view json,
                         ck_view *ret)
{
    ck_autobuf struct ck_buf job = ck_buf_new(CK_LIMIT_NONE);
    ck_autobuf struct ck_buf result = ck_buf_new(CK_LIMIT_FACTS);
    struct ck_job_document j = { .what = what, .declared = ck_view_head(declared, CK_MAX_FIELD) };
    int fd = -1;
    if (!s->documents) {
        struct ck_room_options o = { .no_sandbox = s->options.no_sandbox };
        CK_TRY(ck_room_start(CK_ROOM_DOCUMENT, &o, &s->documents));
    }
    ck_job_document_encode(&j, &job);
    /* Sealed: what was hashed is what the room reads, whoever owns the file. */
    CK_TRY(ck_sealed_copy(json, &fd));
    ck_err *e = ck_room_call(s->documents, ck_buf_view(&job), fd, &result);
    close(fd);
    if (e)
        return e;
    *ret = ck_arena_dup(&s->arena, ck_buf_view(&result));
    return NULL;
}
