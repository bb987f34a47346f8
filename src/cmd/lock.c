#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/lock_file.h"
#include "store/store.h"
#include "trust/near_miss.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char page[] = "cocket-lock";

/* What a reference means, asked once for all files that name it. */
struct target {
    ck_view reference; /* the entry's */
    struct ck_name name;
    struct ck_resolved now;
};

struct file {
    struct ck_user_file f;
    ck_view name; /* as images.lock names it */
    struct ck_lock_reference *refs;
    size_t *targets; /* of each reference, where it is named */
    size_t n;
    struct ck_buf pinned;
};

struct args {
    struct ck_arena arena;
    struct ck_remote_args remote;
    const char *lock_file;
    bool write, check, quiet;
    struct ck_progress_line line;
    CK_VEC(struct file) files;
    CK_VEC(struct target) targets;
    struct ck_lock_entry *old; /* of images.lock */
    size_t n_old;
    struct ck_buf old_bytes, new_bytes;
};

enum opt { OPT_WRITE = 256, OPT_CHECK, OPT_LOCK_FILE, OPT_NO_SANDBOX };
static const struct option options[] = {
    { "write", no_argument, NULL, OPT_WRITE },
    { "check", no_argument, NULL, OPT_CHECK },
    { "lock-file", required_argument, NULL, OPT_LOCK_FILE },
    { "store", required_argument, NULL, CK_OPT_STORE },
    CK_ENDPOINT_OPTIONS,
    { "quiet", no_argument, NULL, 'q' },
    { "insecure-no-sandbox", no_argument, NULL, OPT_NO_SANDBOX },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

/* --- arguments -------------------------------------------------------------------------------- */

static ck_err *take_option(void *ctx, int opt)
{
    struct args *a = ctx;
    bool taken = false;
    CK_TRY(ck_remote_args_take(&a->remote, opt, &taken));
    switch (opt) {
    case OPT_WRITE:
        a->write = true;
        break;
    case OPT_CHECK:
        a->check = true;
        break;
    case OPT_LOCK_FILE:
        a->lock_file = optarg;
        break;
    case OPT_NO_SANDBOX:
        a->remote.remote.no_sandbox = true;
        break;
    case 'q':
        a->quiet = true;
        break;
    }
    return NULL;
}

static void note(struct args *a, const char *kind, const char *text)
{
    ck_autofree char *safe = ck_escape(ck_view_str(text));
    ck_progress_line_end(&a->line);
    fprintf(stderr, "cocket: %s%s\n", kind, safe);
}

/* --- files ------------------------------------------------------------------------------------ */

/* The target of a reference: its tag, or where it has none its digest. */
static size_t target_of(struct args *a, const struct ck_name *name)
{
    struct target t = { .name = *name };
    if (t.name.tag.n)
        t.name.has_digest = false;
    t.reference = ck_view_str(ck_name_text(&t.name, &a->arena));
    for (size_t i = 0; i < a->targets.n; i++)
        if (ck_view_eq(a->targets.v[i].reference, t.reference))
            return i;
    *ck_push(&a->targets) = t;
    return a->targets.n - 1;
}

static ck_err *find_references(struct args *a, struct file *f)
{
    enum ck_lock_file_kind kind;
    ck_view content = ck_buf_view(&f->f.content);
    CK_TRY(ck_lock_kind(f->f.path, content, &kind));
    CK_TRY(ck_lock_references(kind, content, &a->arena, &f->refs, &f->n));
    f->targets = ck_arena_alloc(&a->arena, f->n, sizeof *f->targets);
    for (size_t i = 0; i < f->n; i++)
        if (f->refs[i].named)
            f->targets[i] = target_of(a, &f->refs[i].name);
    return NULL;
}

static ck_view without_dot(const char *path)
{
    ck_view v = ck_view_str(path);
    while (ck_view_starts(v, CK_V("./")) && v.n > 2)
        v = ck_view_from(v, 2);
    return v;
}

/* What images.lock can hold. */
static bool is_plain(ck_view name)
{
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] < 0x20 || name.p[i] == 0x7F)
            return false;
    return ck_utf8_valid(name);
}

/* A file that is named twice is read once. */
static ck_err *read_file(struct args *a, const char *path)
{
    struct file f = { .name = without_dot(path), .pinned = ck_buf_new(CK_LIMIT_NONE) };
    if (!is_plain(f.name))
        return ck_err_new(CK_ERR_USAGE, "%s: images.lock can hold no such name of a file", path);
    ck_err *e = ck_user_file_read(path, &f.f);
    for (size_t i = 0; !e && i < a->files.n; i++)
        if (strcmp(a->files.v[i].f.real, f.f.real) == 0) {
            ck_user_file_free(&f.f);
            return NULL;
        }
    *ck_push(&a->files) = f;
    if (!e) {
        e = find_references(a, &a->files.v[a->files.n - 1]);
        e = e ? ck_err_wrap(e, "%s", path) : NULL;
    }
    return e;
}

/* --- warnings --------------------------------------------------------------------------------- */

/* A store is not made for this: where there is none, nothing was seen. */
static bool has_store(const struct args *a)
{
    const char *dir = a->remote.store ? a->remote.store : getenv("COCKET_STORE");
    ck_autofree char *usual = ck_xdg_path(CK_XDG_DATA, "store");
    dir = dir && *dir ? dir : usual;
    return dir && access(dir, F_OK) == 0;
}

static void seen_names(struct args *a, ck_view **ret, size_t *ret_n)
{
    struct ck_store *s = NULL;
    *ret_n = 0;
    if (!has_store(a))
        return;
    ck_autoerr ck_err *e = ck_store_open(a->remote.store, &s);
    if (!e) {
        e = ck_store_repositories(s, &a->arena, ret, ret_n);
        ck_store_close(s);
    }
    if (e) {
        *ret_n = 0;
        ck_autofree char *text = ck_format("names are not compared with those seen before: %s",
                                           ck_err_text(e));
        note(a, "warning: ", text);
    }
}

static void warn_of_name(struct args *a, const struct file *f, const struct ck_lock_reference *r,
                         const ck_view *seen, size_t n_seen)
{
    struct ck_name_warning *w;
    size_t n;
    ck_name_warnings(&r->name, seen, n_seen, &a->arena, &w, &n);
    for (size_t i = 0; i < n; i++) {
        ck_autofree char *text = ck_format("%s:%u: %.*s: %.*s", f->f.path, r->line, CK_VF(r->text),
                                           CK_VF(w[i].text));
        note(a, "warning: ", text);
    }
}

/* Each name once, where it stands first. */
static void warn_of_names(struct args *a)
{
    ck_view *seen = NULL;
    size_t n_seen;
    ck_autofree bool *warned = ck_calloc(a->targets.n + 1, sizeof *warned);
    seen_names(a, &seen, &n_seen);
    for (size_t i = 0; i < a->files.n; i++) {
        const struct file *f = &a->files.v[i];
        for (size_t k = 0; k < f->n; k++)
            if (f->refs[k].named && !warned[f->targets[k]]) {
                warned[f->targets[k]] = true;
                warn_of_name(a, f, &f->refs[k], seen, n_seen);
            }
    }
}

static bool offers(const struct ck_resolved *r, ck_view platform)
{
    for (size_t i = 0; i < r->n_platforms; i++) {
        ck_view p = r->platforms[i];
        if (ck_view_starts(p, platform) && (p.n == platform.n || p.p[platform.n] == '/'))
            return true;
    }
    return r->n_platforms == 0;
}

static void warn_of_platforms(struct args *a)
{
    for (size_t i = 0; i < a->files.n; i++) {
        const struct file *f = &a->files.v[i];
        for (size_t k = 0; k < f->n; k++) {
            const struct ck_lock_reference *r = &f->refs[k];
            if (!r->named || !r->platform.n ||
                offers(&a->targets.v[f->targets[k]].now, r->platform))
                continue;
            ck_autofree char *text = ck_format("%s:%u: %.*s is not offered for %.*s", f->f.path,
                                               r->line, CK_VF(r->text), CK_VF(r->platform));
            note(a, "warning: ", text);
        }
    }
}

/* --- the registry ----------------------------------------------------------------------------- */

/* All of them are asked, so that one run names all that cannot be had. */
static ck_err *resolve_all(struct args *a, struct ck_resolver *r)
{
    ck_err *first = NULL;
    for (size_t i = 0; i < a->targets.n; i++) {
        struct target *t = &a->targets.v[i];
        ck_autofree char *text = ck_format("asking: %zu of %zu", i + 1, a->targets.n);
        ck_progress_line_show(&a->line, text);
        ck_err *e = ck_lock_resolve(r, &t->name, &a->arena, &t->now);
        if (e && first) {
            note(a, "", ck_err_text(e));
            ck_err_free(e);
        } else if (e) {
            first = e;
        }
    }
    ck_progress_line_end(&a->line);
    return first ? ck_err_wrap(first, "nothing was written") : NULL;
}

static ck_err *ask(struct args *a)
{
    struct ck_resolve_options o = { .remote = a->remote.remote };
    struct ck_resolver *r = NULL;
    CK_TRY(ck_resolver_new(&o, &r));
    ck_err *e = resolve_all(a, r);
    ck_resolver_free(r);
    return e;
}

/* --- images.lock ------------------------------------------------------------------------------ */

static const struct ck_lock_entry *old_entry(const struct args *a, ck_view reference)
{
    for (size_t i = 0; i < a->n_old; i++)
        if (ck_view_eq(a->old[i].reference, reference))
            return &a->old[i];
    return NULL;
}

static bool is_named_now(const struct args *a, ck_view file)
{
    for (size_t i = 0; i < a->files.n; i++)
        if (ck_view_eq(a->files.v[i].name, file))
            return true;
    return false;
}

/* The files of an old entry that were not looked at now. */
static void keep_files(struct args *a, const struct ck_lock_entry *old, struct ck_lock_entry *e)
{
    for (size_t i = 0; i < old->n_files; i++)
        if (!is_named_now(a, old->files[i]))
            e->files[e->n_files++] = old->files[i];
}

static bool names_target(const struct file *f, size_t target)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->refs[i].named && f->targets[i] == target)
            return true;
    return false;
}

/* First seen is when the reference was first seen to mean this digest. */
static struct ck_lock_entry entry_of(struct args *a, size_t target, int64_t now)
{
    const struct target *t = &a->targets.v[target];
    const struct ck_lock_entry *old = old_entry(a, t->reference);
    struct ck_lock_entry e = { .reference = t->reference, .digest = t->now.digest,
                               .platforms = t->now.platforms, .n_platforms = t->now.n_platforms,
                               .first_seen = now };
    e.files = ck_arena_alloc(&a->arena, a->files.n + (old ? old->n_files : 0), sizeof *e.files);
    if (old) {
        if (ck_digest_eq(&old->digest, &e.digest))
            e.first_seen = old->first_seen;
        else
            note(a, "", ck_arena_format(&a->arena, "%.*s has moved: it was %s", CK_VF(t->reference),
                                        ck_lock_short_digest(&old->digest, &a->arena)));
        keep_files(a, old, &e);
    }
    for (size_t i = 0; i < a->files.n; i++)
        if (names_target(&a->files.v[i], target))
            e.files[e.n_files++] = a->files.v[i].name;
    return e;
}

static bool is_target(const struct args *a, ck_view reference)
{
    for (size_t i = 0; i < a->targets.n; i++)
        if (ck_view_eq(a->targets.v[i].reference, reference))
            return true;
    return false;
}

/* An entry goes when the last file that named it does so no longer. */
static size_t all_entries(struct args *a, int64_t now, struct ck_lock_entry *v)
{
    size_t n = 0;
    for (size_t i = 0; i < a->targets.n; i++)
        v[n++] = entry_of(a, i, now);
    for (size_t i = 0; i < a->n_old; i++) {
        struct ck_lock_entry e = a->old[i];
        if (is_target(a, e.reference))
            continue;
        e.files = ck_arena_alloc(&a->arena, e.n_files, sizeof *e.files);
        e.n_files = 0;
        keep_files(a, &a->old[i], &e);
        if (e.n_files || a->old[i].n_files == 0)
            v[n++] = e;
    }
    return n;
}

/* What is written must be readable again: the limits of images.lock hold for all files together. */
static ck_err *new_lock(struct args *a)
{
    int64_t now;
    struct ck_lock_entry *check;
    size_t n;
    CK_TRY(ck_cmd_now(&now));
    struct ck_lock_entry *v = ck_arena_alloc(&a->arena, a->targets.n + a->n_old, sizeof *v);
    n = all_entries(a, now, v);
    ck_lock_encode(v, n, &a->new_bytes);
    CK_TRY_WRAP(ck_lock_decode(ck_buf_view(&a->new_bytes), &a->arena, &check, &n), "%s",
                a->lock_file);
    return NULL;
}

/* --- pinning ---------------------------------------------------------------------------------- */

static ck_err *pin(struct args *a, struct file *f)
{
    const struct ck_digest **pins = ck_arena_alloc(&a->arena, f->n, sizeof(void *));
    for (size_t i = 0; i < f->n; i++)
        if (!f->refs[i].skipped)
            pins[i] = &a->targets.v[f->targets[i]].now.digest;
    return ck_lock_pin(ck_buf_view(&f->f.content), f->refs, f->n, pins, &f->pinned);
}

static bool changes(const struct file *f)
{
    return !ck_view_eq(ck_buf_view(&f->f.content), ck_buf_view(&f->pinned));
}

static ck_err *pin_all(struct args *a)
{
    for (size_t i = 0; a->write && i < a->files.n; i++)
        CK_TRY_WRAP(pin(a, &a->files.v[i]), "%s", a->files.v[i].f.path);
    return NULL;
}

/* --- the table -------------------------------------------------------------------------------- */

static void put_cell(ck_view v, size_t width)
{
    ck_autofree char *safe = ck_escape(v);
    size_t w = ck_text_width(ck_view_str(safe));
    printf("%s%*s  ", safe, (int)(w < width ? width - w : 0), "");
}

static const char *platforms_text(const struct ck_resolved *r, struct ck_arena *a)
{
    enum { SHOWN = 2 };
    const char *text = r->n_platforms ? "" : "-";
    for (size_t i = 0; i < r->n_platforms && i < SHOWN; i++)
        text = ck_arena_format(a, "%s%s%.*s", text, i ? ", " : "", CK_VF(r->platforms[i]));
    if (r->n_platforms > SHOWN)
        text = ck_arena_format(a, "%s +%zu", text, r->n_platforms - SHOWN);
    return text;
}

static const char *state_of(const struct args *a, const struct ck_lock_reference *r,
                            const struct ck_resolved *now, struct ck_arena *arena)
{
    if (r->skipped)
        return ck_arena_format(arena, "%s: %.*s", r->named ? "locked, not pinned" : "skipped",
                               CK_VF(r->why));
    if (r->name.has_digest && ck_digest_eq(&r->name.digest, &now->digest))
        return "is pinned to it";
    if (!a->write || a->check)
        return r->name.has_digest ? "locked; the file has another digest" : "locked";
    return r->name.has_digest ? "pinned anew" : "pinned";
}

enum { COLUMNS = 3 };
struct row {
    ck_view cell[COLUMNS];
    const char *state;
};

static struct row row_of(struct args *a, const struct file *f, size_t i)
{
    const struct ck_lock_reference *r = &f->refs[i];
    const struct ck_resolved *now = r->named ? &a->targets.v[f->targets[i]].now : NULL;
    ck_view rest;
    return (struct row){
        { ck_view_split(r->text, '@', &rest),
          ck_view_str(now ? ck_lock_short_digest(&now->digest, &a->arena) : "-"),
          ck_view_str(now ? platforms_text(now, &a->arena) : "-") },
        state_of(a, r, now, &a->arena),
    };
}

static void print_file(struct args *a, const struct file *f)
{
    size_t width[COLUMNS] = { 0 };
    struct row *rows = ck_arena_alloc(&a->arena, f->n, sizeof *rows);
    ck_autofree char *path = ck_escape(ck_view_str(f->f.path));
    for (size_t i = 0; i < f->n; i++) {
        rows[i] = row_of(a, f, i);
        for (size_t k = 0; k < COLUMNS; k++) {
            size_t w = ck_text_width(rows[i].cell[k]);
            width[k] = w > width[k] && w <= 60 ? w : width[k];
        }
    }
    printf("%s%s\n", path, f->n ? "" : ": names no image");
    for (size_t i = 0; i < f->n; i++) {
        printf("  %4u  ", f->refs[i].line);
        for (size_t k = 0; k < COLUMNS; k++)
            put_cell(rows[i].cell[k], width[k]);
        ck_autofree char *state = ck_escape(ck_view_str(rows[i].state));
        puts(state);
    }
}

/* --- all together ----------------------------------------------------------------------------- */

static ck_err *write_all(struct args *a)
{
    for (size_t i = 0; a->write && i < a->files.n; i++)
        CK_TRY(ck_user_file_unchanged(&a->files.v[i].f));
    if (!ck_view_eq(ck_buf_view(&a->old_bytes), ck_buf_view(&a->new_bytes)))
        CK_TRY(ck_file_write(a->lock_file, ck_buf_view(&a->new_bytes), CK_FILE_DURABLE));
    for (size_t i = 0; a->write && i < a->files.n; i++)
        if (changes(&a->files.v[i]))
            CK_TRY(ck_user_file_replace(&a->files.v[i].f, ck_buf_view(&a->files.v[i].pinned)));
    return NULL;
}

static int compare_all(struct args *a)
{
    bool same = ck_view_eq(ck_buf_view(&a->old_bytes), ck_buf_view(&a->new_bytes));
    if (!same)
        note(a, "", ck_arena_format(&a->arena, "%s would change", a->lock_file));
    for (size_t i = 0; a->write && i < a->files.n; i++)
        if (changes(&a->files.v[i])) {
            same = false;
            note(a, "", ck_arena_format(&a->arena, "%s would change", a->files.v[i].f.path));
        }
    return same ? CK_EXIT_OK : CK_EXIT_DENIED;
}

static ck_err *run(struct args *a, char **paths, int n, int *ret_status)
{
    for (int i = 0; i < n; i++)
        CK_TRY(read_file(a, paths[i]));
    CK_TRY(ck_lock_file_read(a->lock_file, true, &a->arena, &a->old_bytes, &a->old, &a->n_old));
    warn_of_names(a);
    CK_TRY(ask(a));
    warn_of_platforms(a);
    CK_TRY(new_lock(a));
    CK_TRY(pin_all(a));
    if (a->check)
        *ret_status = compare_all(a);
    else
        CK_TRY(write_all(a));
    for (size_t i = 0; !a->quiet && i < a->files.n; i++)
        print_file(a, &a->files.v[i]);
    return NULL;
}

static void free_args(struct args *a)
{
    for (size_t i = 0; i < a->files.n; i++) {
        ck_user_file_free(&a->files.v[i].f);
        ck_buf_free(&a->files.v[i].pinned);
    }
    free(a->files.v);
    free(a->targets.v);
    ck_buf_free(&a->old_bytes);
    ck_buf_free(&a->new_bytes);
    ck_arena_free(&a->arena);
}

int ck_cmd_lock(int argc, char **argv)
{
    struct args a = { .lock_file = ck_lock_file_default,
                      .old_bytes = ck_buf_new(CK_LIMIT_DOCUMENT),
                      .new_bytes = ck_buf_new(CK_LIMIT_NONE) };
    int status = ck_cmd_options(argc, argv, page, options, take_option, &a);
    if (status >= 0)
        return status;
    if (optind == argc)
        return ck_cmd_usage(page, "say which files: cocket lock Dockerfile compose.yaml ...");
    status = CK_EXIT_OK;
    a.line = ck_progress_line_new("asking", a.quiet);
    ck_err *e = run(&a, argv + optind, argc - optind, &status);
    ck_progress_line_end(&a.line);
    free_args(&a);
    return e ? ck_cmd_fail(e) : status;
}
