/* Checking everything. Other processes may work on the store meanwhile: what looks wrong is looked
 * at again in a snapshot of its own before it is called so. */
#include "store/store_int.h"

#include "base/mem.h"
#include "base/text.h"
#include "base/tree.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct fsck {
    struct ck_store *s;
    bool quick;
    void (*problem)(void *ctx, const char *text);
    void (*progress)(void *ctx, uint64_t done, uint64_t total);
    void *ctx;
    uint64_t total, done;
    enum ck_digest_algorithm alg; /* of the directory that is being walked */
    struct ck_fsck_result r;
};

CK_PRINTF(2, 3)
static void problem(struct fsck *f, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    ck_autofree char *safe = ck_escape(ck_view_str(text));
    f->r.problems++;
    if (f->problem)
        f->problem(f->ctx, safe);
}

/* --- blobs ------------------------------------------------------------------------------------ */

static ck_err *hash_file(struct fsck *f, int fd, const struct ck_digest *d, bool *ret_same)
{
    enum { PIECE = 1 << 20 };
    ck_autofree uint8_t *piece = ck_calloc(PIECE, 1);
    struct ck_hash *h = ck_hash_new(d->alg);
    struct ck_digest got;
    ssize_t n = 1;
    while (n > 0 && (n = read(fd, piece, PIECE)) > 0) {
        ck_hash_add(h, ck_view_of(piece, (size_t)n));
        f->done += (uint64_t)n;
        if (f->progress)
            f->progress(f->ctx, f->done, f->total);
    }
    ck_hash_finish(h, &got);
    ck_hash_free(h);
    *ret_same = n == 0 && ck_digest_eq(&got, d);
    return NULL;
}

/* NULL: nothing is wrong with it. */
static ck_err *judge_file(struct fsck *f, const struct ck_digest *d, uint64_t size,
                          const char **ret_why)
{
    char text[CK_DIGEST_TEXT];
    struct stat st;
    bool same = true;
    int fd = openat(f->s->blobs[d->alg], ck_blob_file(d, text),
                    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ck_err *e = NULL;
    *ret_why = NULL;
    if (fd < 0 || fstat(fd, &st) != 0)
        *ret_why = "its file is missing or cannot be read";
    else if (!S_ISREG(st.st_mode))
        *ret_why = "it is no regular file";
    else if ((uint64_t)st.st_size != size)
        *ret_why = "its file has another size";
    else if (!f->quick)
        e = hash_file(f, fd, d, &same);
    if (!same)
        *ret_why = "its bytes have another digest";
    if (fd >= 0)
        close(fd);
    return e;
}

/* While nobody else can name or delete files. A row that has gone needs no file. */
static ck_err *judge_again(struct fsck *f, const struct ck_digest *d, const char **ret_why)
{
    uint64_t size = 0;
    bool found = false;
    *ret_why = NULL;
    CK_TRY(ck_blob_row(f->s, d, &size, &found));
    return found ? judge_file(f, d, size, ret_why) : NULL;
}

static ck_err *check_blob(struct fsck *f, const struct ck_digest *d, uint64_t size)
{
    char text[CK_DIGEST_TEXT];
    const char *why = NULL;
    CK_TRY(judge_file(f, d, size, &why));
    f->r.blobs++;
    f->r.bytes += size;
    if (why) {
        CK_TRY(ck_tx_write_relaxed(f->s));
        CK_TRY(ck_tx_end(f->s, judge_again(f, d, &why)));
    }
    if (why)
        problem(f, "blob %s: %s", ck_digest_text(d, text), why);
    return NULL;
}

/* The next blob behind `after` ("" for the first). */
static ck_err *next_blob(struct ck_store *s, ck_view after, struct ck_digest *ret,
                         uint64_t *ret_size, bool *ret_found)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT digest, size FROM blob WHERE digest>? ORDER BY digest LIMIT 1",
                        &q));
    ck_bind_text(&q, after);
    CK_TRY(ck_query_step(&q, ret_found));
    if (!*ret_found)
        return NULL;
    *ret_size = (uint64_t)ck_column_int(&q, 1);
    return ck_column_digest(&q, 0, ret);
}

static ck_err *check_blobs(struct fsck *f)
{
    char text[CK_DIGEST_TEXT] = "";
    for (;;) {
        struct ck_digest d;
        uint64_t size = 0;
        bool found = false;
        CK_TRY(ck_tx_read(f->s));
        CK_TRY(ck_tx_end(f->s, next_blob(f->s, ck_view_str(text), &d, &size, &found)));
        if (!found)
            return NULL;
        ck_digest_text(&d, text);
        CK_TRY(check_blob(f, &d, size));
    }
}

/* --- rows: in one snapshot -------------------------------------------------------------------- */

/* Each row that the query gives is a problem; its columns are put into the text. */
static ck_err *check_rows(struct fsck *f, const char *sql, const char *before, const char *between)
{
    ck_autoquery struct ck_query q = { 0 };
    bool row = true;
    CK_TRY(ck_query_new(f->s, sql, &q));
    for (;;) {
        CK_TRY(ck_query_step(&q, &row));
        if (!row)
            return NULL;
        problem(f, "%s%.*s%s%.*s", before, CK_VF(ck_column_text(&q, 0)), between,
                CK_VF(ck_column_text(&q, 1)));
    }
}

static ck_err *check_integrity(struct fsck *f)
{
    ck_autoquery struct ck_query q = { 0 };
    bool row = true;
    CK_TRY(ck_query_new(f->s, "PRAGMA integrity_check(20)", &q));
    for (;;) {
        CK_TRY(ck_query_step(&q, &row));
        if (!row)
            return NULL;
        ck_view said = ck_column_text(&q, 0);
        if (!ck_view_eq(said, CK_V("ok")))
            problem(f, "state.db: %.*s", CK_VF(said));
    }
}

static ck_err *count(struct fsck *f, const char *sql, uint64_t *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(f->s, sql, &q));
    return ck_query_count(&q, ret);
}

static ck_err *check_database(struct fsck *f)
{
    static const struct {
        const char *sql, *before, *between;
    } rules[] = {
        { "SELECT \"table\", parent FROM pragma_foreign_key_check()", "state.db: a row of ",
          " leads nowhere in " },
        { "SELECT digest, '' FROM image WHERE NOT EXISTS (SELECT 1 FROM blob WHERE"
          " blob.digest=image.digest AND blob.size=image.size)",
          "image ", ": its manifest is not in the store" },
        { "SELECT image.digest, part.digest FROM image JOIN part ON part.image=image.digest"
          " WHERE image.complete AND part.role!=2 AND NOT EXISTS (SELECT 1 FROM blob WHERE"
          " blob.digest=part.digest AND blob.size=part.size)",
          "image ", ": its part is not in the store: " },
        { "SELECT name, digest FROM name WHERE digest NOT IN (SELECT digest FROM image)",
          "name ", " means what is not in the store: " },
        { "SELECT name.name, name.digest FROM name JOIN seen ON seen.name=name.name AND"
          " seen.digest=name.digest WHERE seen.repository>='" CK_STORE_HOSTED "/' AND"
          " seen.repository<'" CK_STORE_HOSTED "0' AND NOT EXISTS (SELECT 1 FROM link WHERE"
          " link.repository=seen.repository AND link.digest=name.digest)",
          "name ", " means what its repository does not have: " },
        { "SELECT name, '' FROM user WHERE robot!=(name GLOB 'robot-*')",
          "user ", ": the name does not say whether it is a robot" },
        { "SELECT digest, '' FROM image WHERE (NOT is_index AND subject IS NULL) != EXISTS"
          " (SELECT 1 FROM listing WHERE listing.image=image.digest AND"
          " listing.state=image.state)", "image ", ": listings do not show it as it is" },
        { "SELECT name, via FROM (SELECT * FROM (" CK_PLACES_SQL ") EXCEPT SELECT image, name,"
          " repository, via FROM place)",
          "name ", ": listings do not know that it leads through " },
        { "SELECT name, via FROM (SELECT image, name, repository, via FROM place EXCEPT"
          " SELECT * FROM (" CK_PLACES_SQL "))",
          "name ", ": listings believe that it leads through " },
        { "SELECT image, '' FROM listing WHERE name!=coalesce((SELECT min(place.name) FROM place"
          " WHERE place.image=number AND place.name!=''), '')",
          "image ", ": listings have another name of it" },
        { "SELECT id, facts FROM finding WHERE id NOT IN (SELECT number FROM vulnerability) OR"
          " (facts NOT IN (SELECT number FROM facts) AND facts NOT IN (SELECT facts FROM left_ids))"
          " LIMIT 20", "finding ", " is nobody's: " },
        { "SELECT id, '' FROM vulnerability WHERE images!=(SELECT count(*) FROM finding WHERE"
          " finding.id=number)", "finding ", ": its images are not as many as is said" },
        { "SELECT image, '' FROM facts WHERE number NOT IN (SELECT facts FROM facts_bytes)",
          "image ", ": its facts are missing" },
        { "SELECT package, inventory FROM holds WHERE (inventory NOT IN (SELECT number FROM"
          " inventory) AND inventory NOT IN (SELECT inventory FROM left_items)) LIMIT 20",
          "package ", " is held by nobody: inventory " },
        { "SELECT inventory, '' FROM unindexed WHERE inventory NOT IN (SELECT number FROM"
          " inventory)", "inventory ", " waits for the index and is not there" },
        { "SELECT package, inventory FROM holds WHERE package NOT IN (SELECT id FROM package)"
          " LIMIT 20", "package ", " is not there, and held by inventory " },
        { "SELECT number, '' FROM survey WHERE state NOT BETWEEN 0 AND 2 OR EXISTS (SELECT 1 FROM"
          " survey_item WHERE survey=number AND survey_item.state NOT BETWEEN 0 AND 2)",
          "survey ", ": it or an image of it has a state that there is not" },
        { "SELECT number, '' FROM delivery WHERE length(events)%8!=0",
          "delivery ", ": its events are damaged" },
    };
    CK_TRY(check_integrity(f));
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        CK_TRY(check_rows(f, rules[i].sql, rules[i].before, rules[i].between));
    CK_TRY(count(f, "SELECT count(*) FROM image", &f->r.images));
    return count(f, "SELECT coalesce(sum(size),0) FROM blob", &f->total);
}

/* --- facts and inventories: each in a snapshot of its own ------------------------------------- */

static ck_err *found(struct fsck *f, int64_t id, int64_t facts, bool *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(f->s, "SELECT 1 FROM finding WHERE id=? AND facts=?", &q));
    ck_bind_int(&q, id);
    ck_bind_int(&q, facts);
    return ck_query_step(&q, ret);
}

/* The next facts behind number *at; whether each id that they name leads to them. */
static ck_err *check_next_facts(struct fsck *f, int64_t *at, bool *ret_found)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autoquery struct ck_query q = { 0 };
    int64_t *v = NULL;
    size_t n = 0;
    bool there = true;
    CK_TRY(ck_query_new(f->s, "SELECT number, image, ids FROM facts JOIN facts_bytes"
                              " ON facts_bytes.facts=number WHERE number>? ORDER BY number LIMIT 1",
                        &q));
    ck_bind_int(&q, *at);
    CK_TRY(ck_query_step(&q, ret_found));
    if (!*ret_found)
        return NULL;
    *at = ck_column_int(&q, 0);
    ck_autoerr ck_err *damage = ck_ids_decode(ck_column_text(&q, 2), &a, &v, &n);
    for (size_t i = 0; !damage && there && i < n; i++)
        CK_TRY(found(f, v[i], *at, &there));
    if (damage || !there)
        problem(f, "image %.*s: what was found in it is damaged", CK_VF(ck_column_text(&q, 1)));
    return NULL;
}

/* Entered in the index, or waiting for it. */
static ck_err *held(struct fsck *f, int64_t package, int64_t inventory, bool *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(f->s, "SELECT 1 FROM package WHERE id=?1 AND (EXISTS (SELECT 1 FROM holds"
                              " WHERE package=?1 AND inventory=?2) OR EXISTS (SELECT 1 FROM"
                              " unindexed WHERE inventory=?2))", &q));
    ck_bind_int(&q, package);
    ck_bind_int(&q, inventory);
    return ck_query_step(&q, ret);
}

/* The next inventory behind number *at; whether its items can be read, and are all there and held.
 */
static ck_err *check_next_inventory(struct fsck *f, int64_t *at, bool *ret_found)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autoquery struct ck_query q = { 0 };
    struct ck_item *v = NULL;
    size_t n = 0;
    bool there = true;
    CK_TRY(ck_query_new(f->s, "SELECT number, image, items FROM inventory LEFT JOIN inventory_bytes"
                              " ON inventory=number WHERE number>? ORDER BY number LIMIT 1", &q));
    ck_bind_int(&q, *at);
    CK_TRY(ck_query_step(&q, ret_found));
    if (!*ret_found)
        return NULL;
    *at = ck_column_int(&q, 0);
    ck_autoerr ck_err *damage = ck_items_decode(ck_column_text(&q, 2), &a, &v, &n);
    for (size_t i = 0; !damage && there && i < n; i++)
        CK_TRY(held(f, v[i].package, *at, &there));
    if (damage || !there)
        problem(f, "image %.*s: its inventory is damaged", CK_VF(ck_column_text(&q, 1)));
    return NULL;
}

static ck_err *check_each(struct fsck *f, ck_err *(*check)(struct fsck *, int64_t *, bool *))
{
    int64_t at = 0;
    for (bool more = true; more;) {
        CK_TRY(ck_tx_read(f->s));
        CK_TRY(ck_tx_end(f->s, check(f, &at, &more)));
    }
    return NULL;
}

/* --- leftovers -------------------------------------------------------------------------------- */

static ck_err *see_blob(void *ctx, int dir, const char *name)
{
    struct fsck *f = ctx;
    (void)dir;
    struct ck_digest d = { .alg = f->alg };
    uint64_t size = 0;
    bool found = false;
    if (ck_unhex(ck_view_str(name), d.bytes, ck_digest_size(d.alg)))
        CK_TRY(ck_blob_row(f->s, &d, &size, &found));
    f->r.leftovers += !found;
    return NULL;
}

static ck_err *see_partial(void *ctx, int dir, const char *name)
{
    struct fsck *f = ctx;
    (void)dir;
    (void)name;
    f->r.leftovers++;
    return NULL;
}

static ck_err *count_leftovers(struct fsck *f)
{
    for (int i = 0; i < CK_DIGEST_ALGORITHM_COUNT_; i++) {
        f->alg = (enum ck_digest_algorithm)i;
        CK_TRY(ck_tree_each(f->s->blobs[i], see_blob, f));
    }
    return ck_tree_each(f->s->partial, see_partial, f);
}

static ck_err *check_log(struct fsck *f)
{
    uint8_t head[32];
    uint64_t n;
    ck_err *e = ck_log_verify(f->s, &n, head);
    if (!e || ck_err_class(e) != CK_ERR_HOSTILE)
        return e;
    problem(f, "%s", ck_err_text(e));
    ck_err_free(e);
    return NULL;
}

ck_err *ck_store_fsck(struct ck_store *s, bool quick, void (*said)(void *ctx, const char *text),
                      void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
                      struct ck_fsck_result *ret)
{
    struct fsck f = { .s = s, .quick = quick, .problem = said, .progress = progress, .ctx = ctx };
    CK_TRY(ck_tx_read(s));
    CK_TRY(ck_tx_end(s, check_database(&f)));
    CK_TRY(check_each(&f, check_next_facts));
    CK_TRY(check_each(&f, check_next_inventory));
    CK_TRY(check_log(&f));
    CK_TRY(check_blobs(&f));
    CK_TRY(ck_tx_read(s));
    CK_TRY(ck_tx_end(s, count_leftovers(&f)));
    *ret = f.r;
    return NULL;
}
