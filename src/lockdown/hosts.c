/* hosts.toml, as containerd reads it (docs/hosts.md), and dockerd 29 with the containerd store.
 *
 * `server` is asked last and is the registry itself where it is not given: a gate that stands below
 * [host] only is gone around by any error, a denial among them. A directory for one host counts
 * before _default. containerd 1.6 cannot read a file without any [host], and what containerd cannot
 * read counts as not there: the registry itself is asked. So the gate is both.
 */
#include "base/text.h"
#include "lockdown/parts.h"

static const char default_dir[] = "_default";

/* --- settings --------------------------------------------------------------------------------- */

static void put_gate(struct ck_settings *s, const char *url, const char *ca, struct ck_buf *out)
{
    if (url)
        ck_buf_format(out, "%s\n", url);
    ck_put_bytes(out, CK_V("capabilities = [\"pull\", \"resolve\"]\n"));
    if (s->o->gate.ca.n)
        ck_buf_format(out, "%sca = %s\n", url ? "" : "  ", ck_toml_quote(ca, s->a));
}

ck_err *ck_settings_host(struct ck_settings *s, const char *dir, const char *name)
{
    static const char why[] = "the gate is the server, so that nothing is asked after it";
    const char *ca = ck_arena_format(s->a, "%s/%s/cocket-gate.crt", dir, name);
    const char *url = ck_toml_quote(ck_gate_url(&s->o->gate, s->a), s->a);
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_put_bytes(&b, CK_V("# by cocket lockdown: nothing is asked after the gate\nserver = "));
    put_gate(s, url, ca, &b);
    ck_buf_format(&b, "\n[host.%s]\n  ", url);
    put_gate(s, NULL, ca, &b);
    CK_TRY(ck_settings_add_ca(s, ca));
    return ck_settings_add(s, ck_arena_format(s->a, "%s/%s/hosts.toml", dir, name),
                           ck_buf_view(&b), why);
}

static bool is_dir(const struct ck_place *p, const char *path)
{
    struct stat st;
    return ck_place_stat(p, path, &st) && S_ISDIR(st.st_mode);
}

ck_err *ck_settings_hosts(struct ck_settings *s, const char *dir)
{
    const char **names = NULL;
    size_t n = 0;
    CK_TRY(ck_settings_host(s, dir, default_dir));
    CK_TRY(ck_place_list(s->o->place, dir, s->a, &names, &n));
    for (size_t i = 0; i < n; i++) /* each of them counts before _default */
        if (strcmp(names[i], default_dir) != 0 && strcmp(names[i], s->o->gate.host) != 0 &&
            is_dir(s->o->place, ck_arena_format(s->a, "%s/%s", dir, names[i])))
            CK_TRY(ck_settings_host(s, dir, names[i]));
    return NULL;
}

/* --- check ------------------------------------------------------------------------------------ */

static void check_unverified(struct ck_ways *w, const char *file, const struct ck_toml *t)
{
    const struct ck_toml *v = ck_toml_get(t, "skip_verify");
    if (v && v->kind == CK_TOML_BOOLEAN && v->boolean && !ck_gate_is_loopback(&w->o->gate))
        ck_way_open(w, ck_where(w, file, v->line),
                    "skip_verify: whoever stands between can answer for the gate");
}

static void check_server(struct ck_ways *w, const char *file, const struct ck_toml *root,
                         const char *host)
{
    const struct ck_toml *server = ck_toml_get(root, "server");
    const struct ck_toml *hosts = ck_toml_get(root, "host");
    const char *own = strcmp(host, default_dir) == 0 ? "the registry itself" : host;
    if (!server)
        ck_way_open(w, ck_where(w, file, hosts ? hosts->line : 1),
                    "no \"server\": %s is asked after any error of the hosts, a denial too", own);
    else if (server->kind != CK_TOML_STRING || !ck_is_gate_url(&w->o->gate, server->text))
        ck_way_open(w, ck_where(w, file, server->line), "\"server\" is not the gate");
}

static void check_hosts_table(struct ck_ways *w, const char *file, const struct ck_toml *root)
{
    const struct ck_toml *hosts = ck_toml_get(root, "host");
    if (!hosts && w->runtime == CK_RUNTIME_CONTAINERD)
        ck_way_open(w, ck_where(w, file, 1), "no [host]: containerd 1.6 cannot read such a file, "
                                             "and "
                                             "asks the registry itself");
    if (hosts && hosts->kind != CK_TOML_TABLE) {
        ck_way_open(w, ck_where(w, file, hosts->line), "\"host\" is no table");
        return;
    }
    for (const struct ck_toml *t = hosts ? hosts->first : NULL; t; t = t->next) {
        if (!ck_is_gate_url(&w->o->gate, t->key))
            ck_way_open(w, ck_where(w, file, t->line), "[host.\"%.*s\"] is asked before the gate",
                        CK_VF(t->key));
        if (t->kind == CK_TOML_TABLE)
            check_unverified(w, file, t);
    }
}

static void check_one(struct ck_ways *w, const char *dir, const char *host)
{
    const char *file = ck_arena_format(w->a, "%s/%s/hosts.toml", dir, host);
    if (!ck_place_has(w->o->place, file)) {
        if (strcmp(host, w->o->gate.host) == 0) /* its own server: certificates only */
            return;
        ck_way_open(w, ck_arena_format(w->a, "%s/%s", dir, host),
                    "a directory without hosts.toml counts before _default, and leads to the "
                    "registry itself");
        return;
    }
    const struct ck_toml *root = ck_ways_toml(w, file);
    if (!root)
        return;
    check_server(w, file, root, host);
    check_hosts_table(w, file, root);
    check_unverified(w, file, root);
}

void ck_check_hosts(struct ck_ways *w, const char *dir)
{
    const char **names = NULL;
    size_t n = 0;
    if (!ck_place_has(w->o->place, ck_arena_format(w->a, "%s/%s/hosts.toml", dir, default_dir)))
        ck_way_open(w, ck_arena_format(w->a, "%s/%s/hosts.toml", dir, default_dir),
                    "is not there: registries without a directory of their own are asked directly");
    ck_err *e = ck_place_list(w->o->place, dir, w->a, &names, &n);
    if (e)
        ck_way_unreadable(w, dir, e);
    for (size_t i = 0; i < n; i++) {
        const char *path = ck_arena_format(w->a, "%s/%s", dir, names[i]);
        if (is_dir(w->o->place, path) &&
            (strcmp(names[i], default_dir) != 0 ||
             ck_place_has(w->o->place, ck_arena_format(w->a, "%s/hosts.toml", path))))
            check_one(w, dir, names[i]);
    }
}
