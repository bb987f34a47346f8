#include "layer/index.h"

#include "base/mem.h"
#include "layer/test_stack.h"

static void refuse(const char *text, const char *why)
{
    struct stack s = { 0 };
    assert_fails(stack_text(&s, text), CK_ERR_HOSTILE, why);
    stack_free(&s);
}

/* All that an index holds, as text. */
static void assert_index(const char *text, const char *want)
{
    struct stack s = { 0 };
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_index_walk *w = ck_new(struct ck_index_walk);
    struct ck_node n;
    bool end;
    stack_layer(&s, text);
    assert_ok(ck_index_walk_start(s.layers, CK_V(""), w));
    for (;;) {
        assert_ok(ck_index_walk_next(w, &n, &end));
        if (end)
            break;
        struct ck_place p = { .found = true, .node = n };
        if (n.type == CK_NODE_NONE)
            ck_buf_format(&b, "%.*s", CK_VF(n.path));
        else
            say_place(&b, &p);
        ck_buf_format(&b, "%s%s;", n.whiteout ? " whiteout" : "", n.opaque ? " opaque" : "");
    }
    assert_view(ck_buf_view(&b), want);
    free(w);
    stack_free(&s);
}

static void nodes_come_back_as_they_were(void **state)
{
    (void)state;
    static const struct ck_node nodes[] = {
        { .type = CK_NODE_DIR, .mode = 01777 },
        { .type = CK_NODE_FILE, .mode = 04755, .size = UINT64_MAX },
        { .type = CK_NODE_FILE, .whiteout = true, .opaque = true },
        { .type = CK_NODE_DEVICE, .mode = 0600 },
        { .type = CK_NODE_FIFO, .mode = 0600 },
        { .type = CK_NODE_NONE, .whiteout = true },
    };
    struct ck_index_writer *w = ck_index_writer_new();
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_FACTS);
    struct ck_index_space space;
    struct ck_index ix;
    const size_t n = sizeof nodes / sizeof nodes[0];
    for (size_t i = 0; i < n; i++) {
        struct ck_node node = nodes[i];
        ck_autofree char *path = ck_format("dir/%zu", i);
        node.path = ck_view_str(path);
        node.facts = i == 1 ? CK_V("some facts") : CK_V("");
        assert_ok(ck_index_add(w, &node));
    }
    assert_ok(ck_index_finish(w, &b));
    ck_index_writer_free(w);
    assert_ok(ck_index_open(ck_buf_view(&b), &ix));
    for (size_t i = 0; i < n; i++) {
        struct ck_node got;
        bool found = false;
        ck_autofree char *path = ck_format("dir/%zu", i);
        assert_ok(ck_index_find(&ix, ck_view_str(path), &space, &got, &found));
        assert_true(found);
        assert_view(got.path, path);
        assert_view(got.facts, i == 1 ? "some facts" : "");
        assert_int_equal(got.type, nodes[i].type);
        assert_int_equal(got.mode, nodes[i].mode);
        assert_int_equal(got.size, nodes[i].size);
        assert_int_equal(got.whiteout, nodes[i].whiteout);
        assert_int_equal(got.opaque, nodes[i].opaque);
    }
}

static void duplicates_the_last_one_counts(void **state)
{
    (void)state;
    assert_index("f a 1\n f a 2", "0 file a 2;");
    assert_index("f a 1\n l a b", "0 symlink a -> b;");
    assert_index("w a\n f a 2\n f a 3", "0 file a 3 whiteout;");
    assert_index("f a 2\n w a", "0 file a 2 whiteout;");
    assert_index("d a\n o a\n d a", "0 dir a opaque;");
    assert_index("d a\n f a/b 1\n d a", "0 dir a;0 file a/b 1;");
    assert_index("d a\n f a/b 1\n d a/c\n f a/c/d 1\n f a 2\n f b 1", "0 file a 2;0 file b 1;");
    assert_index("f a/b 1\n w a/c\n f a 2", "0 file a 2;");
}

static void paths_are_in_component_order(void **state)
{
    (void)state;
    assert_index("f a.b 1\n f a/b/c 1\n f a 1\n", "0 file a 1;0 file a.b 1;");
    assert_index("f a.b 1\n f a/b/c 1\n f a-/x 1\n f a!c 1",
                 "0 file a/b/c 1;0 file a!c 1;0 file a-/x 1;0 file a.b 1;");
}

/* Row 2: the link leads to the root; a write through it would land anywhere. */
static void symlink_to_root_then_file_through_it(void **state)
{
    (void)state;
    refuse("l a /\n f a/etc/x 1", "an entry below a symlink of the same layer: a/etc/x");
    refuse("l a /\n w a/etc/x", "an entry below a symlink of the same layer: a/etc/x");
    refuse("l a /\n o a", "an entry below a symlink of the same layer: a");
    refuse("f a 1\n f a/b 1", "an entry below a file of the same layer");
    refuse("f x 1\n h a x\n f a/b 1", "an entry below a hard link of the same layer");
    refuse("d a\n f a/b 1\n l a /\n f a/c 1\n", "an entry below a symlink");
}

/* Row 4: CVE-2021-32760, CVE-2026-33056. */
static void symlink_then_directory_of_the_same_name(void **state)
{
    (void)state;
    refuse("l a /etc\n d a", "a directory over a symlink of the same layer: a");
    refuse("f a 1\n d a", "a directory over a file of the same layer: a");
    refuse("l a /etc\n f a 1\n d a", "a directory over a symlink of the same layer: a");
}

/* Row 5: CVE-2021-29136. */
static void root_replaced_by_a_symlink(void **state)
{
    (void)state;
    refuse("l  /etc", "the root directory replaced");
    refuse("f  1", "the root directory replaced");
}

static void hard_links_lead_back(void **state)
{
    (void)state;
    assert_index("f a 1\n h b a\n h c b", "0 file a 1;0 hardlink b -> a;0 hardlink c -> b;");
    assert_index("h b below", "0 hardlink b -> below;"); /* of a lower layer */
    refuse("h b a\n f a 1", "hard link to an entry that comes later: b");
    refuse("f a 1\n h b a\n f a 2", "hard link to an entry that comes later: b");
    refuse("h a a", "hard link to an entry that comes later: a");
    refuse("d a\n h b a", "hard link to a directory: b");
}

/* --- many entries, walking --- */

enum { MANY = 5000 };

static void many_path(char out[64], unsigned i)
{
    snprintf(out, 64, "usr/%u/%s/file-%05u", i % 13, i % 3 ? "lib" : "lib-x", i);
}

static void find_and_walk_among_many(void **state)
{
    (void)state;
    struct ck_index_writer *w = ck_index_writer_new();
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_FACTS);
    struct ck_index_walk *walk = ck_new(struct ck_index_walk);
    struct ck_index_space space;
    struct ck_index ix;
    struct ck_node n = { .type = CK_NODE_FILE };
    char path[64];
    bool found, below, end;
    unsigned seen = 0, want = 0;
    for (unsigned i = 0; i < MANY; i++) {
        many_path(path, i * 7919 % MANY);
        n.path = ck_view_str(path);
        n.size = i * 7919 % MANY;
        assert_ok(ck_index_add(w, &n));
    }
    assert_ok(ck_index_finish(w, &b));
    ck_index_writer_free(w);
    assert_ok(ck_index_open(ck_buf_view(&b), &ix));
    for (unsigned i = 0; i < MANY; i++) {
        many_path(path, i);
        assert_ok(ck_index_probe(&ix, ck_view_str(path), &space, &n, &found, &below));
        assert_true(found && !below && n.size == i);
        path[strlen(path) - 1] = '/';
        assert_ok(ck_index_probe(&ix, ck_view_str(path), &space, &n, &found, &below));
        assert_false(found || below);
        want += i % 13 == 5 && i % 3;
    }
    assert_ok(ck_index_probe(&ix, CK_V("usr/5"), &space, &n, &found, &below));
    assert_true(!found && below);
    assert_ok(ck_index_walk_start(&ix, CK_V("usr/5/lib"), walk));
    for (;; seen++) {
        assert_ok(ck_index_walk_next(walk, &n, &end));
        if (end)
            break;
        assert_true(ck_view_starts(n.path, CK_V("usr/5/lib/")));
    }
    assert_int_equal(seen, want);
    free(walk);
}

/* --- limits --- */

static void entries_at_the_limit_and_one_past(void **state)
{
    (void)state;
    struct ck_index_writer *w = ck_index_writer_new();
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_FACTS);
    struct ck_index ix;
    char path[32];
    struct ck_node n = { .type = CK_NODE_DIR };
    for (uint64_t i = 0; i < CK_MAX_LAYER_ENTRIES; i++) {
        n.path = ck_view_of(path, (size_t)snprintf(path, sizeof path, "d/%06u", (unsigned)i));
        assert_ok(ck_index_add(w, &n));
    }
    assert_fails(ck_index_add(w, &n), CK_ERR_LIMIT, "LAYER_ENTRIES");
    assert_ok(ck_index_finish(w, &b));
    assert_ok(ck_index_open(ck_buf_view(&b), &ix));
    assert_int_equal(ix.entries, CK_MAX_LAYER_ENTRIES);
    b.p[8]++; /* says one entry more */
    assert_fails(ck_index_open(ck_buf_view(&b), &ix), CK_ERR_LIMIT, "LAYER_ENTRIES");
    ck_index_writer_free(w);
}

/* The facts of one node fill the index: header 20, record 1 + 1 + 1 (path) + 1 + 1 + 1 + 4
 * (flags, mode, size, length) + facts, table 4. */
static void facts_at_the_limit_and_one_past(void **state)
{
    (void)state;
    const size_t most = CK_MAX_FACTS - 34;
    ck_autofree uint8_t *facts = ck_calloc(most + 100, 1);
    for (unsigned past = 0; past < 2; past++) {
        struct ck_index_writer *w = ck_index_writer_new();
        struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
        struct ck_index ix;
        struct ck_node n = { .type = CK_NODE_FILE, .path = CK_V("a") };
        n.facts = ck_view_of(facts, most + past);
        assert_ok(ck_index_add(w, &n));
        if (past)
            assert_fails(ck_index_finish(w, &b), CK_ERR_LIMIT, "limit FACTS");
        else
            assert_ok(ck_index_finish(w, &b));
        assert_int_equal(b.n, past ? 0 : CK_MAX_FACTS);
        if (!past)
            assert_ok(ck_index_open(ck_buf_view(&b), &ix));
        n.facts = ck_view_of(facts, 100);
        assert_fails(ck_index_add(w, &n), CK_ERR_LIMIT, "limit FACTS");
        ck_index_writer_free(w);
    }
}

static void path_at_the_limit_and_one_past(void **state)
{
    (void)state;
    ck_autofree char *path = ck_calloc(CK_MAX_PATH + 1, 1);
    struct ck_index_writer *w = ck_index_writer_new();
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_FACTS);
    struct ck_index_space space;
    struct ck_index ix;
    struct ck_node n = { .type = CK_NODE_DIR };
    bool found = false;
    memset(path, 'p', CK_MAX_PATH + 1);
    n.path = ck_view_of(path, CK_MAX_PATH + 1);
    assert_fails(ck_index_add(w, &n), CK_ERR_LIMIT, "limit PATH:");
    n.path.n--;
    assert_ok(ck_index_add(w, &n));
    assert_ok(ck_index_finish(w, &b));
    assert_ok(ck_index_open(ck_buf_view(&b), &ix));
    assert_ok(ck_index_find(&ix, ck_view_of(path, CK_MAX_PATH), &space, &n, &found));
    assert_true(found);
    assert_ok(ck_index_find(&ix, ck_view_of(path, CK_MAX_PATH + 1), &space, &n, &found));
    assert_false(found);
    ck_index_writer_free(w);
}

/* --- hostile bytes --- */

/* Finds and walks; the first error, or NULL. */
static ck_err *read_all(ck_view bytes)
{
    struct ck_index ix;
    struct ck_index_space space;
    struct ck_node n;
    bool found, end = false;
    struct ck_index_walk ck_autofree *w = ck_new(struct ck_index_walk);
    CK_TRY(ck_index_open(bytes, &ix));
    CK_TRY(ck_index_find(&ix, CK_V("b"), &space, &n, &found));
    CK_TRY(ck_index_walk_start(&ix, CK_V(""), w));
    while (!end)
        CK_TRY(ck_index_walk_next(w, &n, &end));
    return NULL;
}

/* An index of one restart with these records. Offsets begin at 20. */
static void assert_damaged(ck_view records, uint32_t restart, const char *why)
{
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    ck_put_bytes(&b, CK_V("CKLAYER1"));
    ck_put_u32(&b, 2);
    ck_put_u32(&b, 1);
    ck_put_u32(&b, (uint32_t)(20 + records.n));
    ck_put_bytes(&b, records);
    ck_put_u32(&b, restart);
    if (why)
        assert_fails(read_all(ck_buf_view(&b)), CK_ERR_HOSTILE, why);
    else
        assert_ok(read_all(ck_buf_view(&b)));
}
#define RECORDS(literal) ck_view_of(literal, sizeof(literal) - 1)

static void hostile_indexes(void **state)
{
    (void)state;
    static const char a[] = "\0\1a\4\0";
    assert_damaged(RECORDS("\0\1a\4\0\0\1b\4\0"), 20, NULL);
    assert_damaged(RECORDS("\0\1a\4\0\2\1b\4\0"), 20, "a path does not fit");
    assert_damaged(RECORDS("\0\1a\4\0\0\x7f" "b\4\0"), 20, "a path does not fit");
    assert_damaged(RECORDS("\0\1a\4\0\0\1a\4\0"), 20, "paths are out of order");
    assert_damaged(RECORDS("\0\1b\4\0\0\1a\4\0"), 20, "paths are out of order");
    assert_damaged(RECORDS("\0\1a\4\0\0\1b\7\0"), 20, "a node cannot be read");
    assert_damaged(RECORDS("\0\1a\4\0\0\1b\4\xff\x7f"), 20, "a node cannot be read");
    assert_damaged(RECORDS("\0\1a\4\0\0\1b\3\0\x7f"), 20, "a node cannot be read");
    assert_damaged(RECORDS("\0\1a\4\0\0\1b\x44\0\x7f"), 20, "a node cannot be read");
    assert_damaged(RECORDS("\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), 20, "restart");
    assert_damaged(ck_view_of(a, 5), 19, "a restart point is wrong");
    assert_damaged(ck_view_of(a, 5), 25, "a restart point is wrong");
    assert_damaged(ck_view_of(a, 5), UINT32_MAX, "a restart point is wrong");
    assert_damaged(ck_view_of(a, 0), 20, "sizes do not fit together");
}

static void truncated_and_flipped_indexes_never_crash(void **state)
{
    (void)state;
    struct stack s = { 0 };
    stack_layer(&s, "d a\n f a/b 1\n l a/c b\n f b 300\n h d b\n w e\n o f\n f a/b.c 7\n d g\n"
                    "f g/1 1\n f g/2 1\n f g/3 1\n f g/4 1\n f g/5 1\n f g/6 1\n f g/7 1\n f g/8 "
                    "1");
    ck_view good = ck_buf_view(&s.bytes[0]);
    assert_ok(read_all(good));
    for (size_t n = 0; n < good.n; n++)
        assert_fails(read_all(ck_view_head(good, n)), CK_ERR_HOSTILE, "layer index");
    for (size_t bit = 0; bit < good.n * 8; bit++) {
        s.bytes[0].p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_err_free(read_all(good));
        s.bytes[0].p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    stack_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_come_back_as_they_were),
        cmocka_unit_test(duplicates_the_last_one_counts),
        cmocka_unit_test(paths_are_in_component_order),
        cmocka_unit_test(symlink_to_root_then_file_through_it),
        cmocka_unit_test(symlink_then_directory_of_the_same_name),
        cmocka_unit_test(root_replaced_by_a_symlink),
        cmocka_unit_test(hard_links_lead_back),
        cmocka_unit_test(find_and_walk_among_many),
        cmocka_unit_test(entries_at_the_limit_and_one_past),
        cmocka_unit_test(facts_at_the_limit_and_one_past),
        cmocka_unit_test(path_at_the_limit_and_one_past),
        cmocka_unit_test(hostile_indexes),
        cmocka_unit_test(truncated_and_flipped_indexes_never_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
