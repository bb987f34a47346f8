/* auth.json and docker's config.json (containers-auth.json(5)). No text of an error here holds what
 * stands in them but the names of hosts. */
#include "base/base64.h"
#include "base/mem.h"
#include "base/text.h"
#include "image/json.h"
#include "registry/config_parts.h"

#include <stdlib.h>

/* --- reading ---------------------------------------------------------------------------------- */

/* jansson quotes the text that it stumbles over, which may be a secret. */
static ck_err *load_json(ck_view bytes, const char *name, struct ck_json *ret)
{
    ck_err *e = ck_json_load(bytes, name, ret);
    if (!e || ck_err_class(e) == CK_ERR_LIMIT)
        return e;
    ck_err_free(e);
    return ck_err_new(CK_ERR_USAGE, "%s: no valid JSON, or a key that stands twice", name);
}

/* What the user's own files say wrong is a slip of the user. */
static ck_err *own(ck_err *e)
{
    return e && ck_err_class(e) == CK_ERR_HOSTILE ? ck_err_reclass(e, CK_ERR_USAGE) : e;
}

static ck_err *get_text(const struct ck_json *object, const char *key, struct ck_arena *a,
                        const char **ret)
{
    struct ck_json j = ck_json_member(object, key);
    ck_view v;
    CK_TRY(ck_json_string_opt(&j, CK_LIMIT_TOKEN, a, &v));
    *ret = v.n ? (const char *)v.p : NULL;
    return NULL;
}

/* "user:password"; podman fills up with NULs. Without a colon it is none, as for docker. */
static ck_err *split_auth(const struct ck_json *j, ck_view plain, struct ck_arena *a,
                          struct ck_auth_entry *e)
{
    while (plain.n && plain.p[plain.n - 1] == 0)
        plain.n--;
    size_t colon = ck_view_find(plain, ':');
    if (ck_view_find(plain, 0) < plain.n)
        return ck_json_refuse(j, CK_ERR_USAGE, "a NUL in it");
    if (colon == plain.n)
        return NULL;
    e->username = (const char *)ck_arena_dup(a, ck_view_head(plain, colon)).p;
    e->password = (const char *)ck_arena_dup(a, ck_view_from(plain, colon + 1)).p;
    return NULL;
}

static ck_err *read_entry(const struct ck_json *j, struct ck_arena *a, struct ck_auth_entry *e)
{
    static const char *const known[] = { "auth", "identitytoken", "username", "password", NULL };
    const char *auth = NULL;
    ck_view plain = CK_V("");
    if (!j->v)
        return NULL;
    CK_TRY(ck_json_object(j, known));
    CK_TRY(get_text(j, "username", a, &e->username));
    CK_TRY(get_text(j, "password", a, &e->password));
    CK_TRY(get_text(j, "identitytoken", a, &e->identity_token));
    CK_TRY(get_text(j, "auth", a, &auth));
    struct ck_json place = ck_json_member(j, "auth");
    if (auth && !ck_base64_decode(ck_view_str(auth), true, a, &plain))
        return ck_json_refuse(&place, CK_ERR_USAGE, "no base64");
    CK_TRY(split_auth(&place, plain, a, e));
    if (!e->username || !e->password)
        e->username = e->password = NULL;
    return NULL;
}

static ck_err *read_entries(const struct ck_json *top, struct ck_arena *a, struct ck_auth_file *f)
{
    struct ck_json auths = ck_json_member(top, "auths");
    struct ck_auth_entry **at = &f->entries;
    const char *key;
    json_t *value;
    CK_TRY(ck_json_map(&auths));
    json_object_foreach(auths.v, key, value) {
        struct ck_json j = ck_json_member(&auths, key);
        struct ck_auth_entry *e = ck_arena_alloc(a, 1, sizeof *e);
        CK_TRY(read_entry(&j, a, e));
        e->key = ck_arena_dup(a, ck_view_str(key));
        *at = e;
        at = &e->next;
    }
    return NULL;
}

static ck_err *read_helpers(const struct ck_json *top, struct ck_arena *a, struct ck_auth_file *f)
{
    struct ck_json helpers = ck_json_member(top, "credHelpers");
    struct ck_auth_helper **at = &f->helpers;
    const char *key;
    json_t *value;
    CK_TRY(ck_json_map(&helpers));
    json_object_foreach(helpers.v, key, value) {
        struct ck_json j = ck_json_member(&helpers, key);
        struct ck_auth_helper *h = ck_arena_alloc(a, 1, sizeof *h);
        CK_TRY(ck_json_string(&j, CK_LIMIT_FIELD, a, &h->program));
        h->host = ck_arena_dup(a, ck_view_str(key));
        *at = h;
        at = &h->next;
    }
    return NULL;
}

static ck_err *read_file(const struct ck_json *top, struct ck_arena *a, struct ck_auth_file *f)
{
    static const char *const known[] = { "auths", "credHelpers", "credsStore", NULL };
    CK_TRY(ck_json_object(top, known));
    CK_TRY(read_entries(top, a, f));
    CK_TRY(read_helpers(top, a, f));
    struct ck_json store = ck_json_member(top, "credsStore");
    return ck_json_string_opt(&store, CK_LIMIT_FIELD, a, &f->store);
}

ck_err *ck_auth_file_read(struct ck_registry_config *c, const char *path, ck_view bytes)
{
    ck_autojson struct ck_json top = { 0 };
    struct ck_auth_file *f = ck_arena_alloc(&c->a, 1, sizeof *f), **at = &c->auth;
    f->path = path;
    CK_TRY(load_json(bytes, path, &top));
    CK_TRY(own(read_file(&top, &c->a, f)));
    while (*at)
        at = &(*at)->next;
    *at = f;
    return NULL;
}

/* --- what a helper says ----------------------------------------------------------------------- */

static ck_err *read_answer(const struct ck_json *top, struct ck_arena *a, struct ck_auth_entry *ret)
{
    static const char *const known[] = { "Username", "Secret", "ServerURL", NULL };
    CK_TRY(ck_json_object(top, known));
    CK_TRY(get_text(top, "Username", a, &ret->username));
    CK_TRY(get_text(top, "Secret", a, &ret->password));
    if (!ret->password)
        return ck_json_refuse(top, CK_ERR_UNAVAILABLE, "no secret in its answer");
    if (ret->username && strcmp(ret->username, "<token>") == 0) {
        ret->identity_token = ret->password;
        ret->username = ret->password = NULL;
    } else if (!ret->username) {
        ret->username = "";
    }
    return NULL;
}

ck_err *ck_helper_answer(ck_view json, const char *program, struct ck_arena *a,
                         struct ck_auth_entry *ret)
{
    ck_autojson struct ck_json top = { 0 };
    struct ck_auth_entry e = { 0 };
    ck_err *bad = load_json(json, program, &top);
    if (bad) {
        ck_err_free(bad);
        return ck_err_new(CK_ERR_UNAVAILABLE, "%s: its answer is no valid JSON", program);
    }
    ck_err *wrong = read_answer(&top, a, &e);
    if (wrong)
        return ck_err_reclass(wrong, CK_ERR_UNAVAILABLE);
    *ret = e;
    return NULL;
}

/* --- finding ---------------------------------------------------------------------------------- */

static bool is_empty(const struct ck_auth_entry *e)
{
    return !e->username && !e->password && !e->identity_token;
}

/* Docker Hub has three names. */
static ck_view one_name(ck_view host)
{
    if (ck_view_eq(host, CK_V("docker.io")) || ck_view_eq(host, CK_V("registry-1.docker.io")))
        return CK_V("index.docker.io");
    return host;
}

/* docker login once wrote URLs: "https://registry.example/v1/". */
static ck_view host_of_key(ck_view key)
{
    static const char *const schemes[] = { "http://", "https://" };
    ck_view path;
    for (size_t i = 0; i < 2; i++) {
        ck_view scheme = ck_view_str(schemes[i]);
        if (ck_view_starts(key, scheme))
            return one_name(ck_view_split(ck_view_from(key, scheme.n), '/', &path));
    }
    return one_name(key);
}

static const struct ck_auth_entry *exact(const struct ck_auth_file *f, ck_view key)
{
    const struct ck_auth_entry *e = f->entries;
    while (e && !ck_view_eq(e->key, key))
        e = e->next;
    return e;
}

/* The repository, the namespaces above it, the host; then the host in other spellings. */
static const struct ck_auth_entry *find_entry(const struct ck_auth_file *f, ck_view host,
                                              ck_view repository)
{
    for (ck_view key = repository;; key.n--) {
        bool whole = key.n == repository.n || repository.p[key.n] == '/';
        const struct ck_auth_entry *e = whole ? exact(f, key) : NULL;
        if (e)
            return e;
        if (key.n <= host.n)
            break;
    }
    const struct ck_auth_entry *e = f->entries;
    while (e && !ck_view_eq(host_of_key(e->key), one_name(host)))
        e = e->next;
    return e;
}

static const char hub_server[] = "https://index.docker.io/v1/";

static bool is_hub(ck_view host) { return ck_view_eq(one_name(host), CK_V("index.docker.io")); }

/* A helper for this host; *ret_server is what it is asked for. */
static const struct ck_auth_helper *find_helper(const struct ck_auth_file *f, ck_view host,
                                                ck_view *ret_server)
{
    for (const struct ck_auth_helper *h = f->helpers; h; h = h->next) {
        if (!ck_view_eq(h->host, host) && !(is_hub(host) && is_hub(host_of_key(h->host))))
            continue;
        *ret_server = h->host;
        return h;
    }
    return NULL;
}

static ck_err *ask_store(const struct ck_auth_file *f, ck_view host, struct ck_arena *a,
                         struct ck_auth_entry *ret)
{
    bool found = false;
    if (f->store.n == 0)
        return NULL;
    if (is_hub(host))
        host = ck_view_str(hub_server);
    return ck_helper_get(f->store, host, a, ret, &found);
}

static ck_err *find_in_file(const struct ck_auth_file *f, ck_view host, ck_view repository,
                            struct ck_arena *a, struct ck_auth_entry *ret)
{
    ck_view server;
    bool found = false;
    const struct ck_auth_helper *h = find_helper(f, host, &server);
    if (h)
        return ck_helper_get(h->program, server, a, ret, &found);
    const struct ck_auth_entry *e = find_entry(f, host, repository);
    if (e && !is_empty(e)) {
        *ret = *e;
        return NULL;
    }
    return ask_store(f, host, a, ret); /* docker leaves empty entries for what its store holds */
}

static ck_err *find_in_files(const struct ck_registry_config *c, ck_view host, ck_view repository,
                             struct ck_arena *a, struct ck_auth_entry *ret)
{
    for (const struct ck_auth_file *f = c->auth; f && is_empty(ret); f = f->next)
        CK_TRY_WRAP(find_in_file(f, host, repository, a, ret), "%s", f->path);
    return NULL;
}

/* credential-helpers of registries.conf: programs, and one word that stands for the files. */
static ck_err *find(const struct ck_registry_config *c, ck_view host, ck_view repository,
                    struct ck_arena *a, struct ck_auth_entry *ret)
{
    bool found = false;
    if (c->helpers.n == 0)
        return find_in_files(c, host, repository, a, ret);
    for (size_t i = 0; i < c->helpers.n && is_empty(ret); i++) {
        if (ck_view_eq(c->helpers.v[i], CK_V("containers-auth.json")))
            CK_TRY(find_in_files(c, host, repository, a, ret));
        else
            CK_TRY_WRAP(ck_helper_get(c->helpers.v[i], host, a, ret, &found), "%s:%u",
                        c->helpers.at.file, c->helpers.at.line);
    }
    return NULL;
}

static const char *copy(struct ck_arena *a, const char *s)
{
    return s ? (const char *)ck_arena_dup(a, ck_view_str(s)).p : NULL;
}

ck_err *ck_credentials_find(const struct ck_registry_config *c, ck_view host, ck_view repository,
                            struct ck_arena *a, struct ck_endpoint *e)
{
    struct ck_auth_entry found = { 0 };
    CK_TRY(find(c, host, repository, a, &found));
    e->username = copy(a, found.username);
    e->password = copy(a, found.password);
    e->identity_token = copy(a, found.identity_token);
    return NULL;
}
