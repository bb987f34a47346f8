/* Leases: a row, and a file that its process holds locked. The lock ends with the process, however
 * it ends; the next gc sees that. */
#include "store/store_int.h"

#include "base/mem.h"
#include "base/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

/* A gc that comes between open and lock may take the file away again. */
static ck_err *lock_new_file(struct ck_store *s, struct ck_lease *l)
{
    enum { TRIES = 100 };
    for (int i = 0; i < TRIES; i++) {
        free(l->file);
        l->file = ck_random_name("");
        l->fd = openat(s->leases, l->file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (l->fd < 0)
            return ck_err_errno(CK_ERR_OURS, "store %s: leases/%s", s->dir, l->file);
        if (flock(l->fd, LOCK_EX | LOCK_NB) == 0 && ck_same_file(s->leases, l->file, l->fd))
            return NULL;
        close(l->fd);
        l->fd = -1;
    }
    return ck_err_new(CK_ERR_OURS, "store %s: cannot lock a file in leases", s->dir);
}

static ck_err *insert(struct ck_store *s, struct ck_lease *l)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "INSERT INTO lease(file) VALUES(?)", &q));
    ck_bind_text(&q, ck_view_str(l->file));
    CK_TRY(ck_query_run(&q));
    l->id = sqlite3_last_insert_rowid(s->db);
    return NULL;
}

static ck_err *insert_alone(struct ck_store *s, struct ck_lease *l)
{
    CK_TRY(ck_tx_write_relaxed(s));
    return ck_tx_end(s, insert(s, l));
}

static void free_lease(struct ck_lease *l)
{
    if (l->fd >= 0) {
        unlinkat(l->s->leases, l->file, 0);
        close(l->fd);
    }
    free(l->file);
    free(l);
}

ck_err *ck_lease_new(struct ck_store *s, struct ck_lease **ret)
{
    struct ck_lease *l = ck_new(struct ck_lease);
    l->s = s;
    l->fd = -1;
    ck_err *e = lock_new_file(s, l);
    if (!e)
        e = insert_alone(s, l);
    if (e) {
        free_lease(l);
        return e;
    }
    *ret = l;
    return NULL;
}

static ck_err *delete_row(struct ck_store *s, int64_t id)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "DELETE FROM lease WHERE id=?", &q));
    ck_bind_int(&q, id);
    return ck_query_run(&q);
}

static ck_err *delete_alone(struct ck_store *s, int64_t id)
{
    CK_TRY(ck_tx_write_relaxed(s));
    return ck_tx_end(s, delete_row(s, id));
}

void ck_lease_end(struct ck_lease *l)
{
    if (!l)
        return;
    ck_err_free(delete_alone(l->s, l->id)); /* where that fails, a gc does it later */
    free_lease(l);
}

ck_err *ck_lease_add(struct ck_lease *l, const struct ck_digest *d)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(l->s, "INSERT INTO leased VALUES(?,?) ON CONFLICT DO NOTHING", &q));
    ck_bind_int(&q, l->id);
    ck_bind_digest(&q, d);
    return ck_query_run(&q);
}

/* --- leases of the dead ----------------------------------------------------------------------- */

/* Locked by us where the owner is gone; the file goes while it is locked. */
static bool take_away(struct ck_store *s, const char *file)
{
    int fd = openat(s->leases, file, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT;
    bool dead = flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (dead)
        unlinkat(s->leases, file, 0);
    close(fd);
    return dead;
}

static ck_err *take_away_leftover(void *ctx, int dir, const char *file)
{
    (void)dir;
    take_away(ctx, file);
    return NULL;
}

ck_err *ck_leases_reap(struct ck_store *s)
{
    ck_autoquery struct ck_query q = { 0 };
    bool row = true;
    CK_TRY(ck_query_new(s, "SELECT id, file FROM lease ORDER BY id", &q));
    for (;;) {
        CK_TRY(ck_query_step(&q, &row));
        if (!row)
            break;
        ck_view file = ck_column_text(&q, 1);
        ck_autofree char *name = ck_strndup(file.p, file.n);
        if (take_away(s, name))
            CK_TRY(delete_row(s, ck_column_int(&q, 0)));
    }
    return ck_tree_each(s->leases, take_away_leftover, s);
}
