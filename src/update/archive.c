/* debian-archive: what the archive itself says, with nothing but a mirror at hand.
 *
 *   InRelease --gpgv--> signed text --> Packages (digest in the signed text)
 *   --> newest version of every source
 *   --> for wanted sources: a binary package (digest in Packages) --> changelog --> CVE ids
 *
 * Every step believes only what the one before it vouches for.
 */
#include "update/archive.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "room/feed_codec.h"
#include "update/wanted.h"
#include "version/version.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct archive {
    struct ck_getter *g;
    const struct ck_feed_spec *spec;
    const struct ck_advisory_sink *sink;
    struct ck_arena *arena; /* of one suite */
    struct ck_sources_wanted wanted;
    const char *suite;
    const char *ecosystem;
    CK_VEC(struct ck_archive_source) sources;
};

static void progress(struct archive *ar, size_t done, size_t total)
{
    const struct ck_update_options *o = ar->g->o;
    if (!o->progress)
        return;
    ck_autofree char *text =
        ck_format("debian-archive %s: %zu of %zu changelogs", ar->suite, done, total);
    o->progress(o->ctx, text);
}

static ck_err *at_url(ck_err *e, const char *url)
{
    ck_autofree char *shown = ck_url_shown(url);
    return e ? ck_err_wrap(e, "%s", shown) : NULL;
}

/* --- Release ---------------------------------------------------------------------------------- */

static const char *keyring_of(const struct archive *ar)
{
    const char *own = ar->g->o->keyring;
    return own ? own : "/usr/share/keyrings/debian-archive-keyring.gpg";
}

/* Runs gpgv in its room; *ret is the signed text. */
static ck_err *verify(struct archive *ar, int in, int *ret)
{
    const char *keyring = keyring_of(ar);
    struct ck_room_options o = { .argument = keyring, .no_sandbox = ar->g->o->no_sandbox };
    struct ck_room_proc *room = NULL;
    int status = -1;
    if (access(keyring, R_OK) != 0)
        return ck_err_errno(CK_ERR_OURS, "keyring %s", keyring);
    int out = memfd_create("release", MFD_CLOEXEC);
    if (out < 0)
        return ck_err_errno(CK_ERR_OURS, "memfd");
    ck_err *e = ck_room_start(CK_ROOM_VERIFY, &o, &room);
    if (!e)
        e = ck_room_job(room, ck_view_str(keyring), in, out);
    if (!e)
        e = ck_room_wait_exit(room, &status);
    ck_room_stop(room);
    if (!e && status != 0)
        e = ck_err_new(CK_ERR_HOSTILE,
                       "its signature is not good by %s (gpgv status %d): nothing in it is "
                       "believed",
                       keyring, status);
    if (e)
        close(out);
    else
        *ret = out;
    return e;
}

struct one_release {
    struct ck_arena *arena;
    struct ck_release *ret;
    bool got;
};

static ck_err *take_release(void *ctx, ck_view record)
{
    struct one_release *r = ctx;
    r->got = true;
    return ck_release_decode(ck_arena_dup(r->arena, record), r->arena, r->ret);
}

static ck_err *parse_release(struct archive *ar, int fd, struct ck_release *ret)
{
    struct ck_job_feed job = { .kind = CK_FEED_DEBIAN_RELEASE };
    struct one_release one = { ar->arena, ret, false };
    CK_TRY(ck_parse(ar->g, &job, fd, take_release, &one));
    return one.got ? NULL : ck_err_new(CK_ERR_HOSTILE, "it says nothing");
}

static ck_err *check_release(struct archive *ar, const struct ck_release *r)
{
    char until[32];
    ck_view suite = ck_view_str(ar->suite);
    if (!ck_view_eq(suite, r->suite) && !ck_view_eq(suite, r->codename))
        return ck_err_new(CK_ERR_HOSTILE, "it is the Release of suite \"%.*s\" (%.*s)",
                          CK_VF(r->suite), CK_VF(r->codename));
    ck_format_time(until, r->valid_until);
    if (r->valid_until && r->valid_until < ar->g->o->now)
        return ck_err_new(CK_ERR_UNAVAILABLE, "it has expired (Valid-Until: %s)", until);
    return NULL;
}

static ck_err *read_release(struct archive *ar, struct ck_release *ret)
{
    const char *url = ck_arena_format(ar->arena, "%s/dists/%s/InRelease", ar->spec->source,
                                      ar->suite);
    struct ck_got got;
    int text = -1;
    CK_TRY(ck_get(ar->g, url, &got, NULL));
    ck_err *e = verify(ar, got.fd, &text);
    close(got.fd);
    if (!e) {
        e = parse_release(ar, text, ret);
        close(text);
    }
    if (!e)
        e = check_release(ar, ret);
    return at_url(e, url);
}

/* --- Packages --------------------------------------------------------------------------------- */

/* A file that something signed vouches for. */
static ck_err *get_vouched(struct archive *ar, const char *url, uint64_t size,
                           const uint8_t sha256[32], struct ck_got *ret)
{
    struct ck_got got;
    CK_TRY(ck_get(ar->g, url, &got, NULL));
    if (got.size == size && memcmp(got.digest.bytes, sha256, 32) == 0) {
        *ret = got;
        return NULL;
    }
    close(got.fd);
    return at_url(ck_err_new(CK_ERR_HOSTILE, "it is not the file that the signed index names: %s",
                             got.size == size ? "another digest" : "another size"),
                  url);
}

static ck_err *take_source(void *ctx, ck_view record)
{
    struct archive *ar = ctx;
    struct ck_archive_source s;
    CK_TRY(ck_archive_source_decode(ck_arena_dup(ar->arena, record), &s));
    *ck_push(&ar->sources) = s;
    return NULL;
}

static ck_err *read_packages(struct archive *ar, const struct ck_release_file *f)
{
    const char *path = (const char *)ck_arena_dup(ar->arena, f->path).p;
    const char *url =
        ck_arena_format(ar->arena, "%s/dists/%s/%s", ar->spec->source, ar->suite, path);
    struct ck_job_feed job = { .kind = CK_FEED_DEBIAN_PACKAGES,
                               .compression = ck_compression_of_name(path) };
    struct ck_got got;
    if (f->size == 0)
        return NULL; /* an empty component */
    CK_TRY(get_vouched(ar, url, f->size, f->sha256, &got));
    ck_err *e = got.size ? ck_parse(ar->g, &job, got.fd, take_source, ar) : NULL;
    close(got.fd);
    return at_url(e, url);
}

/* The architecture whose Packages are read: sources have the same versions on all of them. */
#if defined(__aarch64__)
#define PACKAGES_DIR "/binary-arm64/Packages"
#else
#define PACKAGES_DIR "/binary-amd64/Packages"
#endif

/* "main/binary-amd64/Packages.xz" and its like of every component, smallest form first. */
static ck_err *read_components(struct archive *ar, const struct ck_release *r)
{
    static const char *const forms[] = { PACKAGES_DIR ".xz", PACKAGES_DIR ".gz", PACKAGES_DIR };
    size_t found = 0;
    for (size_t k = 0; k < 3 && !found; k++)
        for (size_t i = 0; i < r->n_files; i++) {
            ck_view path = r->files[i].path, form = ck_view_str(forms[k]);
            if (!ck_view_ends(path, form) ||
                ck_view_find(ck_view_head(path, path.n - form.n), '/') < path.n - form.n)
                continue;
            found++;
            CK_TRY(read_packages(ar, &r->files[i]));
        }
    return found ? NULL : ck_err_new(CK_ERR_UNAVAILABLE, "suite %s lists no Packages", ar->suite);
}

/* --- changelogs ------------------------------------------------------------------------------- */

/* The records of a changelog, each [length, entry], as they are cached. */
struct log {
    struct ck_buf records;
};

static ck_err *take_entry(void *ctx, ck_view record)
{
    struct log *log = ctx;
    ck_put_str(&log->records, record);
    return NULL;
}

/* Names of hostile origin: one with a slash is no file name. */
static char *cache_path(const struct ck_archive_source *s)
{
    if (ck_view_find(s->name, '/') < s->name.n || ck_view_find(s->version, '/') < s->version.n)
        return NULL;
    ck_autofree char *name = ck_format("changelogs/%.*s_%.*s", CK_VF(s->name), CK_VF(s->version));
    return ck_xdg_path(CK_XDG_CACHE, name);
}

/* Tries the source's binary packages until one holds its changelog. */
static ck_err *fetch_log(struct archive *ar, const struct ck_archive_source *s, struct log *log,
                         bool *ret_found)
{
    *ret_found = false;
    for (size_t i = 0; i < s->n_debs && !*ret_found; i++) {
        const struct ck_archive_deb *d = &s->debs[i];
        struct ck_job_feed job = { .kind = CK_FEED_DEBIAN_CHANGELOG, .package = d->name };
        const char *url =
            ck_arena_format(ar->arena, "%s/%.*s", ar->spec->source, CK_VF(d->filename));
        struct ck_got got;
        if (d->size > CK_MAX_DEB)
            continue;
        CK_TRY(get_vouched(ar, url, d->size, d->sha256, &got));
        ck_err *e = ck_parse(ar->g, &job, got.fd, take_entry, log);
        close(got.fd);
        if (e)
            return at_url(e, url);
        *ret_found = log->records.n > 0;
    }
    return NULL;
}

/* From the cache or the archive. Cached logs are our own files; decoding checks them again. */
static ck_err *read_log(struct archive *ar, const struct ck_archive_source *s, struct log *log,
                        bool *ret_found)
{
    ck_autofree char *path = cache_path(s);
    *ret_found = false;
    if (path) {
        ck_err *e = ck_file_read(path, &log->records);
        *ret_found = !e && log->records.n;
        ck_err_free(e);
        if (*ret_found)
            return NULL;
        ck_buf_clear(&log->records);
    }
    CK_TRY(fetch_log(ar, s, log, ret_found));
    if (path && *ret_found)
        ck_err_free(ck_file_write(path, ck_buf_view(&log->records), CK_FILE_PARENTS));
    return NULL;
}

/* --- statements ------------------------------------------------------------------------------- */

/* A vulnerability, the newest version whose entry names it, and that version's day. */
struct named {
    ck_view id, version;
    int64_t day;
};

static ck_err *put_statement(struct archive *ar, const struct ck_archive_source *s,
                             const struct named *fix, const char *word)
{
    struct ck_range range = { .end = CK_END_FIXED, .upper = fix->version };
    struct ck_affected affected = {
        .ecosystem = ck_view_str(ar->ecosystem),
        .name = s->name,
        .kind = CK_NAME_SOURCE,
        .state = CK_FIX_FIXED,
        .note = ck_view_str(word),
        .ranges = &range,
        .n_ranges = 1,
    };
    struct ck_advisory adv = { .id = fix->id, .published = fix->day, .affected = &affected,
                               .n_affected = 1 };
    return ar->sink->put(ar->sink->ctx, &adv);
}

static int by_id_newest_first(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int c = ck_view_cmp(x->id, y->id);
    return c ? c : ck_dpkg_cmp(y->version, x->version);
}

/* *ret_day: of the source's own version. */
static ck_err *collect_named(struct archive *ar, const struct ck_archive_source *s,
                             const struct log *log, struct named **ret, size_t *ret_n,
                             int64_t *ret_day)
{
    CK_VEC(struct named) v = { 0 };
    struct named came_with = { .version = s->version };
    int64_t day = 0;
    ck_cur c = ck_cur_of(ck_arena_dup(ar->arena, ck_buf_view(&log->records)));
    ck_err *e = NULL;
    while (!e && !ck_cur_end(&c)) {
        struct ck_changelog_entry entry;
        ck_view record = ck_cur_str(&c, CK_MAX_FEED_RECORD);
        e = ck_cur_ok(&c) ? ck_changelog_entry_decode(record, ar->arena, &entry)
                          : ck_err_new(CK_ERR_OURS, "a broken changelog in the cache");
        /* Newest first. A backport, 1.2-1~deb12u1, stands above the 1.2-1 whose changes it holds,
         * but below it in the order of versions: what an entry fixed came to this suite with the
         * lowest version from it upwards. */
        if (!e && ck_dpkg_cmp(entry.version, came_with.version) < 0)
            came_with.version = entry.version;
        if (!e && ck_dpkg_cmp(entry.version, came_with.version) == 0)
            came_with.day = entry.date;
        if (!e && ck_dpkg_cmp(entry.version, s->version) == 0)
            day = entry.date;
        for (size_t i = 0; !e && i < entry.n_ids; i++) {
            came_with.id = entry.ids[i];
            *ck_push(&v) = came_with;
        }
    }
    if (e) {
        free(v.v);
        return e;
    }
    if (v.n)
        qsort(v.v, v.n, sizeof *v.v, by_id_newest_first);
    *ret = v.v;
    *ret_n = v.n;
    *ret_day = day;
    return NULL;
}

/* One statement for every id that the changelog names, fixed in the newest version that names it,
 * and one for the update as such: an image may be older than it without any id between. */
static ck_err *put_source(struct archive *ar, const struct ck_archive_source *s,
                          const struct log *log, bool have_log)
{
    struct named *v = NULL, update = { .version = s->version };
    size_t n = 0;
    ck_err *e = have_log ? collect_named(ar, s, log, &v, &n, &update.day) : NULL;
    for (size_t i = 0; !e && i < n; i++)
        if (i == 0 || !ck_view_eq(v[i].id, v[i - 1].id))
            e = put_statement(ar, s, &v[i], ar->suite);
    free(v);
    if (e)
        return e;
    update.id = ck_view_str(ck_arena_format(ar->arena, "%s:%.*s=%.*s", ar->suite, CK_VF(s->name),
                                            CK_VF(s->version)));
    return put_statement(ar, s, &update,
                         have_log ? CK_NOTE_CHANGELOG_SILENT : CK_NOTE_CHANGELOG_UNREAD);
}

static bool is_wanted(const struct archive *ar, const struct ck_archive_source *s)
{
    return ar->g->o->complete || ck_wanted_has(&ar->wanted, s->name);
}

static ck_err *put_sources(struct archive *ar)
{
    size_t want = 0, done = 0;
    for (size_t i = 0; i < ar->sources.n; i++)
        want += is_wanted(ar, &ar->sources.v[i]);
    for (size_t i = 0; i < ar->sources.n; i++) {
        const struct ck_archive_source *s = &ar->sources.v[i];
        struct log log = { ck_buf_new(CK_LIMIT_CHANGELOG) };
        bool have = false;
        ck_err *e = NULL;
        if (is_wanted(ar, s)) {
            progress(ar, ++done, want);
            e = read_log(ar, s, &log, &have);
        }
        if (!e)
            e = put_source(ar, s, &log, have);
        ck_buf_free(&log.records);
        if (e)
            return ck_err_wrap(e, "source %.*s", CK_VF(s->name));
    }
    return NULL;
}

/* --- suites
 * --------------------------------------------------------------------------------------- */

/* "12" of a security suite's Release; a suite without a number (sid) has no security suite. */
static ck_err *ecosystem_of(struct archive *ar, const struct ck_release *r)
{
    ck_view rest;
    ck_view major = ck_view_split(r->version, '.', &rest);
    uint64_t n;
    if (!ck_view_u64(major, &n))
        return ck_err_new(CK_ERR_UNAVAILABLE, "suite %s names no release number", ar->suite);
    ar->ecosystem = ck_arena_format(ar->arena, "Debian:%llu", (unsigned long long)n);
    return NULL;
}

/* Only what is published as security updates may be called one. */
static ck_err *check_is_security(const struct archive *ar, const struct ck_release *r)
{
    if (ck_view_ends(r->codename, CK_V("-security")) || ck_view_ends(r->suite, CK_V("-security")))
        return NULL;
    return ck_err_new(CK_ERR_USAGE, "suite %s is no security suite (such as %.*s-security)",
                      ar->suite, CK_VF(r->codename));
}

static ck_err *read_suite(struct archive *ar, int64_t *io_time)
{
    struct ck_release r;
    CK_TRY(read_release(ar, &r));
    CK_TRY(check_is_security(ar, &r));
    CK_TRY(ecosystem_of(ar, &r));
    CK_TRY(read_components(ar, &r));
    CK_TRY(put_sources(ar));
    *io_time = r.date > *io_time ? r.date : *io_time;
    return NULL;
}

ck_err *ck_archive_read(struct ck_getter *g, const struct ck_feed_spec *spec,
                        const struct ck_advisory_sink *sink, int64_t *ret_time)
{
    ck_autoarena struct ck_arena wanted = { 0 };
    struct archive ar = { .g = g, .spec = spec, .sink = sink };
    int64_t time = 0;
    CK_TRY(ck_wanted_read(&wanted, &ar.wanted));
    for (size_t i = 0; i < spec->n_suites; i++) {
        ck_autoarena struct ck_arena arena = { 0 };
        ar.arena = &arena;
        ar.suite = spec->suites[i];
        ck_err *e = read_suite(&ar, &time);
        free(ar.sources.v);
        memset(&ar.sources, 0, sizeof ar.sources);
        if (e)
            return e;
    }
    *ret_time = time;
    return NULL;
}
