/* The settings that make a runtime pull from the gate and from nowhere else, and the search for
 * ways around it in the settings that a machine has.
 *
 * What each runtime does with its files is in the files of this folder that bear its name.
 */
#ifndef CK_LOCKDOWN_LOCKDOWN_H
#define CK_LOCKDOWN_LOCKDOWN_H

#include "base/arena.h"
#include "base/mem.h"
#include "lockdown/place.h"

enum ck_runtime {
    CK_RUNTIME_DOCKER,
    CK_RUNTIME_PODMAN, /* buildah and skopeo too */
    CK_RUNTIME_CONTAINERD,
    CK_RUNTIME_CRIO,
    CK_RUNTIME_KUBERNETES,
    CK_RUNTIME_COUNT_
};
const char *ck_runtime_name(enum ck_runtime r);
bool ck_runtime_parse(const char *name, enum ck_runtime *ret);
/* Whether the machine has it. */
bool ck_runtime_is_there(const struct ck_place *p, enum ck_runtime r);

/* dockerd's two stores of images: they obey different files. */
enum ck_docker_store { CK_DOCKER_UNKNOWN, CK_DOCKER_GRAPHDRIVER, CK_DOCKER_CONTAINERD };

struct ck_gate {
    const char *host; /* "gate.example:5443": as in names of images */
    bool plain_http;  /* class USAGE but on the loopback */
    ck_view ca;       /* PEM; empty: the system's CAs vouch for the gate */
};

struct ck_lockdown {
    struct ck_gate gate;
    const char *const *registries; /* upstreams that the gate stands for: "docker.io" */
    size_t n_registries;
    const struct ck_place *place;
    enum ck_docker_store docker;
    const char *program; /* cocket, as the image verifier is to run it */
    bool allow_archives; /* podman load and its like stay usable (cocket load needs that) */
    bool replace;        /* files that are not understood are replaced rather than refused */
    /* Namespaces that admission is not asked about. */
    const char *const *excluded;
    size_t n_excluded;
};

extern const char *const ck_default_registries[]; /* NULL-terminated */
extern const size_t ck_default_registry_count;

/* "HOST[:PORT]" or a URL of it; fills host and plain_http (by "http://"). Class USAGE. */
CK_MUST ck_err *ck_gate_parse(const char *text, struct ck_arena *a, struct ck_gate *ret);
/* "https://gate.example:5443" */
const char *ck_gate_url(const struct ck_gate *g, struct ck_arena *a);
bool ck_gate_is_loopback(const struct ck_gate *g);

/* --- what is to be set ------------------------------------------------------------------------ */

struct ck_setting {
    const char *path; /* below the root */
    const char *why;
    ck_view old, content;
    bool there;
    unsigned mode;
    bool no_backup_beside; /* the directory's every file is executed */
};

struct ck_settings {
    struct ck_arena *a;
    const struct ck_lockdown *o;
    CK_VEC(struct ck_setting) files;
    CK_VEC(const char *) advice; /* what files alone do not do; paragraphs */
};
#define ck_autosettings __attribute__((cleanup(ck_settings_free)))
void ck_settings_free(struct ck_settings *s);

/* Adds the files of one runtime as they must be, with what the machine has as `old`. Class USAGE
 * where a file cannot be changed safely. */
CK_MUST ck_err *ck_lockdown_settings(enum ck_runtime r, struct ck_settings *s);

/* Files and advice as text. */
void ck_settings_print(const struct ck_settings *s, struct ck_buf *out);
/* What would change, as unified diffs. */
void ck_settings_diff(const struct ck_settings *s, struct ck_buf *out);
/* Writes what differs, each file atomically, after a copy NAME.cocket-backup-N of what was there;
 * says in `out` what was done. */
CK_MUST ck_err *ck_settings_write(const struct ck_settings *s, struct ck_buf *out);

/* One hunk from the first to the last line that differ; empty where none does. */
void ck_diff(const char *path, ck_view old, ck_view new, struct ck_buf *out);

/* --- what is open ----------------------------------------------------------------------------- */

struct ck_way {
    enum ck_runtime runtime;
    bool open;         /* else a remark: what no file shows, or only a person can judge */
    const char *where; /* "FILE:LINE", "FILE: key", a command */
    const char *what;
};

struct ck_ways {
    struct ck_arena *a;
    const struct ck_lockdown *o;
    enum ck_runtime runtime; /* that is looked at now */
    CK_VEC(struct ck_way) list;
    size_t n_open;
};
#define ck_autoways __attribute__((cleanup(ck_ways_free)))
void ck_ways_free(struct ck_ways *w);

/* Looks through the files of one runtime. A file that cannot be read or parsed is a way. */
void ck_lockdown_check(enum ck_runtime r, struct ck_ways *w);
/* Tries to pull `image` with the clients that this machine has, each for at most `seconds`. */
void ck_lockdown_probe(enum ck_runtime r, const char *image, unsigned seconds, struct ck_ways *w);
void ck_ways_print(const struct ck_ways *w, struct ck_buf *out);

#endif
