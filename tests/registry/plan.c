/* Prints what is planned for names of images, without secrets: one line of JSON for each.
 *
 *   registry_plan NAME...         with the files that the environment names
 *   registry_plan --toml FILE...  what the reader of TOML makes of the files
 *
 * {"name": "docker.io/library/alpine:latest", "ask": [{"host", "repository", "insecure", "mirror",
 *  "user", "token", "ca", "client"}]} or {"error": "..."}
 */
#include "base/file.h"
#include "base/text.h"
#include "registry/config.h"
#include "registry/toml.h"

#include <stdio.h>
#include <stdlib.h>

static void put_str(struct ck_buf *b, const char *key, const char *value)
{
    ck_buf_format(b, "\"%s\": ", key);
    if (value)
        ck_buf_json_str(b, ck_view_str(value));
    else
        ck_buf_format(b, "null");
}

static const char *json_bool(bool yes) { return yes ? "true" : "false"; }

static void put_endpoint(struct ck_buf *b, const struct ck_endpoint *e)
{
    ck_buf_format(b, "{");
    put_str(b, "host", e->host);
    ck_buf_format(b, ", ");
    put_str(b, "repository", e->repository);
    ck_buf_format(b, ", \"insecure\": %s, \"mirror\": %s, ", json_bool(e->plain_http),
                  json_bool(e->mirror));
    put_str(b, "user", e->username);
    ck_buf_format(b, ", \"password\": %s, \"token\": %s, \"ca\": %zu, \"client\": %s}",
                  json_bool(e->password), json_bool(e->identity_token), e->ca.n,
                  json_bool(e->client_cert.n && e->client_key.n));
}

static ck_err *plan(const struct ck_registry_config *c, const char *text, struct ck_buf *b)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_name typed, n;
    struct ck_registry_plan p;
    CK_TRY(ck_name_parse(ck_view_str(text), &a, &typed));
    CK_TRY(ck_registry_expand(c, &typed, &a, &n));
    CK_TRY(ck_registry_plan_for(c, &n, &a, &p));
    ck_buf_format(b, "{");
    put_str(b, "name", ck_name_text(&n, &a));
    ck_buf_format(b, ", \"ask\": [");
    for (size_t i = 0; i < p.n; i++) {
        ck_buf_format(b, "%s", i ? ", " : "");
        put_endpoint(b, &p.v[i]);
    }
    ck_buf_format(b, "]}");
    return NULL;
}

static void put_toml(struct ck_buf *b, const struct ck_toml *v)
{
    bool table = v->kind == CK_TOML_TABLE;
    if (v->kind == CK_TOML_STRING) {
        ck_buf_json_str(b, v->text);
    } else if (v->kind == CK_TOML_INTEGER) {
        ck_buf_format(b, "%lld", (long long)v->integer);
    } else if (v->kind == CK_TOML_BOOLEAN) {
        ck_buf_format(b, "%s", json_bool(v->boolean));
    } else {
        ck_buf_format(b, "%s", table ? "{" : "[");
        for (const struct ck_toml *m = v->first; m; m = m->next) {
            if (table) {
                ck_buf_json_str(b, m->key);
                ck_buf_format(b, ": ");
            }
            put_toml(b, m);
            ck_buf_format(b, "%s", m->next ? ", " : "");
        }
        ck_buf_format(b, "%s", table ? "}" : "]");
    }
}

static ck_err *toml(const char *path, struct ck_buf *b)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf bytes = ck_buf_new(CK_LIMIT_CONFIG_FILE);
    struct ck_toml *root;
    CK_TRY(ck_file_read(path, &bytes));
    CK_TRY(ck_toml_parse(ck_buf_view(&bytes), path, &a, &root));
    put_toml(b, root);
    return NULL;
}

/* One line, whatever came out. */
static void print(struct ck_buf *b, ck_err *e)
{
    if (e) {
        ck_buf_clear(b);
        ck_buf_format(b, "{");
        put_str(b, "error", ck_err_text(e));
        ck_buf_format(b, ", \"status\": %d}", ck_err_exit_status(e));
        ck_err_free(e);
    }
    printf("%.*s\n", (int)b->n, (const char *)b->p);
    ck_buf_clear(b);
}

int main(int argc, char **argv)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_registry_config *c = NULL;
    if (argc > 1 && strcmp(argv[1], "--toml") == 0) {
        for (int i = 2; i < argc; i++)
            print(&b, toml(argv[i], &b));
        return 0;
    }
    ck_err *e = ck_registry_config_load(&(struct ck_registry_paths){ 0 }, &c);
    if (e) {
        print(&b, e);
        return 1;
    }
    for (int i = 1; i < argc; i++)
        print(&b, plan(c, argv[i], &b));
    ck_registry_config_free(c);
    return 0;
}
