/* Files of a machine, of the same bytes: looking for ways never fails, and what is set is whole.
 * The first byte chooses the file.
 */
#include "base/tree.h"
#include "lockdown/parts.h"

#include <fcntl.h>
#include <stdlib.h>

static const struct {
    const char *path;
    enum ck_runtime runtime;
} files[] = {
    { "/etc/containers/registries.conf", CK_RUNTIME_PODMAN },
    { "/etc/containers/policy.json", CK_RUNTIME_PODMAN },
    { "/etc/containerd/config.toml", CK_RUNTIME_CONTAINERD },
    { "/etc/containerd/certs.d/quay.io/hosts.toml", CK_RUNTIME_CONTAINERD },
    { "/etc/docker/daemon.json", CK_RUNTIME_DOCKER },
    { "/etc/crio/crio.conf", CK_RUNTIME_CRIO },
    { "/etc/kubernetes/manifests/kube-apiserver.yaml", CK_RUNTIME_KUBERNETES },
    { "/etc/cocket/verifier.conf", CK_RUNTIME_CONTAINERD },
};
enum { FILES = sizeof files / sizeof files[0] };

static bool accepts(ck_err *e)
{
    bool yes = !e;
    ck_err_free(e);
    return yes;
}

static size_t look(const struct ck_lockdown *o, enum ck_runtime r)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autoways struct ck_ways w = { .a = &a, .o = o };
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    ck_lockdown_check(r, &w);
    ck_ways_print(&w, &out);
    return w.n_open;
}

/* What was understood must be closed afterwards where only one file could be open: config.toml. */
static void set(const struct ck_lockdown *o, enum ck_runtime r)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autosettings struct ck_settings s = { .a = &a, .o = o };
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    if (!accepts(ck_lockdown_settings(r, &s)))
        return;
    ck_settings_diff(&s, &out);
    if (!accepts(ck_settings_write(&s, &out)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const registries[] = { "docker.io" };
    /* in memory: what is written is synchronised each time */
    char root[] = "/dev/shm/cocket-fuzz-lockdown-XXXXXX";
    struct ck_place p;
    if (size == 0 || !mkdtemp(root))
        return 0;
    if (!accepts(ck_place_open(root, &p)))
        abort();
    const struct ck_lockdown o = { .gate = { .host = "gate.example" }, .registries = registries,
                                   .n_registries = 1, .place = &p, .program = "/usr/bin/cocket" };
    unsigned f = data[0] % FILES;
    if (!accepts(ck_place_write(&p, files[f].path, ck_view_of(data + 1, size - 1), 0644)))
        abort();
    look(&o, files[f].runtime);
    set(&o, files[f].runtime);
    look(&o, files[f].runtime);
    ck_place_close(&p);
    ck_err_free(ck_tree_remove(AT_FDCWD, root));
    return 0;
}
