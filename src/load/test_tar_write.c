/* What is written is read back by our own strict reader and by the system's tar. */
#include "base/mem.h"
#include "base/unit.h"
#include "layer/tar.h"
#include "load/tar_write.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct heard {
    struct ck_buf text;
};

static ck_err *on_entry(void *ctx, const struct ck_tar_entry *e)
{
    struct heard *h = ctx;
    ck_buf_format(&h->text, "%.*s %llu %o;", CK_VF(e->name), (unsigned long long)e->size, e->mode);
    return NULL;
}

static ck_err *on_data(void *ctx, ck_view piece)
{
    struct heard *h = ctx;
    if (piece.n < 64)
        ck_put_bytes(&h->text, piece);
    return NULL;
}

static ck_err *on_end(void *ctx)
{
    (void)ctx;
    return NULL;
}

static const struct ck_tar_ops ops = { on_entry, on_data, on_end };

static void assert_reads(int fd, const char *want)
{
    struct heard h = { ck_buf_new(CK_LIMIT_NONE) };
    struct ck_tar *t = ck_tar_new(&ops, &h);
    uint8_t piece[4096];
    ssize_t n;
    for (off_t at = 0; (n = pread(fd, piece, sizeof piece, at)) > 0; at += n)
        assert_ok(ck_tar_feed(t, ck_view_of(piece, (size_t)n)));
    assert_ok(ck_tar_finish(t));
    assert_view(ck_buf_view(&h.text), want);
    ck_tar_free(t);
    ck_buf_free(&h.text);
}

static int new_file(void)
{
    int fd = memfd_create("tar", 0); /* tar(1) opens it by /dev/fd */
    assert_true(fd >= 0);
    return fd;
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
    assert_reads(t.fd, "a 5 644;helloempty 0 644;b/c 6 644;twotwo");
    close(t.fd);
}

static char *name_of(size_t n)
{
    char *s = ck_calloc(n + 1, 1);
    memset(s, 'n', n);
    return s;
}

static void names_and_sizes_at_the_border_and_past_it(void **state)
{
    (void)state;
    for (size_t n = 99; n < 102; n++) {
        struct ck_tar_out t = { .fd = new_file() };
        ck_autofree char *name = name_of(n), *want = ck_format("%s 1 644;x", name);
        assert_ok(ck_tar_out_put(&t, ck_view_str(name), CK_V("x")));
        assert_ok(ck_tar_out_end(&t));
        assert_reads(t.fd, want);
        close(t.fd);
    }
    static const uint64_t sizes[] = { 077777777777, 0100000000000 };
    for (size_t i = 0; i < 2; i++) { /* only the header: reading stops in the content */
        struct heard h = { ck_buf_new(CK_LIMIT_NONE) };
        struct ck_tar_out t = { .fd = new_file() };
        struct ck_tar *in = ck_tar_new(&ops, &h);
        uint8_t bytes[8192];
        ck_autofree char *want = ck_format("big %llu 644;", (unsigned long long)sizes[i]);
        assert_ok(ck_tar_out_file(&t, CK_V("big"), sizes[i]));
        ssize_t n = pread(t.fd, bytes, sizeof bytes, 0);
        assert_int_equal(n, i ? 3 * 512 : 512);
        assert_ok(ck_tar_feed(in, ck_view_of(bytes, (size_t)n)));
        assert_view(ck_buf_view(&h.text), want);
        ck_tar_free(in);
        ck_buf_free(&h.text);
        close(t.fd);
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

static void the_systems_tar_reads_it(void **state)
{
    (void)state;
    struct ck_tar_out t = { .fd = new_file() };
    ck_autofree char *name = name_of(150);
    char line[512] = "";
    assert_ok(ck_tar_out_put(&t, CK_V("blobs/sha256/x"), CK_V("hello")));
    assert_ok(ck_tar_out_put(&t, ck_view_str(name), CK_V("x")));
    assert_ok(ck_tar_out_end(&t));
    ck_autofree char *command = ck_format("tar -tf /dev/fd/%d 2>&1", t.fd);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    assert_string_equal(line, "blobs/sha256/x\n");
    assert_non_null(fgets(line, sizeof line, f));
    line[150] = 0;
    assert_string_equal(line, name);
    assert_null(fgets(line, sizeof line, f));
    assert_int_equal(pclose(f), 0);
    close(t.fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_come_back),
        cmocka_unit_test(names_and_sizes_at_the_border_and_past_it),
        cmocka_unit_test(a_file_that_lacks_bytes_is_no_file),
        cmocka_unit_test(the_systems_tar_reads_it),
    };
    return cmocka_run_group_tests_name("tar_write", tests, NULL, NULL);
}
