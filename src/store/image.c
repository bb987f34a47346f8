/* Images and their names. */
#include "store/store_int.h"

#include <time.h>

/* --- images ----------------------------------------------------------------------------------- */

static ck_err *known(struct ck_store *s, const struct ck_digest *d, bool *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT 1 FROM image WHERE digest=?", &q));
    ck_bind_digest(&q, d);
    return ck_query_step(&q, ret);
}

static ck_err *check_there(struct ck_store *s, const struct ck_digest *d, uint64_t size,
                           const char *what)
{
    char text[CK_DIGEST_TEXT];
    uint64_t have = 0;
    bool found = false;
    CK_TRY(ck_blob_row(s, d, &have, &found));
    if (!found || !ck_blob_there(s, d, have))
        return ck_err_new(CK_ERR_UNAVAILABLE, "%s %s is not in the store", what,
                          ck_digest_text(d, text));
    if (have != size)
        return ck_err_new(CK_ERR_HOSTILE, "%s %s has %llu bytes, its descriptor says %llu", what,
                          ck_digest_text(d, text), (unsigned long long)have,
                          (unsigned long long)size);
    return NULL;
}

static ck_err *check_parts(struct ck_store *s, const struct ck_store_image *im)
{
    static const char *const what[] = { [CK_PART_CONFIG] = "config", [CK_PART_LAYER] = "layer" };
    for (size_t i = 0; i < im->n_parts; i++)
        if (im->parts[i].role != CK_PART_MANIFEST)
            CK_TRY(check_there(s, &im->parts[i].digest, im->parts[i].size,
                               what[im->parts[i].role]));
    return NULL;
}

static ck_err *insert_image(struct ck_store *s, const struct ck_store_image *im)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "INSERT INTO image(digest, media_type, size, is_index, platform,"
                           " subject, artifact_type, complete, state, reason, who, person, decided,"
                           " added) VALUES(?,?,?,?,?,?,?,0,0,?,'',0,0,?)", &q));
    ck_bind_digest(&q, &im->digest);
    ck_bind_text(&q, im->media_type);
    ck_bind_int(&q, (int64_t)im->size);
    ck_bind_int(&q, im->index);
    ck_bind_text(&q, im->platform);
    ck_bind_digest(&q, im->has_subject ? &im->subject : NULL);
    ck_bind_text(&q, im->artifact_type);
    ck_bind_text(&q, im->reason.n ? im->reason : CK_V("not examined"));
    ck_bind_int(&q, time(NULL));
    return ck_query_run(&q);
}

static ck_err *insert_part(struct ck_store *s, const struct ck_digest *image, size_t number,
                           const struct ck_store_part *p)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "INSERT INTO part VALUES(?,?,?,?,?,?)", &q));
    ck_bind_digest(&q, image);
    ck_bind_int(&q, (int64_t)number);
    ck_bind_digest(&q, &p->digest);
    ck_bind_int(&q, (int64_t)p->size);
    ck_bind_text(&q, p->media_type);
    ck_bind_int(&q, p->role);
    return ck_query_run(&q);
}

/* What a person has denied comes back denied. */
static ck_err *restore_denial(struct ck_store *s, const struct ck_digest *d)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "UPDATE image SET state=2, person=1, reason=denial.reason,"
                           " who=denial.who, decided=denial.decided FROM denial"
                           " WHERE image.digest=? AND denial.digest=image.digest", &q));
    ck_bind_digest(&q, d);
    return ck_query_run(&q);
}

static ck_err *add_new(struct ck_store *s, const struct ck_store_image *im)
{
    CK_TRY(insert_image(s, im));
    for (size_t i = 0; i < im->n_parts; i++)
        CK_TRY(insert_part(s, &im->digest, i, &im->parts[i]));
    CK_TRY(ck_place_added(s, &im->digest));
    return restore_denial(s, &im->digest);
}

/* What the manifest says is bound by its digest; what is said around it may come later. */
static ck_err *update(struct ck_store *s, const struct ck_store_image *im, bool complete)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "UPDATE image SET complete=max(complete, ?1),"
                           " platform=CASE platform WHEN '' THEN ?2 ELSE platform END"
                           " WHERE digest=?3", &q));
    ck_bind_int(&q, complete);
    ck_bind_text(&q, im->platform);
    ck_bind_digest(&q, &im->digest);
    return ck_query_run(&q);
}

static ck_err *add_image(struct ck_lease *l, const struct ck_store_image *im, bool complete)
{
    bool there = false;
    CK_TRY(check_there(l->s, &im->digest, im->size, "manifest"));
    CK_TRY(known(l->s, &im->digest, &there));
    if (!there)
        CK_TRY(add_new(l->s, im));
    if (complete)
        CK_TRY(check_parts(l->s, im));
    CK_TRY(update(l->s, im, complete));
    return ck_lease_add(l, &im->digest);
}

ck_err *ck_store_add_image(struct ck_lease *l, const struct ck_store_image *im, bool complete)
{
    CK_TRY(ck_tx_write(l->s));
    return ck_tx_end(l->s, add_image(l, im, complete));
}

/* --- names ------------------------------------------------------------------------------------ */

ck_view ck_repository_of(ck_view name)
{
    size_t end = ck_view_find(name, '@');
    for (size_t i = end; i > 0 && name.p[i - 1] != '/'; i--)
        if (name.p[i - 1] == ':')
            end = i - 1;
    return ck_view_head(name, end);
}

static ck_err *meaning(struct ck_store *s, ck_view name, bool *ret_found, struct ck_digest *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT digest FROM name WHERE name=?", &q));
    ck_bind_text(&q, name);
    CK_TRY(ck_query_step(&q, ret_found));
    return *ret_found ? ck_column_digest(&q, 0, ret) : NULL;
}

/* Said once more, a name means what it meant since it did; that it was asked is new. */
static ck_err *insert_name(struct ck_store *s, ck_view name, const struct ck_digest *d)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "INSERT INTO name(name, digest, since, checked) VALUES(?1,?2,?3,?3)"
                           " ON CONFLICT(name) DO UPDATE SET checked=excluded.checked, since=CASE"
                           " digest WHEN excluded.digest THEN since ELSE excluded.since END,"
                           " digest=excluded.digest", &q));
    ck_bind_text(&q, name);
    ck_bind_digest(&q, d);
    ck_bind_int(&q, time(NULL));
    return ck_query_run(&q);
}

static ck_err *note_seen(struct ck_store *s, ck_view name, const struct ck_digest *d)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "INSERT INTO seen VALUES(?,?,?,?) ON CONFLICT DO NOTHING", &q));
    ck_bind_text(&q, name);
    ck_bind_digest(&q, d);
    ck_bind_text(&q, ck_repository_of(name));
    ck_bind_int(&q, time(NULL));
    return ck_query_run(&q);
}

static ck_err *log_move(struct ck_store *s, ck_view name, const struct ck_digest *from,
                        const struct ck_digest *to)
{
    ck_autobuf struct ck_buf text = ck_buf_new(CK_LIMIT_NONE);
    char digest[CK_DIGEST_TEXT];
    ck_put_bytes(&text, CK_V("it was "));
    ck_put_bytes(&text, ck_view_str(ck_digest_text(from, digest)));
    return ck_log_add(s, CK_V("moved"), to, name, ck_buf_view(&text));
}

static ck_err *set_name(struct ck_lease *l, ck_view name, const struct ck_digest *d,
                        bool *ret_moved, struct ck_digest *ret_from)
{
    char text[CK_DIGEST_TEXT];
    bool there = false, had = false;
    CK_TRY(known(l->s, d, &there));
    if (!there)
        return ck_err_new(CK_ERR_UNAVAILABLE, "%s is no image of the store",
                          ck_digest_text(d, text));
    CK_TRY(meaning(l->s, name, &had, ret_from));
    CK_TRY(note_seen(l->s, name, d));
    CK_TRY(insert_name(l->s, name, d));
    *ret_moved = had && !ck_digest_eq(ret_from, d);
    if (!had || *ret_moved)
        CK_TRY(ck_place_named(l->s, name, d));
    return *ret_moved ? log_move(l->s, name, ret_from, d) : NULL;
}

ck_err *ck_store_set_name(struct ck_lease *l, ck_view name, const struct ck_digest *d,
                          bool *ret_moved, struct ck_digest *ret_moved_from)
{
    bool moved = false;
    struct ck_digest from = { 0 };
    if (name.n == 0 || name.n > CK_MAX_REFERENCE)
        return ck_err_new(CK_ERR_USAGE, "a name must have 1 to %llu bytes",
                          (unsigned long long)CK_MAX_REFERENCE);
    CK_TRY(ck_tx_write(l->s));
    CK_TRY(ck_tx_end(l->s, set_name(l, name, d, &moved, &from)));
    *ret_moved = moved;
    if (moved)
        *ret_moved_from = from;
    return NULL;
}
