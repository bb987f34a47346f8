#include "load/load.h"

#include "base/mem.h"
#include "load/gate.h"
#include "load/target.h"

typedef ck_err *load_fn(const struct ck_cargo *c, const struct ck_load_target *t,
                        const struct ck_load_options *o);

static load_fn *const targets[CK_LOAD_KIND_COUNT_] = {
    [CK_LOAD_DOCKER] = ck_load_docker,         [CK_LOAD_PODMAN] = ck_load_podman,
    [CK_LOAD_CONTAINERD] = ck_load_containerd, [CK_LOAD_OCI] = ck_load_layout,
    [CK_LOAD_OCI_ARCHIVE] = ck_load_archive,   [CK_LOAD_DOCKER_ARCHIVE] = ck_load_archive,
};

static ck_err *hand_on(struct ck_source *s, const char *ref, const struct ck_load_target *t,
                       const struct ck_load_options *o, struct ck_arena *a, struct ck_loaded *ret)
{
    struct ck_cargo c;
    struct ck_loaded l;
    CK_TRY(ck_gate_pass(s, "load", t->text, o, a, &l));
    if (!l.refused) {
        CK_TRY(ck_cargo_new(s, a, &c));
        CK_TRY(ck_gate_name(s, ref, o, a, &l.name));
        c.name = l.name;
        c.progress = o->progress;
        c.ctx = o->ctx;
        l.bytes = c.bytes;
        CK_TRY_WRAP(targets[t->kind](&c, t, o), "loading into %s", t->text);
        CK_TRY(ck_gate_log(s, "load", t->text, &l));
    }
    l.reason = ck_arena_dup(a, l.reason);
    *ret = l;
    return NULL;
}

ck_err *ck_load(const char *ref, const struct ck_load_target *t, const struct ck_load_options *o,
                struct ck_arena *a, struct ck_loaded *ret)
{
    struct ck_source *s = NULL;
    CK_TRY(ck_gate_open(ref, o, a, &s));
    ck_err *e = hand_on(s, ref, t, o, a, ret);
    ck_source_close(s);
    return e;
}
