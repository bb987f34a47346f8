/* CRI-O: podman's files, and crio.conf with its drop-ins, which can lead elsewhere; policies of a
 * namespace count instead of policy.json (crio.conf(5), signature_policy_dir).
 */
#include "base/text.h"
#include "lockdown/parts.h"

static const char conf[] = "/etc/crio/crio.conf";
static const char conf_d[] = "/etc/crio/crio.conf.d";
static const char drop_in[] = "/etc/crio/crio.conf.d/zz-cocket.conf";
static const char policy[] = "/etc/containers/policy.json";
static const char policies[] = "/etc/crio/policies";
static const char *const image[] = { "crio", "image", NULL };

ck_err *ck_settings_crio(struct ck_settings *s)
{
    static const char text[] =
        "# by cocket lockdown\n[crio.image]\nsignature_policy = \"/etc/containers/policy.json\"\n"
        "signature_policy_dir = \"/etc/crio/policies\"\ninsecure_registries = []\n"
        "short_name_mode = \"enforcing\"\n";
    CK_TRY(ck_settings_podman(s));
    CK_TRY(ck_settings_add(s, drop_in, ck_view_str(text),
                           "CRI-O reads the files above, and no registry is asked unverified"));
    ck_settings_advise(s, "Reload CRI-O. A file %s/NAMESPACE.json counts instead of policy.json "
                          "for that "
                          "namespace: there must be none that accepts more.", policies);
    return NULL;
}

/* --- check ------------------------------------------------------------------------------------ */

static void check_insecure(struct ck_ways *w, const char *file, const struct ck_toml *t)
{
    const struct ck_toml *v = ck_toml_get(t, "insecure_registries");
    for (const struct ck_toml *m = v ? v->first : NULL; m; m = m->next)
        if (m->kind == CK_TOML_STRING &&
            !(ck_is_at_gate(&w->o->gate, m->text) && ck_gate_is_loopback(&w->o->gate)))
            ck_way_open(w, ck_where(w, file, m->line), "%.*s is asked without verification",
                        CK_VF(m->text));
}

/* What the last file says counts. */
struct said {
    const char *policy, *dir, *policy_where;
};

static void read_conf(struct ck_ways *w, const char *file, struct said *s)
{
    const struct ck_toml *root = ck_ways_toml(w, file);
    const struct ck_toml *t = root ? ck_toml_at(root, image) : NULL;
    if (!t)
        return;
    const struct ck_toml *v = ck_toml_get(t, "signature_policy");
    const struct ck_toml *dir = ck_toml_get(t, "signature_policy_dir");
    check_insecure(w, file, t);
    if (v && v->kind == CK_TOML_STRING && v->text.n) {
        s->policy = (const char *)v->text.p;
        s->policy_where = ck_where(w, file, v->line);
    }
    if (dir && dir->kind == CK_TOML_STRING && dir->text.n)
        s->dir = (const char *)dir->text.p;
}

static void read_all(struct ck_ways *w, struct said *s)
{
    const char **names = NULL;
    size_t n = 0;
    read_conf(w, conf, s);
    ck_err *e = ck_place_list(w->o->place, conf_d, w->a, &names, &n);
    if (e)
        ck_way_unreadable(w, conf_d, e);
    for (size_t i = 0; i < n; i++)
        read_conf(w, ck_arena_format(w->a, "%s/%s", conf_d, names[i]), s);
}

static void check_namespaces(struct ck_ways *w, const char *dir)
{
    const char **names = NULL;
    size_t n = 0;
    ck_err *e = ck_place_list(w->o->place, dir, w->a, &names, &n);
    if (e)
        ck_way_unreadable(w, dir, e);
    for (size_t i = 0; i < n; i++)
        if (ck_view_ends(ck_view_str(names[i]), CK_V(".json")))
            ck_check_policy_json(w, ck_arena_format(w->a, "%s/%s", dir, names[i]));
}

void ck_check_crio(struct ck_ways *w)
{
    struct said s = { policy, policies, NULL };
    ck_check_registries_conf(w);
    read_all(w, &s);
    ck_check_policy_json(w, s.policy);
    check_namespaces(w, s.dir);
    ck_check_firewall(w);
}
