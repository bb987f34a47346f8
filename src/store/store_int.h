/* Shared by the files of store/ only: the connection, statements, transactions, the directories. */
#ifndef CK_STORE_STORE_INT_H
#define CK_STORE_STORE_INT_H

#include "store/inventory.h"

#include <pthread.h>
#include <sqlite3.h>
#include <sys/stat.h>

enum { CK_STATEMENTS = 320, CK_BUSY_MS = 30000 };

struct ck_store {
    char *dir;
    char *who; /* login name, or uid */
    int blobs[CK_DIGEST_ALGORITHM_COUNT_], partial, leases; /* directories */
    sqlite3 *db;
    /* Held by every call for as long as it uses the connection: a transaction belongs to one. */
    pthread_mutex_t mutex;
    bool relaxed; /* this transaction need not outlive the machine */
    struct {
        const char *sql; /* the literal itself is the key */
        sqlite3_stmt *st;
    } cache[CK_STATEMENTS];
};

struct ck_lease {
    struct ck_store *s;
    int64_t id;
    int fd; /* locked as long as it lives */
    char *file;
};

/* --- transactions ----------------------------------------------------------------------------- */

/* Each takes the mutex, which ck_tx_end gives back. What fails inside is rolled back as a whole. */
CK_MUST ck_err *ck_tx_write(struct ck_store *s);
/* As ck_tx_write, but not synced: for what dies with the machine anyway (leases). */
CK_MUST ck_err *ck_tx_write_relaxed(struct ck_store *s);
/* One snapshot for several queries. */
CK_MUST ck_err *ck_tx_read(struct ck_store *s);
/* Commits, or rolls back where `e` is one, and hands it on. */
CK_MUST ck_err *ck_tx_end(struct ck_store *s, ck_err *e);
void ck_tx_drop(struct ck_store *s); /* rolls back */

/* --- statements ------------------------------------------------------------------------------- */

/* One use of a statement. `sql` must be a literal. Values are bound from left to right; columns are
 * views that live until the next step. Inside a transaction only. */
struct ck_query {
    struct ck_store *s;
    sqlite3_stmt *st;
    int bound;
    bool own; /* the prepared one was in use */
};
CK_MUST ck_err *ck_query_new(struct ck_store *s, const char *sql, struct ck_query *ret);
void ck_query_end(struct ck_query *q);
#define ck_autoquery __attribute__((cleanup(ck_query_end)))

void ck_bind_text(struct ck_query *q, ck_view v);
void ck_bind_blob(struct ck_query *q, ck_view v);
void ck_bind_int(struct ck_query *q, int64_t x);
void ck_bind_digest(struct ck_query *q, const struct ck_digest *d); /* NULL: null */

CK_MUST ck_err *ck_query_step(struct ck_query *q, bool *ret_row);
/* Runs to the end; no rows are wanted. */
CK_MUST ck_err *ck_query_run(struct ck_query *q);
/* The first column of the only row. */
CK_MUST ck_err *ck_query_count(struct ck_query *q, uint64_t *ret);
/* The first column, integers, of at most `max` rows; the statement ends with LIMIT ? OFFSET ?. */
CK_MUST ck_err *ck_query_page(struct ck_query *q, uint64_t from, size_t max, int64_t *ret,
                              size_t *ret_n);
/* The number of a text in a table that numbers texts: `find` asks for it (0 or no row: there is
 * none), `make` inserts it; both have one place for it. */
CK_MUST ck_err *ck_number_of(struct ck_store *s, const char *find, const char *make, ck_view text,
                             int64_t *ret);

ck_view ck_column_text(struct ck_query *q, int i);
int64_t ck_column_int(struct ck_query *q, int i);
bool ck_column_null(struct ck_query *q, int i);
/* OURS where it is none: the database was changed by somebody else. */
CK_MUST ck_err *ck_column_digest(struct ck_query *q, int i, struct ck_digest *ret);

/* The first column of every row, copied into the arena. `max` and no more: *ret_more says whether
 * there was another (may be NULL where all are wanted; max then is SIZE_MAX). */
CK_MUST ck_err *ck_query_texts(struct ck_query *q, size_t max, struct ck_arena *a, ck_view **ret,
                               size_t *ret_n, bool *ret_more);
CK_MUST ck_err *ck_query_digests(struct ck_query *q, struct ck_arena *a, struct ck_digest **ret,
                                 size_t *ret_n);

/* What SQLite says, class OURS. */
CK_MUST ck_err *ck_sql_error(struct ck_store *s, const char *doing);

/* --- files ------------------------------------------------------------------------------------ */

/* The name of a blob in its directory. */
const char *ck_blob_file(const struct ck_digest *d, char out[CK_DIGEST_TEXT]);
/* Whether the file is there, regular and of that size. */
bool ck_blob_there(struct ck_store *s, const struct ck_digest *d, uint64_t size);
/* Whether the name still leads to the open file. */
bool ck_same_file(int dir, const char *name, int fd);
/* Room on the disk that nobody uses, so that what gives room back can be written on a full one.
 * Made where it is missing and there is room; taken: true if there was some. */
void ck_reserve_make(struct ck_store *s);
bool ck_reserve_take(struct ck_store *s);
/* A name of `prefix` and 16 random digits. free() */
char *ck_random_name(const char *prefix);

/* --- inside a transaction --------------------------------------------------------------------- */

CK_MUST ck_err *ck_blob_row(struct ck_store *s, const struct ck_digest *d, uint64_t *ret_size,
                            bool *ret_found);
CK_MUST ck_err *ck_lease_add(struct ck_lease *l, const struct ck_digest *d);
/* Gives a whole, synced file its name and its row. */
CK_MUST ck_err *ck_blob_publish(struct ck_lease *l, const char *partial,
                                const struct ck_digest *d, uint64_t size);
CK_MUST ck_err *ck_log_add(struct ck_store *s, ck_view event, const struct ck_digest *digest,
                           ck_view name, ck_view text);
struct ck_log_record;
CK_MUST ck_err *ck_log_record_of(struct ck_store *s, int64_t number, struct ck_arena *a,
                                 struct ck_log_record *ret);
/* `who` NULL: the login name. */
CK_MUST ck_err *ck_log_add_as(struct ck_store *s, const char *who, ck_view event,
                              const struct ck_digest *digest, ck_view name, ck_view text);
/* UNAVAILABLE where it is none of the store. */
CK_MUST ck_err *ck_image_known(struct ck_store *s, const struct ck_digest *d);
CK_MUST ck_err *ck_approvals_forget(struct ck_store *s, const struct ck_digest *d);
/* "docker.io/library/alpine:3@sha256:..." -> "docker.io/library/alpine" */
ck_view ck_repository_of(ck_view name);
/* Numbers of ids, for as long as a transaction lasts: looked up once for many images. */
struct ck_known_ids {
    struct ck_known_id {
        ck_view id;
        int64_t number; /* 0: the slot is empty */
    } *slots;
    size_t size, n;
    struct ck_arena arena;
};
void ck_known_ids_free(struct ck_known_ids *k);
struct ck_facts_row {
    const struct ck_digest *image;
    ck_view facts;
    const ck_view *ids;
    size_t n_ids;
    ck_view chain;
};
/* As ck_store_put_facts; `known` may be NULL. Only ids that differ are written. */
CK_MUST ck_err *ck_facts_put(struct ck_store *s, const struct ck_facts_row *v,
                             struct ck_known_ids *known);
/* The numbers in facts_bytes.ids, sorted, each once. OURS where they are damaged. */
CK_MUST ck_err *ck_ids_decode(ck_view text, struct ck_arena *a, int64_t **ret, size_t *ret_n);
/* These facts no longer have the id. */
CK_MUST ck_err *ck_unfind(struct ck_store *s, int64_t id, int64_t facts);
/* As ck_store_put_summary, ck_store_decide by a scan. */
CK_MUST ck_err *ck_summary_put(struct ck_store *s, const struct ck_digest *d,
                               const struct ck_store_summary *v);
CK_MUST ck_err *ck_summary_drop(struct ck_store *s, const struct ck_digest *d);
CK_MUST ck_err *ck_decide_by_scan(struct ck_store *s, const struct ck_digest *d,
                                  enum ck_state_of_image state, ck_view reason);
/* All that `place` has to hold: image, name, repository, via. */
#define CK_PLACES_SQL                                                                            \
    "WITH RECURSIVE below(top, d) AS (SELECT digest, digest FROM name UNION SELECT digest, digest" \
    " FROM link UNION SELECT below.top, part.digest FROM below JOIN part ON part.image=below.d"    \
    " AND part.role=2),"                                                                          \
    " leads(top, image) AS (SELECT top, number FROM below JOIN listing ON listing.image=d)"        \
    " SELECT leads.image, name.name, repository.number AS repository, name.digest AS via"          \
    " FROM name JOIN seen"                                                                        \
    " ON seen.name=name.name AND seen.digest=name.digest JOIN repository"                          \
    " ON repository.name=seen.repository JOIN leads ON top=name.digest"                            \
    " UNION ALL SELECT leads.image, '', repository.number, link.digest FROM link JOIN repository"  \
    " ON repository.name=link.repository JOIN leads ON top=link.digest"

/* Listings hear that a name or link is new, or a manifest with its parts (places.c). */
CK_MUST ck_err *ck_place_named(struct ck_store *s, ck_view name, const struct ck_digest *d);
CK_MUST ck_err *ck_place_linked(struct ck_store *s, ck_view repository, const struct ck_digest *d);
CK_MUST ck_err *ck_place_added(struct ck_store *s, const struct ck_digest *d);
CK_MUST ck_err *ck_events_add(struct ck_store *s, const struct ck_event *v, size_t n);
/* A person decided; a scan left it to a person. */
CK_MUST ck_err *ck_event_of_person(struct ck_store *s, const char *who, const struct ck_digest *d,
                                   enum ck_state_of_image state, ck_view reason);
CK_MUST ck_err *ck_event_of_quarantine(struct ck_store *s, const struct ck_digest *d,
                                       ck_view reason);
/* Ends the leases of processes that are gone. */
CK_MUST ck_err *ck_leases_reap(struct ck_store *s);

/* --- items of an inventory (items.c) ---------------------------------------------------------- */

struct ck_item {
    int64_t package; /* its number */
    uint32_t layer;
    ck_view location;
};
void ck_items_encode(const struct ck_item *v, size_t n, struct ck_buf *out);
/* Locations are copied into `a`. OURS where they are damaged. */
CK_MUST ck_err *ck_items_decode(ck_view bytes, struct ck_arena *a, struct ck_item **ret,
                                size_t *ret_n);
/* Enters the inventories that wait for it into the index (holders.c); if they are many. */
CK_MUST ck_err *ck_index_all(struct ck_store *s);
CK_MUST ck_err *ck_index_some(struct ck_store *s);
/* The inventory no longer holds the package; what nobody holds goes. None may wait. */
CK_MUST ck_err *ck_unhold(struct ck_store *s, int64_t package, int64_t inventory);

#endif
