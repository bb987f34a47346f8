/* Layers are built as indexes with facts; what comes out is the inventory of their merge. */
#include "base/mem.h"
#include "base/unit.h"
#include "detect/detect.h"
#include "scan/inventory.h"

struct stack {
    struct ck_layer_facts facts[8];
    struct ck_index_writer *writer;
    size_t n;
};

static void layer(struct stack *s)
{
    s->writer = ck_index_writer_new();
}

static void end_layer(struct stack *s)
{
    struct ck_layer_facts *f = &s->facts[s->n++];
    f->bytes = ck_buf_new(CK_LIMIT_FACTS);
    assert_ok(ck_index_finish(s->writer, &f->bytes));
    ck_index_writer_free(s->writer);
    assert_ok(ck_index_open(ck_buf_view(&f->bytes), &f->index));
}

static void add(struct stack *s, const char *path, enum ck_node_type type, const char *link,
                ck_view facts)
{
    struct ck_node n = { .path = ck_view_str(path), .type = type, .link = ck_view_str(link),
                         .facts = facts };
    assert_ok(ck_index_add(s->writer, &n));
}

static void whiteout(struct stack *s, const char *path)
{
    struct ck_node n = { .path = ck_view_str(path), .whiteout = true };
    assert_ok(ck_index_add(s->writer, &n));
}

/* "bash=1 curl=2": the facts of a package file. */
static void file(struct stack *s, const char *path, enum ck_detector_id detector, const char *list)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_put_u8(&b, (uint8_t)detector);
    ck_view rest = ck_view_str(list), version;
    while (rest.n) {
        ck_view name = ck_view_split(ck_view_split(rest, ' ', &rest), '=', &version);
        struct ck_fact f = { .kind = CK_FACT_PACKAGE,
                             .package = { .type = CK_PACKAGE_DEB, .name = name, .version = version,
                                          .arch = CK_V("amd64"), .source_name = name,
                                          .source_version = version, .module = CK_V(""),
                                          .status = CK_V("") } };
        ck_fact_encode(&f, &b);
    }
    add(s, path, CK_NODE_FILE, "", ck_buf_view(&b));
}

/* The inventory as text: "bash=1@0 curl=2@1". */
static char *inventory(struct stack *s, size_t *ret_gaps)
{
    struct ck_inventory inv;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    assert_ok(ck_inventory_build(s->facts, s->n, &inv));
    for (size_t i = 0; i < inv.n; i++)
        ck_buf_format(&b, "%s%.*s=%.*s@%zu", i ? " " : "", CK_VF(inv.packages[i].p.name),
                      CK_VF(inv.packages[i].p.version), inv.packages[i].layer);
    *ret_gaps = inv.n_gaps;
    ck_inventory_free(&inv);
    return ck_buf_steal_str(&b);
}

static void assert_inventory(struct stack *s, const char *want, size_t gaps)
{
    size_t got_gaps = 0;
    ck_autofree char *got = inventory(s, &got_gaps);
    assert_string_equal(got, want);
    assert_int_equal(got_gaps, gaps);
    for (size_t i = 0; i < s->n; i++)
        ck_buf_free(&s->facts[i].bytes);
}

static void each_package_is_dated_to_the_layer_that_brought_its_version(void **state)
{
    (void)state;
    struct stack s = { 0 };
    layer(&s), file(&s, "var/lib/dpkg/status", CK_DETECT_DPKG, "bash=1 curl=1 vim=1"),
        end_layer(&s);
    layer(&s), add(&s, "etc", CK_NODE_DIR, "", CK_V("")), end_layer(&s);
    layer(&s), file(&s, "var/lib/dpkg/status", CK_DETECT_DPKG, "bash=1 curl=2 git=1"),
        end_layer(&s);
    /* curl goes back to 1: this layer brought it, though the lowest had it */
    layer(&s), file(&s, "var/lib/dpkg/status", CK_DETECT_DPKG, "bash=1 curl=1 git=1"),
        end_layer(&s);
    assert_inventory(&s, "bash=1@0 curl=1@3 git=1@2", 0);
}

static void a_database_that_is_whited_out_is_gone(void **state)
{
    (void)state;
    struct stack s = { 0 };
    layer(&s), file(&s, "var/lib/dpkg/status", CK_DETECT_DPKG, "bash=1"), end_layer(&s);
    layer(&s), whiteout(&s, "var/lib/dpkg"), end_layer(&s);
    assert_inventory(&s, "", 1); /* and what is unknown is said */
}

static void what_links_lead_to_is_wanted_once(void **state)
{
    (void)state;
    struct stack s = { 0 };
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_layer_wants wants[8] = { { 0 } };
    bool any = false;
    layer(&s), add(&s, "opt/db/status", CK_NODE_FILE, "", CK_V("")), end_layer(&s);
    layer(&s), add(&s, "var/lib/dpkg", CK_NODE_SYMLINK, "/opt/db", CK_V("")), end_layer(&s);
    assert_ok(ck_inventory_wants(s.facts, s.n, &a, wants, &any));
    assert_true(any);
    assert_int_equal(wants[0].n, 1);
    assert_int_equal(wants[1].n, 0);
    assert_view(wants[0].v[0].path, "opt/db/status");
    assert_int_equal(wants[0].v[0].detector, CK_DETECT_DPKG);
    for (size_t i = 0; i < s.n; i++)
        ck_buf_free(&s.facts[i].bytes);
}

static void two_paths_to_one_database_count_once(void **state)
{
    (void)state;
    struct stack s = { 0 };
    layer(&s);
    add(&s, "lib", CK_NODE_SYMLINK, "usr/lib", CK_V(""));
    file(&s, "usr/lib/apk/db/installed", CK_DETECT_APK, "musl=1");
    end_layer(&s);
    assert_inventory(&s, "musl=1@0", 0);
}

static void status_d_files_come_and_go_one_by_one(void **state)
{
    (void)state;
    struct stack s = { 0 };
    layer(&s);
    file(&s, "var/lib/dpkg/status.d/base", CK_DETECT_DPKG_D, "base=1");
    file(&s, "var/lib/dpkg/status.d/tz", CK_DETECT_DPKG_D, "tz=1");
    end_layer(&s);
    layer(&s);
    whiteout(&s, "var/lib/dpkg/status.d/tz");
    file(&s, "var/lib/dpkg/status.d/ssl", CK_DETECT_DPKG_D, "ssl=3");
    end_layer(&s);
    assert_inventory(&s, "base=1@0 ssl=3@1", 0);
}

static void a_second_rpm_database_is_left_aside_and_said(void **state)
{
    (void)state;
    struct stack s = { 0 };
    layer(&s);
    file(&s, "var/lib/rpm/rpmdb.sqlite", CK_DETECT_RPM_SQLITE, "new=2");
    file(&s, "var/lib/rpm/Packages", CK_DETECT_RPM_BDB, "old=1");
    end_layer(&s);
    assert_inventory(&s, "new=2@0", 1);
}

static void no_database_at_all_is_a_gap(void **state)
{
    (void)state;
    struct stack s = { 0 };
    layer(&s), add(&s, "hello", CK_NODE_FILE, "", CK_V("")), end_layer(&s);
    assert_inventory(&s, "", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_package_is_dated_to_the_layer_that_brought_its_version),
        cmocka_unit_test(a_database_that_is_whited_out_is_gone),
        cmocka_unit_test(what_links_lead_to_is_wanted_once),
        cmocka_unit_test(two_paths_to_one_database_count_once),
        cmocka_unit_test(status_d_files_come_and_go_one_by_one),
        cmocka_unit_test(a_second_rpm_database_is_left_aside_and_said),
        cmocka_unit_test(no_database_at_all_is_a_gap),
    };
    return cmocka_run_group_tests_name("inventory", tests, NULL, NULL);
}
