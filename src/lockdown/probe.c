/* Trying it: the clients of this machine are asked to pull what they must not get. */
#include "base/program.h"
#include "base/text.h"
#include "base/tree.h"
#include "lockdown/parts.h"

#include <fcntl.h>
#include <stdlib.h>

enum { WORDS = 12 };
/* "@" stands for the image, "dir:" for a directory that is made for it. */
static const struct try {
    enum ck_runtime runtime;
    const char *what;
    const char *pull[WORDS], *undo[WORDS];
} tries[] = {
    { CK_RUNTIME_DOCKER, "docker pull", { "docker", "pull", "-q", "@" }, { "docker", "rmi", "@" } },
    { CK_RUNTIME_PODMAN, "podman pull", { "podman", "pull", "-q", "@" }, { "podman", "rmi", "@" } },
    { CK_RUNTIME_PODMAN, "buildah pull", { "buildah", "pull", "-q", "--policy", "always", "@" },
      { "buildah", "rmi", "@" } },
    { CK_RUNTIME_PODMAN, "skopeo copy",
      { "skopeo", "copy", "-q", "docker://@", "dir:" }, { NULL } },
    { CK_RUNTIME_CONTAINERD, "ctr images pull --hosts-dir",
      { "ctr", "images", "pull", "--hosts-dir", "/etc/containerd/certs.d", "@" },
      { "ctr", "images", "rm", "@" } },
    { CK_RUNTIME_CONTAINERD, "crictl pull", { "crictl", "pull", "@" }, { "crictl", "rmi", "@" } },
    { CK_RUNTIME_CRIO, "crictl pull", { "crictl", "pull", "@" }, { "crictl", "rmi", "@" } },
};

static void fill(const char *const from[WORDS], const char *image, const char *dir,
                 struct ck_arena *a, const char *to[WORDS])
{
    for (size_t i = 0; i < WORDS && from[i]; i++) {
        ck_view rest, head = ck_view_split(ck_view_str(from[i]), '@', &rest);
        if (strcmp(from[i], "dir:") == 0)
            to[i] = ck_arena_format(a, "dir:%s", dir);
        else
            to[i] = head.n == strlen(from[i]) ? from[i]
                                              : ck_arena_format(a, "%.*s%s", CK_VF(head), image);
    }
}

static ck_err *run(const char *const argv[WORDS], unsigned seconds, int *ret, char **ret_said)
{
    enum { MS = 1000 };
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_ANSWER);
    return ck_program_run(argv, CK_V(""), &out, (int)seconds * MS, ret, ret_said);
}

/* The last line of what a client said. */
static const char *said(struct ck_ways *w, const char *text)
{
    ck_view v = ck_view_str(text ? text : "");
    while (v.n && (v.p[v.n - 1] == '\n' || v.p[v.n - 1] == ' '))
        v.n--;
    size_t from = v.n;
    while (from && v.p[from - 1] != '\n')
        from--;
    return ck_arena_format(w->a, "%.*s", CK_VF(ck_view_head(ck_view_from(v, from), 400)));
}

static void attempt(struct ck_ways *w, const struct try *t, const char *image, const char *dir,
                    unsigned seconds)
{
    const char *pull[WORDS] = { 0 }, *undo[WORDS] = { 0 };
    ck_autofree char *text = NULL;
    int status = 0;
    fill(t->pull, image, dir, w->a, pull);
    fill(t->undo, image, dir, w->a, undo);
    ck_err *e = run(pull, seconds, &status, &text);
    if (e && ck_err_class(e) == CK_ERR_USAGE) { /* it is not installed */
        ck_err_free(e);
        return;
    }
    const char *where = ck_arena_format(w->a, "%s %s", t->what, image);
    if (e) {
        ck_way_note(w, where, "was tried, to no end: %s", ck_err_text(e));
        ck_err_free(e);
    } else if (status != 0) {
        ck_way_note(w, where, "was tried, and held: %s", said(w, text));
    } else {
        ck_way_open(w, where, "was tried, and got through");
    }
    if (!e && status == 0 && undo[0])
        ck_err_free(run(undo, seconds, &status, NULL)); /* what stays is said by the client */
}

void ck_lockdown_probe(enum ck_runtime r, const char *image, unsigned seconds, struct ck_ways *w)
{
    char dir[] = "/tmp/cocket-probe-XXXXXX";
    w->runtime = r;
    if (!mkdtemp(dir)) {
        ck_way_unreadable(w, dir, ck_err_errno(CK_ERR_OURS, "a directory for the probe"));
        return;
    }
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++)
        if (tries[i].runtime == r)
            attempt(w, &tries[i], image, dir, seconds);
    ck_err_free(ck_tree_remove(AT_FDCWD, dir)); /* what stays there harms nobody */
}
