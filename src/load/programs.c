/* podman and containerd, through their own programs. */
#include "base/mem.h"
#include "base/program.h"
#include "base/text.h"
#include "load/target.h"

#include <stdlib.h>
#include <unistd.h>

static ck_err *failed(const char *what, int status, const char *said)
{
    ck_view v = ck_view_str(said ? said : "");
    while (v.n && (v.p[v.n - 1] == '\n' || v.p[v.n - 1] == ' '))
        v.n--;
    return ck_err_new(CK_ERR_UNAVAILABLE, "%s: status %d%s%.*s", what, status, v.n ? ": " : "",
                      CK_VF(v));
}

/* A program that is not there is no mistake of the user's words. */
static ck_err *missing(ck_err *e)
{
    return ck_err_class(e) == CK_ERR_USAGE ? ck_err_reclass(e, CK_ERR_UNAVAILABLE) : e;
}

static ck_err *feed(const struct ck_cargo *c, const char *const argv[], const char *what)
{
    struct ck_feeder *f = NULL;
    struct ck_program *p = NULL;
    ck_autofree char *said = NULL;
    int fd = -1, status = 0;
    CK_TRY(ck_feeder_start(c, CK_ARCHIVE_OCI, &fd, &f));
    ck_err *e = ck_program_start(argv, fd, -1, &p);
    close(fd);
    if (!e) {
        ck_program_wait(p, &status, &said);
        e = status ? failed(what, status, said) : NULL;
    } else {
        e = missing(e);
    }
    return ck_feeder_finish(f, e);
}

static ck_err *ask(const char *const argv[], const char *what, struct ck_buf *out)
{
    enum { PATIENCE_MS = 60000 };
    ck_autofree char *said = NULL;
    int status = 0;
    ck_err *e = ck_program_run(argv, (ck_view){ 0 }, out, PATIENCE_MS, &status, &said);
    if (e)
        return missing(e);
    return status ? failed(what, status, said) : NULL;
}

/* What it says must be our digest. */
static ck_err *compare(const struct ck_cargo *c, const char *who, ck_view said)
{
    struct ck_digest have;
    char text[CK_DIGEST_TEXT];
    CK_TRY_WRAP(ck_digest_parse(said, &have), "what %s says of the image", who);
    if (ck_digest_eq(&have, &c->top.digest))
        return NULL;
    return ck_err_new(CK_ERR_HOSTILE, "%s says that it has %.*s, and not %s", who, CK_VF(said),
                      ck_digest_text(&c->top.digest, text));
}

static ck_view first_line(const struct ck_buf *b)
{
    ck_view v = ck_buf_view(b);
    return ck_view_head(v, ck_view_find(v, '\n'));
}

/* --- podman ----------------------------------------------------------------------------------- */

static ck_err *podman_digest(const char *id, struct ck_buf *out)
{
    const char *const argv[] = { "podman",      "image", "inspect", "--format",
                                 "{{.Digest}}", id,      NULL };
    return ask(argv, "podman image inspect", out);
}

ck_err *ck_load_podman(const struct ck_cargo *c, const struct ck_load_target *t,
                       const struct ck_load_options *o)
{
    static const char *const load[] = { "podman", "load", "--quiet", NULL };
    ck_autobuf struct ck_buf before = ck_buf_new(CK_LIMIT_ANSWER),
                             after = ck_buf_new(CK_LIMIT_ANSWER);
    char hex[129];
    (void)t, (void)o;
    if (!c->image)
        return ck_err_new(CK_ERR_USAGE, "podman load takes the image of one platform: without "
                                        "--all-platforms");
    const struct ck_digest *id = &c->image->config_digest; /* podman's id of an image */
    ck_hex(id->bytes, ck_digest_size(id->alg), hex);
    ck_autofree char *name = c->name.n ? ck_format("%.*s", CK_VF(c->name)) : ck_format("%s", hex);
    ck_err *none = podman_digest(name, &before);
    bool new = none != NULL;
    ck_err_free(none);
    CK_TRY(feed(c, load, "podman load"));
    ck_err *e = podman_digest(name, &after);
    if (!e)
        e = compare(c, "podman", first_line(&after));
    if (e && new) {
        const char *const remove[] = { "podman", "rmi", name, NULL };
        ck_err_free(ask(remove, "podman rmi", &after));
    }
    return e;
}

/* --- containerd ------------------------------------------------------------------------------- */

enum { CTR_WORDS = 16 };

/* "ctr [--address A] [--namespace N] `words`". */
static void ctr(const struct ck_load_options *o, const char *const *words,
                const char *argv[CTR_WORDS])
{
    size_t n = 0;
    argv[n++] = "ctr";
    if (o->address) {
        argv[n++] = "--address";
        argv[n++] = o->address;
    }
    if (o->space) {
        argv[n++] = "--namespace";
        argv[n++] = o->space;
    }
    while (*words && n + 1 < CTR_WORDS)
        argv[n++] = *words++;
    argv[n] = NULL;
}

/* "REF TYPE DIGEST SIZE ...", a line each; the first is the heading. */
static ck_view listed_digest(ck_view lines, ck_view name)
{
    while (lines.n) {
        ck_view rest = ck_view_split(lines, '\n', &lines), field[3];
        for (int i = 0; i < 3; i++) {
            while (rest.n && rest.p[0] == ' ')
                rest = ck_view_from(rest, 1);
            field[i] = ck_view_split(rest, ' ', &rest);
        }
        if (ck_view_eq(field[0], name))
            return field[2];
    }
    return (ck_view){ 0 };
}

static ck_err *containerd_digest(const struct ck_load_options *o, const char *name,
                                 struct ck_buf *out, ck_view *ret)
{
    const char *argv[CTR_WORDS];
    ck_autofree char *filter = ck_format("name==%s", name);
    const char *const words[] = { "images", "ls", filter, NULL };
    ctr(o, words, argv);
    CK_TRY(ask(argv, "ctr images ls", out));
    *ret = listed_digest(ck_buf_view(out), ck_view_str(name));
    return NULL;
}

static void containerd_remove(const struct ck_load_options *o, const char *name)
{
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_ANSWER);
    const char *argv[CTR_WORDS], *const words[] = { "images", "rm", name, NULL };
    ctr(o, words, argv);
    ck_err_free(ask(argv, "ctr images rm", &out));
}

/* Without unpacking: who runs it unpacks it; until then nobody has parsed its layers. */
ck_err *ck_load_containerd(const struct ck_cargo *c, const struct ck_load_target *t,
                           const struct ck_load_options *o)
{
    const char *argv[CTR_WORDS];
    const char *const words[] = { "images", "import", "--no-unpack",
                                  c->image ? "-" : "--all-platforms", c->image ? NULL : "-", NULL };
    ck_autobuf struct ck_buf before = ck_buf_new(CK_LIMIT_ANSWER),
                             after = ck_buf_new(CK_LIMIT_ANSWER);
    ck_view was, is;
    (void)t;
    if (!c->name.n)
        return ck_err_new(CK_ERR_USAGE, "containerd knows images by their names: give it one with "
                                        "--name");
    ck_autofree char *name = ck_format("%.*s", CK_VF(c->name));
    CK_TRY(containerd_digest(o, name, &before, &was));
    ctr(o, words, argv);
    CK_TRY(feed(c, argv, "ctr images import"));
    ck_err *e = containerd_digest(o, name, &after, &is);
    if (!e)
        e = is.n ? compare(c, "containerd", is)
                 : ck_err_new(CK_ERR_HOSTILE, "containerd does not have %s afterwards", name);
    if (e && !was.n)
        containerd_remove(o, name);
    return e;
}
