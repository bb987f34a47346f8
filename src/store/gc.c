/* Removing names, and collecting what nothing needs.
 *
 * Rows go first, in one transaction; files go afterwards, each while the write lock is held and
 * only if no row names it: what is killed in between leaves files without rows, which the next gc
 * takes. Whoever asks for a blob after its row has gone is told that it is not there, fetches it,
 * and his commit gives it its name again, under the same lock.
 */
#include "store/store_int.h"

#include "base/mem.h"
#include "base/text.h"
#include "base/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

/* --- names ------------------------------------------------------------------------------------ */

static ck_err *delete_name(struct ck_store *s, const struct ck_digest *d, ck_view name,
                           bool *ret_gone)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "DELETE FROM name WHERE digest=?1 AND name=?2", &q));
    ck_bind_digest(&q, d);
    ck_bind_text(&q, name);
    CK_TRY(ck_query_run(&q));
    *ret_gone = sqlite3_changes(s->db) > 0;
    return *ret_gone ? ck_log_add(s, CK_V("remove"), d, name, CK_V("")) : NULL;
}

static ck_err *next_name(struct ck_store *s, const struct ck_digest *d, char **ret)
{
    ck_autoquery struct ck_query q = { 0 };
    bool row = false;
    CK_TRY(ck_query_new(s, "SELECT name FROM name WHERE digest=? ORDER BY name LIMIT 1", &q));
    ck_bind_digest(&q, d);
    CK_TRY(ck_query_step(&q, &row));
    if (row) {
        ck_view v = ck_column_text(&q, 0);
        *ret = ck_strndup(v.p, v.n);
    }
    return NULL;
}

static ck_err *remove_names(struct ck_store *s, const struct ck_digest *d, ck_view name)
{
    char text[CK_DIGEST_TEXT];
    size_t n = 0;
    for (bool gone = true; gone;) {
        ck_autofree char *next = NULL;
        gone = false;
        if (name.n == 0)
            CK_TRY(next_name(s, d, &next));
        if (name.n || next)
            CK_TRY(delete_name(s, d, next ? ck_view_str(next) : name, &gone));
        n += gone;
    }
    if (n == 0)
        return ck_err_new(CK_ERR_UNAVAILABLE, "%s has no %sname%s%.*s", ck_digest_text(d, text),
                          name.n ? "" : "more ", name.n ? " " : "", CK_VF(name));
    return NULL;
}

static ck_err *remove_alone(struct ck_store *s, const struct ck_digest *d, ck_view name)
{
    CK_TRY(ck_tx_write(s));
    return ck_tx_end(s, remove_names(s, d, name));
}

/* What failed on our side is worth a second try where room could be made for it. */
static bool try_again(struct ck_store *s, ck_err **e)
{
    if (!*e || ck_err_class(*e) != CK_ERR_OURS || !ck_reserve_take(s))
        return false;
    ck_err_free(*e);
    *e = NULL;
    return true;
}

ck_err *ck_store_remove(struct ck_store *s, const struct ck_digest *d, ck_view name)
{
    ck_err *e = remove_alone(s, d, name);
    return try_again(s, &e) ? remove_alone(s, d, name) : e;
}

/* --- rows ------------------------------------------------------------------------------------- */

static ck_err *run(struct ck_store *s, const char *sql)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, sql, &q));
    return ck_query_run(&q);
}

static ck_err *count(struct ck_store *s, const char *sql, uint64_t *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, sql, &q));
    return ck_query_count(&q, ret);
}

/* From names, leases and what was pushed here down to parts and children, and back up from what
 * refers to them. A link to an upstream's repository keeps nothing: it can be had again. */
static ck_err *mark(struct ck_store *s)
{
    CK_TRY(run(s, "DELETE FROM keep"));
    return run(s, "INSERT INTO keep WITH RECURSIVE need(d) AS (SELECT digest FROM name"
                  " UNION SELECT digest FROM leased"
                  " UNION SELECT digest FROM link WHERE repository>='" CK_STORE_HOSTED "/'"
                  " AND repository<'" CK_STORE_HOSTED "0'"
                  " UNION SELECT part.digest FROM need JOIN part ON part.image=need.d"
                  " UNION SELECT image.digest FROM need JOIN image ON image.subject=need.d)"
                  " SELECT d FROM need");
}

static ck_err *count_garbage(struct ck_store *s, struct ck_gc_result *r)
{
    CK_TRY(count(s, "SELECT count(*) FROM image WHERE digest NOT IN (SELECT digest FROM keep)",
                 &r->images));
    CK_TRY(count(s, "SELECT count(*) FROM blob WHERE digest NOT IN (SELECT digest FROM keep)",
                 &r->blobs));
    return count(s, "SELECT coalesce(sum(size),0) FROM blob WHERE digest NOT IN"
                    " (SELECT digest FROM keep)", &r->bytes);
}

static ck_err *log_gc(struct ck_store *s, const struct ck_gc_result *r)
{
    if (r->images == 0)
        return NULL;
    ck_autofree char *text = ck_format("%llu images, %llu blobs", (unsigned long long)r->images,
                                       (unsigned long long)r->blobs);
    return ck_log_add(s, CK_V("collect"), NULL, CK_V(""), ck_view_str(text));
}

static ck_err *delete_rows(struct ck_store *s, bool dry, struct ck_gc_result *r)
{
    CK_TRY(ck_leases_reap(s));
    CK_TRY(mark(s));
    CK_TRY(count_garbage(s, r));
    if (dry || r->images + r->blobs == 0)
        return NULL;
    CK_TRY(log_gc(s, r));
    CK_TRY(run(s, "DELETE FROM image WHERE digest NOT IN (SELECT digest FROM keep)"));
    return run(s, "DELETE FROM blob WHERE digest NOT IN (SELECT digest FROM keep)");
}

/* --- what rows have left behind --------------------------------------------------------------- */

/* One after another in one transaction, up to so many steps. */
enum { STEPS = 10000 };

static ck_err *delete_left(struct ck_store *s, const char *sql, int64_t number)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, sql, &q));
    ck_bind_int(&q, number);
    return ck_query_run(&q);
}

/* The next that is left: its number, and its items or ids as they were written. */
static ck_err *next_left(struct ck_store *s, const char *sql, struct ck_arena *a,
                         int64_t *ret_number, ck_view *ret, bool *ret_found)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, sql, &q));
    CK_TRY(ck_query_step(&q, ret_found));
    if (!*ret_found)
        return NULL;
    *ret_number = ck_column_int(&q, 0);
    *ret = ck_arena_dup(a, ck_column_text(&q, 1));
    return NULL;
}

static ck_err *take_items(struct ck_store *s, size_t *done, bool *ret_more)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_item *v = NULL;
    ck_view bytes;
    size_t n = 0;
    int64_t number = 0;
    CK_TRY(next_left(s, "SELECT inventory, items FROM left_items LIMIT 1", &a, &number, &bytes,
                     ret_more));
    if (!*ret_more)
        return NULL;
    CK_TRY(ck_items_decode(bytes, &a, &v, &n));
    for (size_t i = 0; i < n; i++)
        CK_TRY(ck_unhold(s, v[i].package, number));
    *done += n + 1;
    return delete_left(s, "DELETE FROM left_items WHERE inventory=?", number);
}

static ck_err *take_ids(struct ck_store *s, size_t *done, bool *ret_more)
{
    ck_autoarena struct ck_arena a = { 0 };
    int64_t *v = NULL, number = 0;
    ck_view text;
    size_t n = 0;
    CK_TRY(next_left(s, "SELECT facts, ids FROM left_ids LIMIT 1", &a, &number, &text, ret_more));
    if (!*ret_more)
        return NULL;
    CK_TRY(ck_ids_decode(text, &a, &v, &n));
    for (size_t i = 0; i < n; i++)
        CK_TRY(ck_unfind(s, v[i], number));
    *done += n + 1;
    return delete_left(s, "DELETE FROM left_ids WHERE facts=?", number);
}

static ck_err *take_some(struct ck_store *s, bool *ret_more)
{
    size_t done = 0;
    bool items = true, ids = true;
    CK_TRY(ck_index_all(s));
    while ((items || ids) && done < STEPS) {
        CK_TRY(take_items(s, &done, &items));
        CK_TRY(take_ids(s, &done, &ids));
    }
    *ret_more = items || ids;
    return NULL;
}

static ck_err *take_unused(struct ck_store *s)
{
    CK_TRY(run(s, "DELETE FROM vulnerability WHERE images=0"));
    return run(s, "DELETE FROM repository WHERE NOT EXISTS (SELECT 1 FROM place WHERE"
                  " place.repository=repository.number)");
}

static ck_err *take_all_left(struct ck_store *s)
{
    for (bool more = true; more;) {
        CK_TRY(ck_tx_write_relaxed(s));
        CK_TRY(ck_tx_end(s, take_some(s, &more)));
    }
    CK_TRY(ck_tx_write_relaxed(s));
    return ck_tx_end(s, take_unused(s));
}

/* --- files ------------------------------------------------------------------------------------ */

struct sweep {
    struct ck_store *s;
    enum ck_digest_algorithm alg;
    bool dry;
    CK_VEC(char *) names;     /* of blobs without a row, as far as was seen */
    uint64_t blobs, bytes;    /* of those that were without one */
    uint64_t partials, partial_bytes;
};

static ck_err *without_row(struct sweep *w, const char *name, bool *ret)
{
    struct ck_digest d = { .alg = w->alg };
    uint64_t size = 0;
    bool found = false;
    *ret = false;
    if (!ck_unhex(ck_view_str(name), d.bytes, ck_digest_size(w->alg)))
        return NULL; /* not ours */
    CK_TRY(ck_blob_row(w->s, &d, &size, &found));
    *ret = !found;
    return NULL;
}

static ck_err *see_blob(void *ctx, int dir, const char *name)
{
    struct sweep *w = ctx;
    (void)dir;
    bool lost = false;
    CK_TRY(without_row(w, name, &lost));
    if (lost)
        *ck_push(&w->names) = ck_strndup(name, strlen(name));
    return NULL;
}

static ck_err *see_blobs(struct sweep *w)
{
    CK_TRY(ck_tx_read(w->s));
    return ck_tx_end(w->s, ck_tree_each(w->s->blobs[w->alg], see_blob, w));
}

/* Inside a write transaction: nobody is between a file and its row. */
static ck_err *take_blob(struct sweep *w, const char *name)
{
    struct stat st;
    bool lost = false;
    int dir = w->s->blobs[w->alg];
    CK_TRY(without_row(w, name, &lost));
    if (!lost || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return NULL;
    if (!w->dry && unlinkat(dir, name, 0) != 0)
        return ck_err_errno(CK_ERR_OURS, "store %s: deleting blobs/.../%s", w->s->dir, name);
    w->blobs++;
    w->bytes += (uint64_t)st.st_size;
    return NULL;
}

static ck_err *take_batch(struct sweep *w, size_t from, size_t to)
{
    ck_err *e = NULL;
    for (size_t i = from; i < to && !e; i++)
        e = take_blob(w, w->names.v[i]);
    return e;
}

/* In batches, so that others come to write in between. */
static ck_err *take_blobs(struct sweep *w)
{
    enum { BATCH = 32 };
    for (size_t i = 0; i < w->names.n; i += BATCH) {
        size_t to = i + BATCH < w->names.n ? i + BATCH : w->names.n;
        CK_TRY(ck_tx_write_relaxed(w->s));
        CK_TRY(ck_tx_end(w->s, take_batch(w, i, to)));
    }
    return NULL;
}

static ck_err *sweep_blobs(struct sweep *w)
{
    ck_err *e = NULL;
    for (int i = 0; i < CK_DIGEST_ALGORITHM_COUNT_ && !e; i++) {
        w->alg = (enum ck_digest_algorithm)i;
        e = see_blobs(w);
        if (!e)
            e = take_blobs(w);
        for (size_t k = 0; k < w->names.n; k++)
            free(w->names.v[k]);
        free(w->names.v);
        w->names.v = NULL;
        w->names.n = w->names.cap = 0;
    }
    return e;
}

/* Old and unlocked: nobody comes back for it. It goes while we have it locked. */
static ck_err *take_partial(void *ctx, int dir, const char *name)
{
    enum { OLD = 24 * 60 * 60 };
    struct sweep *w = ctx;
    struct stat st;
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && time(NULL) - st.st_mtime >= OLD &&
        flock(fd, LOCK_EX | LOCK_NB) == 0 && ck_same_file(dir, name, fd) &&
        (w->dry || unlinkat(dir, name, 0) == 0)) {
        w->partials++;
        w->partial_bytes += (uint64_t)st.st_size;
    }
    close(fd);
    return NULL;
}

static ck_err *sweep(struct sweep *w)
{
    CK_TRY(sweep_blobs(w));
    return ck_tree_each(w->s->partial, take_partial, w);
}

static ck_err *rows_alone(struct ck_store *s, bool dry, struct ck_gc_result *r)
{
    CK_TRY(ck_tx_write(s));
    ck_err *e = delete_rows(s, dry, r);
    if (!dry || e)
        return ck_tx_end(s, e);
    ck_tx_drop(s);
    return NULL;
}

/* Files first: on a full disk that makes room for the rows' journal. */
ck_err *ck_store_gc(struct ck_store *s, bool dry, struct ck_gc_result *ret)
{
    struct sweep before = { .s = s, .dry = dry }, after = { .s = s };
    struct ck_gc_result r = { 0 };
    CK_TRY(sweep(&before));
    ck_err *e = rows_alone(s, dry, &r);
    if (try_again(s, &e))
        e = rows_alone(s, dry, &r);
    if (e)
        return e;
    if (!dry) {
        CK_TRY(sweep_blobs(&after));
        CK_TRY(take_all_left(s));
    }
    ck_reserve_make(s);
    r.blobs += before.blobs;
    r.partials = before.partials;
    r.bytes += before.bytes + before.partial_bytes;
    *ret = r;
    return NULL;
}
