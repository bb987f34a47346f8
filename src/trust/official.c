#include "trust/look.h"
#include "trust/near_miss.h"

static const char *const official[] = {
#define X(name) name,
#include "trust/official.inc"
#undef X
    NULL,
};
enum { OFFICIAL = sizeof official / sizeof *official - 1 };

/* Projects that publish the official image, or its previews, under their own name as well. Every
 * other NAME/NAME is somebody who took the name of an official image. */
static const char *const twins[] = {
    "arangodb", "composer", "crate", "emqx", "jenkins", "kong", "liquibase", "orientdb",
    "rockylinux", "traefik",
};

static const char *const hosts[] = {
    "docker.io", "registry-1.docker.io", "registry.hub.docker.com", "registry.docker.com",
    "docker.pkg.github.com", "ghcr.io",
    "gcr.io", "us.gcr.io", "eu.gcr.io", "asia.gcr.io", "mirror.gcr.io", "marketplace.gcr.io",
    "k8s.gcr.io", "registry.k8s.io", "staging-k8s.gcr.io",
    "us-docker.pkg.dev", "europe-docker.pkg.dev", "asia-docker.pkg.dev",
    "mcr.microsoft.com", "public.ecr.aws",
    "quay.io", "registry.redhat.io", "registry.access.redhat.com", "registry.connect.redhat.com",
    "registry.ci.openshift.org", "registry.fedoraproject.org", "registry.centos.org",
    "registry.suse.com", "registry.suse.de", "registry.opensuse.org",
    "container-registry.oracle.com", "registry.gitlab.com", "docker.elastic.co",
    "nvcr.io", "lscr.io", "icr.io", "us.icr.io", "uk.icr.io", "de.icr.io", "cp.icr.io", "cgr.dev",
    "dhi.io", "codeberg.org", "registry.ollama.ai", "releases-docker.jfrog.io",
    "xpkg.upbound.io", "cr.fluentbit.io", "docker.n8n.io", "projects.registry.vmware.com",
    "registry.digitalocean.com", "registry.heroku.com", "registry.fly.io",
    NULL,
};

const char *const *ck_official_names(void) { return official; }
const char *const *ck_known_hosts(void) { return hosts; }

bool ck_official_twin(ck_view publisher)
{
    for (size_t i = 0; i < sizeof twins / sizeof *twins; i++)
        if (ck_view_eq(publisher, ck_view_str(twins[i])))
            return true;
    return false;
}

bool ck_name_is_official(ck_view path)
{
    size_t lo = 0, hi = OFFICIAL;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = ck_view_cmp(path, ck_view_str(official[mid]));
        if (c == 0)
            return true;
        if (c < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return false;
}
