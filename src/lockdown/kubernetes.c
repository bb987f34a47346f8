/* Kubernetes: admission asks the gate before a pod is accepted. Static pods, and images that are on
 * the node already, do not pass admission or the pull: the nodes' own runtimes must be locked down
 * too.
 */
#include "base/base64.h"
#include "base/text.h"
#include "lockdown/parts.h"


static const char dir[] = "/etc/kubernetes/cocket";
static const char manifests[] = "/etc/kubernetes/manifests";

/* --- settings --------------------------------------------------------------------------------- */

/* Of the CA; in base64. */
static const char *ca_bundle(struct ck_settings *s)
{
    ck_view ca = s->o->gate.ca;
    if (ca.n == 0)
        return "REPLACE-WITH-BASE64-OF-THE-CA-OF-THE-GATE";
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE); /* of at most CONFIG_FILE bytes */
    ck_base64_put(&out, ca);
    return (const char *)ck_arena_dup(s->a, ck_buf_view(&out)).p;
}

static const char webhook[] =
    "apiVersion: admissionregistration.k8s.io/v1\n"
    "kind: %s\n"
    "metadata:\n"
    "  name: cocket\n"
    "webhooks:\n"
    "- name: %s.cocket.gate\n"
    "  # Fail: while the gate does not answer no pod is created. Timeout: its longest wait is "
    "shorter.\n"
    "  failurePolicy: Fail\n"
    "  timeoutSeconds: 30\n"
    "  sideEffects: None\n"
    "  matchPolicy: Equivalent\n"
    "%s"
    "  admissionReviewVersions: [v1]\n"
    "  clientConfig:\n"
    "    url: %s/admission/%s\n"
    "    caBundle: %s\n"
    "  rules:\n"
    "  # Ephemeral containers are a subresource of their own: kubectl debug comes in there.\n"
    "  - apiGroups: [\"\"]\n"
    "    apiVersions: [\"v1\"]\n"
    "    operations: [CREATE, UPDATE]\n"
    "    resources: [pods, pods/ephemeralcontainers]\n"
    "    scope: Namespaced\n";

static void put_excluded(struct ck_settings *s, struct ck_buf *b)
{
    ck_put_bytes(b, CK_V("  # Whoever may create pods in an excluded namespace goes past the "
                         "gate: exclude only what\n"
                         "  # the gate itself needs to run (--exclude-namespace), and let nobody "
                         "else in there.\n"));
    if (s->o->n_excluded == 0)
        return;
    ck_put_bytes(b, CK_V("  namespaceSelector:\n    matchExpressions:\n"
                         "    - key: kubernetes.io/metadata.name\n      operator: NotIn\n"
                         "      values:\n"));
    for (size_t i = 0; i < s->o->n_excluded; i++) {
        ck_put_bytes(b, CK_V("      - "));
        ck_buf_json_str(b, ck_view_str(s->o->excluded[i]));
        ck_put_u8(b, '\n');
    }
}

static ck_err *add_webhooks(struct ck_settings *s)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    const char *url = ck_gate_url(&s->o->gate, s->a), *ca = ca_bundle(s);
    ck_put_bytes(&b, CK_V("# by cocket lockdown; for kubectl apply -f\n"));
    ck_buf_format(&b, webhook, "MutatingWebhookConfiguration", "pin",
                  "  # Pins tags to the digest that was judged; once more where another webhook "
                  "adds a "
                  "container.\n  reinvocationPolicy: IfNeeded\n", url, "mutate", ca);
    put_excluded(s, &b);
    ck_put_bytes(&b, CK_V("---\n"));
    ck_buf_format(&b, webhook, "ValidatingWebhookConfiguration", "judge", "", url, "validate", ca);
    put_excluded(s, &b);
    return ck_settings_add(s, ck_arena_format(s->a, "%s/webhooks.yaml", dir), ck_buf_view(&b),
                           "the cluster asks the gate about each pod");
}

static ck_err *add_image_policy(struct ck_settings *s)
{
    static const char admission[] =
        "# by cocket lockdown\n"
        "apiVersion: apiserver.config.k8s.io/v1\n"
        "kind: AdmissionConfiguration\n"
        "plugins:\n"
        "- name: ImagePolicyWebhook\n"
        "  configuration:\n"
        "    imagePolicy:\n"
        "      kubeConfigFile: %s/kubeconfig.yaml\n"
        "      allowTTL: 50\n"
        "      denyTTL: 50\n"
        "      retryBackoff: 500\n"
        "      defaultAllow: false\n";
    static const char kubeconfig[] =
        "# by cocket lockdown\n"
        "apiVersion: v1\n"
        "kind: Config\n"
        "clusters:\n"
        "- name: cocket\n"
        "  cluster:\n"
        "    server: %s/imagepolicy\n"
        "%s%s%s"
        "users:\n"
        "- name: api-server\n"
        "  user: {}\n"
        "contexts:\n"
        "- name: cocket\n"
        "  context:\n"
        "    cluster: cocket\n"
        "    user: api-server\n"
        "current-context: cocket\n";
    const char *ca = ck_arena_format(s->a, "%s/gate.crt", dir);
    bool own = s->o->gate.ca.n > 0;
    CK_TRY(ck_settings_add_ca(s, ca));
    CK_TRY(ck_settings_add(s, ck_arena_format(s->a, "%s/admission.yaml", dir),
                           ck_view_str(ck_arena_format(s->a, admission, dir)),
                           "the API server asks the gate about images, even where webhooks are "
                           "not"));
    return ck_settings_add(
        s, ck_arena_format(s->a, "%s/kubeconfig.yaml", dir),
        ck_view_str(ck_arena_format(s->a, kubeconfig, ck_gate_url(&s->o->gate, s->a),
                                    own ? "    certificate-authority: " : "", own ? ca : "",
                                    own ? "\n" : "")),
        "where the API server finds the gate");
}

ck_err *ck_settings_kubernetes(struct ck_settings *s)
{
    CK_TRY(add_webhooks(s));
    CK_TRY(add_image_policy(s));
    ck_settings_advise(s, "kubectl apply -f %s/webhooks.yaml. For the API server (it must see "
                          "%s):\n"
                          "#   --enable-admission-plugins=...,ImagePolicyWebhook,AlwaysPullImages\n"
                          "#   --admission-control-config-file=%s/admission.yaml\n"
                          "# AlwaysPullImages: else imagePullPolicy IfNotPresent and Never take "
                          "what is on the "
                          "node without asking.", dir, dir, dir);
    ck_settings_advise(s, "Static pods (%s on each node) pass no admission. Lock each node's "
                          "runtime down as "
                          "well: cocket lockdown containerd or crio,\n"
                          "# which runs the image verifier for every digest (containerd 2).",
                       manifests);
    return NULL;
}

/* --- check ------------------------------------------------------------------------------------ */

/* The line that has the word, from 1 on; 0: none. */
static unsigned find_line(ck_view text, const char *word, ck_view *ret)
{
    ck_cur c = ck_cur_of(text);
    for (unsigned line = 1; !ck_cur_end(&c); line++) {
        ck_view v = ck_view_trim(ck_cur_line(&c));
        if (!ck_view_starts(v, CK_V("#")) && memmem(v.p, v.n, word, strlen(word))) {
            *ret = v;
            return line;
        }
    }
    return 0;
}

static bool line_has(ck_view line, const char *word)
{
    return line.n && memmem(line.p, line.n, word, strlen(word));
}

static void check_admission_file(struct ck_ways *w, ck_view flag)
{
    ck_view text, path, line, rest;
    ck_view_split(flag, '=', &path);
    path = ck_view_trim(path);
    path = ck_view_split(ck_view_split(path, '"', &rest), '\'', &rest);
    const char *file = ck_arena_format(w->a, "%.*s", CK_VF(path));
    if (file[0] != '/' || !ck_ways_read(w, file, &text)) {
        ck_way_open(w, file, "the API server's admission configuration is not there");
        return;
    }
    unsigned n = find_line(text, "defaultAllow:", &line);
    if (!n || !line_has(line, "false"))
        ck_way_open(w, n ? ck_where(w, file, n) : file,
                    "defaultAllow is not false: while the gate is away everything is let in");
}

static void check_api_server(struct ck_ways *w)
{
    static const char file[] = "/etc/kubernetes/manifests/kube-apiserver.yaml";
    ck_view text, plugins = CK_V(""), config = CK_V("");
    if (!ck_ways_read(w, file, &text)) {
        ck_way_note(w, file, "no API server runs here: whether webhooks ask the gate is to be "
                             "seen in the "
                             "cluster (kubectl get validatingwebhookconfigurations)");
        return;
    }
    unsigned n = find_line(text, "--enable-admission-plugins", &plugins);
    const char *where = n ? ck_where(w, file, n) : file;
    if (!line_has(plugins, "ImagePolicyWebhook"))
        ck_way_open(w, where, "ImagePolicyWebhook is not enabled: a webhook that is deleted is not "
                              "missed");
    if (!line_has(plugins, "AlwaysPullImages"))
        ck_way_open(w, where, "AlwaysPullImages is not enabled: imagePullPolicy IfNotPresent and "
                              "Never "
                              "run what is on the node, unasked");
    if (find_line(text, "--admission-control-config-file", &config))
        check_admission_file(w, config);
    else
        ck_way_open(w, file, "no --admission-control-config-file: ImagePolicyWebhook has no gate "
                             "to ask");
}

/* "image: x" of a manifest; a static pod passes no admission. */
static void check_static_pod(struct ck_ways *w, const char *file)
{
    ck_view text;
    if (!ck_ways_read(w, file, &text))
        return;
    ck_cur c = ck_cur_of(text);
    for (unsigned line = 1; !ck_cur_end(&c); line++) {
        ck_view v = ck_view_trim(ck_cur_line(&c));
        if (ck_view_starts(v, CK_V("- ")))
            v = ck_view_trim(ck_view_from(v, 2));
        if (ck_view_starts(v, CK_V("image:")))
            ck_way_note(w, ck_where(w, file, line), "a static pod, which passes no admission: %.*s",
                        CK_VF(v));
    }
}

static void check_static_pods(struct ck_ways *w, const char *path)
{
    const char **names = NULL;
    size_t n = 0;
    ck_err *e = ck_place_list(w->o->place, path, w->a, &names, &n);
    if (e)
        ck_way_unreadable(w, path, e);
    for (size_t i = 0; i < n; i++)
        check_static_pod(w, ck_arena_format(w->a, "%s/%s", path, names[i]));
}

static const char *static_pod_path(struct ck_ways *w)
{
    ck_view text, line, rest;
    if (!ck_ways_read(w, "/var/lib/kubelet/config.yaml", &text) ||
        !find_line(text, "staticPodPath:", &line))
        return manifests;
    ck_view_split(line, ':', &rest);
    rest = ck_view_trim(rest);
    while (rest.n && memchr("\"'", rest.p[0], 2))
        rest = ck_view_from(rest, 1);
    while (rest.n && memchr("\"'", rest.p[rest.n - 1], 2))
        rest.n--;
    return rest.n && rest.p[0] == '/' ? ck_arena_format(w->a, "%.*s", CK_VF(rest)) : manifests;
}

static void check_k3s(struct ck_ways *w)
{
    static const char file[] = "/etc/rancher/k3s/registries.yaml";
    static const char conf[] = "/etc/rancher/k3s/config.yaml";
    ck_view text, line;
    if (!ck_place_has(w->o->place, "/etc/rancher/k3s"))
        return;
    if (!ck_ways_read(w, conf, &text) ||
        !find_line(text, "disable-default-registry-endpoint: true", &line))
        ck_way_open(w, file, "k3s asks the registry itself after its mirrors, unless "
                             "disable-default-registry-endpoint is set (%s)", conf);
}

void ck_check_kubernetes(struct ck_ways *w)
{
    check_api_server(w);
    check_static_pods(w, static_pod_path(w));
    check_k3s(w);
    ck_check_firewall(w);
}
