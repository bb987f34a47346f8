#include "load/load.h"

#include "image/reference.h"

#include <string.h>
#include <unistd.h>

static const struct {
    const char *word;
    enum ck_load_kind kind;
    bool path;
} words[] = {
    { "docker", CK_LOAD_DOCKER, false },
    { "podman", CK_LOAD_PODMAN, false },
    { "containerd", CK_LOAD_CONTAINERD, false },
    { "oci:", CK_LOAD_OCI, true },
    { "oci-archive:", CK_LOAD_OCI_ARCHIVE, true },
    { "docker-archive:", CK_LOAD_DOCKER_ARCHIVE, true },
};

/* DIR may hold colons: what exists is the path; else the last ':' behind the last '/' begins the
 * name. A docker-archive's NAME holds colons and slashes itself: there the first one does. */
static void split(const char *rest, enum ck_load_kind kind, struct ck_arena *a,
                  struct ck_load_target *t)
{
    const char *slash = strrchr(rest, '/'), *colon = NULL;
    if (access(rest, F_OK) != 0)
        colon = kind == CK_LOAD_DOCKER_ARCHIVE ? strchr(rest, ':')
                                               : strrchr(slash ? slash : rest, ':');
    size_t n = colon ? (size_t)(colon - rest) : strlen(rest);
    t->path = (const char *)ck_arena_dup(a, ck_view_of(rest, n)).p;
    if (colon)
        t->name = ck_arena_dup(a, ck_view_str(colon + 1));
}

static ck_err *check(const struct ck_load_target *t, const char *text)
{
    if (!*t->path)
        return ck_err_new(CK_ERR_USAGE, "%s: a path is missing", text);
    bool ok = !t->name.n || (t->kind == CK_LOAD_DOCKER_ARCHIVE
                                 ? ck_reference_is_docker_name(t->name)
                                 : ck_reference_is_oci_name(t->name));
    return ok ? NULL : ck_err_new(CK_ERR_USAGE, "%s: that is no name", text);
}

ck_err *ck_load_target_parse(const char *text, struct ck_arena *a, struct ck_load_target *ret)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t n = strlen(words[i].word);
        if (strncmp(text, words[i].word, n) != 0 || (!words[i].path && text[n]))
            continue;
        struct ck_load_target t = { .kind = words[i].kind, .text = text };
        if (words[i].path) {
            split(text + n, t.kind, a, &t);
            CK_TRY(check(&t, text));
        }
        *ret = t;
        return NULL;
    }
    return ck_err_new(CK_ERR_USAGE,
                      "--to %s: it is docker, podman, containerd, oci:DIR[:TAG], "
                      "oci-archive:FILE[:TAG] or docker-archive:FILE[:NAME]", text);
}
