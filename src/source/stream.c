/* docker-daemon:, containers-storage: and containerd: what they export is a stream, while an
 * image's documents and layers are looked up by name: it goes into a file without a name, which is
 * then an archive like any other. */
#include "base/file.h"
#include "base/mem.h"
#include "base/program.h"
#include "base/text.h"
#include "source/engine.h"
#include "source/source_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct landing {
    int fd;
    uint64_t size;
};

static ck_err *land(void *ctx, ck_view piece)
{
    struct landing *l = ctx;
    if (piece.n > CK_MAX_LAYER_BLOB - l->size)
        return ck_err_limit(CK_LIMIT_LAYER_BLOB, "the exported image");
    l->size += piece.n;
    return ck_write_all(l->fd, piece);
}

static ck_err *new_landing(struct landing *ret)
{
    const char *dir = getenv("TMPDIR");
    if (!dir || dir[0] != '/')
        dir = "/var/tmp"; /* an image may be larger than what /tmp holds */
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        return ck_err_errno(CK_ERR_OURS, "a temporary file in %s", dir);
    *ret = (struct landing){ .fd = fd };
    return NULL;
}

/* --- dockerd ---------------------------------------------------------------------------------- */

static ck_err *from_docker(struct ck_source *s, const struct ck_reference *ref, struct landing *l)
{
    struct ck_engine *engine = NULL;
    unsigned status = 0;
    ck_view message = { 0 };
    struct ck_engine_request r = {
        .method = CK_DAEMON_GET,
        .target = ck_arena_format(&s->arena, "/images/%.*s/get", CK_VF(ref->name)),
        .in = -1,
        .max = CK_MAX_LAYER_BLOB,
        .put = land,
        .ctx = l,
    };
    CK_TRY(ck_engine_open(s->options.no_sandbox, &engine));
    ck_err *e = ck_engine_request(engine, &r, &s->arena, &status, &message);
    ck_engine_close(engine);
    if (e)
        return e;
    return status / 100 == 2 ? NULL : ck_engine_refused(r.target, status, message);
}

/* --- programs --------------------------------------------------------------------------------- */

static ck_err *read_all(int fd, struct landing *l)
{
    enum { PIECE = 64 * 1024 };
    ck_autofree uint8_t *piece = ck_calloc(PIECE, 1);
    for (;;) {
        ssize_t n = read(fd, piece, PIECE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ck_err_errno(CK_ERR_OURS, "reading a pipe");
        if (n == 0)
            return NULL;
        CK_TRY(land(l, ck_view_of(piece, (size_t)n)));
    }
}

static ck_err *end_program(struct ck_program *p, const char *what)
{
    ck_autofree char *said = NULL;
    int status = 0;
    ck_program_wait(p, &status, &said);
    ck_view v = ck_view_str(said ? said : "");
    while (v.n && (v.p[v.n - 1] == '\n' || v.p[v.n - 1] == ' '))
        v.n--;
    return status ? ck_err_new(CK_ERR_UNAVAILABLE, "%s: status %d%s%.*s", what, status,
                               v.n ? ": " : "", CK_VF(v))
                  : NULL;
}

static ck_err *from_program(const char *const argv[], const char *what, struct landing *l)
{
    struct ck_program *p = NULL;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return ck_err_errno(CK_ERR_OURS, "pipe");
    ck_err *e = ck_program_start(argv, -1, ends[1], &p);
    close(ends[1]);
    if (e)
        e = ck_err_reclass(e, CK_ERR_UNAVAILABLE);
    else if ((e = read_all(ends[0], l)))
        ck_program_stop(p);
    else
        e = end_program(p, what);
    close(ends[0]);
    return e;
}

static ck_err *from_podman(const char *name, struct landing *l)
{
    const char *const argv[] = { "podman",      "save", "--quiet", "--format",
                                 "oci-archive", name,   NULL };
    return from_program(argv, "podman save", l);
}

/* Socket and namespace are ctr's own: $CONTAINERD_ADDRESS, $CONTAINERD_NAMESPACE. */
static ck_err *from_containerd(struct ck_source *s, const char *name, struct landing *l)
{
    const char *const host[] = { "ctr", "images", "export", "-", name, NULL };
    const char *platform = ck_platform_text(&s->want, &s->arena);
    const char *const asked[] = { "ctr", "images", "export", "--platform", platform, "-", name,
                                  NULL };
    return from_program(s->options.platform_asked ? asked : host, "ctr images export", l);
}

/* --- the source ------------------------------------------------------------------------------- */

static ck_err *fetch(struct ck_source *s, const struct ck_reference *ref, struct landing *l)
{
    const char *name = ck_arena_format(&s->arena, "%.*s", CK_VF(ref->name));
    if (ref->transport == CK_TRANSPORT_DOCKER_DAEMON)
        return from_docker(s, ref, l);
    if (name[0] == '-')
        return ck_err_new(CK_ERR_USAGE, "%s is no name of an image", name);
    return ref->transport == CK_TRANSPORT_CONTAINERD ? from_containerd(s, name, l)
                                                     : from_podman(name, l);
}

/* The stream holds the one image that was asked for, so it is not looked up by its name again. */
ck_err *ck_open_stream(struct ck_source *s, const struct ck_reference *ref)
{
    struct landing l = { .fd = -1 };
    struct ck_reference inner = *ref;
    inner.name = (ck_view){ 0 };
    CK_TRY(new_landing(&l));
    ck_err *e = fetch(s, ref, &l);
    if (e) {
        close(l.fd);
        return e;
    }
    CK_TRY(ck_archive_open_fd(s, l.fd, ref->text));
    return ref->transport == CK_TRANSPORT_DOCKER_DAEMON ? ck_open_docker(s, &inner)
                                                        : ck_open_layout(s, &inner);
}
