/* The store: content-addressed blobs in the file system, what is known of them in SQLite, and the
 * log of decisions.
 *
 *   blobs/<algorithm>/<hex>   whole and verified, mode 0444; the layout of an OCI image layout
 *   partial/...               on their way in
 *   leases/...                one locked file a running process: what it needs is not collected
 *   reserve                   room that a gc needs on a full disk
 *   state.db                  images, names, states, leases, the gate's books, the log (SQLite,
 *                             WAL, synchronous=FULL)
 *
 * Any number of processes may use it at once. A blob gets its name after its bytes are on the disk
 * and its digest came out (temp, fsync, rename, fsync of the directory), and a row only after that:
 * a kill or a full disk at any moment leaves nothing half-written under a valid name, and what was
 * acknowledged (the call returned NULL) stays. All calls may be made from any thread.
 */
#ifndef CK_STORE_STORE_H
#define CK_STORE_STORE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "image/digest.h"

struct ck_store;

/* `dir` NULL: $COCKET_STORE, else $XDG_DATA_HOME/cocket/store. Makes it where it is not there
 * (mode 0700). Class OURS; a store of a newer version is refused. */
CK_MUST ck_err *ck_store_open(const char *dir, struct ck_store **ret);
void ck_store_close(struct ck_store *s);
const char *ck_store_dir(const struct ck_store *s);

/* --- leases ----------------------------------------------------------------------------------- */

/* What a process has asked for or brought in stays until its lease ends, or its process does. */
struct ck_lease;
CK_MUST ck_err *ck_lease_new(struct ck_store *s, struct ck_lease **ret);
void ck_lease_end(struct ck_lease *l);

/* --- blobs ------------------------------------------------------------------------------------ */

/* Whether the blob is there, whole; then it is under the lease. *ret_size in bytes; may be NULL. */
CK_MUST ck_err *ck_store_has(struct ck_lease *l, const struct ck_digest *d, uint64_t *ret_size,
                             bool *ret_has);
/* Read-only; the caller closes it. UNAVAILABLE where it is not there. */
CK_MUST ck_err *ck_store_open_blob(struct ck_store *s, const struct ck_digest *d, int *ret_fd,
                                   uint64_t *ret_size);
/* A document at hand (at most DOCUMENT bytes): its digest is computed and must be `d`. */
CK_MUST ck_err *ck_store_put(struct ck_lease *l, const struct ck_digest *d, ck_view bytes);

/* A blob on its way in. The file may hold what an earlier, interrupted try brought: `have` bytes,
 * which nobody has verified; whoever goes on hashes them first. One process at a time has a blob's
 * resumable file; another gets a file of its own, and the first to commit wins. */
struct ck_incoming;
CK_MUST ck_err *ck_incoming_new(struct ck_lease *l, const struct ck_digest *d,
                                struct ck_incoming **ret);
int ck_incoming_fd(const struct ck_incoming *in); /* read and write; stays the store's */
/* A descriptor of its own that can only read; the caller closes it. The other one is handed to no
 * room: what was hashed could be changed through it. */
CK_MUST ck_err *ck_incoming_reader(const struct ck_incoming *in, int *ret_fd);
uint64_t ck_incoming_have(const struct ck_incoming *in);
/* Says that the bytes 0 .. upto-1 are in the file: starts to write them to the disk, so that the
 * fsync of the commit is short. Waits for nothing. */
void ck_incoming_flush_hint(struct ck_incoming *in, uint64_t upto);
/* Cuts the file to nothing: what was there is not what was wanted. */
CK_MUST ck_err *ck_incoming_restart(struct ck_incoming *in);
/* `got` is what the bytes 0 .. size-1 were hashed to: must be the blob's digest (class HOSTILE
 * where it is not; the file is removed). Then fsync, rename, row. Frees `in` in any case. */
CK_MUST ck_err *ck_incoming_commit(struct ck_incoming *in, const struct ck_digest *got,
                                   uint64_t size);
/* Gives up; `keep`: the bytes stay for a later try. Frees `in`. */
void ck_incoming_drop(struct ck_incoming *in, bool keep);

/* --- images ----------------------------------------------------------------------------------- */

enum ck_state_of_image { CK_QUARANTINED, CK_CLEARED, CK_DENIED, CK_STATE_OF_IMAGE_COUNT_ };
const char *ck_state_name(enum ck_state_of_image s); /* "quarantined", "cleared", "denied" */

/* A blob that a manifest names. */
struct ck_store_part {
    struct ck_digest digest;
    uint64_t size;
    ck_view media_type;
    enum ck_part_role { CK_PART_CONFIG, CK_PART_LAYER, CK_PART_MANIFEST } role; /* MANIFEST:
                                                                                   child */
};

/* A manifest or index. */
struct ck_store_image {
    struct ck_digest digest;
    ck_view media_type;
    uint64_t size;      /* of the manifest itself */
    bool index;
    ck_view platform;   /* "linux/amd64"; empty for an index, or where it is not known */
    bool has_subject;   /* a referrer: signature, attestation, SBOM */
    struct ck_digest subject;
    ck_view artifact_type; /* of a referrer, or empty */
    ck_view reason; /* of quarantine, where it is new; empty: "not examined" */
    struct ck_store_part *parts;
    size_t n_parts;
};

/* Records a manifest whose own blob is in the store (ck_store_put). A new one is quarantined with
 * the reason "not examined". `complete`: all parts that are not children must be there (checked in
 * the same transaction; UNAVAILABLE names the first that is not), and from then on it counts as
 * fetched. Known already: its state stays, `complete` may be added. */
CK_MUST ck_err *ck_store_add_image(struct ck_lease *l, const struct ck_store_image *im,
                                   bool complete);

/* "docker.io/library/alpine:3.20" now means this manifest (as an upstream or the user said). What
 * it meant before, if that was another, is in *ret_moved_from. The history of a name is kept. */
CK_MUST ck_err *ck_store_set_name(struct ck_lease *l, ck_view name, const struct ck_digest *d,
                                  bool *ret_moved, struct ck_digest *ret_moved_from);

/* What a listing shows. Views live in the arena given. */
struct ck_store_entry {
    struct ck_store_image image; /* parts only where asked for */
    ck_view *names;
    size_t n_names;
    uint64_t total; /* bytes of all its parts and itself */
    bool complete;
    enum ck_state_of_image state;
    ck_view reason, who; /* who: empty where nobody has decided */
    bool by_person;      /* else by a scan, or by nobody */
    int64_t decided, added; /* seconds since the epoch */
};
/* All images (referrers and children of indexes too, where `all`), by name, then digest. */
CK_MUST ck_err *ck_store_list(struct ck_store *s, bool all, struct ck_arena *a,
                              struct ck_store_entry **ret, size_t *ret_n);
/* By the text of a name (normalised), "sha256:HEX" or at least 6 digits of it. UNAVAILABLE where
 * there is none, USAGE where it means several. With parts. */
CK_MUST ck_err *ck_store_find(struct ck_store *s, ck_view what, struct ck_arena *a,
                              struct ck_store_entry *ret);
CK_MUST ck_err *ck_store_get(struct ck_store *s, const struct ck_digest *d, struct ck_arena *a,
                             struct ck_store_entry *ret, bool *ret_found);
/* As ck_store_find; a name may also be typed short ("alpine:3"), or with "docker://" or "store:" in
 * front. */
CK_MUST ck_err *ck_store_find_typed(struct ck_store *s, ck_view what, struct ck_arena *a,
                                    struct ck_store_entry *ret);
/* Referrers of a manifest. */
CK_MUST ck_err *ck_store_referrers(struct ck_store *s, const struct ck_digest *subject,
                                   struct ck_arena *a, struct ck_store_entry **ret, size_t *ret_n);
/* Every name this store has seen, without tags, each once: for near misses. */
CK_MUST ck_err *ck_store_repositories(struct ck_store *s, struct ck_arena *a, ck_view **ret,
                                      size_t *ret_n);
/* When a name was first seen to mean this digest; 0: never. */
CK_MUST ck_err *ck_store_first_seen(struct ck_store *s, ck_view name, const struct ck_digest *d,
                                    int64_t *ret);

/* --- decisions -------------------------------------------------------------------------------- */

/* What a person has denied stays denied when the image is removed and comes back. */
enum ck_decider { CK_BY_SCAN, CK_BY_PERSON };
/* Sets the state and appends to the log, in one transaction. A scan does not undo a person: it
 * leaves `denied` by a person as it is, and takes back a person's `cleared` only to deny.
 * *ret_state (may be NULL) is what holds afterwards. */
CK_MUST ck_err *ck_store_decide(struct ck_store *s, const struct ck_digest *d,
                                enum ck_state_of_image state, ck_view reason, enum ck_decider by,
                                enum ck_state_of_image *ret_state);

/* The last report of a scan (JSON), kept with the image; replaced by the next one. */
CK_MUST ck_err *ck_store_put_report(struct ck_store *s, const struct ck_digest *d, ck_view json);
CK_MUST ck_err *ck_store_get_report(struct ck_store *s, const struct ck_digest *d,
                                    struct ck_buf *out, bool *ret_found);

/* --- the log ---------------------------------------------------------------------------------- */

/* Append-only. hash = sha256 over the previous record's hash and this one's fields in their
 * canonical encoding (log.c); the first follows 32 zero bytes. */
struct ck_log_record {
    uint64_t number; /* from 1, without gaps */
    int64_t time;
    ck_view who;    /* login name, or uid */
    ck_view event;  /* "fetch", "decide", "load", "force-load", "remove", "import", "moved", ... */
    ck_view digest; /* text, or empty */
    ck_view name;   /* or empty */
    ck_view text;   /* state and reason; what happened */
    uint8_t hash[32];
};
/* For events that change no state here (load, export, unpack). `digest` may be NULL. */
CK_MUST ck_err *ck_log_append(struct ck_store *s, ck_view event, const struct ck_digest *digest,
                              ck_view name, ck_view text);
/* The number of the last record; 0 where there is none. */
CK_MUST ck_err *ck_log_last(struct ck_store *s, uint64_t *ret);
CK_MUST ck_err *ck_log_read(struct ck_store *s, uint64_t from,
                            ck_err *(*each)(void *ctx, const struct ck_log_record *r), void *ctx);
/* A page of it, newest first, and how many fit in all. Empty views, NULL: any. It costs what fits,
 * not what there is. */
struct ck_log_filter {
    ck_view event, or_event; /* either, where both are given */
    ck_view who;
    const struct ck_digest *digest;
    ck_view bound; /* pages.h: only what is about images that the reader may see */
    size_t from, max; /* at most PAGE_ROWS */
};
CK_MUST ck_err *ck_log_page(struct ck_store *s, const struct ck_log_filter *f, struct ck_arena *a,
                            struct ck_log_record **ret, size_t *ret_n, uint64_t *ret_total);
/* Recomputes the chain. Class HOSTILE names the first record that does not fit. *ret_n, *ret_head:
 * how many, and the last hash (to be noted down elsewhere: a chain that is cut off at its end is
 * still a chain). */
CK_MUST ck_err *ck_log_verify(struct ck_store *s, uint64_t *ret_n, uint8_t ret_head[32]);

/* --- the gate's books ------------------------------------------------------------------------- */

/* Repositories below this host hold what was pushed here: what is linked to one stays, and a tag of
 * one is set when its image is linked. What is linked to any other can be had again: gc asks for
 * names only. */
#define CK_STORE_HOSTED "gate.internal"

/* A manifest was had, or pushed, through this repository ("docker.io/library/debian"). What a
 * repository serves is what is linked to it, and the children of linked indexes. UNAVAILABLE where
 * it is no image of the store. */
CK_MUST ck_err *ck_store_link(struct ck_lease *l, ck_view repository, const struct ck_digest *d);
/* Whether the repository has it: linked, or the child of what is. */
CK_MUST ck_err *ck_store_linked(struct ck_store *s, ck_view repository, const struct ck_digest *d,
                                bool *ret);
/* The manifests of the repository (linked, or children of linked ones) that have this blob as
 * config or layer, and whose parts are all there: each must be judged. Cleared and new ones first,
 * at most REPOSITORY_IMAGES. */
CK_MUST ck_err *ck_store_reaching(struct ck_store *s, ck_view repository,
                                  const struct ck_digest *blob, struct ck_arena *a,
                                  struct ck_digest **ret, size_t *ret_n);
/* DELETE of a manifest: the link and all tags of it in the repository. Logged. *ret_was. */
CK_MUST ck_err *ck_store_unlink(struct ck_store *s, ck_view repository, const struct ck_digest *d,
                                bool *ret_was);
/* Tags of a repository, sorted bytewise, behind `last`, at most max; *ret_more (never where max is
 * 0). */
CK_MUST ck_err *ck_store_tags(struct ck_store *s, ck_view repository, ck_view last, size_t max,
                              struct ck_arena *a, ck_view **ret, size_t *ret_n, bool *ret_more);
/* The repository's tags that mean this manifest, or an index that leads to it; sorted. */
CK_MUST ck_err *ck_store_tags_of(struct ck_store *s, ck_view repository, const struct ck_digest *d,
                                 struct ck_arena *a, ck_view **ret, size_t *ret_n);
/* Repositories that anything is linked to, the same way. */
CK_MUST ck_err *ck_store_linked_repositories(struct ck_store *s, ck_view last, size_t max,
                                             struct ck_arena *a, ck_view **ret, size_t *ret_n,
                                             bool *ret_more);
/* Images by what container runtimes call their id: the digest of the config or of the manifest, or
 * how it begins (1 to 64 digits of hex, of sha256). At most 64. */
CK_MUST ck_err *ck_store_by_id(struct ck_store *s, ck_view hex, struct ck_arena *a,
                               struct ck_digest **ret, size_t *ret_n);
/* What a name means, as last seen. since: when it came to mean it; checked: when the upstream was
 * last asked (ck_store_set_name). */
struct ck_store_name {
    struct ck_digest digest;
    int64_t since, checked, first_seen; /* first_seen: of this digest under this name */
    int64_t moved; /* when it came from another digest to this one; 0: it never meant another */
};
CK_MUST ck_err *ck_store_name_of(struct ck_store *s, ck_view name, struct ck_store_name *ret,
                                 bool *ret_found);
/* Changes whenever another connection has written; for those who keep answers. */
CK_MUST ck_err *ck_store_version(struct ck_store *s, int64_t *ret);

/* What a policy asks of an image (policy/facts.h's bytes), the ids of what was found (with
 * aliases), and the ChainID of all its layers ("sha256:...", or empty). Replaced as a whole. */
CK_MUST ck_err *ck_store_put_facts(struct ck_store *s, const struct ck_digest *d, ck_view facts,
                                   const ck_view *ids, size_t n_ids, ck_view chain);
CK_MUST ck_err *ck_store_get_facts(struct ck_store *s, const struct ck_digest *d,
                                   struct ck_buf *out, bool *ret_found);
/* Images that have the id among their findings. */
CK_MUST ck_err *ck_store_having(struct ck_store *s, ck_view id, struct ck_arena *a,
                                struct ck_digest **ret, size_t *ret_n);
/* Repositories (of names and links) of images the ChainID of all whose layers is one of
 * these, sorted. */
CK_MUST ck_err *ck_store_bases(struct ck_store *s, const ck_view *chains, size_t n,
                               struct ck_arena *a, ck_view **ret, size_t *ret_n);

/* Who pulled what. The same pull (who, client, name, digest) within a minute is one line with a
 * count. Not in the hash chain: a pull decides nothing. What is older than the last PULLS lines
 * goes. */
struct ck_pull {
    int64_t time; /* of the first */
    ck_view who, client, agent, name; /* name with tag or digest, as asked */
    struct ck_digest digest;
    uint64_t count;
    enum ck_pull_result { CK_PULL_SERVED, CK_PULL_DENIED, CK_PULL_RESULT_COUNT_ } result;
};
CK_MUST ck_err *ck_store_add_pulls(struct ck_store *s, const struct ck_pull *pulls, size_t n);
struct ck_pull_filter {
    const struct ck_digest *digest; /* or NULL */
    ck_view who, name;              /* or empty; name: a repository, or with tag or digest */
    int64_t since;
    size_t max; /* newest first; 0: all */
};
CK_MUST ck_err *ck_store_pulls(struct ck_store *s, const struct ck_pull_filter *f,
                               ck_err *(*each)(void *ctx, const struct ck_pull *p), void *ctx);

/* A person's release, where more than one is wanted: notes it (once for each `who`; NULL: the login
 * name) and logs it; *ret_persons: how many have. ck_store_decide follows when they are enough. A
 * denial forgets them; they go with the image. */
CK_MUST ck_err *ck_store_approve(struct ck_store *s, const struct ck_digest *d, const char *who,
                                 ck_view reason, unsigned *ret_persons);
CK_MUST ck_err *ck_store_approvals(struct ck_store *s, const struct ck_digest *d,
                                   unsigned *ret_persons);
/* As ck_store_decide and ck_log_append, for somebody else than the login name (a user of the gate;
 * NULL: the login name). */
CK_MUST ck_err *ck_store_decide_as(struct ck_store *s, const char *who, const struct ck_digest *d,
                                   enum ck_state_of_image state, ck_view reason,
                                   enum ck_decider by, enum ck_state_of_image *ret_state);
CK_MUST ck_err *ck_log_append_as(struct ck_store *s, const char *who, ck_view event,
                                 const struct ck_digest *digest, ck_view name, ck_view text);

/* Users, robots and their tokens. What is stored are hashes. Changes are logged. A user's tokens go
 * with the user. */
struct ck_user {
    ck_view name; /* 1 to 64 of [a-z0-9._-]; a robot's begins with "robot-" */
    bool robot;
    uint32_t roles;      /* serve/wire.h: CK_ROLE_* */
    ck_view repository;  /* pattern that push and pull are bound to ("hosted/team/" and a star);
                            empty: all */
    ck_view password;    /* its hash (gateway/password.h), or empty: none */
    int64_t expires;     /* 0: never */
    bool disabled;
};
/* "pull,push,release,admin": the bits of CK_ROLE_* from the lowest. Class USAGE names the word that
 * is none of them; in `a`. */
CK_MUST ck_err *ck_roles_parse(ck_view words, uint32_t *ret);
const char *ck_roles_text(uint32_t roles, struct ck_arena *a);

CK_MUST ck_err *ck_store_put_user(struct ck_store *s, const struct ck_user *u);
CK_MUST ck_err *ck_store_get_user(struct ck_store *s, ck_view name, struct ck_arena *a,
                                  struct ck_user *ret, bool *ret_found);
CK_MUST ck_err *ck_store_list_users(struct ck_store *s, struct ck_arena *a, struct ck_user **ret,
                                    size_t *ret_n);
CK_MUST ck_err *ck_store_remove_user(struct ck_store *s, ck_view name, bool *ret_was);
/* A token is a secret of 32 random bytes; the store knows its SHA-256 only. */
CK_MUST ck_err *ck_store_put_token(struct ck_store *s, const uint8_t hash[32], ck_view user,
                                   uint32_t roles, int64_t expires);
CK_MUST ck_err *ck_store_get_token(struct ck_store *s, const uint8_t hash[32], struct ck_arena *a,
                                   ck_view *ret_user, uint32_t *ret_roles, int64_t *ret_expires,
                                   bool *ret_found);
/* Of a user, or of all that are expired (user empty). */
CK_MUST ck_err *ck_store_drop_tokens(struct ck_store *s, ck_view user);

/* A blob that is pushed: its digest is known at its end only. Whoever writes hashes too. */
CK_MUST ck_err *ck_incoming_anonymous(struct ck_lease *l, struct ck_incoming **ret);
/* As ck_incoming_commit, under the digest that came out. Frees `in` in any case. */
CK_MUST ck_err *ck_incoming_commit_as(struct ck_incoming *in, const struct ck_digest *d,
                                      uint64_t size);

/* --- keeping house ---------------------------------------------------------------------------- */

/* Takes away an image's names, or one name. The bytes go with the next gc, unless something else
 * needs them. Logged. */
CK_MUST ck_err *ck_store_remove(struct ck_store *s, const struct ck_digest *d, ck_view name);

/* Deletes what no name, no image that has one (its children, parts, referrers) and no lease needs,
 * and partial files older than a day that nobody has locked. `dry`: only counts. */
struct ck_gc_result {
    uint64_t images, blobs, bytes, partials;
};
CK_MUST ck_err *ck_store_gc(struct ck_store *s, bool dry, struct ck_gc_result *ret);

/* Reads everything and checks it: every blob's digest and size, that every complete image has its
 * parts, that no name leads nowhere, the log's chain, SQLite's own integrity check. `problem` is
 * called with one line for each thing wrong. Leftovers (partials, blobs without a row) are none.
 * `quick`: does not hash the blobs. */
struct ck_fsck_result {
    uint64_t images, blobs, bytes, problems, leftovers;
};
CK_MUST ck_err *ck_store_fsck(struct ck_store *s, bool quick,
                              void (*problem)(void *ctx, const char *text),
                              void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
                              struct ck_fsck_result *ret);

#endif
