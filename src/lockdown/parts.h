/* What the files of lockdown/ share. */
#ifndef CK_LOCKDOWN_PARTS_H
#define CK_LOCKDOWN_PARTS_H

#include "lockdown/lockdown.h"
#include "registry/toml.h"

#include <jansson.h>
#include <stdarg.h>

const char *ck_vtext(struct ck_arena *a, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* --- settings --------------------------------------------------------------------------------- */

/* The file as the machine has it now; empty where it has none. */
CK_MUST ck_err *ck_settings_now(struct ck_settings *s, const char *path, ck_view *ret,
                                bool *ret_there);
/* A file to be `content`, whatever it was. */
CK_MUST ck_err *ck_settings_add(struct ck_settings *s, const char *path, ck_view content,
                                const char *why);
void ck_settings_advise(struct ck_settings *s, const char *fmt, ...) CK_PRINTF(2, 3);
/* The gate's CA to `path`, where it has one of its own. */
CK_MUST ck_err *ck_settings_add_ca(struct ck_settings *s, const char *path);

CK_MUST ck_err *ck_settings_docker(struct ck_settings *s);
CK_MUST ck_err *ck_settings_podman(struct ck_settings *s);
CK_MUST ck_err *ck_settings_containerd(struct ck_settings *s);
CK_MUST ck_err *ck_settings_crio(struct ck_settings *s);
CK_MUST ck_err *ck_settings_kubernetes(struct ck_settings *s);
CK_MUST ck_err *ck_settings_firewall(struct ck_settings *s);
/* hosts.toml of one registry. */
CK_MUST ck_err *ck_settings_host(struct ck_settings *s, const char *dir, const char *name);
/* hosts.toml that leads all of a directory's registries to the gate. */
CK_MUST ck_err *ck_settings_hosts(struct ck_settings *s, const char *dir);

extern const char ck_verifier_conf[];  /* "/etc/cocket/verifier.conf" */
extern const char ck_verifier_dir[];   /* containerd's default bin_dir */
extern const char ck_verifier_name[];  /* of the file in it */
extern const char ck_docker_plugin[];  /* name of Docker's authorization plugin */
extern const char ck_firewall_conf[];  /* "/etc/cocket/lockdown.nft" */

/* --- TOML that is changed in place ------------------------------------------------------------ */

/* The text with `key = value` in the table `path` (NULL-terminated names); value is TOML. All
 * other lines stay. Class USAGE, with file and line, where that cannot be done safely: the result
 * is parsed again. */
CK_MUST ck_err *ck_toml_put(ck_view text, const char *name, const char *const *path,
                            const char *key, const char *value, struct ck_arena *a, ck_view *ret);
/* A table by its path; NULL where there is none. */
const struct ck_toml *ck_toml_at(const struct ck_toml *root, const char *const *path);
/* A TOML string. */
const char *ck_toml_quote(const char *text, struct ck_arena *a);

/* --- ways ------------------------------------------------------------------------------------- */

void ck_way_open(struct ck_ways *w, const char *where, const char *fmt, ...) CK_PRINTF(3, 4);
void ck_way_note(struct ck_ways *w, const char *where, const char *fmt, ...) CK_PRINTF(3, 4);
/* "FILE:LINE" */
const char *ck_where(struct ck_ways *w, const char *file, unsigned line);
/* `e`, which it takes over, is a way. */
void ck_way_unreadable(struct ck_ways *w, const char *where, ck_err *e);

/* False, and a way where it cannot be read, where there is no such file. */
bool ck_ways_read(struct ck_ways *w, const char *path, ck_view *ret);
/* The same, parsed; NULL. */
const struct ck_toml *ck_ways_toml(struct ck_ways *w, const char *path);
/* The caller decrefs; NULL. An empty file counts as absent. */
json_t *ck_ways_json(struct ck_ways *w, const char *path);

/* Whether a place in a registry ("host/path") is the gate's, or a URL leads to it. */
bool ck_is_at_gate(const struct ck_gate *g, ck_view location);
bool ck_is_gate_url(const struct ck_gate *g, ck_view url);

void ck_check_docker(struct ck_ways *w);
void ck_check_podman(struct ck_ways *w);
void ck_check_containerd(struct ck_ways *w);
void ck_check_crio(struct ck_ways *w);
void ck_check_kubernetes(struct ck_ways *w);
/* A directory of hosts.toml files; `consequence` is what a registry without one does. */
void ck_check_hosts(struct ck_ways *w, const char *dir);
/* registries.conf and policy.json, which CRI-O shares. */
void ck_check_registries_conf(struct ck_ways *w);
void ck_check_policy_json(struct ck_ways *w, const char *path);
void ck_check_firewall(struct ck_ways *w);
/* Calls `each` for the home of every user that the machine's files show: "/root", "/home/x". */
void ck_ways_homes(struct ck_ways *w, void (*each)(struct ck_ways *w, const char *home));

#endif
