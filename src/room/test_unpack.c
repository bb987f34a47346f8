#include "room/test_unpack.h"

static void files_links_modes_and_times_come_out(void **state)
{
    (void)state;
    struct layer l = layer_new();
    add(&l, '5', "./", NULL, "0000750", NULL);
    add(&l, '5', "etc/", NULL, "0000555", NULL);
    file(&l, "etc/name", "value");
    add(&l, '0', "shut", NULL, "0000000", "x");
    hard(&l, "etc/again", "./etc/name");
    sym(&l, "etc/link", "/nowhere/../name");
    file(&l, "implied/deep/file", "deep");
    add(&l, '5', "tmp", NULL, "0001777", NULL);
    assert_ok(unpack_one(&l));
    assert_content("etc/name", "value");
    assert_int_equal(look("etc/name").st_ino, look("etc/again").st_ino);
    assert_link("etc/link", "/nowhere/../name");
    assert_int_equal(look(".").st_mode & 07777, 0750);
    assert_int_equal(look("etc").st_mode & 07777, 0555);
    assert_int_equal(look("etc").st_mtime, 1);
    assert_int_equal(look("shut").st_mode & 07777, 0);
    assert_int_equal(look("shut").st_mtime, 1);
    assert_int_equal(look("implied/deep").st_mode & 07777, 0755);
    assert_int_equal(look("tmp").st_mode & 07777, 01777);
}

static void whiteouts_hide_lower_layers_only(void **state)
{
    (void)state;
    struct layer low = layer_new(), high = layer_new();
    file(&low, "a/gone", "1");
    file(&low, "a/kept", "1");
    file(&low, "b/old/deep", "1");
    file(&low, "c/whole/tree", "1");
    file(&high, "a/.wh.gone", "");
    file(&high, "a/gone", "new"); /* of its own layer: stays, before and behind the mark */
    file(&high, "b/new", "1");
    file(&high, "b/.wh..wh..opq", "");
    file(&high, ".wh.c", "");
    file(&high, "nowhere/.wh.nothing", "");
    file(&high, ".wh..wh.aufs", "");
    assert_ok(unpack_two(&low, &high));
    assert_content("a/gone", "new");
    assert_content("a/kept", "1");
    assert_false(there("b/old"));
    assert_content("b/new", "1");
    assert_false(there("c"));
    assert_false(there("nowhere"));
    assert_false(there(".wh..wh.aufs"));
}

static void kinds_replace_each_other(void **state)
{
    (void)state;
    struct layer low = layer_new(), high = layer_new();
    file(&low, "file", "1");
    file(&low, "file2", "1");
    file(&low, "dir/inner", "1");
    file(&low, "real/kept", "1");
    sym(&low, "link", "real");
    sym(&low, "link2", "real");
    dir(&high, "file");
    file(&high, "file2/inner", "2"); /* a directory that nobody names */
    file(&high, "dir", "2");
    file(&high, "link/x", "2"); /* before the entry that makes it a directory */
    dir(&high, "link");
    file(&high, "link2", "2");
    assert_ok(unpack_two(&low, &high));
    assert_true(S_ISDIR(look("file").st_mode));
    assert_content("file2/inner", "2");
    assert_content("dir", "2");
    assert_true(S_ISDIR(look("link").st_mode));
    assert_content("link/x", "2");
    assert_false(there("real/x"));
    assert_content("link2", "2");
    assert_content("real/kept", "1");
}

static void the_last_of_two_entries_counts(void **state)
{
    (void)state;
    struct layer l = layer_new();
    file(&l, "a", "first");
    file(&l, "a", "second");
    file(&l, "d/x", "1");
    file(&l, "d", "2");
    assert_ok(unpack_one(&l));
    assert_content("a", "second");
    assert_content("d", "2");
}

static void what_could_do_harm_is_left_out_and_counted(void **state)
{
    (void)state;
    for (int setuid = 0; setuid < 2; setuid++) {
        struct layer l = layer_new();
        struct ck_unpack_tree *t = ck_unpack_tree_new(setuid);
        add(&l, '0', "su", NULL, "0004755", "x");
        add(&l, '0', "sticky", NULL, "0001755", "x");
        add(&l, '5', "group", NULL, "0003775", NULL);
        add(&l, '3', "null", NULL, NULL, NULL);
        add(&l, '4', "disk", NULL, NULL, NULL);
        add(&l, '6', "fifo", NULL, NULL, NULL);
        hard(&l, "null2", "null");
        made_pax(&l.tar, 'x', "SCHILY.xattr.security.capability", "\1\2");
        file(&l, "ping", "x");
        assert_ok(unpack(t, &l));
        assert_ok(ck_unpack_tree_seal(t));
        const struct ck_unpacked *u = ck_unpack_tree_sum(t);
        assert_int_equal(u->skipped, 4);
        assert_int_equal(u->stripped, setuid ? 0 : 2);
        assert_int_equal(u->capabilities, 1);
        assert_int_equal(u->entries, 8);
        assert_int_equal(u->bytes, 3);
        assert_int_equal(look("su").st_mode & 07777, setuid ? 04755 : 0755);
        assert_int_equal(look("sticky").st_mode & 07777, setuid ? 01755 : 0755);
        assert_int_equal(look("group").st_mode & 07777, setuid ? 03775 : 01775);
        assert_false(there("null") || there("disk") || there("fifo") || there("null2"));
        ck_unpack_tree_free(t);
        start_anew();
    }
}

static void a_device_takes_the_place_of_what_was_there(void **state)
{
    (void)state;
    struct layer low = layer_new(), high = layer_new();
    file(&low, "secret", "1");
    add(&high, '3', "secret", NULL, NULL, NULL);
    assert_ok(unpack_two(&low, &high));
    assert_false(there("secret"));
}

static void sparse_files_have_their_holes(void **state)
{
    (void)state;
    struct layer l = layer_new();
    ck_autobuf struct ck_buf r = ck_buf_new(CK_LIMIT_NONE), body = ck_buf_new(CK_LIMIT_NONE);
    made_record(&r, "GNU.sparse.major", CK_V("1"));
    made_record(&r, "GNU.sparse.minor", CK_V("0"));
    made_record(&r, "GNU.sparse.name", CK_V("holes"));
    made_record(&r, "GNU.sparse.realsize", CK_V("1000000"));
    made_entry(&l.tar, (struct made){ .name = "PaxHeaders/x", .flag = 'x' }, ck_buf_view(&r));
    ck_put_bytes(&body, CK_V("3\n100\n3\n500000\n2\n600000\n0\n"));
    made_pad(&body);
    ck_put_bytes(&body, CK_V("abcde"));
    made_entry(&l.tar, (struct made){ .name = "GNUSparseFile/holes" }, ck_buf_view(&body));
    file(&l, "next", "x");
    assert_ok(unpack_one(&l));
    char have[3];
    int fd = openat(in_dir, "holes", O_RDONLY | O_CLOEXEC);
    assert_int_equal(pread(fd, have, 3, 100), 3);
    assert_memory_equal(have, "abc", 3);
    assert_int_equal(pread(fd, have, 3, 500000), 3);
    assert_memory_equal(have, "de\0", 3);
    assert_int_equal(pread(fd, have, 3, 98), 3);
    assert_memory_equal(have, "\0\0a", 3);
    close(fd);
    assert_int_equal(look("holes").st_size, 1000000);
    assert_content("next", "x");
}

static void a_link_of_a_lower_layer_is_followed_inside(void **state)
{
    (void)state;
    struct layer low = layer_new(), high = layer_new();
    dir(&low, "usr/lib");
    sym(&low, "lib", "usr/lib");
    sym(&low, "usr/up", "../usr/lib");
    file(&low, "usr/lib/old", "1");
    file(&low, "usr/lib/same", "same");
    file(&high, "lib/one", "1");
    file(&high, "usr/up/two", "2");
    file(&high, "lib/.wh.old", "");
    hard(&high, "lib/three", "usr/lib/one");
    hard(&high, "usr/lib/same", "lib/same"); /* itself, seen through the link */
    assert_ok(unpack_two(&low, &high));
    assert_content("usr/lib/one", "1");
    assert_content("usr/lib/two", "2");
    assert_content("usr/lib/three", "1");
    assert_content("usr/lib/same", "same");
    assert_false(there("usr/lib/old"));
    assert_link("lib", "usr/lib");
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(files_links_modes_and_times_come_out),
        T(whiteouts_hide_lower_layers_only),
        T(kinds_replace_each_other),
        T(the_last_of_two_entries_counts),
        T(what_could_do_harm_is_left_out_and_counted),
        T(a_device_takes_the_place_of_what_was_there),
        T(sparse_files_have_their_holes),
        T(a_link_of_a_lower_layer_is_followed_inside),
    };
    return cmocka_run_group_tests_name("unpack", tests, NULL, NULL);
}
