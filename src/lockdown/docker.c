/* dockerd. With the containerd store (the default from 29 on) it reads hosts.toml below
 * /etc/docker/certs.d. With the older graph drivers a mirror is for docker.io only, and Hub is
 * asked after it whatever it answered: what closes that is the plugin and the firewall.
 */
#include "base/text.h"
#include "image/json.h"
#include "lockdown/parts.h"

#include <stdlib.h>

static const char daemon_json[] = "/etc/docker/daemon.json";
static const char certs_dir[] = "/etc/docker/certs.d";

/* --- settings --------------------------------------------------------------------------------- */

static ck_err *load_daemon(struct ck_settings *s, json_t **ret)
{
    ck_view text;
    bool there;
    struct ck_json doc = { 0 };
    CK_TRY(ck_settings_now(s, daemon_json, &text, &there));
    if (ck_view_trim(text).n == 0) {
        *ret = json_object();
        return NULL;
    }
    ck_err *e = ck_json_load(text, daemon_json, &doc);
    if (!e && !json_is_object(doc.v)) {
        json_decref(doc.v);
        e = ck_err_new(CK_ERR_USAGE, "%s: no JSON object", daemon_json);
    }
    if (e && !s->o->replace)
        return ck_err_wrap(ck_err_reclass(e, CK_ERR_USAGE), "not understood (see --replace)");
    *ret = e ? json_object() : doc.v;
    ck_err_free(e);
    return NULL;
}

static bool holds(const json_t *array, const char *text)
{
    size_t i;
    json_t *v;
    json_array_foreach (array, i, v)
        if (json_is_string(v) && strcmp(json_string_value(v), text) == 0)
            return true;
    return false;
}

/* Other plugins stay; any one of them can refuse. */
static void add_plugin(json_t *daemon)
{
    static const char key[] = "authorization-plugins";
    json_t *list = json_object_get(daemon, key);
    if (!json_is_array(list)) {
        list = json_array();
        json_object_set_new(daemon, key, list);
    }
    if (!holds(list, ck_docker_plugin))
        json_array_append_new(list, json_string(ck_docker_plugin));
}

static ck_err *add_daemon(struct ck_settings *s)
{
    json_t *daemon = NULL;
    CK_TRY(load_daemon(s, &daemon));
    json_object_set_new(daemon, "registry-mirrors",
                        json_pack("[s]", ck_gate_url(&s->o->gate, s->a)));
    add_plugin(daemon);
    ck_autofree char *text = json_dumps(daemon, JSON_INDENT(4));
    json_decref(daemon);
    if (!text)
        return ck_err_new(CK_ERR_OURS, "%s: cannot be written as JSON", daemon_json);
    return ck_settings_add(s, daemon_json, ck_view_str(ck_arena_format(s->a, "%s\n", text)),
                           "docker.io goes to the gate, and each request is put to the plugin");
}

static void advise(struct ck_settings *s)
{
    const char *host = s->o->gate.host;
    if (s->o->docker != CK_DOCKER_GRAPHDRIVER)
        ck_settings_advise(s, "dockerd 29 and later with the containerd store obeys %s. Restart "
                              "it.",
                           certs_dir);
    if (s->o->docker != CK_DOCKER_CONTAINERD)
        ck_settings_advise(
            s, "Older dockerd and its graph drivers: registry-mirrors is NOT enough. It is for "
               "docker.io "
               "only, and Hub is asked after any\n"
               "# error of the mirror, a denial too. Name images %s/docker.io/library/NAME "
               "instead, keep "
               "the authorization plugin\n"
               "# (%s, served at /run/docker/plugins/%s.sock by cocket serve; without it dockerd "
               "answers "
               "nothing), and load the firewall.", host, ck_docker_plugin, ck_docker_plugin);
    ck_settings_advise(s, "docker load, docker import and the base images of docker build come in "
                          "past "
                          "every registry: the plugin judges them.");
}

/* By what docker's documentation says only the directory of a registry's own is read. */
static ck_err *add_upstreams(struct ck_settings *s)
{
    for (size_t i = 0; i < s->o->n_registries; i++)
        CK_TRY(ck_settings_host(s, certs_dir, s->o->registries[i]));
    return NULL;
}

ck_err *ck_settings_docker(struct ck_settings *s)
{
    CK_TRY(add_daemon(s));
    CK_TRY(ck_settings_add_ca(
        s, ck_arena_format(s->a, "%s/%s/ca.crt", certs_dir, s->o->gate.host)));
    if (s->o->docker != CK_DOCKER_GRAPHDRIVER) {
        CK_TRY(add_upstreams(s));
        CK_TRY(ck_settings_hosts(s, certs_dir));
    }
    advise(s);
    return NULL;
}

/* --- check ------------------------------------------------------------------------------------ */

static void check_mirrors(struct ck_ways *w, const json_t *daemon, bool plugin, bool graphdriver)
{
    static const char key[] = "/etc/docker/daemon.json: registry-mirrors";
    const json_t *list = json_object_get(daemon, "registry-mirrors");
    size_t i;
    json_t *v;
    if (json_array_size(list) == 0 && graphdriver)
        ck_way_open(w, key, "is not set: docker.io is asked directly");
    json_array_foreach (list, i, v)
        if (!json_is_string(v) || !ck_is_gate_url(&w->o->gate, ck_view_str(json_string_value(v))))
            ck_way_open(w, key, "another mirror than the gate is asked");
    if (!graphdriver)
        return;
    static const char hub[] = "Docker asks Hub after any error of its mirrors, and other "
                              "registries "
                              "by their own names";
    if (plugin)
        ck_way_note(w, key, "%s; the plugin judges each of these requests", hub);
    else
        ck_way_open(w, key, "%s: nothing but the plugin or the firewall holds that back", hub);
}

static void check_insecure(struct ck_ways *w, const json_t *daemon)
{
    size_t i;
    json_t *v;
    json_array_foreach (json_object_get(daemon, "insecure-registries"), i, v) {
        const char *text = json_is_string(v) ? json_string_value(v) : "";
        if (!ck_is_at_gate(&w->o->gate, ck_view_str(text)))
            ck_way_open(w, "/etc/docker/daemon.json: insecure-registries",
                        "\"%s\" is asked without verification", text);
        else if (!ck_gate_is_loopback(&w->o->gate))
            ck_way_open(w, "/etc/docker/daemon.json: insecure-registries",
                        "whoever stands between can answer for the gate");
    }
}

static bool check_plugin(struct ck_ways *w, const json_t *daemon)
{
    if (holds(json_object_get(daemon, "authorization-plugins"), ck_docker_plugin))
        return true;
    ck_way_open(w, "/etc/docker/daemon.json: authorization-plugins",
                "\"%s\" is not among them: docker load, docker import, docker build and images "
                "that "
                "are here already are not judged", ck_docker_plugin);
    return false;
}

static void check_upstreams(struct ck_ways *w)
{
    for (size_t i = 0; i < w->o->n_registries; i++) {
        const char *file = ck_arena_format(w->a, "%s/%s/hosts.toml", certs_dir,
                                           w->o->registries[i]);
        if (!ck_place_has(w->o->place, file))
            ck_way_open(w, file, "is not there: the containerd store asks this registry directly");
    }
}

static void check_home(struct ck_ways *w, const char *home)
{
    const char *file = ck_arena_format(w->a, "%s/.config/docker/daemon.json", home);
    if (ck_place_has(w->o->place, file))
        ck_way_open(w, file, "this user runs a dockerd of his own (rootless), with his own "
                             "settings");
}

static void check_flags(struct ck_ways *w)
{
    static const char *const files[] = { "/etc/default/docker", "/etc/sysconfig/docker",
                                         "/etc/systemd/system/docker.service" };
    static const char *const words[] = { "--registry-mirror", "--insecure-registry",
                                         "--config-file" };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        ck_view text = CK_V("");
        if (!ck_ways_read(w, files[i], &text))
            continue;
        ck_cur c = ck_cur_of(text);
        for (unsigned line = 1; !ck_cur_end(&c); line++) {
            ck_view v = ck_view_trim(ck_cur_line(&c));
            for (size_t j = 0; j < sizeof words / sizeof words[0] && !ck_view_starts(v, CK_V("#"));
                 j++)
                if (memmem(v.p, v.n, words[j], strlen(words[j])))
                    ck_way_open(w, ck_where(w, files[i], line), "%s on dockerd's command line",
                                words[j]);
        }
    }
}

/* What daemon.json says of it; else what the caller knows; both are looked at where nobody does. */
static enum ck_docker_store store_of(const struct ck_ways *w, const json_t *daemon)
{
    const json_t *v = json_object_get(json_object_get(daemon, "features"),
                                      "containerd-snapshotter");
    if (json_is_boolean(v))
        return json_is_true(v) ? CK_DOCKER_CONTAINERD : CK_DOCKER_GRAPHDRIVER;
    return w->o->docker;
}

void ck_check_docker(struct ck_ways *w)
{
    json_t *daemon = ck_ways_json(w, daemon_json);
    enum ck_docker_store store = store_of(w, daemon);
    bool plugin = check_plugin(w, daemon);
    check_mirrors(w, daemon, plugin, store != CK_DOCKER_CONTAINERD);
    check_insecure(w, daemon);
    json_decref(daemon);
    if (store != CK_DOCKER_GRAPHDRIVER) {
        check_upstreams(w);
        ck_check_hosts(w, certs_dir);
    }
    check_flags(w);
    ck_ways_homes(w, check_home);
    ck_check_firewall(w);
}
