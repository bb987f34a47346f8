#include "base/mem.h"
#include "base/tree.h"
#include "base/unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void make(int dir, const char *name)
{
    int fd = openat(dir, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static bool there(int dir, const char *name)
{
    struct stat st;
    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void removing_follows_no_link(void **state)
{
    (void)state;
    char path[] = "/tmp/cocket-tree-XXXXXX", name[32];
    assert_non_null(mkdtemp(path));
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(dir >= 0);
    mkdirat(dir, "outside", 0700);
    make(dir, "outside/kept");
    mkdirat(dir, "tree", 0700);
    mkdirat(dir, "tree/deep", 0700);
    assert_int_equal(symlinkat("../outside", dir, "tree/link"), 0);
    assert_int_equal(symlinkat("../../outside", dir, "tree/deep/link"), 0);
    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "tree/deep/%d", i);
        make(dir, name);
    }
    assert_ok(ck_tree_remove(dir, "tree"));
    assert_false(there(dir, "tree"));
    assert_true(there(dir, "outside/kept"));
    assert_int_equal(symlinkat("outside", dir, "link"), 0);
    assert_ok(ck_tree_remove(dir, "link"));
    assert_true(there(dir, "outside/kept"));
    assert_ok(ck_tree_remove(dir, "nothing"));
    assert_ok(ck_tree_remove_force(AT_FDCWD, path));
    assert_int_equal(access(path, F_OK), -1);
    close(dir);
}

/* As a user who may not do everything; root may. */
static void closed_directories_are_opened_by_force(void **state)
{
    (void)state;
    char path[] = "/tmp/cocket-tree-XXXXXX";
    assert_non_null(mkdtemp(path));
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    mkdirat(dir, "a", 0700);
    mkdirat(dir, "a/b", 0700);
    make(dir, "a/b/file");
    assert_int_equal(fchmodat(dir, "a/b", 0, 0), 0);
    assert_int_equal(fchmodat(dir, "a", 0500, 0), 0);
    if (geteuid() != 0) {
        assert_fails(ck_tree_remove(dir, "a"), CK_ERR_OURS, "Permission denied");
        assert_true(there(dir, "a"));
    }
    assert_ok(ck_tree_remove_force(dir, "a"));
    assert_false(there(dir, "a"));
    close(dir);
    assert_int_equal(rmdir(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(removing_follows_no_link),
        cmocka_unit_test(closed_directories_are_opened_by_force),
    };
    return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
