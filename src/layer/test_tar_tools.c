/* The tar reader on archives that real tools write, made here and now. */
#include "base/mem.h"
#include "layer/inflate.h"
#include "layer/test_heard.h"

#include <sys/wait.h>

/* What `command` writes to its standard output; skips the test where the tool is missing. */
static void run(struct ck_buf *b, const char *command)
{
    FILE *f = popen(command, "r");
    size_t n;
    assert_non_null(f);
    do {
        n = fread(ck_buf_room(b, 65536), 1, 65536, f);
        b->n += n;
    } while (n);
    int status = pclose(f);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
        ck_buf_free(b);
        skip();
    }
    assert_int_equal(status, 0);
}

#define TREE                                                                              \
    "set -e; d=$(mktemp -d); trap 'rm -rf $d' EXIT; cd $d; mkdir -p a/b; "                 \
    "n=$(printf %0250d 7); "                                                              \
    "echo hi >a/f; ln a/f a/h; ln -s $n a/s; mkfifo a/p; mkdir $n; echo x >$n/$n; "        \
    "truncate -s 3M a/holes; printf abc >>a/holes; touch -d @-5 a/old; "

static void assert_tool(const char *command, uint64_t entries, uint64_t content)
{
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    run(&b, command);
    static const size_t pieces[] = { SIZE_MAX, 4096, 1000 };
    for (size_t i = 0; i < 3; i++) {
        struct heard h = { .only = ck_buf_view(&b) };
        assert_ok(read_in_pieces(ck_buf_view(&b), pieces[i], &h));
        assert_int_equal(h.entries, entries);
        assert_int_equal(h.content, content);
        forget(&h);
    }
}

enum { HOLES = 3 * 1024 * 1024 + 3 };

static void archives_of_gnu_tar(void **state)
{
    (void)state;
    assert_tool(TREE "tar --format=gnu -cf - .", 11, HOLES + 3 + 2);
    assert_tool(TREE "tar --format=pax -cf - .", 11, HOLES + 3 + 2);
    assert_tool(TREE "rm -rf 0* a/s a/old; tar --format=ustar -cf - .", 7, HOLES + 3);
    assert_tool(TREE "rm -rf 0* a/s a/old a/p; tar --format=v7 -cf - .", 6, HOLES + 3);
}

static void sparse_archives_of_gnu_tar(void **state)
{
    (void)state;
    static const char *const formats[] = { "--format=gnu", "--format=pax --sparse-version=0.0",
                                           "--format=pax --sparse-version=0.1",
                                           "--format=pax --sparse-version=1.0" };
    for (size_t i = 0; i < 4; i++) {
        struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
        ck_autofree char *command = ck_format("%star --sparse %s -cf - a/holes", TREE, formats[i]);
        struct heard h = { 0 };
        run(&b, command);
        assert_ok(read_in_pieces(ck_buf_view(&b), SIZE_MAX, &h));
        assert_true(h.sparse);
        assert_true(h.content < 65536);
        assert_int_equal(h.real_size, HOLES);
        assert_true(ck_view_starts(ck_buf_view(&h.text), CK_V("0 a/holes ")));
        forget(&h);
    }
}

static void sparse_file_of_more_extents_than_a_header_holds(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
        struct heard h = { 0 };
        run(&b, i ? TREE "for i in $(seq 60); do truncate -s +128K q; echo x >>q; done; "
                         "tar --sparse --format=pax -cf - q"
                  : TREE "for i in $(seq 60); do truncate -s +128K q; echo x >>q; done; "
                         "tar --sparse --format=gnu -cf - q");
        assert_ok(read_in_pieces(ck_buf_view(&b), SIZE_MAX, &h));
        assert_true(h.sparse);
        forget(&h);
    }
}

static void archives_of_python(void **state)
{
    (void)state;
    assert_tool(TREE "python3 -c 'import sys, tarfile\n"
                     "t = tarfile.open(fileobj=sys.stdout.buffer, mode=\"w|\", "
                     "format=tarfile.PAX_FORMAT)\nt.add(\".\")\nt.close()'",
                11, HOLES + 3 + 2);
    assert_tool(TREE "python3 -c 'import sys, tarfile\n"
                     "t = tarfile.open(fileobj=sys.stdout.buffer, mode=\"w|\", "
                     "format=tarfile.GNU_FORMAT)\nt.add(\".\")\nt.close()'",
                11, HOLES + 3 + 2);
}

static void archives_of_bsdtar(void **state)
{
    (void)state;
    assert_tool(TREE "command -v bsdtar >/dev/null || exit 127; "
                     "bsdtar --no-xattrs --format=pax -cf - .",
                11, HOLES + 3 + 2);
}

/* The heads of archives that hold a file of 9 GiB, as the tools write them. */
static void huge_files_of_real_tools(void **state)
{
    (void)state;
    static const char *const commands[] = {
        "tar --format=pax -cf - big 2>/dev/null | head -c 4096",
        "tar --format=gnu -cf - big 2>/dev/null | head -c 4096",
        "python3 -c 'import sys, tarfile\n"
        "i = tarfile.TarInfo(\"big\"); i.size = 9 << 30\n"
        "sys.stdout.buffer.write(i.tobuf(format=tarfile.PAX_FORMAT) + bytes(2048))'",
        "python3 -c 'import sys, tarfile\n"
        "i = tarfile.TarInfo(\"big\"); i.size = 9 << 30\n"
        "sys.stdout.buffer.write(i.tobuf(format=tarfile.GNU_FORMAT) + bytes(2048))'",
    };
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
        struct heard h = { 0 };
        struct ck_tar *t = ck_tar_new(&HEARD_OPS, &h);
        ck_autofree char *command = ck_format("d=$(mktemp -d); trap 'rm -rf $d' EXIT; cd $d; "
                                              "truncate -s 9G big; %s", commands[i]);
        run(&b, command);
        assert_ok(ck_tar_feed(t, ck_buf_view(&b)));
        assert_true(ck_view_starts(ck_buf_view(&h.text), CK_V("0 big 9663676416 ")));
        ck_tar_free(t);
        forget(&h);
    }
}

/* A layer as umoci (Go's archive/tar) writes it. */
static void layers_of_umoci(void **state)
{
    (void)state;
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    struct heard h = { 0 };
    run(&b, "command -v umoci >/dev/null || exit 127; " TREE
            "(umoci init --layout l; umoci new --image l:t; rm a/p; "
            "umoci insert --image l:t a /a) >/dev/null 2>&1; "
            "for f in l/blobs/sha256/*; do case $(head -c 2 $f | od -An -tx1) in "
            "' 1f 8b') gzip -dc $f;; esac; done");
    assert_ok(read_in_pieces(ck_buf_view(&b), 4096, &h));
    assert_int_equal(h.entries, 7);
    assert_int_equal(h.content, HOLES + 3);
    forget(&h);
}

/* Official root file systems: the whole way from gzip to the merged tree. */
static void alpine_root_file_systems(void **state)
{
    (void)state;
    static const char *const names[] = { "3.6.5", "3.14.10", "3.20.3" };
    for (size_t i = 0; i < 3; i++) {
        char name[80]; /* not allocated: unit_shared may leave this function */
        snprintf(name, sizeof name, "fixtures/images/alpine-minirootfs-%s-x86_64.tar.gz", names[i]);
        ck_view gz = unit_shared(name), in = gz;
        ck_autofree uint8_t *out = ck_calloc(1, 65536);
        struct heard h = { 0 };
        struct ck_tar *t = ck_tar_new(&HEARD_OPS, &h);
        struct ck_inflate *z = ck_inflate_new(CK_COMPRESSION_GZIP);
        for (size_t n = 1; in.n || n;) {
            assert_ok(ck_inflate_step(z, &in, out, 65536, &n));
            assert_ok(ck_tar_feed(t, ck_view_of(out, n)));
        }
        assert_ok(ck_inflate_finish(z));
        assert_ok(ck_tar_finish(t));
        assert_true(h.entries > 450 && h.content > 1000000);
        ck_put_u8(&h.text, 0);
        assert_non_null(strstr((const char *)h.text.p, "lib/apk/db/installed "));
        forget(&h);
        ck_tar_free(t);
        ck_inflate_free(z);
        free((void *)(uintptr_t)gz.p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(archives_of_gnu_tar),
        cmocka_unit_test(sparse_archives_of_gnu_tar),
        cmocka_unit_test(sparse_file_of_more_extents_than_a_header_holds),
        cmocka_unit_test(archives_of_python),
        cmocka_unit_test(archives_of_bsdtar),
        cmocka_unit_test(huge_files_of_real_tools),
        cmocka_unit_test(layers_of_umoci),
        cmocka_unit_test(alpine_root_file_systems),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
