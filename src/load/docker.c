/* dockerd, by its API. */
#include "base/mem.h"
#include "base/text.h"
#include "load/target.h"
#include "source/engine.h"
#include "source/others.h"

#include <unistd.h>

enum { OK = 200, NOT_FOUND = 404 };

struct docker {
    const struct ck_cargo *cargo;
    struct ck_engine *engine;
    struct ck_arena *arena;
    bool no_sandbox;
    const char *name; /* by which the image is asked for */
};

/* What dockerd has under the name; *ret_found is false where it has nothing. */
static ck_err *look(struct docker *d, const char *name, struct ck_engine_image *ret,
                    bool *ret_found)
{
    ck_autobuf struct ck_buf json = ck_buf_new(CK_LIMIT_DOCUMENT);
    const char *target = ck_arena_format(d->arena, "/images/%s/json", name);
    struct ck_engine_request r = { CK_DAEMON_GET, target, -1, CK_MAX_DOCUMENT, ck_engine_collect,
                                   &json };
    unsigned status = 0;
    ck_view message;
    CK_TRY(ck_engine_request(d->engine, &r, d->arena, &status, &message));
    *ret_found = status == OK;
    if (status == NOT_FOUND)
        return NULL;
    if (status != OK)
        return ck_engine_refused(target, status, message);
    return ck_engine_image_read(ck_buf_view(&json), d->no_sandbox, d->arena, ret);
}

/* The status says 200 before dockerd has read anything; errors stand in the messages. */
static ck_err *post(struct docker *d, int in)
{
    ck_autobuf struct ck_buf said = ck_buf_new(CK_LIMIT_ANSWER);
    struct ck_engine_request r = { CK_DAEMON_POST, "/images/load?quiet=1", in, CK_MAX_ANSWER,
                                   ck_engine_collect, &said };
    unsigned status = 0;
    ck_view message, error = { 0 };
    CK_TRY(ck_engine_request(d->engine, &r, d->arena, &status, &message));
    if (status != OK)
        return ck_engine_refused(r.target, status, message);
    CK_TRY(ck_engine_error_read(ck_buf_view(&said), d->no_sandbox, d->arena, &error));
    return error.n ? ck_err_new(CK_ERR_UNAVAILABLE, "dockerd says: %.*s", CK_VF(error)) : NULL;
}

static ck_err *feed(struct docker *d)
{
    struct ck_feeder *f = NULL;
    int fd = -1;
    CK_TRY(ck_feeder_start(d->cargo, CK_ARCHIVE_DOCKER, &fd, &f));
    ck_err *e = post(d, fd);
    close(fd);
    return ck_feeder_finish(f, e);
}

/* Its classic store knows an image by the config's digest, containerd's by the manifest's. */
static ck_err *compare(const struct ck_cargo *c, const struct ck_engine_image *have)
{
    char text[CK_DIGEST_TEXT];
    const struct ck_image *im = c->image;
    if (!ck_digest_eq(&have->id, &im->config_digest) && !ck_digest_eq(&have->id, &im->digest))
        return ck_err_new(CK_ERR_HOSTILE, "dockerd says that it has %s, which is neither our "
                                          "config nor our manifest",
                          ck_digest_text(&have->id, text));
    bool same = have->n == im->n_layers;
    for (size_t i = 0; same && i < have->n; i++)
        same = ck_digest_eq(&have->diff_ids[i], &im->layers[i].diff_id);
    return same ? NULL
                : ck_err_new(CK_ERR_HOSTILE, "dockerd says that it has other layers than ours");
}

static ck_err *check(struct docker *d)
{
    struct ck_engine_image have;
    bool found = false;
    CK_TRY(look(d, d->name, &have, &found));
    return found ? compare(d->cargo, &have)
                 : ck_err_new(CK_ERR_HOSTILE, "dockerd does not have %s afterwards", d->name);
}

static void remove_again(struct docker *d)
{
    const char *target = ck_arena_format(d->arena, "/images/%s", d->name);
    struct ck_engine_request r = { .method = CK_DAEMON_DELETE, .target = target, .in = -1,
                                   .max = CK_MAX_ANSWER };
    unsigned status = 0;
    ck_view message;
    ck_err_free(ck_engine_request(d->engine, &r, d->arena, &status, &message));
}

static ck_err *load(struct docker *d)
{
    struct ck_engine_image before;
    bool had = false;
    CK_TRY(look(d, d->name, &before, &had));
    CK_TRY(feed(d));
    ck_err *e = check(d);
    if (e && !had)
        remove_again(d);
    return e;
}

ck_err *ck_load_docker(const struct ck_cargo *c, const struct ck_load_target *t,
                       const struct ck_load_options *o)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct docker d = { .cargo = c, .arena = &a, .no_sandbox = o->no_sandbox };
    char text[CK_DIGEST_TEXT];
    (void)t;
    if (!c->image)
        return ck_err_new(CK_ERR_USAGE, "dockerd takes the image of one platform: without "
                                        "--all-platforms");
    d.name = c->name.n ? ck_arena_format(&a, "%.*s", CK_VF(c->name))
                       : ck_arena_format(&a, "%s", ck_digest_text(&c->image->config_digest, text));
    CK_TRY(ck_engine_open(o->no_sandbox, &d.engine));
    ck_err *e = load(&d);
    ck_engine_close(d.engine);
    return e;
}
