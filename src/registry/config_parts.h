/* What was read of the user's and the administrator's files. Shared by the files of registry/ that
 * implement config.h.
 */
#ifndef CK_REGISTRY_CONFIG_PARTS_H
#define CK_REGISTRY_CONFIG_PARTS_H

#include "base/arena.h"
#include "base/buf.h"
#include "registry/config.h"

/* Where something was said. */
struct ck_said {
    const char *file;
    unsigned line;
};

struct ck_words_list { /* strings of an array */
    ck_view *v;
    size_t n;
    bool given; /* an empty array is not the same as none */
    struct ck_said at;
};

enum ck_mirror_use { CK_MIRROR_ALL, CK_MIRROR_DIGEST_ONLY, CK_MIRROR_TAG_ONLY };

struct ck_mirror {
    ck_view location;
    bool insecure;
    enum ck_mirror_use use;
};

struct ck_entry { /* [[registry]] */
    struct ck_entry *next;
    ck_view prefix, location; /* location may be empty below "*." */
    bool insecure, blocked, by_digest_only;
    struct ck_mirror *mirrors;
    size_t mirror_count;
    unsigned file_number; /* of the file it stands in, in the order of reading */
    struct ck_said at;
};

struct ck_alias {
    struct ck_alias *next;
    ck_view name, value; /* value empty: erased */
    struct ck_said at;
};

struct ck_auth_entry {
    struct ck_auth_entry *next;
    ck_view key; /* as written */
    const char *username, *password, *identity_token;
};

struct ck_auth_helper {
    struct ck_auth_helper *next;
    ck_view host, program; /* "secretservice" */
};

struct ck_auth_file {
    struct ck_auth_file *next;
    const char *path;
    struct ck_auth_entry *entries;
    struct ck_auth_helper *helpers;
    ck_view store; /* credsStore, or empty */
};

struct ck_registry_config {
    struct ck_arena a;
    unsigned file_count;
    struct ck_entry *entries;
    struct ck_words_list search;  /* unqualified-search-registries */
    struct ck_words_list helpers; /* credential-helpers */
    struct ck_alias *aliases;     /* of registries.conf and its drop-ins */
    struct ck_alias *recorded;    /* of short-name-aliases.conf, which podman writes */
    struct ck_auth_file *auth;
    const char *certs_dir; /* NULL: the usual places */
};

/* The content of one registries.conf or drop-in; adds to `c` and overrides what earlier files said.
 * `file` lives as long as `c`. */
CK_MUST ck_err *ck_registries_conf_read(struct ck_registry_config *c, const char *file,
                                        ck_view bytes);
/* The content of short-name-aliases.conf. */
CK_MUST ck_err *ck_recorded_aliases_read(struct ck_registry_config *c, const char *file,
                                         ck_view bytes);

/* The entry with the longest prefix of "host/path", or NULL. */
const struct ck_entry *ck_entry_find(const struct ck_registry_config *c, ck_view repository);
/* Bytes of `repository` that the prefix matches; false where it does not. */
bool ck_prefix_match(ck_view repository, ck_view prefix, size_t *ret_length);

/* One auth.json or config.json; the last one asked. Texts of errors hold no secret. */
CK_MUST ck_err *ck_auth_file_read(struct ck_registry_config *c, const char *path, ck_view bytes);
/* Fills username, password, identity_token of `e` for "host/path" as it is called in the files,
 * from the files or from helper programs. */
CK_MUST ck_err *ck_credentials_find(const struct ck_registry_config *c, ck_view host,
                                    ck_view repository, struct ck_arena *a,
                                    struct ck_endpoint *e);

/* What `docker-credential-PROGRAM get` says of a server; *ret_found false where it has nothing. */
CK_MUST ck_err *ck_helper_get(ck_view program, ck_view server, struct ck_arena *a,
                              struct ck_auth_entry *ret, bool *ret_found);
/* What a helper printed. */
CK_MUST ck_err *ck_helper_answer(ck_view json, const char *program, struct ck_arena *a,
                                 struct ck_auth_entry *ret);

/* Fills ca, client_cert and client_key of `e` for a host[:port]. */
CK_MUST ck_err *ck_certs_find(const struct ck_registry_config *c, ck_view host,
                              struct ck_arena *a, struct ck_endpoint *e);

/* The sorted names in a directory that end in `suffix`, in `a`; none where there is no such
 * directory. */
CK_MUST ck_err *ck_list_dir(const char *dir, const char *suffix, struct ck_arena *a,
                            const char ***ret, size_t *ret_n);
/* A file of settings, whole. *ret_there false where it does not exist. Class USAGE. */
CK_MUST ck_err *ck_settings_read(const char *path, struct ck_buf *out, bool *ret_there);
/* "<dir>/<name>" in `a` with an absolute dir from the environment; NULL where it has none. */
const char *ck_env_path(const char *variable, const char *name, struct ck_arena *a);

#endif
