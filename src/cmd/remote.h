/* The options that all verbs have which ask a registry: --store, --allow-private, --max-size,
 * --refetch, --authfile, --cert-dir, --registries-conf.
 */
#ifndef CK_CMD_REMOTE_H
#define CK_CMD_REMOTE_H

#include "source/remote.h"

struct ck_remote_args {
    const char *store;
    struct ck_remote_options remote;
    uint64_t max_size;
    bool refetch;
};

enum ck_remote_opt {
    CK_OPT_STORE = 512, CK_OPT_ALLOW_PRIVATE, CK_OPT_MAX_SIZE, CK_OPT_REFETCH, CK_OPT_AUTHFILE,
    CK_OPT_CERT_DIR, CK_OPT_REGISTRIES_CONF,
};
/* For a table of struct option: of whoever asks a registry, and of whoever fetches from one. */
#define CK_ENDPOINT_OPTIONS                                             \
    { "allow-private", no_argument, NULL, CK_OPT_ALLOW_PRIVATE },       \
    { "authfile", required_argument, NULL, CK_OPT_AUTHFILE },           \
    { "cert-dir", required_argument, NULL, CK_OPT_CERT_DIR },           \
    { "registries-conf", required_argument, NULL, CK_OPT_REGISTRIES_CONF }
#define CK_REMOTE_OPTIONS                                               \
    { "store", required_argument, NULL, CK_OPT_STORE },                 \
    { "max-size", required_argument, NULL, CK_OPT_MAX_SIZE },           \
    { "refetch", no_argument, NULL, CK_OPT_REFETCH },                   \
    CK_ENDPOINT_OPTIONS

/* Takes an option of those above (its argument in optarg); *ret_taken is false for others. */
CK_MUST ck_err *ck_remote_args_take(struct ck_remote_args *a, int opt, bool *ret_taken);

/* "500", "20M", "1.5GiB" as bytes: K, M, G, T are powers of 1024. Class USAGE. */
CK_MUST ck_err *ck_size_parse(const char *text, uint64_t *ret);

#endif
