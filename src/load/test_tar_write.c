/* What is written is read back by the system's tar. (Our own strict reader reads it in
 * tests/load/10-files.bats.) */
#include "base/mem.h"
#include "base/unit.h"
#include "load/tar_write.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static int new_file(void)
{
    int fd = memfd_create("tar", 0); /* tar(1) opens it by /dev/fd */
    assert_true(fd >= 0);
    return fd;
}

/* What tar says of it; closes it. */
static char *listing(int fd, const char *options, bool whole)
{
    struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    ck_autofree char *command = ck_format("TZ=UTC tar %s -f /dev/fd/%d 2>/dev/null", options, fd);
    char piece[4096];
    size_t n;
    FILE *f = popen(command, "r");
    assert_non_null(f);
    while ((n = fread(piece, 1, sizeof piece, f)) > 0)
        ck_put_bytes(&out, ck_view_of(piece, n));
    assert_int_equal(pclose(f) == 0, whole);
    close(fd);
    ck_put_u8(&out, 0);
    return ck_buf_steal_str(&out);
}

static void files_come_back(void **state)
{
    (void)state;
    struct ck_tar_out t = { .fd = new_file() };
    assert_ok(ck_tar_out_put(&t, CK_V("a"), CK_V("hello")));
    assert_ok(ck_tar_out_put(&t, CK_V("empty"), CK_V("")));
    assert_ok(ck_tar_out_file(&t, CK_V("b/c"), 6));
    assert_ok(ck_tar_out_data(&t, CK_V("two")));
    assert_ok(ck_tar_out_data(&t, CK_V("two")));
    assert_ok(ck_tar_out_end(&t));
    assert_int_equal(lseek(t.fd, 0, SEEK_END), 7 * 512);
    ck_autofree char *names = listing(dup(t.fd), "-tv --full-time", true);
    ck_autofree char *content = listing(t.fd, "-xO", true);
    assert_string_equal(names, "-rw-r--r-- 0/0               5 1970-01-01 00:00:00 a\n"
                               "-rw-r--r-- 0/0               0 1970-01-01 00:00:00 empty\n"
                               "-rw-r--r-- 0/0               6 1970-01-01 00:00:00 b/c\n");
    assert_string_equal(content, "hellotwotwo");
}

static char *name_of(size_t n)
{
    char *s = ck_calloc(n + 1, 1);
    memset(s, 'n', n);
    return s;
}

static void names_at_the_border_and_past_it(void **state)
{
    (void)state;
    static const size_t lengths[] = { 1, 99, 100, 101, 141, 986, 987, 988, 4096 };
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct ck_tar_out t = { .fd = new_file() };
        ck_autofree char *name = name_of(lengths[i]), *want = ck_format("%s\n", name);
        assert_ok(ck_tar_out_put(&t, ck_view_str(name), CK_V("x")));
        assert_ok(ck_tar_out_end(&t));
        ck_autofree char *names = listing(t.fd, "-t", true);
        assert_string_equal(names, want);
    }
}

/* Eleven octal digits, and one byte more. Of the file only the header is there. */
static void sizes_at_the_border_and_past_it(void **state)
{
    (void)state;
    static const struct {
        uint64_t size;
        off_t header;
    } cases[] = { { 077777777777, 512 }, { 0100000000000, 3 * 512 } };
    for (size_t i = 0; i < 2; i++) {
        struct ck_tar_out t = { .fd = new_file() };
        ck_autofree char *size = ck_format(" %llu ", (unsigned long long)cases[i].size);
        assert_ok(ck_tar_out_file(&t, CK_V("big"), cases[i].size));
        assert_int_equal(lseek(t.fd, 0, SEEK_END), cases[i].header);
        ck_autofree char *names = listing(t.fd, "-tv", false);
        assert_non_null(strstr(names, size));
    }
}

static void a_file_that_lacks_bytes_is_no_file(void **state)
{
    (void)state;
    struct ck_tar_out t = { .fd = new_file() };
    assert_ok(ck_tar_out_file(&t, CK_V("a"), 6));
    assert_ok(ck_tar_out_data(&t, CK_V("two")));
    assert_fails(ck_tar_out_file(&t, CK_V("b"), 6), CK_ERR_OURS, "lacks 3 bytes");
    assert_fails(ck_tar_out_end(&t), CK_ERR_OURS, "lacks 3 bytes");
    close(t.fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_come_back),
        cmocka_unit_test(names_at_the_border_and_past_it),
        cmocka_unit_test(sizes_at_the_border_and_past_it),
        cmocka_unit_test(a_file_that_lacks_bytes_is_no_file),
    };
    return cmocka_run_group_tests_name("tar_write", tests, NULL, NULL);
}
