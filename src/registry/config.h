/* Where an image may be fetched from, and with what: registries.conf, certs.d, credentials. These
 * are files of the user or the administrator; the hub reads them before anything foreign arrives.
 */
#ifndef CK_REGISTRY_CONFIG_H
#define CK_REGISTRY_CONFIG_H

#include "base/arena.h"
#include "base/err.h"
#include "image/name.h"

/* One place to ask. All strings live in the arena that the plan was made in. */
struct ck_endpoint {
    const char *host;       /* as in URLs: "registry-1.docker.io", "localhost:5000" */
    const char *repository; /* path at this endpoint: "library/alpine" */
    bool plain_http;        /* may speak plain HTTP, and TLS without verification (insecure =
                               true) */
    bool mirror;            /* not the image's own registry */
    bool configured;        /* registries.conf speaks of it */
    bool stranger;          /* named by somebody who is not trusted with it (source/remote.h):
                               nobody at a private address is asked */
    /* NULL where there are none. An identity token is traded for access tokens (OAuth2 refresh). */
    const char *username, *password, *identity_token;
    const char *bearer;  /* an access token, sent as it is; no token server is asked then */
    ck_view ca;          /* PEM of certs.d/HOST/(*).crt, joined; empty: the system's only */
    ck_view client_cert; /* PEM */
    ck_view client_key;  /* PEM */
};

struct ck_registry_config; /* what was read */

struct ck_registry_paths {
    const char *registries_conf; /* NULL: as podman looks for it, with its .d folders; else this
                                    file and nothing beside it */
    const char *auth_file;       /* NULL: the usual places, in podman's order, then docker's */
    const char *certs_dir;       /* NULL: the usual places */
    const char *short_name_aliases; /* NULL: short-name-aliases.conf where podman keeps it, and
                                       none where registries_conf is given */
};

/* registries.conf(5): $CONTAINERS_REGISTRIES_CONF, else ~/.config/containers/registries.conf, else
 * /etc/containers/registries.conf; then registries.conf.d of /etc and of the user, of the user
 * alone where the user's own registries.conf was read. Version 1 is refused by name. Reads the
 * files of credentials too; the helper programs in them run for each plan. A file that is named by
 * the caller or by the environment must be there. Class USAGE, with file and line. */
CK_MUST ck_err *ck_registry_config_load(const struct ck_registry_paths *p,
                                        struct ck_registry_config **ret);
void ck_registry_config_free(struct ck_registry_config *c);

/* A name without a host ("alpine"): what it may mean, in order: an alias (short-name-aliases.conf,
 * then registries.conf and its drop-ins such as shortnames.conf), else docker.io. Podman's
 * unqualified-search-registries are honoured where they are set: one registry is taken; several
 * are a usage error that lists them, and so are none, in every short-name-mode: nobody is asked
 * here, and trying them in turn would let the first registry answer for the others. The result is
 * fully qualified; host_given and typed stay those of `n`. */
CK_MUST ck_err *ck_registry_expand(const struct ck_registry_config *c, const struct ck_name *n,
                                   struct ck_arena *a, struct ck_name *ret);

struct ck_registry_plan {
    struct ck_endpoint *v; /* mirrors first, then the registry itself (after rewriting) */
    size_t n;
};
/* Longest matching prefix (also "*.example.org"), location rewriting, mirrors with
 * pull-from-mirror and mirror-by-digest-only. A blocked registry is left out of the plan, its
 * mirrors are not (class USAGE if nothing is left: "... is blocked by FILE:LINE").
 * docker.io is asked at registry-1.docker.io. Credentials by the most specific entry
 * (host/namespace/repo before host), from
 *   $REGISTRY_AUTH_FILE alone where it is set, else
 *   ${XDG_RUNTIME_DIR}/containers/auth.json (/run/containers/UID/auth.json),
 *   ${XDG_CONFIG_HOME}/containers/auth.json (~/.config),
 *   ${DOCKER_CONFIG}/config.json (~/.docker);
 * ~/.dockercfg is not read; credHelpers and credsStore run docker-credential-NAME get (the
 * program must be on PATH; its output is capped, it has 30 s). Certificates from the first
 * certs.d/HOST[:PORT] there is of ~/.config/containers, /etc/containers, /etc/docker. Plain HTTP
 * only where insecure = true says so. */
CK_MUST ck_err *ck_registry_plan_for(const struct ck_registry_config *c, const struct ck_name *n,
                                     struct ck_arena *a, struct ck_registry_plan *ret);

#endif
