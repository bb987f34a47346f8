/* One feed to one segment: which files a source stands for, and what reads them. */
#include "base/mem.h"
#include "base/text.h"
#include "update/archive.h"
#include "update/get.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct reader {
    struct ck_getter *g;
    const struct ck_feed_spec *spec;
    struct ck_segment *segment;
    size_t files;
};

void ck_segment_free(struct ck_segment *s)
{
    ck_buf_free(&s->records);
}

/* --- records ---------------------------------------------------------------------------------- */

static ck_err *put_bytes(void *ctx, ck_view record)
{
    struct reader *r = ctx;
    if (++r->segment->feed.records > CK_MAX_FEED_RECORDS)
        return ck_err_limit(CK_LIMIT_FEED_RECORDS, "the feed");
    ck_put_str(&r->segment->records, record);
    return NULL;
}

static ck_err *put_advisory(void *ctx, const struct ck_advisory *adv)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_advisory_encode(adv, &b);
    return put_bytes(ctx, ck_buf_view(&b));
}

/* --- files ------------------------------------------------------------------------------------ */

static enum ck_feed_file file_kind(enum ck_feed_kind kind, const char *name)
{
    switch (kind) {
    case CK_KIND_DEBIAN_TRACKER:
        return CK_FEED_DEBIAN_TRACKER;
    case CK_KIND_ALPINE_SECDB:
        return CK_FEED_ALPINE_SECDB;
    case CK_KIND_KEV:
        return CK_FEED_KEV;
    case CK_KIND_OSV:
    case CK_KIND_DEBIAN_ARCHIVE:
    case CK_KIND_COUNT_:
        break;
    }
    return ck_view_ends(ck_view_str(name), CK_V(".zip")) ? CK_FEED_OSV_ZIP : CK_FEED_OSV_JSON;
}

/* *ret_missing NULL: it must be there. */
static ck_err *read_file(struct reader *r, const char *source, bool *ret_missing)
{
    struct ck_job_feed job = { .kind = file_kind(r->spec->kind, source),
                               .compression = ck_compression_of_name(source) };
    struct ck_got got;
    CK_TRY(ck_get(r->g, source, &got, ret_missing));
    if (ret_missing && *ret_missing)
        return NULL;
    r->files++;
    ck_err *e = ck_parse(r->g, &job, got.fd, put_bytes, r);
    close(got.fd);
    ck_autofree char *shown = ck_url_shown(source);
    return e ? ck_err_wrap(e, "%s", shown) : NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static ck_err *read_dir(struct reader *r, const char *path, unsigned depth);

static ck_err *read_entry(struct reader *r, const char *path, unsigned depth)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return ck_err_errno(CK_ERR_UNAVAILABLE, "%s", path);
    if (S_ISDIR(st.st_mode))
        return read_dir(r, path, depth + 1);
    ck_view name = ck_view_str(path);
    bool takes = ck_view_ends(name, CK_V(".json")) ||
                 (r->spec->kind == CK_KIND_OSV && ck_view_ends(name, CK_V(".zip")));
    return takes ? read_file(r, path, NULL) : NULL;
}

/* Every .json below (and .zip for OSV), in the order of names: the result does not depend on the
 * file system. */
static ck_err *read_dir(struct reader *r, const char *path, unsigned depth)
{
    enum { DEEPEST = 8 };
    struct dirent *de;
    CK_VEC(char *) names = { 0 };
    if (depth > DEEPEST)
        return ck_err_new(CK_ERR_UNAVAILABLE, "%s lies too deep", path);
    DIR *dir = opendir(path);
    if (!dir)
        return ck_err_errno(CK_ERR_UNAVAILABLE, "%s", path);
    while ((de = readdir(dir)))
        if (de->d_name[0] != '.')
            *ck_push(&names) = ck_format("%s/%s", path, de->d_name);
    closedir(dir);
    if (names.n)
        qsort(names.v, names.n, sizeof *names.v, by_name);
    ck_err *e = NULL;
    for (size_t i = 0; i < names.n; i++) {
        if (!e)
            e = read_entry(r, names.v[i], depth);
        free(names.v[i]);
    }
    free(names.v);
    return e;
}

/* The site of Alpine's secdb: v3.N/{main,community}.json, as far as there are releases. */
static ck_err *read_secdb_site(struct reader *r)
{
    enum { FIRST = 2, SURELY_THERE = 22, LAST = 99 };
    static const char *const repos[] = { "main", "community" };
    for (unsigned n = FIRST; n <= LAST; n++) {
        size_t before = r->files;
        for (size_t k = 0; k < 2; k++) {
            ck_autofree char *url =
                ck_format("%s/v3.%u/%s.json", r->spec->source, n, repos[k]);
            bool missing = false;
            CK_TRY(read_file(r, url, &missing));
        }
        if (r->files == before && n > SURELY_THERE)
            break;
    }
    return NULL;
}

static bool is_document(const char *source)
{
    ck_view v = ck_view_str(source);
    return ck_view_ends(v, CK_V(".json")) || ck_compression_of_name(source) != CK_COMPRESSION_NONE;
}

static ck_err *read_plain(struct reader *r)
{
    struct stat st;
    const char *source = r->spec->source;
    if (ck_is_url(source) && r->spec->kind == CK_KIND_ALPINE_SECDB && !is_document(source))
        CK_TRY(read_secdb_site(r));
    else if (!ck_is_url(source) && stat(source, &st) == 0 && S_ISDIR(st.st_mode))
        CK_TRY(read_dir(r, source, 0));
    else
        CK_TRY(read_file(r, source, NULL));
    if (r->files == 0)
        return ck_err_new(CK_ERR_UNAVAILABLE, "%s holds no feed files", source);
    return NULL;
}

/* --- the feed
 * ------------------------------------------------------------------------------------- */

static ck_view join_suites(const struct ck_feed_spec *spec, struct ck_arena *a)
{
    const char *all = "";
    for (size_t i = 0; i < spec->n_suites; i++)
        all = ck_arena_format(a, "%s%s%s", all, i ? "," : "", spec->suites[i]);
    return ck_view_str(all);
}

ck_err *ck_feed_read(const struct ck_feed_spec *spec, const struct ck_update_options *o,
                     struct ck_arena *a, struct ck_segment *ret)
{
    struct ck_segment s = { .records = ck_buf_new(CK_LIMIT_NONE) };
    struct ck_getter g = ck_getter_new(o);
    struct reader r = { .g = &g, .spec = spec, .segment = &s };
    struct ck_advisory_sink sink = { put_advisory, &r };
    char digest[CK_DIGEST_TEXT];
    ck_autofree char *shown = ck_url_shown(spec->source);
    s.feed = (struct ck_db_feed){ .kind = ck_view_str(ck_feed_kind_name(spec->kind)),
                                  .source = ck_arena_dup(a, ck_view_str(shown)),
                                  .detail = join_suites(spec, a),
                                  .time = o->now };
    ck_err *e = spec->kind == CK_KIND_DEBIAN_ARCHIVE
                    ? ck_archive_read(&g, spec, &sink, &s.feed.time)
                    : read_plain(&r);
    s.feed.digest = ck_arena_dup(a, ck_view_str(ck_getter_digest(&g, digest)));
    ck_getter_close(&g);
    if (e) {
        ck_segment_free(&s);
        return ck_err_wrap(e, "feed %s", ck_feed_kind_name(spec->kind));
    }
    *ret = s;
    return NULL;
}
