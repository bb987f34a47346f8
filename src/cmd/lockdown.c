/* lockdown: the settings that make a runtime pull from the gate only, and ways around them. */
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "lockdown/lockdown.h"
#include "lockdown/verifier.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char page[] = "cocket-lockdown";
enum { PROBE_SECONDS = 60 };

struct args {
    struct ck_arena a;
    struct ck_lockdown o;
    struct ck_place place;
    const char *gate, *ca, *root, *probe_image;
    bool check, write, dry_run, probe;
    bool wanted[CK_RUNTIME_COUNT_];
    CK_VEC(const char *) registries;
    CK_VEC(const char *) excluded;
};

enum opt {
    OPT_GATE = 256, OPT_CA, OPT_ROOT, OPT_REGISTRIES, OPT_CHECK, OPT_WRITE, OPT_DRY_RUN, OPT_PROBE,
    OPT_PROBE_IMAGE, OPT_PROGRAM, OPT_DOCKER_STORE, OPT_ALLOW_ARCHIVES, OPT_REPLACE, OPT_EXCLUDE,
};
static const struct option options[] = {
    { "gate", required_argument, NULL, OPT_GATE },
    { "ca", required_argument, NULL, OPT_CA },
    { "root", required_argument, NULL, OPT_ROOT },
    { "registries", required_argument, NULL, OPT_REGISTRIES },
    { "check", no_argument, NULL, OPT_CHECK },
    { "write", no_argument, NULL, OPT_WRITE },
    { "dry-run", no_argument, NULL, OPT_DRY_RUN },
    { "probe", no_argument, NULL, OPT_PROBE },
    { "probe-image", required_argument, NULL, OPT_PROBE_IMAGE },
    { "program", required_argument, NULL, OPT_PROGRAM },
    { "docker-store", required_argument, NULL, OPT_DOCKER_STORE },
    { "allow-archives", no_argument, NULL, OPT_ALLOW_ARCHIVES },
    { "replace", no_argument, NULL, OPT_REPLACE },
    { "exclude-namespace", required_argument, NULL, OPT_EXCLUDE },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

/* Names end up in files of several kinds: hosts only. */
static ck_err *take_registries(struct args *a, ck_view list)
{
    while (list.n) {
        struct ck_gate g = { 0 };
        ck_view one = ck_view_split(list, ',', &list);
        const char *name = (const char *)ck_arena_dup(&a->a, one).p;
        if (ck_view_find(one, '/') != one.n)
            return ck_err_new(CK_ERR_USAGE, "--registries: \"%s\" is no HOST[:PORT]", name);
        CK_TRY_WRAP(ck_gate_parse(name, &a->a, &g), "--registries");
        *ck_push(&a->registries) = g.host;
    }
    return NULL;
}

static ck_err *take_excluded(struct args *a, const char *name)
{
    for (const char *c = name; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '-'))
            return ck_err_new(CK_ERR_USAGE, "--exclude-namespace: \"%s\" is no namespace", name);
    *ck_push(&a->excluded) = name;
    return NULL;
}

static ck_err *take_store(struct args *a, const char *name)
{
    bool containerd = strcmp(name, "containerd") == 0;
    if (!containerd && strcmp(name, "graphdriver") != 0)
        return ck_err_new(CK_ERR_USAGE, "--docker-store may be containerd or graphdriver");
    a->o.docker = containerd ? CK_DOCKER_CONTAINERD : CK_DOCKER_GRAPHDRIVER;
    return NULL;
}

static ck_err *take_option(void *ctx, int opt)
{
    struct args *a = ctx;
    switch (opt) {
    case OPT_GATE: a->gate = optarg; return NULL;
    case OPT_CA: a->ca = optarg; return NULL;
    case OPT_ROOT: a->root = optarg; return NULL;
    case OPT_REGISTRIES: return take_registries(a, ck_view_str(optarg));
    case OPT_CHECK: a->check = true; return NULL;
    case OPT_WRITE: a->write = true; return NULL;
    case OPT_DRY_RUN: a->dry_run = true; return NULL;
    case OPT_PROBE: a->probe = true; return NULL;
    case OPT_PROBE_IMAGE: a->probe_image = optarg; return NULL;
    case OPT_PROGRAM: a->o.program = optarg; return NULL;
    case OPT_DOCKER_STORE: return take_store(a, optarg);
    case OPT_ALLOW_ARCHIVES: a->o.allow_archives = true; return NULL;
    case OPT_REPLACE: a->o.replace = true; return NULL;
    default: return take_excluded(a, optarg);
    }
}

/* --- what was asked for ----------------------------------------------------------------------- */

static ck_err *take_runtimes(struct args *a, int n, char **names)
{
    for (int i = 0; i < n; i++) {
        enum ck_runtime r;
        if (!ck_runtime_parse(names[i], &r))
            return ck_err_new(CK_ERR_USAGE, "\"%s\" is no runtime: docker, podman, containerd, "
                                            "crio, "
                              "kubernetes", names[i]);
        a->wanted[r] = true;
    }
    if (n == 0 && !a->check)
        return ck_err_new(CK_ERR_USAGE, "a runtime is missing: docker, podman, containerd, crio, "
                          "kubernetes");
    for (unsigned r = 0; n == 0 && r < CK_RUNTIME_COUNT_; r++)
        a->wanted[r] = ck_runtime_is_there(&a->place, (enum ck_runtime)r);
    return NULL;
}

static ck_err *check_together(const struct args *a)
{
    if (a->check && (a->write || a->dry_run))
        return ck_err_new(CK_ERR_USAGE, "--check only reads: not together with --write or "
                                        "--dry-run");
    if (a->write && a->dry_run)
        return ck_err_new(CK_ERR_USAGE, "--write or --dry-run, not both");
    if (a->probe && !(a->check && a->probe_image))
        return ck_err_new(CK_ERR_USAGE, "--probe goes with --check and --probe-image REF");
    if (a->probe && *a->root)
        return ck_err_new(CK_ERR_USAGE, "--probe tries the clients of this machine: not with "
                                        "--root");
    if (a->probe_image && a->probe_image[0] == '-')
        return ck_err_new(CK_ERR_USAGE, "--probe-image: \"%s\" is no name", a->probe_image);
    return NULL;
}

static ck_err *read_ca(struct args *a)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_REGISTRY_CA);
    if (!a->ca)
        return NULL;
    ck_err *e = ck_file_read(a->ca, &b);
    if (!e && (b.n == 0 || !memmem(b.p, b.n, "-----BEGIN CERTIFICATE-----", 27)))
        e = ck_err_new(CK_ERR_USAGE, "%s: no certificate in PEM format", a->ca);
    if (!e && memmem(b.p, b.n, "PRIVATE KEY", 11))
        e = ck_err_new(CK_ERR_USAGE, "%s: holds a private key, which would be copied to all "
                                     "clients",
                       a->ca);
    if (e)
        return ck_err_reclass(e, CK_ERR_USAGE);
    a->o.gate.ca = ck_arena_dup(&a->a, ck_buf_view(&b));
    return NULL;
}

/* Where it is not named: the one that --write noted down. */
static ck_err *find_gate(struct args *a)
{
    struct ck_verifier_conf c;
    if (a->gate)
        return ck_gate_parse(a->gate, &a->a, &a->o.gate);
    if (a->check) {
        bool there = false;
        CK_TRY(ck_verifier_conf_read(&a->place, CK_VERIFIER_CONF, &a->a, &c, &there));
        if (there && c.gate)
            return ck_gate_parse(c.gate, &a->a, &a->o.gate);
    }
    return ck_err_new(CK_ERR_USAGE, "name the gate: --gate HOST[:PORT]");
}

static ck_err *find_program(struct args *a)
{
    if (!a->o.program) {
        char *self = ck_arena_alloc(&a->a, PATH_MAX, 1);
        if (readlink("/proc/self/exe", self, PATH_MAX - 1) <= 0)
            return ck_err_errno(CK_ERR_OURS, "/proc/self/exe");
        a->o.program = self;
    }
    if (a->o.program[0] != '/' || strpbrk(a->o.program, "'\n"))
        return ck_err_new(CK_ERR_USAGE, "--program: an absolute path without quotes is wanted");
    return NULL;
}

static ck_err *prepare(struct args *a, int n, char **names)
{
    a->root = a->root ? a->root : "";
    CK_TRY(check_together(a));
    CK_TRY(ck_place_open(a->root, &a->place));
    a->o.place = &a->place;
    CK_TRY(take_runtimes(a, n, names));
    CK_TRY(read_ca(a));
    CK_TRY(find_gate(a));
    CK_TRY(find_program(a));
    a->o.registries = a->registries.n ? a->registries.v : ck_default_registries;
    a->o.n_registries = a->registries.n ? a->registries.n : ck_default_registry_count;
    a->o.excluded = a->excluded.v;
    a->o.n_excluded = a->excluded.n;
    return NULL;
}

/* --- what is done ----------------------------------------------------------------------------- */

static ck_err *set(struct args *a)
{
    ck_autosettings struct ck_settings s = { .a = &a->a, .o = &a->o };
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    for (unsigned r = 0; r < CK_RUNTIME_COUNT_; r++)
        if (a->wanted[r])
            CK_TRY(ck_lockdown_settings((enum ck_runtime)r, &s));
    if (a->write)
        CK_TRY(ck_settings_write(&s, &out));
    else if (a->dry_run)
        ck_settings_diff(&s, &out);
    else
        ck_settings_print(&s, &out);
    return ck_cmd_print(ck_buf_view(&out));
}

static ck_err *check(struct args *a, int *ret_status)
{
    ck_autoways struct ck_ways w = { .a = &a->a, .o = &a->o };
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    for (unsigned r = 0; r < CK_RUNTIME_COUNT_; r++) {
        if (!a->wanted[r])
            continue;
        ck_lockdown_check((enum ck_runtime)r, &w);
        if (a->probe)
            ck_lockdown_probe((enum ck_runtime)r, a->probe_image, PROBE_SECONDS, &w);
    }
    ck_ways_print(&w, &out);
    *ret_status = w.n_open ? CK_EXIT_DENIED : CK_EXIT_OK;
    return ck_cmd_print(ck_buf_view(&out));
}

static void free_args(struct args *a)
{
    ck_place_close(&a->place);
    ck_arena_free(&a->a);
    free(a->registries.v);
    free(a->excluded.v);
}

int ck_cmd_lockdown(int argc, char **argv)
{
    struct args a = { .place = { .fd = -1 } };
    int status = ck_cmd_options(argc, argv, page, options, take_option, &a);
    if (status < 0) {
        status = CK_EXIT_OK;
        ck_err *e = prepare(&a, argc - optind, argv + optind);
        if (!e)
            e = a.check ? check(&a, &status) : set(&a);
        if (e)
            status = ck_cmd_fail(e);
    }
    free_args(&a);
    return status;
}
