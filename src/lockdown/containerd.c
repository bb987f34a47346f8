/* containerd: config.toml of versions 2 and 3, certs.d, image verifiers (docs/cri/registry.md,
 * docs/image-verification.md).
 */
#include "base/text.h"
#include "lockdown/parts.h"

static const char config_path[] = "/etc/containerd/config.toml";
static const char certs_dir[] = "/etc/containerd/certs.d";

/* Where each version of the file keeps the same thing. */
static const char *const cri_two[] = { "plugins", "io.containerd.grpc.v1.cri", "registry", NULL };
static const char *const cri_three[] = { "plugins", "io.containerd.cri.v1.images", "registry",
                                         NULL };
static const char *const transfer[] = { "plugins", "io.containerd.transfer.v1.local", NULL };
static const char *const verifier[] = { "plugins", "io.containerd.image-verifier.v1.bindir", NULL };

static int64_t version_of(const struct ck_toml *root)
{
    const struct ck_toml *v = ck_toml_get(root, "version");
    return v && v->kind == CK_TOML_INTEGER ? v->integer : 1;
}

/* --- settings --------------------------------------------------------------------------------- */

struct put {
    const char *const *path;
    const char *key, *value; /* value NULL: the directory of verifiers */
};

static ck_err *put_all(struct ck_settings *s, const struct put *puts, size_t n, ck_view *text)
{
    for (size_t i = 0; i < n; i++)
        CK_TRY(ck_toml_put(*text, config_path, puts[i].path, puts[i].key,
                           ck_toml_quote(puts[i].value, s->a), s->a, text));
    return NULL;
}

static ck_err *check_old_keys(const struct ck_toml *root, const char *const *cri)
{
    static const char *const old[] = { "mirrors", "configs" };
    const struct ck_toml *registry = ck_toml_at(root, cri);
    for (size_t i = 0; registry && i < 2; i++) {
        const struct ck_toml *v = ck_toml_get(registry, old[i]);
        if (v)
            return ck_err_new(CK_ERR_USAGE,
                              "%s:%u: containerd does not start with \"%s\" and config_path "
                              "together: take it out, or let the file be replaced (--replace)",
                              config_path, v->line, old[i]);
    }
    return NULL;
}

/* An existing file keeps its version and its other settings. */
static ck_err *edit_config(struct ck_settings *s, ck_view *text)
{
    struct ck_toml *root;
    CK_TRY(ck_toml_parse(*text, config_path, s->a, &root));
    int64_t version = version_of(root);
    const char *const *cri = version == 3 ? cri_three : cri_two;
    const struct put puts[] = {
        { cri, "config_path", certs_dir },
        { transfer, "config_path", certs_dir },
        { verifier, "bin_dir", ck_verifier_dir },
        { verifier, "per_verifier_timeout", "10s" },
    };
    if (version != 2 && version != 3)
        return ck_err_new(CK_ERR_USAGE, "%s: version %lld of this file is not known here; 2 and 3 "
                          "are (--replace writes a new one)", config_path, (long long)version);
    CK_TRY(check_old_keys(root, cri));
    return put_all(s, puts, sizeof puts / sizeof puts[0], text);
}

/* containerd 1 and 2 both take version 2. */
static ck_err *add_config(struct ck_settings *s)
{
    static const char why[] = "certs.d counts for the CRI plugin and for transfers, and the "
                              "verifier is run";
    ck_view text, fresh = CK_V("version = 2\n");
    bool there;
    CK_TRY(ck_settings_now(s, config_path, &text, &there));
    if (!there || ck_view_trim(text).n == 0)
        text = fresh;
    ck_err *e = edit_config(s, &text);
    if (e && s->o->replace) {
        ck_err_free(e);
        text = fresh;
        e = edit_config(s, &text);
    }
    return e ? e : ck_settings_add(s, config_path, text, why);
}

static ck_err *add_verifier(struct ck_settings *s)
{
    enum { MODE = 0755 };
    const char *path = ck_arena_format(s->a, "%s/%s", ck_verifier_dir, ck_verifier_name);
    const char *text = ck_arena_format(s->a, "#!/bin/sh\n# by cocket lockdown: containerd runs "
                                             "every "
                                             "file of this directory\nexec '%s' image-verifier "
                                             "\"$@\"\n", s->o->program);
    CK_TRY(ck_settings_add(s, path, ck_view_str(text),
                           "asks the gate about each digest before it is pulled (containerd 2)"));
    struct ck_setting *f = &s->files.v[s->files.n - 1];
    f->mode = MODE;
    f->no_backup_beside = true;
    return NULL;
}

/* /etc/cocket/verifier.conf and the gate's CA beside it. */
static ck_err *settings_verifier(struct ck_settings *s)
{
    static const char ca[] = "/etc/cocket/gate.crt";
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_view old;
    bool there;
    CK_TRY(ck_settings_add_ca(s, ca));
    CK_TRY(ck_settings_now(s, ck_verifier_conf, &old, &there));
    if (there) { /* a token_file or store of the administrator's stays */
        CK_TRY(ck_toml_put(old, ck_verifier_conf, (const char *const[]){ NULL }, "gate",
                           ck_toml_quote(ck_gate_url(&s->o->gate, s->a), s->a), s->a, &old));
        ck_put_bytes(&b, old);
    } else {
        ck_buf_format(&b, "gate = %s\n", ck_toml_quote(ck_gate_url(&s->o->gate, s->a), s->a));
        if (s->o->gate.ca.n)
            ck_buf_format(&b, "ca = %s\n", ck_toml_quote(ca, s->a));
        ck_put_bytes(&b, CK_V("# token_file = \"/etc/cocket/verifier.token\"\n"));
    }
    return ck_settings_add(s, ck_verifier_conf, ck_buf_view(&b),
                           "which gate is asked, by the verifier and by lockdown --check");
}

ck_err *ck_settings_containerd(struct ck_settings *s)
{
    CK_TRY(add_config(s));
    CK_TRY(ck_settings_hosts(s, certs_dir));
    CK_TRY(add_verifier(s));
    CK_TRY(settings_verifier(s));
    ck_settings_advise(s, "Restart containerd. Image verifiers need containerd 2; where bin_dir is "
                          "empty it lets everything through.\n"
                          "# ctr obeys no file: it goes past certs.d unless --hosts-dir is given, "
                          "and "
                          "ctr image import takes any archive. Both need root;\n"
                          "# the firewall stops the first.");
    return NULL;
}

/* --- check ------------------------------------------------------------------------------------ */

/* containerd splits config_path at ':' and takes the first that has the host. */
static void check_config_path(struct ck_ways *w, const struct ck_toml *root,
                              const char *const *path)
{
    const struct ck_toml *t = ck_toml_at(root, path);
    const struct ck_toml *v = t ? ck_toml_get(t, "config_path") : NULL;
    ck_view rest = v && v->kind == CK_TOML_STRING ? v->text : CK_V("");
    if (rest.n == 0) {
        ck_way_open(w, ck_where(w, config_path, v ? v->line : t ? t->line : 1),
                    "[plugins.\"%s\"...] config_path is not set: certs.d is not read, registries "
                    "are asked directly", path[1]);
        return;
    }
    while (rest.n) {
        ck_view dir = ck_view_split(rest, ':', &rest);
        if (!ck_view_eq(dir, ck_view_str(certs_dir))) /* that one is looked at anyway */
            ck_check_hosts(w, (const char *)ck_arena_dup(w->a, dir).p);
    }
}

static void check_old(struct ck_ways *w, const struct ck_toml *root, const char *const *path)
{
    const struct ck_toml *t = ck_toml_at(root, path);
    const struct ck_toml *v = t ? ck_toml_get(t, "mirrors") : NULL;
    if (v)
        ck_way_open(w, ck_where(w, config_path, v->line),
                    "\"mirrors\": the registry itself is asked after all of them");
}

static uint64_t most_verifiers(const struct ck_toml *t)
{
    enum { DEFAULT = 10 };
    const struct ck_toml *v = t ? ck_toml_get(t, "max_verifiers") : NULL;
    if (!v || v->kind != CK_TOML_INTEGER)
        return DEFAULT;
    return v->integer < 0 ? UINT64_MAX : (uint64_t)v->integer;
}

static bool is_executable(const struct ck_place *p, const char *path)
{
    struct stat st;
    return ck_place_stat(p, path, &st) && S_ISREG(st.st_mode) && (st.st_mode & 0111);
}

/* The file says "cocket" somewhere: the wrapper, or a link to the program itself. */
static bool is_ours(struct ck_ways *w, const char *dir, const char *name)
{
    ck_view bytes = CK_V("");
    bool there = false;
    const char *path = ck_arena_format(w->a, "%s/%s", dir, name);
    if (!is_executable(w->o->place, path))
        return false;
    if (strstr(name, "cocket"))
        return true;
    ck_autoerr ck_err *e = ck_place_read(w->o->place, path, w->a, &bytes, &there);
    return !e && there && memmem(bytes.p, bytes.n, "cocket", 6);
}

static void check_verifiers(struct ck_ways *w, const char *dir, const char *where, uint64_t most)
{
    const char **names = NULL;
    size_t n = 0, ours = 0;
    ck_err *e = ck_place_list(w->o->place, dir, w->a, &names, &n);
    if (e)
        ck_way_unreadable(w, dir, e);
    if (n == 0) {
        ck_way_open(w, where, "the directory of verifiers %s is %s: everything is let through", dir,
                    ck_place_has(w->o->place, dir) ? "empty" : "not there");
        return;
    }
    while (ours < n && !is_ours(w, dir, names[ours]))
        ours++;
    if (ours == n)
        ck_way_open(w, dir, "no executable verifier of cocket's in it");
    else if (ours >= most)
        ck_way_open(w, ck_arena_format(w->a, "%s/%s", dir, names[ours]),
                    "is not run: only the first %llu of %zu by name are (max_verifiers)",
                    (unsigned long long)most, n);
}

static void check_disabled(struct ck_ways *w, const char *file, const struct ck_toml *root)
{
    const struct ck_toml *v = ck_toml_get(root, "disabled_plugins");
    for (const struct ck_toml *m = v ? v->first : NULL; m; m = m->next)
        if (m->kind == CK_TOML_STRING &&
            ck_view_starts(m->text, CK_V("io.containerd.image-verifier.v1")))
            ck_way_open(w, ck_where(w, file, m->line), "image verifiers are disabled");
}

/* --- imported files, which count after the one that names them -------------------------------- */

static void check_imported_key(struct ck_ways *w, const char *file, const struct ck_toml *root,
                               const char *const *path, const char *key, const char *wanted)
{
    const struct ck_toml *t = ck_toml_at(root, path);
    const struct ck_toml *v = t ? ck_toml_get(t, key) : NULL;
    if (v && (v->kind != CK_TOML_STRING || !ck_view_eq(v->text, ck_view_str(wanted))))
        ck_way_open(w, ck_where(w, file, v->line), "%s is set to something else than %s", key,
                    wanted);
}

static void check_imported(struct ck_ways *w, const char *file)
{
    const struct ck_toml *root = ck_ways_toml(w, file);
    if (!root)
        return;
    for (size_t i = 0; i < 2; i++) {
        const char *const *cri = i ? cri_three : cri_two;
        const struct ck_toml *t = ck_toml_at(root, cri);
        const struct ck_toml *mirrors = t ? ck_toml_get(t, "mirrors") : NULL;
        check_imported_key(w, file, root, cri, "config_path", certs_dir);
        if (mirrors)
            ck_way_open(w, ck_where(w, file, mirrors->line),
                        "\"mirrors\": the registry itself is asked after all of them");
    }
    check_imported_key(w, file, root, verifier, "bin_dir", ck_verifier_dir);
    check_disabled(w, file, root);
}

/* "/etc/containerd/conf.d/(*).toml"; other patterns are said. */
static void check_import(struct ck_ways *w, ck_view pattern, const char *where)
{
    const char **names = NULL;
    size_t n = 0;
    const char *base = pattern.p[0] == '/' ? "" : "/etc/containerd/";
    const char *text = ck_arena_format(w->a, "%s%.*s", base, CK_VF(pattern));
    const char *name = strrchr(text, '/') + 1;
    const char *dir = ck_arena_format(w->a, "%.*s", (int)(name - text), text);
    if (!strpbrk(text, "*?[")) {
        check_imported(w, text);
        return;
    }
    if (strcmp(name, "*.toml") != 0 || strpbrk(dir, "*?["))
        ck_way_note(w, where, "files of the pattern %s are not read here", text);
    ck_err *e = ck_place_list(w->o->place, dir, w->a, &names, &n);
    if (e)
        ck_way_unreadable(w, dir, e);
    for (size_t i = 0; i < n; i++)
        if (ck_view_ends(ck_view_str(names[i]), CK_V(".toml")))
            check_imported(w, ck_arena_format(w->a, "%s%s", dir, names[i]));
}

static void check_imports(struct ck_ways *w, const struct ck_toml *root)
{
    const struct ck_toml *v = ck_toml_get(root, "imports");
    for (const struct ck_toml *m = v ? v->first : NULL; m; m = m->next)
        if (m->kind == CK_TOML_STRING && m->text.n)
            check_import(w, m->text, ck_where(w, config_path, m->line));
}

static void check_config(struct ck_ways *w)
{
    const struct ck_toml *root = ck_ways_toml(w, config_path);
    if (!root) {
        if (!ck_place_has(w->o->place, config_path))
            ck_way_open(w, config_path, "is not there: containerd's own defaults ask every "
                                        "registry directly");
        return;
    }
    int64_t version = version_of(root);
    const char *const *cri = version == 3 ? cri_three : cri_two;
    const struct ck_toml *bin = ck_toml_at(root, verifier);
    const struct ck_toml *dir = bin ? ck_toml_get(bin, "bin_dir") : NULL;
    if (version != 2 && version != 3)
        ck_way_open(w, config_path, "version %lld of this file is not known here",
                    (long long)version);
    check_config_path(w, root, cri);
    check_old(w, root, cri);
    check_disabled(w, config_path, root);
    check_verifiers(w, dir && dir->kind == CK_TOML_STRING ? (const char *)dir->text.p
                                                          : ck_verifier_dir,
                    dir ? ck_where(w, config_path, dir->line) : config_path, most_verifiers(bin));
    check_imports(w, root);
}

static void check_buildkit(struct ck_ways *w)
{
    static const char *const programs[] = { "/usr/bin/buildkitd", "/usr/local/bin/buildkitd" };
    static const char conf[] = "/etc/buildkit/buildkitd.toml";
    bool there = ck_place_has(w->o->place, conf);
    for (size_t i = 0; i < 2; i++)
        there = there || ck_place_has(w->o->place, programs[i]);
    if (there)
        ck_way_open(w, conf, "buildkit asks registries by its own file, and the registry itself "
                             "after "
                             "its mirrors: only the firewall stops a build's base images");
}

void ck_check_containerd(struct ck_ways *w)
{
    check_config(w);
    ck_check_hosts(w, certs_dir);
    check_buildkit(w);
    ck_way_note(w, "ctr", "images pull without --hosts-dir, and image import, obey no file; both "
                          "need "
                          "root");
    ck_check_firewall(w);
}
