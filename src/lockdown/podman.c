/* podman, buildah, skopeo and CRI-O: registries.conf and its drop-ins
 * (containers-registries.conf(5)), policy.json (containers-policy.json(5)).
 *
 * A [[registry.mirror]] falls to the registry itself on any error; `location` does not. An entry
 * counts by the longest prefix, and the last file in which it stands. Nothing in registries.conf
 * says "all others": policy.json does, by rejecting what it does not name.
 */
#include "base/text.h"
#include "image/json.h"
#include "lockdown/parts.h"
#include "registry/config_parts.h"

#include <stdlib.h>

static const char conf[] = "/etc/containers/registries.conf";
static const char conf_d[] = "/etc/containers/registries.conf.d";
/* Sorts behind shortnames.conf and its like. */
static const char drop_in[] = "/etc/containers/registries.conf.d/zz-cocket.conf";
static const char policy[] = "/etc/containers/policy.json";
static const char certs_dir[] = "/etc/containers/certs.d";

/* --- settings --------------------------------------------------------------------------------- */

/* Names of the same registries that would miss an entry's prefix, and whole domains: a first line
 * in front of policy.json, with an error that says why. */
static const char *const blocked[] = {
    "*.docker.io", "*.docker.com", "*.ghcr.io", "*.quay.io", "*.gcr.io", "*.k8s.io",
    "*.com", "*.io", "*.org", "*.net", "*.dev", "*.cloud", "*.aws", "*.cn", "*.de", "*.eu",
    "*.fr", "*.me", "*.sh", "*.uk", "*.us",
};

static void put_registry(struct ck_settings *s, struct ck_buf *b, const char *prefix,
                         const char *location)
{
    ck_buf_format(b, "\n[[registry]]\nprefix = %s\n", ck_toml_quote(prefix, s->a));
    bool domain = ck_view_starts(ck_view_str(prefix), CK_V("*."));
    if (!location)
        ck_put_bytes(b, CK_V("blocked = true\n"));
    if (location || !domain) /* podman wants one all the same */
        ck_buf_format(b, "location = %s\n", ck_toml_quote(location ? location : prefix, s->a));
    if (location && s->o->gate.plain_http)
        ck_put_bytes(b, CK_V("insecure = true\n"));
}

static bool is_mapped(const struct ck_lockdown *o, const char *registry)
{
    for (size_t i = 0; i < o->n_registries; i++)
        if (strcmp(o->registries[i], registry) == 0)
            return true;
    return strcmp(o->gate.host, registry) == 0;
}

static ck_err *add_registries_conf(struct ck_settings *s)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    const char *gate = s->o->gate.host;
    ck_buf_format(&b, "# by cocket lockdown. No mirrors: they fall back to the registry on any "
                      "error.\n"
                      "short-name-mode = \"enforcing\"\nunqualified-search-registries = [%s]\n",
                  ck_toml_quote(gate, s->a));
    put_registry(s, &b, gate, gate);
    for (size_t i = 0; i < s->o->n_registries; i++)
        put_registry(s, &b, s->o->registries[i],
                     ck_arena_format(s->a, "%s/%s", gate, s->o->registries[i]));
    for (size_t i = 0; i < ck_default_registry_count; i++)
        if (!is_mapped(s->o, ck_default_registries[i]))
            put_registry(s, &b, ck_default_registries[i], NULL);
    for (size_t i = 0; i < sizeof blocked / sizeof blocked[0]; i++)
        put_registry(s, &b, blocked[i], NULL);
    return ck_settings_add(s, drop_in, ck_buf_view(&b),
                           "each registry is the gate, and others are blocked");
}

static json_t *accepted(void) { return json_pack("[{s:s}]", "type", "insecureAcceptAnything"); }

/* Scopes are names as typed, before registries.conf leads them anywhere. */
static json_t *make_policy(const struct ck_lockdown *o)
{
    static const char *const archives[] = { "docker-archive", "oci-archive", "oci", "dir",
                                            "tarball" };
    json_t *docker = json_object();
    json_object_set_new(docker, o->gate.host, accepted());
    for (size_t i = 0; i < o->n_registries; i++)
        json_object_set_new(docker, o->registries[i], accepted());
    json_t *transports = json_pack("{s:o, s:{s:o}}", "docker", docker, "containers-storage", "",
                                   accepted());
    for (size_t i = 0; o->allow_archives && i < sizeof archives / sizeof archives[0]; i++)
        json_object_set_new(transports, archives[i], json_pack("{s:o}", "", accepted()));
    return json_pack("{s:[{s:s}], s:o}", "default", "type", "reject", "transports", transports);
}

static ck_err *add_policy(struct ck_settings *s)
{
    json_t *root = make_policy(s->o);
    ck_autofree char *text = json_dumps(root, JSON_INDENT(4));
    json_decref(root);
    if (!text)
        return ck_err_new(CK_ERR_OURS, "%s: cannot be written as JSON", policy);
    return ck_settings_add(s, policy, ck_view_str(ck_arena_format(s->a, "%s\n", text)),
                           s->o->allow_archives ? "what is not named is rejected"
                                                : "what is not named is rejected, archives too");
}

/* A policy with signatures in it is somebody's work: it is not replaced unasked. */
static ck_err *check_known(struct ck_settings *s)
{
    ck_view text;
    bool there;
    CK_TRY(ck_settings_now(s, policy, &text, &there));
    if (!there || s->o->replace || !memmem(text.p, text.n, "signedBy", 8))
        return NULL;
    return ck_err_new(CK_ERR_USAGE, "%s: demands signatures (signedBy), which the gate's policy "
                                    "would "
                      "not: set \"default\" to reject by hand, or let it be replaced (--replace)",
                      policy);
}

ck_err *ck_settings_podman(struct ck_settings *s)
{
    CK_TRY(add_registries_conf(s));
    CK_TRY(check_known(s));
    CK_TRY(add_policy(s));
    CK_TRY(ck_settings_add_ca(
        s, ck_arena_format(s->a, "%s/%s/ca.crt", certs_dir, s->o->gate.host)));
    ck_settings_advise(s, "A user's ~/.config/containers (registries.conf, policy.json) counts "
                          "instead of "
                          "these files for whoever has one: only the\n"
                          "# firewall holds for users%s.",
                       s->o->allow_archives ? ""
                                            : ". podman load, and cocket load podman:, are refused "
                                              "(--allow-archives keeps them)");
    return NULL;
}

/* --- check: registries.conf ------------------------------------------------------------------- */

static bool is_insecure(const struct ck_ways *w, bool insecure)
{
    return insecure && !ck_gate_is_loopback(&w->o->gate);
}

static void check_mirrors_of(struct ck_ways *w, const struct ck_entry *e, const char *where)
{
    bool at_gate = ck_is_at_gate(&w->o->gate, e->location);
    for (size_t i = 0; i < e->mirror_count; i++) {
        const struct ck_mirror *m = &e->mirrors[i];
        if (!ck_is_at_gate(&w->o->gate, m->location))
            ck_way_open(w, where, "the mirror %.*s is not the gate", CK_VF(m->location));
        else if (!at_gate && !e->blocked)
            ck_way_open(w, where, "the gate is a mirror only: %.*s is asked after any error, a "
                                  "denial "
                                  "too", CK_VF(e->location));
    }
}

static void check_entry(struct ck_ways *w, const struct ck_entry *e)
{
    const char *where = ck_where(w, e->at.file, e->at.line);
    check_mirrors_of(w, e, where);
    if (e->blocked)
        return;
    if (!ck_is_at_gate(&w->o->gate, e->location) && e->mirror_count == 0)
        ck_way_open(w, where, "%.*s is asked at %.*s", CK_VF(e->prefix),
                    CK_VF(e->location.n ? e->location : e->prefix));
    if (is_insecure(w, e->insecure))
        ck_way_open(w, where, "insecure: whoever stands between can answer for the gate");
}

static void check_mapped(struct ck_ways *w, const struct ck_registry_config *c)
{
    for (size_t i = 0; i < w->o->n_registries; i++) {
        const char *name = ck_arena_format(w->a, "%s/x/y", w->o->registries[i]);
        if (!ck_entry_find(c, ck_view_str(name)))
            ck_way_open(w, conf, "%s is asked directly: no [[registry]] leads it to the gate",
                        w->o->registries[i]);
    }
}

static void check_search(struct ck_ways *w, const struct ck_registry_config *c)
{
    const struct ck_words_list *s = &c->search;
    for (size_t i = 0; i < s->n; i++) {
        const char *name = ck_arena_format(w->a, "%.*s/x", CK_VF(s->v[i]));
        const struct ck_entry *e = ck_entry_find(c, ck_view_str(name));
        bool led = e && (e->blocked || ck_is_at_gate(&w->o->gate, e->location));
        if (!led && !ck_is_at_gate(&w->o->gate, s->v[i]))
            ck_way_open(w, ck_where(w, s->at.file, s->at.line),
                        "short names are looked for at %.*s", CK_VF(s->v[i]));
    }
}

/* short-name-mode counts from the last file that says it. */
struct mode {
    const char *where;
    bool enforcing;
};

static void read_mode(struct ck_ways *w, const char *file, struct mode *m)
{
    const struct ck_toml *root = ck_ways_toml(w, file);
    const struct ck_toml *v = root ? ck_toml_get(root, "short-name-mode") : NULL;
    if (!v || v->kind != CK_TOML_STRING)
        return;
    m->where = ck_where(w, file, v->line);
    m->enforcing = ck_view_eq(v->text, CK_V("enforcing"));
}

static void read_conf(struct ck_ways *w, const char *file, struct ck_registry_config *c,
                      struct mode *m)
{
    ck_view bytes;
    if (!ck_ways_read(w, file, &bytes))
        return;
    ck_err *e = ck_registries_conf_read(c, file, bytes);
    if (e)
        ck_way_unreadable(w, file, e);
    else
        read_mode(w, file, m);
}

static void read_all(struct ck_ways *w, struct ck_registry_config *c, struct mode *m)
{
    const char **names = NULL;
    size_t n = 0;
    read_conf(w, conf, c, m);
    ck_err *e = ck_place_list(w->o->place, conf_d, w->a, &names, &n);
    if (e)
        ck_way_unreadable(w, conf_d, e);
    for (size_t i = 0; i < n; i++)
        if (ck_view_ends(ck_view_str(names[i]), CK_V(".conf")))
            read_conf(w, ck_arena_format(w->a, "%s/%s", conf_d, names[i]), c, m);
}

void ck_check_registries_conf(struct ck_ways *w)
{
    struct ck_registry_config *c = ck_new(struct ck_registry_config);
    struct mode mode = { .where = conf };
    read_all(w, c, &mode);
    for (const struct ck_entry *e = c->entries; e; e = e->next)
        check_entry(w, e);
    check_mapped(w, c);
    check_search(w, c);
    if (!mode.enforcing)
        ck_way_open(w, mode.where, "short-name-mode is not \"enforcing\": a short name may come "
                                   "from "
                                   "whichever registry answers first");
    ck_registry_config_free(c);
}

/* --- check: policy.json ----------------------------------------------------------------------- */

/* Only "reject" is sure to let nothing through that the gate has not cleared. */
static bool rejects(const json_t *requirements)
{
    size_t i;
    json_t *v;
    json_array_foreach (requirements, i, v) {
        const char *type = json_string_value(json_object_get(v, "type"));
        if (type && strcmp(type, "reject") == 0)
            return true;
    }
    return false;
}

static void check_scopes(struct ck_ways *w, const char *file, json_t *scopes)
{
    for (void *i = json_object_iter(scopes); i; i = json_object_iter_next(scopes, i)) {
        const char *scope = json_object_iter_key(i);
        const json_t *v = json_object_iter_value(i);
        ck_view rest, host = ck_view_split(ck_view_str(scope), '/', &rest);
        const char *name = ck_arena_format(w->a, "%.*s", CK_VF(host));
        if (!is_mapped(w->o, name) && !rejects(v))
            ck_way_open(w, ck_arena_format(w->a, "%s: transports.docker.\"%s\"", file, scope),
                        "%s is not rejected, and is none that the gate stands for",
                        *scope ? scope : "every other registry");
    }
}

/* Transports that bring images in past every registry. */
static void check_transport(struct ck_ways *w, const char *file, const char *name,
                            json_t *scopes)
{
    if (strcmp(name, "containers-storage") == 0) /* what is here already */
        return;
    if (strcmp(name, "docker") == 0) {
        check_scopes(w, file, scopes);
        return;
    }
    for (void *i = json_object_iter(scopes); i; i = json_object_iter_next(scopes, i)) {
        const char *scope = json_object_iter_key(i);
        const char *where = ck_arena_format(w->a, "%s: transports.%s.\"%s\"", file, name, scope);
        if (rejects(json_object_iter_value(i)))
            continue;
        if (w->o->allow_archives)
            ck_way_note(w, where, "%s comes in without the gate, as --allow-archives says", name);
        else
            ck_way_open(w, where, "%s comes in without the gate (podman load and its like)", name);
    }
}

void ck_check_policy_json(struct ck_ways *w, const char *path)
{
    json_t *root = ck_ways_json(w, path);
    json_t *transports = json_object_get(root, "transports");
    if (!root || !rejects(json_object_get(root, "default")))
        ck_way_open(w, ck_arena_format(w->a, "%s: default", path),
                    "is not \"reject\": registries that registries.conf does not name are asked "
                    "directly, and podman load takes anything");
    for (void *i = json_object_iter(transports); i; i = json_object_iter_next(transports, i))
        check_transport(w, path, json_object_iter_key(i), json_object_iter_value(i));
    json_decref(root);
}

/* --- check: users ----------------------------------------------------------------------------- */

static void check_home(struct ck_ways *w, const char *home)
{
    static const char *const files[] = { "registries.conf", "policy.json" };
    static const char what[] = "counts instead of the system's for this user";
    for (size_t i = 0; i < 2; i++) {
        const char *file = ck_arena_format(w->a, "%s/.config/containers/%s", home, files[i]);
        if (ck_place_has(w->o->place, file))
            ck_way_open(w, file, "%s", what);
    }
    const char **names = NULL;
    size_t n = 0;
    const char *dir = ck_arena_format(w->a, "%s/.config/containers/registries.conf.d", home);
    ck_err *e = ck_place_list(w->o->place, dir, w->a, &names, &n);
    if (e)
        ck_way_unreadable(w, dir, e);
    for (size_t i = 0; i < n; i++)
        if (ck_view_ends(ck_view_str(names[i]), CK_V(".conf")))
            ck_way_open(w, ck_arena_format(w->a, "%s/%s", dir, names[i]),
                        "is read after the system's for this user");
}

static void check_environment(struct ck_ways *w)
{
    static const char file[] = "/etc/environment", name[] = "CONTAINERS_REGISTRIES_CONF";
    ck_view text = CK_V("");
    if (!ck_ways_read(w, file, &text))
        return;
    ck_cur c = ck_cur_of(text);
    for (unsigned line = 1; !ck_cur_end(&c); line++)
        if (ck_view_starts(ck_view_trim(ck_cur_line(&c)), CK_V("CONTAINERS_REGISTRIES_CONF")))
            ck_way_open(w, ck_where(w, file, line), "%s counts instead of %s", name, conf);
}

void ck_check_podman(struct ck_ways *w)
{
    ck_check_registries_conf(w);
    ck_check_policy_json(w, policy);
    ck_ways_homes(w, check_home);
    check_environment(w);
    ck_check_firewall(w);
}
