/* The archive room: the outer tar of docker-archive and oci-archive.
 *
 * It says where each member stands, so that the hub can hand out parts of the file itself. An
 * archive that is compressed as a whole has no such places: its members are copied out in order,
 * through a pipe, by decompressing it again. Nothing is written anywhere else.
 */
#include "base/file.h"
#include "base/mem.h"
#include "layer/path.h"
#include "layer/tar.h"
#include "room/input.h"
#include "room/rooms.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const size_t inline_total = 8 * CK_MIB; /* of all listed contents */

struct archive {
    struct ck_channel *ch;
    const struct ck_job_archive *job;
    int out;
    struct ck_arena names;
    struct ck_member member;
    bool wanted; /* the current member is listed or copied */
    struct ck_buf content, record;
    size_t inlined, members;
    size_t next; /* COPY: of job->members */
};

/* A link's target from the archive's root: "../x" beside "a/b" is "x". */
static ck_err *link_target(struct archive *ar, const struct ck_tar_entry *e, ck_view name,
                           ck_view *ret)
{
    if (e->type == CK_TAR_HARDLINK)
        return ck_path_normalise(e->link, &ar->names, ret);
    ck_view dir = ck_path_parent(name), rest = e->link;
    while (rest.n) {
        ck_view part = ck_view_split(rest, '/', &rest);
        if (part.n == 0 || ck_view_eq(part, CK_V(".")))
            continue;
        if (ck_view_eq(part, CK_V(".."))) {
            if (dir.n == 0)
                return ck_err_new(CK_ERR_HOSTILE, "its link leaves the archive");
            dir = ck_path_parent(dir);
            continue;
        }
        if (dir.n + part.n + 1 > CK_MAX_PATH)
            return ck_err_limit(CK_LIMIT_PATH, "its link");
        dir = ck_view_str(ck_arena_format(&ar->names, "%.*s%s%.*s", CK_VF(dir), dir.n ? "/" : "",
                                          CK_VF(part)));
    }
    *ret = dir;
    return NULL;
}

static ck_err *list_entry(struct archive *ar, const struct ck_tar_entry *e)
{
    ck_view name, link = { 0 };
    ck_arena_free(&ar->names);
    ck_buf_clear(&ar->content);
    ar->wanted = false;
    bool is_link = e->type == CK_TAR_HARDLINK || e->type == CK_TAR_SYMLINK;
    if (e->type != CK_TAR_FILE && !is_link)
        return NULL;
    CK_TRY(ck_path_normalise(e->name, &ar->names, &name));
    if (e->sparse)
        return ck_err_new(CK_ERR_HOSTILE, "a sparse file in an image archive");
    if (is_link)
        CK_TRY(link_target(ar, e, name, &link));
    if (++ar->members > CK_MAX_ARCHIVE_MEMBERS)
        return ck_err_limit(CK_LIMIT_ARCHIVE_MEMBERS, "the archive");
    ar->member = (struct ck_member){ .name = name,
                                     .type = is_link ? CK_MEMBER_LINK : CK_MEMBER_FILE,
                                     .link = link, .offset = e->data, .size = e->size };
    ar->wanted = true;
    return NULL;
}

static ck_err *on_list_entry(void *ctx, const struct ck_tar_entry *e)
{
    CK_TRY_WRAP(list_entry(ctx, e), "member %llu at byte %llu of the archive, \"%.*s\"",
                (unsigned long long)e->number, (unsigned long long)e->offset, CK_VF(e->name));
    return NULL;
}

static bool inlines(const struct archive *ar)
{
    return ar->wanted && ar->member.size <= CK_MAX_DOCUMENT_INLINE &&
           ar->inlined + ar->member.size <= inline_total;
}

static ck_err *on_list_data(void *ctx, ck_view piece)
{
    struct archive *ar = ctx;
    if (inlines(ar))
        ck_put_bytes(&ar->content, piece);
    return NULL;
}

static ck_err *on_list_end(void *ctx)
{
    struct archive *ar = ctx;
    if (!ar->wanted)
        return NULL;
    ar->member.content = ck_buf_view(&ar->content);
    ar->inlined += ar->content.n;
    ck_buf_clear(&ar->record);
    ck_member_encode(&ar->member, &ar->record);
    return ck_room_send(ar->ch, ck_buf_view(&ar->record));
}

static ck_err *on_copy_entry(void *ctx, const struct ck_tar_entry *e)
{
    struct archive *ar = ctx;
    const struct ck_job_archive *j = ar->job;
    ar->wanted = ar->next < j->n && e->data == j->members[ar->next].offset &&
                 e->size == j->members[ar->next].length;
    return NULL;
}

static ck_err *on_copy_data(void *ctx, ck_view piece)
{
    struct archive *ar = ctx;
    return ar->wanted ? ck_write_all(ar->out, piece) : NULL;
}

static ck_err *on_copy_end(void *ctx)
{
    struct archive *ar = ctx;
    if (ar->wanted)
        ar->next++;
    return NULL;
}

/* The outermost file is the user's own choice, not the data's: its first bytes may choose among
 * four decompressors, as docker load and skopeo do. */
static enum ck_compression outer_compression(int fd)
{
    uint8_t head[6] = { 0 };
    ssize_t n = pread(fd, head, sizeof head, 0);
    ck_view v = ck_view_of(head, n > 0 ? (size_t)n : 0);
    if (ck_view_starts(v, CK_V("\x1f\x8b")))
        return CK_COMPRESSION_GZIP;
    if (ck_view_starts(v, CK_V("\x28\xb5\x2f\xfd")))
        return CK_COMPRESSION_ZSTD;
    if (ck_view_starts(v, CK_V("\xfd" "7zXZ")))
        return CK_COMPRESSION_XZ;
    return CK_COMPRESSION_NONE;
}

struct walk {
    struct archive *ar;
    struct ck_tar *tar;
    struct ck_inflate *z;
    struct ck_input input;
    uint64_t told;
    uint8_t in[128 * 1024], out[256 * 1024];
};

static bool all_copied(const struct archive *ar)
{
    return ar->job->op == CK_ARCHIVE_COPY && ar->next == ar->job->n;
}

static ck_err *feed(struct walk *w, ck_view in)
{
    size_t n;
    do {
        CK_TRY(ck_inflate_step(w->z, &in, w->out, sizeof w->out, &n));
        CK_TRY(ck_tar_feed(w->tar, ck_view_of(w->out, n)));
    } while (n == sizeof w->out);
    return NULL;
}

static ck_err *walk_all(struct walk *w, bool compressed)
{
    size_t n = 0;
    do {
        uint64_t skip = compressed ? 0 : ck_tar_skippable(w->tar);
        if (skip > sizeof w->in && !inlines(w->ar) && w->ar->job->op == CK_ARCHIVE_LIST) {
            uint64_t left = w->input.slice.length - w->input.at;
            skip = skip < left ? skip : left;
            ck_tar_skip(w->tar, skip);
            w->input.at += skip;
        }
        CK_TRY(ck_input_read(&w->input, w->in, sizeof w->in, &n));
        CK_TRY(feed(w, ck_view_of(w->in, n)));
        if (all_copied(w->ar))
            return NULL;
        if (w->input.at - w->told >= 4 * CK_MIB) {
            w->told = w->input.at;
            CK_TRY(ck_room_progress(w->ar->ch, w->told));
        }
    } while (n);
    CK_TRY(ck_inflate_finish(w->z));
    CK_TRY(ck_tar_finish(w->tar));
    if (w->ar->next < w->ar->job->n)
        return ck_err_new(CK_ERR_HOSTILE, "the archive changed while it was read");
    return NULL;
}

static ck_err *run(struct archive *ar, int in)
{
    static const struct ck_tar_ops list = { on_list_entry, on_list_data, on_list_end };
    static const struct ck_tar_ops copy = { on_copy_entry, on_copy_data, on_copy_end };
    enum ck_compression compression = outer_compression(in);
    struct stat st;
    if (fstat(in, &st) != 0)
        return ck_err_errno(CK_ERR_UNAVAILABLE, "the archive");
    bool listing = ar->job->op == CK_ARCHIVE_LIST;
    uint8_t compressed = compression != CK_COMPRESSION_NONE;
    if (listing)
        CK_TRY(ck_room_send(ar->ch, ck_view_of(&compressed, 1)));

    struct walk *w = ck_new(struct walk);
    w->ar = ar;
    w->tar = ck_tar_new(listing ? &list : &copy, ar);
    w->z = ck_inflate_new(compression);
    w->input = (struct ck_input){ .fd = in, .slice = { .length = (uint64_t)st.st_size } };
    ck_err *e = walk_all(w, compressed);
    ck_tar_free(w->tar);
    ck_inflate_free(w->z);
    free(w);
    return e ? ck_err_wrap(e, "archive%s%s%s", compressed ? " (" : "",
                           compressed ? ck_compression_name(compression) : "",
                           compressed ? ")" : "")
             : NULL;
}

ck_err *ck_room_archive(void *state, struct ck_channel *ch, ck_view job, int in, int out)
{
    (void)state;
    struct ck_job_archive j;
    ck_autoarena struct ck_arena a = { 0 };
    CK_TRY(ck_job_archive_decode(job, &a, &j));
    if ((j.op == CK_ARCHIVE_COPY) != (out >= 0))
        return ck_err_new(CK_ERR_OURS, "archive job without its descriptor");
    struct archive ar = { .ch = ch, .job = &j, .out = out, .content = ck_buf_new(CK_LIMIT_NONE),
                          .record = ck_buf_new(CK_LIMIT_NONE) };
    ck_err *e = run(&ar, in);
    ck_arena_free(&ar.names);
    ck_buf_free(&ar.content);
    ck_buf_free(&ar.record);
    return e;
}
