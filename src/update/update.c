#include "update/update.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "update/segment.h"

#include <stdlib.h>

static void note(const struct ck_update_options *o, const char *text)
{
    if (o->note)
        o->note(o->ctx, text);
}

static void tell_feeds(const struct ck_update_options *o, size_t done, size_t total)
{
    if (o->feeds)
        o->feeds(o->ctx, done, total);
}

static ck_err *add_segment(struct ck_db_writer *w, const struct ck_segment *s)
{
    ck_cur c = ck_cur_of(ck_buf_view(&s->records));
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_db_feed feed = s->feed;
    feed.records = 0; /* the writer counts them */
    ck_db_writer_feed(w, &feed);
    while (!ck_cur_end(&c)) {
        struct ck_advisory adv;
        ck_view record = ck_cur_str(&c, CK_MAX_FEED_RECORD);
        if (!ck_cur_ok(&c))
            return ck_err_new(CK_ERR_OURS, "a segment is cut");
        CK_TRY(ck_advisory_decode(record, &a, &adv));
        CK_TRY(ck_db_writer_add(w, &adv));
        if (a.used > CK_MIB)
            ck_arena_free(&a);
    }
    return NULL;
}

static ck_err *build(struct ck_segment *segments, size_t n, int64_t now, const char *out)
{
    struct ck_db_writer *w = ck_db_writer_new(now);
    ck_err *e = NULL;
    for (size_t i = 0; !e && i < n; i++) {
        e = add_segment(w, &segments[i]);
        if (e)
            e = ck_err_wrap(e, "feed %.*s", CK_VF(segments[i].feed.kind));
        ck_segment_free(&segments[i]);
    }
    if (!e)
        e = ck_db_writer_finish(w, out);
    ck_db_writer_free(w);
    return e;
}

static void free_segments(struct ck_segment *segments, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ck_segment_free(&segments[i]);
    free(segments);
}

ck_err *ck_db_build(const struct ck_feed_specs *specs, const struct ck_update_options *o,
                    const char *out)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_segment *segments = ck_calloc(specs->n + 1, sizeof *segments);
    size_t n = 0;
    ck_err *e = NULL;
    for (; !e && n < specs->n; n++) {
        tell_feeds(o, n, specs->n);
        e = ck_feed_read(&specs->v[n], o, &a, &segments[n]);
    }
    tell_feeds(o, n, specs->n);
    if (!e)
        e = build(segments, n, o->now, out);
    free_segments(segments, n);
    return e;
}

/* --- update
 * --------------------------------------------------------------------------------------- */

/* A feed that lost more than half of itself is more likely broken than empty. */
static ck_err *check_shrunken(const struct ck_segment *now, const struct ck_segment *before)
{
    enum { SMALL = 100 };
    if (before->feed.records <= SMALL || now->feed.records * 2 >= before->feed.records)
        return NULL;
    return ck_err_new(CK_ERR_UNAVAILABLE, "it shrank from %llu records to %llu",
                      (unsigned long long)before->feed.records,
                      (unsigned long long)now->feed.records);
}

/* Reads the feed; if that fails, takes its last good state and keeps the reason with it. *ret_have
 * is false where there is none. */
static ck_err *read_or_keep(const struct ck_feed_spec *spec, const struct ck_update_options *o,
                            const char *path, struct ck_arena *a, struct ck_segment *ret,
                            bool *ret_have, bool *ret_failed)
{
    struct ck_segment old, new;
    ck_err *none = ck_segment_load(path, a, &old);
    bool have_old = !none;
    ck_err_free(none);
    ck_err *e = ck_feed_read(spec, o, a, &new);
    bool have_new = !e;
    if (!e && have_old)
        e = check_shrunken(&new, &old);
    if (!e)
        e = ck_segment_save(path, &new);
    *ret_failed = e != NULL;
    if (!e) {
        if (have_old)
            ck_segment_free(&old);
        *ret = new;
        *ret_have = true;
        return NULL;
    }
    if (have_new)
        ck_segment_free(&new);
    note(o, ck_err_text(e));
    *ret_have = have_old;
    if (have_old) {
        old.feed.failure = ck_arena_dup(a, ck_view_str(ck_err_text(e)));
        *ret = old;
    }
    ck_err_free(e);
    return NULL;
}

ck_err *ck_db_update(const struct ck_feed_specs *specs, const struct ck_update_options *o,
                     const char *state_dir, const char *out, size_t *ret_failed)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_segment *segments = ck_calloc(specs->n + 1, sizeof *segments);
    size_t n = 0, failures = 0;
    ck_err *e = NULL;
    for (size_t i = 0; !e && i < specs->n; i++) {
        bool have = false, failed = false;
        tell_feeds(o, i, specs->n);
        ck_autofree char *path = ck_segment_path(state_dir, &specs->v[i]);
        e = read_or_keep(&specs->v[i], o, path, &a, &segments[n], &have, &failed);
        n += have;
        failures += failed;
    }
    tell_feeds(o, specs->n, specs->n);
    if (!e && n == 0)
        e = ck_err_new(CK_ERR_UNAVAILABLE, "no feed could be had: the database stays as it is");
    if (!e)
        e = ck_make_parents(out);
    if (!e)
        e = build(segments, n, o->now, out);
    free_segments(segments, n);
    if (!e)
        *ret_failed = failures;
    return e;
}
