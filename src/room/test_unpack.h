/* For the tests of unpacking. Each has two folders: "in", which the tree goes to, and "out" beside
 * it, which must stay as it was. */
#ifndef CK_ROOM_TEST_UNPACK_H
#define CK_ROOM_TEST_UNPACK_H

#include "base/mem.h"
#include "base/tree.h"
#include "base/unit.h"
#include "layer/test_make.h"
#include "room/unpack.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char top[64];
static int in_dir, out_dir;

static inline int set_up(void **state)
{
    (void)state;
    snprintf(top, sizeof top, "/tmp/cocket-unpack-XXXXXX");
    if (!mkdtemp(top))
        return -1;
    int dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    mkdirat(dir, "in", 0700);
    mkdirat(dir, "out", 0700);
    in_dir = openat(dir, "in", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    out_dir = openat(dir, "out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int canary = openat(out_dir, "canary", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    close(canary);
    close(dir);
    return in_dir < 0 || out_dir < 0 || canary < 0;
}

static inline ck_err *count(void *ctx, int dir, const char *name)
{
    (void)dir;
    *(unsigned *)ctx += strcmp(name, "canary") == 0 ? 1 : 1000;
    return NULL;
}

static inline int tear_down(void **state)
{
    (void)state;
    unsigned found = 0;
    struct stat st;
    ck_err *e = ck_tree_each(out_dir, count, &found);
    bool kept = !e && found == 1 && fstatat(out_dir, "canary", &st, 0) == 0 && st.st_size == 0 &&
                (st.st_mode & 07777) == 0600;
    if (!kept)
        print_error("something was done outside\n");
    ck_err_free(e);
    close(in_dir);
    close(out_dir);
    e = ck_tree_remove_force(AT_FDCWD, top);
    bool removed = e == NULL;
    ck_err_free(e);
    return kept && removed ? 0 : -1;
}

/* --- layers ----------------------------------------------------------------------------------- */

struct layer {
    struct ck_buf tar;
};

static inline struct layer layer_new(void) { return (struct layer){ ck_buf_new(CK_LIMIT_NONE) }; }

static inline void add(struct layer *l, char flag, const char *name, const char *link,
                       const char *mode, const char *content)
{
    struct made m = { .name = name, .link = link, .flag = flag, .mode = mode };
    if (strlen(name) > 100)
        made_pax(&l->tar, 'x', "path", name);
    if (link && strlen(link) > 100)
        made_pax(&l->tar, 'x', "linkpath", link);
    made_entry(&l->tar, m, ck_view_str(content ? content : ""));
}

static inline void file(struct layer *l, const char *name, const char *content)
{
    add(l, '0', name, NULL, NULL, content);
}
static inline void dir(struct layer *l, const char *name)
{
    add(l, '5', name, NULL, "0000755", NULL);
}

static inline void sym(struct layer *l, const char *name, const char *to)
{
    add(l, '2', name, to, NULL, NULL);
}

static inline void hard(struct layer *l, const char *name, const char *to)
{
    add(l, '1', name, to, NULL, NULL);
}


static inline ck_err *no_progress(void *ctx, uint64_t done)
{
    (void)ctx, (void)done;
    return NULL;
}

static inline int as_file(ck_view bytes)
{
    int fd = memfd_create("layer", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.p, bytes.n), (ssize_t)bytes.n);
    return fd;
}

static inline struct ck_job_unpack job_for(const struct layer *l)
{
    struct ck_job_unpack j = { .blob.length = l->tar.n };
    ck_hash_of(CK_DIGEST_SHA256, ck_buf_view(&l->tar), &j.diff_id);
    return j;
}

/* Ends and frees the layer. */
static inline ck_err *unpack(struct ck_unpack_tree *t, struct layer *l)
{
    made_end(&l->tar);
    struct ck_job_unpack j = job_for(l);
    int fd = as_file(ck_buf_view(&l->tar));
    ck_unpack_tree_at(t, in_dir);
    ck_err *e = ck_unpack_layer(t, &j, fd, no_progress, NULL);
    close(fd);
    ck_buf_free(&l->tar);
    return e;
}

/* Two layers; the lower one must be fine. */
static inline ck_err *unpack_two(struct layer *low, struct layer *high)
{
    struct ck_unpack_tree *t = ck_unpack_tree_new(false);
    assert_ok(unpack(t, low));
    ck_err *e = unpack(t, high);
    if (!e)
        e = ck_unpack_tree_seal(t);
    ck_unpack_tree_free(t);
    return e;
}

static inline ck_err *unpack_one(struct layer *l)
{
    struct ck_unpack_tree *t = ck_unpack_tree_new(false);
    ck_err *e = unpack(t, l);
    if (!e)
        e = ck_unpack_tree_seal(t);
    ck_unpack_tree_free(t);
    return e;
}

/* --- what is there ---------------------------------------------------------------------------- */

static inline struct stat look(const char *path)
{
    struct stat st = { 0 };
    if (fstatat(in_dir, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
        st.st_mode = 0;
    return st;
}

static inline bool there(const char *path) { return look(path).st_mode != 0; }

static inline void assert_content(const char *path, const char *want)
{
    char have[256] = "";
    int fd = openat(in_dir, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t n = read(fd, have, sizeof have - 1);
    assert_true(n >= 0);
    have[n] = 0;
    close(fd);
    assert_string_equal(have, want);
}

static inline void assert_link(const char *path, const char *want)
{
    char have[256];
    ssize_t n = readlinkat(in_dir, path, have, sizeof have - 1);
    assert_true(n >= 0);
    have[n] = 0;
    assert_string_equal(have, want);
}

static inline ck_err *remove_each(void *ctx, int dir_fd, const char *name)
{
    (void)ctx;
    return ck_tree_remove_force(dir_fd, name);
}

static inline void start_anew(void) { assert_ok(ck_tree_each(in_dir, remove_each, NULL)); }

static inline void assert_empty(void)
{
    unsigned found = 0;
    assert_ok(ck_tree_each(in_dir, count, &found));
    assert_int_equal(found, 0);
}

#endif
