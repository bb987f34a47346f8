/* The gate: the hub's side of `cocket serve`. It starts the serve room, answers what that asks,
 * fetches, scans and judges what was not seen before, and takes in what is pushed.
 */
#ifndef CK_GATEWAY_GATEWAY_H
#define CK_GATEWAY_GATEWAY_H

#include "base/err.h"
#include "notify/notify.h"
#include "scan/scan.h"
#include "serve/wire.h"

struct ck_gateway_listener {
    const char *address; /* "127.0.0.1:5000", "[::1]:0", "*:5000", "unix:/run/x.sock", "fd:3" */
    struct ck_wire_listener kind;
};

/* Plain HTTP listens on the loopback only (class USAGE), unless insecure_http. */
struct ck_gateway_options {
    const struct ck_gateway_listener *listeners;
    size_t n_listeners; /* those that systemd has opened come on top */
    const char *certificate, *key; /* files, PEM; read again on SIGHUP */
    const char *url;               /* NULL: from the first listener */
    const char *policy;            /* file; NULL: as ck_policy_load */
    const char *db;                /* NULL: the default one; read again when it is another file */
    const char *hosted;            /* first component of what is pushed here; NULL: "hosted" */
    const char *const *upstreams;  /* the only registries that may be asked; n 0: any that is
                                      public */
    size_t n_upstreams;
    const char *const *harbor_registries; /* HOST[:PORT] that Harbor may have scanned from */
    size_t n_harbor_registries;
    bool anonymous_pull, insecure_http, head_deny_405;
    const char *const *unjudged; /* hosted repositories that are served without a verdict: names, or
                                    beginnings with a star behind */
    size_t n_unjudged;
    bool immutable_tags; /* a tag of the hosted area is never moved or deleted */
    unsigned wait_ms;    /* how long a first pull may wait; 0: 60,000 */
    unsigned tag_ms;     /* how long a tag's digest is believed without asking; 0: 60,000 */
    unsigned watch_ms;   /* feeds, stored images and tags are looked at again so often; 0: only
                            stored images, and only when the database is another one */
    unsigned jobs;       /* fetches and scans at the same time; 0: 2 */
    unsigned connections, connections_per_client, requests_per_second;
    unsigned drain_seconds;
    const char *platforms; /* "linux/amd64,linux/arm64": judged when an index is first pulled;
                              NULL: the host's */
    struct ck_notify_options notify; /* how patient; the rest is filled in */
    struct ck_scan_options scan; /* store, remote, no_sandbox, max_size */
    int log_fd;                  /* structured lines go here; -1: none */
    bool log_text;               /* as text for people, not as JSON */
};

/* Runs until SIGTERM or SIGINT (then drains), and reloads on SIGHUP. */
CK_MUST ck_err *ck_gateway_run(const struct ck_gateway_options *o);

#endif
