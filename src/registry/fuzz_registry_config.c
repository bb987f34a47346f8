/* registries.conf, auth.json and the answer of a helper, and plans made of them. */
#include "registry/config_parts.h"

#include <stdlib.h>

static bool accepts(ck_err *e)
{
    bool yes = !e;
    ck_err_free(e);
    return yes;
}

static void check_plan(const struct ck_registry_plan *p)
{
    if (p->n == 0)
        abort();
    for (size_t i = 0; i < p->n; i++) {
        const struct ck_endpoint *e = &p->v[i];
        if (!*e->host || !*e->repository || strchr(e->host, '/') || strchr(e->host, '@'))
            abort();
        if (!e->mirror && i + 1 != p->n)
            abort();
    }
}

static void plan(const struct ck_registry_config *c, const char *text)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_name typed, n;
    struct ck_registry_plan p;
    if (!accepts(ck_name_parse(ck_view_str(text), &a, &typed)))
        abort();
    if (accepts(ck_registry_expand(c, &typed, &a, &n)) &&
        accepts(ck_registry_plan_for(c, &n, &a, &p)))
        check_plan(&p);
}

/* No programs are run: an input that names one is passed over. */
static bool runs_programs(const struct ck_registry_config *c)
{
    for (const struct ck_auth_file *f = c->auth; f; f = f->next)
        if (f->helpers || f->store.n)
            return true;
    return c->helpers.n > 0;
}

static void read_all(struct ck_registry_config *c, ck_view conf, ck_view rest)
{
    ck_view auth;
    ck_view drop_in = ck_view_split(rest, 0, &auth);
    if (!accepts(ck_registries_conf_read(c, "a.conf", conf)) ||
        !accepts(ck_registries_conf_read(c, "b.conf", drop_in)) ||
        !accepts(ck_recorded_aliases_read(c, "c.conf", drop_in)) ||
        !(auth.n == 0 || accepts(ck_auth_file_read(c, "auth.json", auth))) || runs_programs(c))
        return;
    plan(c, "alpine");
    plan(c, "a.example.com/x:1");
    plan(c, "docker.io/library/alpine@sha256:"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_registry_config *c = calloc(1, sizeof *c);
    struct ck_auth_entry e;
    ck_view v = ck_view_of(data, size), rest;
    if (!c)
        abort();
    c->certs_dir = "/nonexistent";
    ck_view conf = ck_view_split(v, 0, &rest);
    read_all(c, conf, rest);
    if (accepts(ck_helper_answer(v, "docker-credential-x", &a, &e)) && !e.password &&
        !e.identity_token)
        abort();
    ck_registry_config_free(c);
    return 0;
}
