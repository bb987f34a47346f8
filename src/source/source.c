#include "source/source.h"

#include "base/mem.h"
#include "source/source_int.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static ck_err *open_dir(const char *path, int *ret)
{
    *ret = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *ret < 0 ? ck_err_errno(CK_ERR_UNAVAILABLE, "%s", path) : NULL;
}

static ck_err *open_image(struct ck_source *s, const struct ck_reference *ref)
{
    switch (ref->transport) {
    case CK_TRANSPORT_OCI:
        CK_TRY(open_dir(ref->path, &s->view.dir));
        return ck_open_layout(s, ref);
    case CK_TRANSPORT_OCI_ARCHIVE:
        CK_TRY(ck_archive_open(s, ref->path));
        return ck_open_layout(s, ref);
    case CK_TRANSPORT_DOCKER_ARCHIVE:
        CK_TRY(ck_archive_open(s, ref->path));
        return ck_open_docker(s, ref);
    case CK_TRANSPORT_ROOTFS:
        s->image.rootfs = true;
        return open_dir(ref->path, &s->image.root);
    case CK_TRANSPORT_DOCKER:
        return ck_open_registry(s, ref);
    case CK_TRANSPORT_STORE:
        return ck_open_store(s, ref);
    case CK_TRANSPORT_DOCKER_DAEMON:
    case CK_TRANSPORT_CONTAINERS_STORAGE:
    case CK_TRANSPORT_CONTAINERD:
        return ck_open_stream(s, ref);
    case CK_TRANSPORT_COUNT_:
        break;
    }
    return ck_err_new(CK_ERR_USAGE, "unknown transport");
}

void ck_source_bare(bool no_sandbox, struct ck_source **ret)
{
    struct ck_source *s = ck_new(struct ck_source);
    s->options.no_sandbox = no_sandbox;
    s->view.dir = s->view.file = s->image.root = -1;
    s->table = ck_buf_new(CK_LIMIT_FACTS);
    *ret = s;
}

ck_err *ck_source_open(const struct ck_reference *ref, const struct ck_source_options *o,
                       struct ck_source **ret)
{
    struct ck_source *s = NULL;
    ck_source_bare(o->no_sandbox, &s);
    s->options = *o;
    s->want = o->platform ? *o->platform : ck_platform_host();
    s->image.reference = ck_arena_dup(&s->arena, ck_view_str(ref->text));
    ck_err *e = open_image(s, ref);
    ck_room_stop(ck_steal(s->documents)); /* its budget ends with the documents */
    if (e) {
        ck_source_close(s);
        return e;
    }
    *ret = s;
    return NULL;
}

void ck_source_close(struct ck_source *s)
{
    if (!s)
        return;
    ck_arrivals_free(s->arrivals); /* its lanes use what follows */
    ck_remote_free(s->remote);
    ck_lease_end(s->lease);
    ck_room_stop(s->documents);
    ck_room_stop(s->copier);
    for (size_t i = 0; i < s->image.n_layers; i++)
        if (s->image.layers[i].fd >= 0)
            close(s->image.layers[i].fd);
    if (s->image.root >= 0)
        close(s->image.root);
    if (s->view.dir >= 0)
        close(s->view.dir);
    if (s->view.file >= 0)
        close(s->view.file);
    ck_store_close(s->store);
    ck_buf_free(&s->table);
    ck_arena_free(&s->arena);
    free(s);
}

const struct ck_image *ck_source_image(const struct ck_source *s)
{
    return &s->image;
}
