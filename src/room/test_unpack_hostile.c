/* Layers that try to leave the directory. */
#include "room/rooms.h"
#include "room/test_unpack.h"

static void an_entry_below_a_link_of_its_own_layer(void **state)
{
    (void)state;
    struct layer l = layer_new();
    file(&l, "innocent", "x");
    sym(&l, "a", "../out");
    file(&l, "a/canary", "owned");
    assert_fails(unpack_one(&l), CK_ERR_HOSTILE, "an entry below a symlink of the same layer");
    assert_empty(); /* refused before anything was written */

    struct layer d = layer_new();
    sym(&d, "a", "../out");
    dir(&d, "a");
    assert_fails(unpack_one(&d), CK_ERR_HOSTILE, "a directory over a symlink of the same layer");
    assert_empty();
}

static void names_that_climb(void **state)
{
    (void)state;
    static const char *const names[] = { "../out/canary", "a/../../out/canary", "/../out/canary" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct layer l = layer_new(), h = layer_new();
        file(&l, names[i], "owned");
        assert_fails(unpack_one(&l), CK_ERR_HOSTILE, "..");
        hard(&h, "mine", names[i]);
        assert_fails(unpack_one(&h), CK_ERR_HOSTILE, "..");
    }
    assert_empty();
}

/* Everything that a layer can do below a link which a lower layer left and that leads out. */
static void links_of_a_lower_layer_that_lead_out(void **state)
{
    (void)state;
    char absolute[80], chain[80];
    snprintf(absolute, sizeof absolute, "%s/out", top);
    snprintf(chain, sizeof chain, "one/../../out");
    const char *const targets[] = { "../out", "x/../../out", absolute, "/proc/self/cwd", chain };
    static const struct {
        char flag;
        const char *name, *link;
    } entries[] = {
        { '0', "way/canary", NULL },    { '0', "way/new", NULL },      { '5', "way/dir", NULL },
        { '2', "way/link", "x" },        { '1', "way/hard", "mine" },
        { '1', "hard", "way/canary" },
        { '0', "way/.wh.canary", NULL }, { '6', "way/canary", NULL },   { '0', "way/a/b/c", NULL },
    };
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        for (size_t k = 0; k < sizeof entries / sizeof *entries; k++) {
            struct layer low = layer_new(), high = layer_new();
            dir(&low, "x");
            dir(&low, "one");
            file(&low, "mine", "1");
            sym(&low, "way", targets[i]);
            add(&high, entries[k].flag, entries[k].name, entries[k].link, NULL, NULL);
            assert_fails(unpack_two(&low, &high), CK_ERR_HOSTILE, "leads out of the tree");
            start_anew();
        }
}

/* A link is replaced, never opened; an opaque mark on one does not empty what it leads to. */
static void the_last_component_is_never_followed(void **state)
{
    (void)state;
    struct layer low = layer_new(), high = layer_new();
    char canary[80];
    snprintf(canary, sizeof canary, "%s/out/canary", top);
    sym(&low, "file", canary);
    sym(&low, "gone", canary);
    sym(&low, "hard", canary);
    sym(&low, "opaque", "../out");
    sym(&low, "dir", "../out");
    file(&high, "file", "mine");
    file(&high, ".wh.gone", "");
    hard(&high, "other", "hard");
    file(&high, "opaque/.wh..wh..opq", "");
    dir(&high, "dir");
    assert_ok(unpack_two(&low, &high));
    assert_content("file", "mine");
    assert_false(there("gone"));
    assert_link("other", canary); /* the link itself has a second name */
    assert_false(there("opaque"));
    assert_true(S_ISDIR(look("dir").st_mode));
}

static void a_link_that_leads_nowhere_is_no_directory(void **state)
{
    (void)state;
    struct layer low = layer_new(), high = layer_new();
    sym(&low, "way", "missing");
    file(&high, "way/file", "x");
    assert_fails(unpack_two(&low, &high), CK_ERR_HOSTILE, "leads to no directory");
    assert_false(there("missing"));
}

static void links_in_a_ring(void **state)
{
    (void)state;
    struct layer low = layer_new(), high = layer_new();
    sym(&low, "a", "b");
    sym(&low, "b", "a");
    file(&high, "a/file", "x");
    assert_fails(unpack_two(&low, &high), CK_ERR_HOSTILE, "a link of a lower layer");
}

static void hard_links_to_what_is_not_there(void **state)
{
    (void)state;
    struct layer a = layer_new(), b = layer_new(), low = layer_new(), high = layer_new();
    hard(&a, "x", "nothing");
    assert_fails(unpack_one(&a), CK_ERR_HOSTILE, "is not there");
    dir(&b, "d");
    hard(&b, "x", "d");
    assert_fails(unpack_one(&b), CK_ERR_HOSTILE, "hard link to a directory");
    file(&low, "d/x", "1");
    hard(&high, "d", "d/x");
    assert_fails(unpack_two(&low, &high), CK_ERR_HOSTILE, "a hard link to what it replaces");
}

static void a_wrong_digest_writes_nothing(void **state)
{
    (void)state;
    struct layer l = layer_new();
    file(&l, "a", "x");
    made_end(&l.tar);
    struct ck_job_unpack j = job_for(&l);
    j.diff_id.bytes[31] ^= 1;
    int fd = as_file(ck_buf_view(&l.tar));
    struct ck_unpack_tree *t = ck_unpack_tree_new(false);
    ck_unpack_tree_at(t, in_dir);
    assert_fails(ck_unpack_layer(t, &j, fd, no_progress, NULL), CK_ERR_HOSTILE, "diff_id mismatch");
    j = job_for(&l);
    j.compression = CK_COMPRESSION_GZIP;
    assert_fails(ck_unpack_layer(t, &j, fd, no_progress, NULL), CK_ERR_HOSTILE, "gzip");
    ck_unpack_tree_free(t);
    ck_buf_free(&l.tar);
    close(fd);
    assert_empty();
}

static void a_name_that_the_file_system_does_not_take(void **state)
{
    (void)state;
    char name[300];
    struct layer l = layer_new();
    memset(name, 'n', 256);
    name[256] = 0;
    file(&l, name, "x");
    assert_fails(unpack_one(&l), CK_ERR_HOSTILE, "File name too long");
}

/* --- limits ----------------------------------------------------------------------------------- */

/* `start` with n more levels. */
static char *deeper(const char *start, int n)
{
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_put_bytes(&b, ck_view_str(start));
    for (int i = 0; i < n; i++)
        ck_buf_format(&b, "%sd", b.n ? "/" : "");
    return ck_buf_steal_str(&b);
}

/* Each layer goes on below the link that the one before left, so that no name is long. */
static void depth_through_links(void **state)
{
    (void)state;
    struct ck_unpack_tree *t = ck_unpack_tree_new(false);
    enum { STEP = 64, TIMES = 4 }; /* together PATH_DEPTH */
    assert_int_equal(STEP * TIMES, CK_MAX_PATH_DEPTH);
    for (int i = 0; i < TIMES; i++) {
        struct layer l = layer_new(), s = layer_new();
        ck_autofree char *name = deeper(i ? "way" : "", STEP);
        dir(&l, name);
        assert_ok(unpack(t, &l));
        ck_autofree char *all = deeper("", STEP * (i + 1));
        sym(&s, "way", all);
        assert_ok(unpack(t, &s));
    }
    struct layer l = layer_new();
    file(&l, "way/file", "fits");
    assert_ok(unpack(t, &l));
    l = layer_new();
    dir(&l, "way/one-more");
    ck_err *e = unpack(t, &l);
    assert_non_null(e);
    assert_int_equal(ck_err_limit_of(e), CK_LIMIT_PATH_DEPTH);
    ck_err_free(e);
    assert_ok(ck_unpack_tree_seal(t));
    ck_unpack_tree_free(t);
}

static void entries_at_the_limit_and_one_past(void **state)
{
    (void)state;
    struct ck_unpack_tree *t = ck_unpack_tree_new(false);
    struct ck_tar_entry root = { .type = CK_TAR_DIR, .mode = 0755 };
    ck_unpack_tree_at(t, in_dir);
    for (uint64_t i = 0; i < CK_MAX_UNPACK_ENTRIES; i++) {
        ck_err *e = ck_unpack_tree_entry(t, &root, CK_V(""), CK_V(""));
        if (e)
            fail_msg("%s", ck_err_text(e));
    }
    ck_err *e = ck_unpack_tree_entry(t, &root, CK_V(""), CK_V(""));
    assert_non_null(e);
    assert_int_equal(ck_err_limit_of(e), CK_LIMIT_UNPACK_ENTRIES);
    ck_err_free(e);
    ck_unpack_tree_free(t);
}

static void bytes_at_the_limit_and_one_past(void **state)
{
    (void)state;
    struct ck_unpack_tree *t = ck_unpack_tree_new(false);
    struct ck_tar_entry hole = { .type = CK_TAR_FILE, .mode = 0644, .sparse = true };
    ck_unpack_tree_at(t, in_dir);
    for (int i = 0; i < 2; i++) { /* a file system may not take a file of all of it */
        hole.real_size = CK_MAX_UNPACK_TREE / 2;
        assert_ok(ck_unpack_tree_entry(t, &hole, i ? CK_V("a") : CK_V("b"), CK_V("")));
        assert_ok(ck_unpack_tree_end(t));
    }
    hole.real_size = 1;
    ck_err *e = ck_unpack_tree_entry(t, &hole, CK_V("c"), CK_V(""));
    assert_non_null(e);
    assert_int_equal(ck_err_limit_of(e), CK_LIMIT_UNPACK_TREE);
    ck_err_free(e);
    ck_unpack_tree_free(t);
}

/* --- the room --------------------------------------------------------------------------------- */

static ck_err *collect(void *ctx, ck_view bytes) { return ck_buf_add(ctx, bytes); }

static ck_err *call_room(struct ck_room_proc *r, const struct ck_job_unpack *j, int in, int out,
                         struct ck_unpacked *ret)
{
    ck_autobuf struct ck_buf job = ck_buf_new(CK_LIMIT_NONE), result = ck_buf_new(CK_LIMIT_ANSWER);
    const struct ck_room_consumer c = { .piece = collect, .ctx = &result };
    ck_job_unpack_encode(j, &job);
    CK_TRY(ck_room_job(r, ck_buf_view(&job), in, out));
    CK_TRY(ck_room_finish(r, &c));
    return ck_unpacked_decode(ck_buf_view(&result), ret);
}

static void the_room_writes_where_it_may_and_nowhere_else(void **state)
{
    (void)state;
    char where[80];
    snprintf(where, sizeof where, "%s/in", top);
    struct layer l = layer_new();
    add(&l, '5', "d", NULL, "0000555", NULL);
    file(&l, "d/file", "content");
    hard(&l, "hard", "d/file");
    sym(&l, "sym", "d");
    made_end(&l.tar);
    int fd = as_file(ck_buf_view(&l.tar));
    struct ck_job_unpack j = job_for(&l), seal = { .op = CK_UNPACK_SEAL };
    struct ck_room_options o = { .argument = where };
    struct ck_room_proc *r = NULL;
    struct ck_unpacked u;

    assert_ok(ck_room_start(CK_ROOM_UNPACK, &o, &r));
    assert_ok(call_room(r, &j, fd, in_dir, &u));
    assert_ok(call_room(r, &seal, in_dir, in_dir, &u));
    ck_room_stop(r);
    assert_int_equal(u.entries, 4);
    assert_content("hard", "content");
    assert_int_equal(look("d").st_mode & 07777, 0555);

    /* Handed another directory by mistake, it can do nothing there. */
    assert_ok(ck_room_start(CK_ROOM_UNPACK, &o, &r));
    assert_fails(call_room(r, &j, fd, out_dir, &u), CK_ERR_OURS, "Permission denied");
    ck_room_stop(r);
    close(fd);
    ck_buf_free(&l.tar);
}

static void jobs_are_read_as_they_were_written(void **state)
{
    (void)state;
    struct ck_job_unpack j = { .op = CK_UNPACK_SEAL, .setuid = true, .blob = { 7, 9, false },
                               .compression = CK_COMPRESSION_ZSTD }, back;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_job_unpack_encode(&j, &b);
    assert_ok(ck_job_unpack_decode(ck_buf_view(&b), &back));
    assert_memory_equal(&j, &back, sizeof j);
    for (size_t n = 0; n < b.n; n++)
        assert_fails(ck_job_unpack_decode(ck_view_head(ck_buf_view(&b), n), &back), CK_ERR_HOSTILE,
                     "malformed");
    static const size_t bytes[] = { 0, 1, 18, 19 };
    for (size_t i = 0; i < 4; i++) {
        uint8_t was = b.p[bytes[i]];
        b.p[bytes[i]] = 99;
        assert_fails(ck_job_unpack_decode(ck_buf_view(&b), &back), CK_ERR_HOSTILE, "malformed");
        b.p[bytes[i]] = was;
    }
    struct ck_unpacked u = { 1, 2, 3, 4, 5 }, v;
    ck_buf_clear(&b);
    ck_unpacked_encode(&u, &b);
    assert_ok(ck_unpacked_decode(ck_buf_view(&b), &v));
    assert_memory_equal(&u, &v, sizeof u);
    assert_fails(ck_unpacked_decode(CK_V("x"), &v), CK_ERR_HOSTILE, "malformed");
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        T(an_entry_below_a_link_of_its_own_layer),
        T(names_that_climb),
        T(links_of_a_lower_layer_that_lead_out),
        T(the_last_component_is_never_followed),
        T(a_link_that_leads_nowhere_is_no_directory),
        T(links_in_a_ring),
        T(hard_links_to_what_is_not_there),
        T(a_wrong_digest_writes_nothing),
        T(a_name_that_the_file_system_does_not_take),
        T(depth_through_links),
        T(entries_at_the_limit_and_one_past),
        T(bytes_at_the_limit_and_one_past),
        T(the_room_writes_where_it_may_and_nowhere_else),
        cmocka_unit_test(jobs_are_read_as_they_were_written),
    };
    ck_room_main(argc, argv, ck_room_bodies);
    return cmocka_run_group_tests_name("unpack_hostile", tests, NULL, NULL);
}
