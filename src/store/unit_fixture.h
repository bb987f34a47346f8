/* A store of its own for each test; only tests include it. */
#ifndef CK_STORE_UNIT_FIXTURE_H
#define CK_STORE_UNIT_FIXTURE_H

#include "base/unit.h"
#include "store/unit_store.h"

#include <dirent.h>
#include <ftw.h>
#include <sqlite3.h>

struct fixture {
    char *dir;
    struct ck_store *s;
    struct ck_lease *l;
    struct ck_arena arena;
};

static inline int setup(void **state)
{
    const char *temp = getenv("TMPDIR");
    struct fixture *f = ck_new(struct fixture);
    f->dir = ck_format("%s/cocket-store.XXXXXX", temp ? temp : "/tmp");
    if (!mkdtemp(f->dir))
        return -1;
    assert_ok(ck_store_open(f->dir, &f->s));
    assert_ok(ck_lease_new(f->s, &f->l));
    *state = f;
    return 0;
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    ck_lease_end(f->l);
    ck_store_close(f->s);
    ck_arena_free(&f->arena);
    nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(f->dir);
    free(f);
    return 0;
}

/* --- what a test looks at --------------------------------------------------------------------- */

static inline void new_lease(struct fixture *f)
{
    ck_lease_end(f->l);
    assert_ok(ck_lease_new(f->s, &f->l));
}

static inline bool has(struct fixture *f, const struct ck_digest *d)
{
    bool yes = false;
    assert_ok(ck_store_has(f->l, d, NULL, &yes));
    return yes;
}

static inline char *blob_path(struct fixture *f, const struct ck_digest *d)
{
    char text[CK_DIGEST_TEXT];
    ck_digest_text(d, text);
    return ck_format("%s/blobs/sha256/%s", f->dir, text + 7);
}

static inline size_t files_in(struct fixture *f, const char *name)
{
    ck_autofree char *path = ck_format("%s/%s", f->dir, name);
    DIR *d = opendir(path);
    size_t n = 0;
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static inline void count_problem(void *ctx, const char *text)
{
    ck_buf_format(ctx, "%s\n", text);
}

/* What fsck finds wrong, or "". */
static inline void assert_fsck(struct fixture *f, bool quick, const char *want)
{
    ck_autobuf struct ck_buf said = ck_buf_new(CK_LIMIT_NONE);
    struct ck_fsck_result r;
    assert_ok(ck_store_fsck(f->s, quick, count_problem, NULL, &said, &r));
    ck_put_u8(&said, 0);
    if (want[0] ? !strstr((char *)said.p, want) : said.n != 1)
        print_error("fsck said: %swant: %s\n", (char *)said.p, want);
    assert_true(want[0] ? strstr((char *)said.p, want) != NULL && r.problems : !r.problems);
}

static inline struct ck_gc_result gc(struct fixture *f, bool dry)
{
    struct ck_gc_result r;
    assert_ok(ck_store_gc(f->s, dry, &r));
    return r;
}

static inline struct unit_image fetch(struct fixture *f, unsigned n, const char *name)
{
    struct unit_image u = unit_image(n, 100);
    assert_ok(unit_fetch(f->l, &u, ck_view_str(name)));
    return u;
}

static inline struct ck_store_entry get(struct fixture *f, const struct ck_digest *d)
{
    struct ck_store_entry e = { 0 };
    bool found = false;
    assert_ok(ck_store_get(f->s, d, &f->arena, &e, &found));
    assert_true(found);
    return e;
}

/* Changes the database behind the store's back. */
static inline void tamper(struct fixture *f, const char *sql)
{
    ck_autofree char *path = ck_format("%s/state.db", f->dir);
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    if (rc)
        print_error("%s\n", sqlite3_errmsg(db));
    assert_int_equal(rc, SQLITE_OK);
    sqlite3_close(db);
}

static inline void close_store(struct fixture *f)
{
    ck_lease_end(f->l);
    ck_store_close(f->s);
    f->l = NULL;
    f->s = NULL;
}

static inline void reopen_store(struct fixture *f)
{
    assert_ok(ck_store_open(f->dir, &f->s));
    assert_ok(ck_lease_new(f->s, &f->l));
}

/* A manifest without parts of its own kind: index, referrer. */
static inline struct ck_digest add_manifest(struct fixture *f, const char *text,
                                            struct ck_store_image im)
{
    im.digest = unit_digest(ck_view_str(text));
    im.size = strlen(text);
    im.media_type = CK_V(UNIT_OCI "index.v1+json");
    assert_ok(ck_store_put(f->l, &im.digest, ck_view_str(text)));
    assert_ok(ck_store_add_image(f->l, &im, true));
    return im.digest;
}

static inline struct ck_digest add_index(struct fixture *f, const char *text,
                                         const struct unit_image *u)
{
    struct ck_store_part child = { .digest = u->image.digest, .size = u->image.size,
                                   .media_type = u->image.media_type, .role = CK_PART_MANIFEST };
    return add_manifest(f, text, (struct ck_store_image){ .index = true, .parts = &child,
                                                          .n_parts = 1 });
}

static inline struct ck_digest add_referrer(struct fixture *f, const char *text,
                                            const struct ck_digest *subject)
{
    return add_manifest(f, text, (struct ck_store_image){
        .has_subject = true, .subject = *subject, .artifact_type = CK_V("application/sbom") });
}

static inline enum ck_state_of_image decide(struct fixture *f, const struct ck_digest *d,
                                            enum ck_state_of_image state, enum ck_decider by)
{
    enum ck_state_of_image now = CK_STATE_OF_IMAGE_COUNT_;
    assert_ok(ck_store_decide(f->s, d, state, CK_V("because"), by, &now));
    assert_int_equal(get(f, d).state, now);
    return now;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
