#include "detect/rpm_header.h"
#include "detect/unit_facts.h"

#include <unistd.h>

/* A package as a line of expected.tsv: name, epoch, version, release, arch, source rpm, module. */
static void put_row(struct ck_buf *b, const struct ck_package *p)
{
    ck_view version = p->version, source = p->source_version, epoch = CK_V("0");
    size_t colon = ck_view_find(version, ':');
    if (colon < version.n) {
        epoch = ck_view_head(version, colon);
        version = ck_view_from(version, colon + 1);
        source = ck_view_from(source, ck_view_find(source, ':') + 1);
    }
    size_t dash = version.n;
    while (dash > 0 && version.p[dash - 1] != '-')
        dash--;
    assert_true(dash > 0);
    ck_view module = p->module.n ? p->module : CK_V("(none)");
    ck_buf_format(b, "%.*s\t%.*s\t%.*s\t%.*s\t%.*s\t%.*s-%.*s.src.rpm\t%.*s\n", CK_VF(p->name),
                  CK_VF(epoch), CK_VF(ck_view_head(version, dash - 1)),
                  CK_VF(ck_view_from(version, dash)), CK_VF(p->arch), CK_VF(p->source_name),
                  CK_VF(source), CK_VF(module));
}

/* All packages as sorted rows; no gap may be said. */
static char *rows(ck_detect_fn run, ck_view content)
{
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_FACTS), text = ck_buf_new(CK_LIMIT_NONE);
    assert_ok(run(content, &out));
    ck_cur c = ck_cur_of(ck_buf_view(&out));
    for (;;) {
        struct ck_fact f;
        bool end;
        assert_ok(ck_fact_decode(&c, &f, &end));
        if (end)
            break;
        if (f.kind == CK_FACT_GAP)
            print_error("%.*s\n", CK_VF(f.gap));
        assert_int_equal(f.kind, CK_FACT_PACKAGE);
        put_row(&text, &f.package);
    }
    ck_put_u8(&text, 0);
    return unit_sorted((const char *)text.p);
}

static void equals_list(ck_detect_fn run, ck_view database, ck_view expected)
{
    ck_autofree char *text = ck_strndup(expected.p, expected.n);
    ck_autofree char *want = unit_sorted(text), *got = rows(run, database);
    assert_string_equal(got, want);
    assert_true(strlen(got) > 50);
}

static void fixture_equals_rpm(ck_detect_fn run, const char *database, const char *expected)
{
    unit_auto ck_view db = unit_shared(database);
    unit_auto ck_view want = unit_shared(expected);
    equals_list(run, db, want);
}

static void bdb_fixture(void **state)
{
    (void)state;
    fixture_equals_rpm(ck_detect_rpm_bdb, "fixtures/rpmdb/bdb-libuuid/Packages",
                       "fixtures/rpmdb/bdb-libuuid/expected.tsv");
}

static void sqlite_fixture(void **state)
{
    (void)state;
    fixture_equals_rpm(ck_detect_rpm_sqlite,
                       "fixtures/rpmdb/sqlite-cbl-mariner-2.0/rpmdb.sqlite",
                       "fixtures/rpmdb/sqlite-cbl-mariner-2.0/expected.tsv");
}

static void ndb_fixture(void **state)
{
    (void)state;
    unit_auto ck_view db = unit_shared("fixtures/rpmdb/ndb-sle15-bci/Packages.db");
    ck_autofree char *got = rows(ck_detect_rpm_ndb, db);
    assert_non_null(strstr(got, "bash\t0\t4.4\t19.6.1\tx86_64\tbash-4.4-19.6.1.src.rpm\t(none)\n"));
}

static void oracle_case(const char *dir, const char *name, const char *file, ck_detect_fn run)
{
    ck_autofree char *list = ck_format("%s/%s/expected.tsv", dir, name);
    if (access(list, R_OK) != 0) {
        print_message("left out: %s (a tool or the fixtures are missing)\n", name);
        return;
    }
    ck_autofree char *cat_list = ck_format("cat '%s'", list);
    ck_autofree char *cat_db = ck_format("cat '%s/%s/%s'", dir, name, file);
    unit_auto ck_view want = unit_command(cat_list), db = unit_command(cat_db);
    equals_list(run, db, want);
    print_message("rpm agrees: %s\n", name);
}

/* Databases that rpm makes or reads here: see rpmdb_oracle.py. */
static void rpm_itself_agrees(void **state)
{
    (void)state;
    if (system("command -v rpm >/dev/null 2>&1 && command -v python3 >/dev/null 2>&1") != 0) {
        print_message("skipped: rpm or python3 is not installed\n");
        skip();
    }
    const char *source = getenv("COCKET_SOURCE"), *shared = getenv("COCKET_SHARED");
    char dir[] = "/tmp/cocket-test-rpm-XXXXXX";
    assert_non_null(mkdtemp(dir));
    ck_autofree char *make = ck_format("python3 '%s/src/detect/rpmdb_oracle.py' '%s' '%s'",
                                       source ? source : ".", dir, shared ? shared : "../shared");
    unit_auto ck_view out = unit_command(make);
    (void)out;
    oracle_case(dir, "built", "rpmdb.sqlite", ck_detect_rpm_sqlite);
    oracle_case(dir, "bdb-le", "Packages", ck_detect_rpm_bdb);
    oracle_case(dir, "bdb-be", "Packages", ck_detect_rpm_bdb);
    oracle_case(dir, "bdb-small", "Packages", ck_detect_rpm_bdb);
    oracle_case(dir, "ndb", "Packages.db", ck_detect_rpm_ndb);
    ck_autofree char *rm = ck_format("rm -rf '%s'", dir);
    assert_int_equal(system(rm), 0);
}

static void source_names_split_from_the_right(void **state)
{
    (void)state;
    ck_view n, v, r;
    assert_true(ck_rpm_split_source(CK_V("a-b-2-1.0-3.el8.src.rpm"), &n, &v, &r));
    assert_view(n, "a-b-2");
    assert_view(v, "1.0");
    assert_view(r, "3.el8");
    assert_true(ck_rpm_split_source(CK_V("x-1-2.nosrc.rpm"), &n, &v, &r));
    assert_view(r, "2");
    static const char *const bad[] = { "", ".rpm", "x.src.rpm", "x-1.src.rpm", "-1-2.src.rpm",
                                       "x--2.src.rpm", "x-1-.src.rpm", "x-1-2.src", "x-1-2.rpm.",
                                       "(none)" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(ck_rpm_split_source(ck_view_str(bad[i]), &n, &v, &r));
}

/* A header that is put together here. */
struct maker {
    struct ck_buf index, data;
    uint32_t entries;
};

static void put_be32(struct ck_buf *b, uint32_t x)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        ck_put_u8(b, (uint8_t)(x >> shift));
}

static void entry(struct maker *m, uint32_t tag, uint32_t type, uint32_t at, uint32_t count)
{
    put_be32(&m->index, tag);
    put_be32(&m->index, type);
    put_be32(&m->index, at);
    put_be32(&m->index, count);
    m->entries++;
}

static void text(struct maker *m, uint32_t tag, const char *value)
{
    entry(m, tag, 6, (uint32_t)m->data.n, 1);
    ck_put_bytes(&m->data, ck_view_of(value, strlen(value) + 1));
}

static void finish(struct maker *m, struct ck_buf *blob)
{
    put_be32(blob, m->entries);
    put_be32(blob, (uint32_t)m->data.n);
    ck_put_bytes(blob, ck_buf_view(&m->index));
    ck_put_bytes(blob, ck_buf_view(&m->data));
    ck_buf_free(&m->index);
    ck_buf_free(&m->data);
}

static void says_header(struct maker *m, const char *want)
{
    ck_autobuf struct ck_buf blob = ck_buf_new(CK_LIMIT_NONE), out = ck_buf_new(CK_LIMIT_FACTS);
    finish(m, &blob);
    ck_autorpm struct ck_rpm rpm = ck_rpm_new("rpm", ck_buf_view(&blob), &out);
    assert_ok(ck_rpm_say_header(&rpm, ck_buf_view(&blob), "here"));
    ck_cur c = ck_cur_of(ck_buf_view(&out));
    ck_autobuf struct ck_buf said = ck_buf_new(CK_LIMIT_NONE);
    struct ck_fact f;
    bool end;
    for (;;) {
        assert_ok(ck_fact_decode(&c, &f, &end));
        if (end)
            break;
        if (f.kind == CK_FACT_GAP)
            ck_buf_format(&said, "gap %.*s\n", CK_VF(f.gap));
        else
            ck_buf_format(&said, "%.*s %.*s %.*s %.*s [%.*s]\n", CK_VF(f.package.name),
                          CK_VF(f.package.version), CK_VF(f.package.source_name),
                          CK_VF(f.package.source_version), CK_VF(f.package.module));
    }
    assert_view(ck_buf_view(&said), want);
}

static struct maker nvr(void)
{
    struct maker m = { .entries = 0 };
    text(&m, 1000, "pkg");
    text(&m, 1001, "1.0");
    text(&m, 1002, "2");
    return m;
}

static void headers(void **state)
{
    (void)state;
    struct maker m = nvr();
    text(&m, 1044, "src-0.9-1.src.rpm");
    text(&m, 5096, "nodejs:10");
    entry(&m, 1003, 4, (uint32_t)m.data.n, 1);
    put_be32(&m.data, 7);
    says_header(&m, "pkg 7:1.0-2 src 7:0.9-1 [nodejs:10]\n");

    m = nvr();
    text(&m, 5096, "(none)");
    says_header(&m, "pkg 1.0-2 pkg 1.0-2 []\n");

    m = (struct maker){ .entries = 0 };
    text(&m, 1000, "gpg-pubkey");
    text(&m, 1001, "abc");
    text(&m, 1002, "def");
    says_header(&m, "");

    m = nvr();
    text(&m, 1001, "3.0"); /* appended behind the region: replaces */
    says_header(&m, "pkg 3.0-2 pkg 3.0-2 []\n");
}

static void header_attacks(void **state)
{
    (void)state;
    struct maker m = nvr();
    text(&m, 1044, "no-source");
    says_header(&m, "gap rpm: here: the tag SOURCERPM is not NAME-VERSION-RELEASE.ARCH.rpm\n"
                    "pkg 1.0-2 pkg 1.0-2 []\n");
    m = nvr();
    entry(&m, 1000, 6, 0xFFFFFFFF, 1);
    says_header(&m, "gap rpm: here: the tag NAME at byte 4294967295 leaves the 10 bytes of data\n");
    m = nvr();
    entry(&m, 1000, 4, 0, 1);
    says_header(&m, "gap rpm: here: the tag NAME is of type 4, count 1\n");
    m = nvr();
    entry(&m, 1003, 4, 8, 1);
    says_header(&m, "gap rpm: here: the tag EPOCH at byte 8 leaves the 10 bytes of data\n");
    m = nvr();
    entry(&m, 1000, 6, (uint32_t)m.data.n, 1);
    ck_put_bytes(&m.data, CK_V("not ended"));
    says_header(&m, "gap rpm: here: the tag NAME at byte 10 leaves the 19 bytes of data\n");
    m = (struct maker){ .entries = 0 };
    text(&m, 1000, "only-a-name");
    says_header(&m, "gap rpm: here: a package is left out, since its version is missing\n");
    m = (struct maker){ .entries = 0 };
    entry(&m, 63, 7, 4, 16);
    put_be32(&m.data, 63);
    says_header(&m, "gap rpm: here: a header whose region trailer does not agree\n");
    m = (struct maker){ .entries = 0 };
    says_header(&m, "gap rpm: here: a header of 0 index entries (rpm allows 1 to 65535)\n");
    m = nvr();
    m.entries = 50;
    says_header(&m, "gap rpm: here: a header of 50 index entries and 10 bytes of data in 66 "
                    "bytes\n");
}

static void files_that_are_something_else(void **state)
{
    (void)state;
    static uint8_t zeros[8192];
    ck_view zero = ck_view_of(zeros, sizeof zeros);
    unit_says(ck_detect_rpm_bdb, CK_V(""),
              "gap rpm database (Berkeley DB): a file of 0 bytes has no meta page\n");
    unit_says(ck_detect_rpm_bdb, zero,
              "gap rpm database (Berkeley DB): no Berkeley DB hash: the magic number is another\n");
    unit_says(ck_detect_rpm_ndb, CK_V(""),
              "gap rpm database (ndb): the file does not begin with \"RpmP\"\n");
    unit_says(ck_detect_rpm_ndb, zero,
              "gap rpm database (ndb): the file does not begin with \"RpmP\"\n");
    unit_says(ck_detect_rpm_sqlite, CK_V(""),
              "gap rpm database (SQLite): the file does not begin as an SQLite database does\n");
    unit_says(ck_detect_rpm_sqlite, zero,
              "gap rpm database (SQLite): the file does not begin as an SQLite database does\n");
}

/* The fixtures with bytes changed. */
struct change {
    const char *attack;
    size_t at;
    const char *bytes;
    size_t n;
    const char *said;
};

static void changed(ck_detect_fn run, const char *file, const struct change *c, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unit_auto ck_view db = unit_shared(file);
        assert_true(c[i].at + c[i].n <= db.n);
        memcpy((uint8_t *)(uintptr_t)db.p + c[i].at, c[i].bytes, c[i].n);
        print_message("  %s\n", c[i].attack);
        unit_says_among(run, db, c[i].said);
    }
}
#define CHANGED(run, file, changes) \
    changed(run, file, changes, sizeof(changes) / sizeof(changes)[0])

static void bdb_attacks(void **state)
{
    (void)state;
    static const struct change c[] = {
        { "encrypted", 24, "\x01", 1, "the database is encrypted" },
        { "page size 3", 20, "\x03\x00\x00\x00", 4, "a page size of 3 bytes" },
        { "hash version 99", 16, "\x63", 1, "hash version 99" },
        { "a b-tree", 12, "\x62\x31\x05\x00", 4, "a Berkeley DB b-tree" },
        { "checksummed pages", 26, "\x01", 1, "a meta page of type 8, flags 1" },
        { "four billion buckets", 72, "\xff\xff\xff\xff", 4, "buckets in a file of" },
        { "all buckets on one page", 96, "\x01\x00\x00\x00\x00\x00\x00\x00", 8, "is used twice" },
        { "bucket past the end", 96, "\xff\xff\xff\x7f", 4, "there is no page 2147483647" },
        { "buckets in a circle", 2 * 4096 + 16, "\x01", 1, "page 1 is used twice" },
        { "a bucket that is an overflow page", 2 * 4096 + 16, "\x05", 1, "page 5 is" },
        { "overflow pages in a circle", 10 * 4096 + 16, "\x03", 1, "page 3 is used twice" },
        { "a chain into a hash page", 10 * 4096 + 16, "\x00\x00\x00\x00", 4, "a chain of" },
        { "an overflow page fuller than a page", 10 * 4096 + 22, "\xff\xff", 2,
          "overflow page 10 claims 65535 bytes" },
        { "an item of two GiB", 2 * 4096 + 4087, "\xff\xff\xff\x7f", 4,
          "an item of 2147483647 bytes (limit RPM_HEADER" },
        { "an item that is longer than its chain", 2 * 4096 + 4087, "\xff\xff\x01\x00", 4,
          "where 131071 were announced" },
        { "65,535 items", 2 * 4096 + 20, "\xff\xff", 2, "page 2: 65535 items" },
        { "items upside down", 2 * 4096 + 26, "\x00\x0f\x00\x0f", 4, "item 1 lies from byte" },
        { "a duplicate where a header should be", 2 * 4096 + 4079, "\x02", 1, "is of type 2" },
    };
    CHANGED(ck_detect_rpm_bdb, "fixtures/rpmdb/bdb-libuuid/Packages", c);
}

static void ndb_attacks(void **state)
{
    (void)state;
    static const struct change c[] = {
        { "version 1", 4, "\x01", 1, "version 1 of the format" },
        { "no pages of slots", 12, "\x00", 1, "0 pages of slots" },
        { "more pages of slots than file", 12, "\xff\xff\xff\xff", 4, "4294967295 pages" },
        { "a slot without magic", 32, "X", 1, "slot 2 does not begin with" },
        { "a blob past the end", 40, "\xff\xff\xff\xff", 4, "blocks 4294967295 + 260" },
        { "a blob inside the slots", 40, "\x00\x00\x00\x00", 4, "blocks 0 + 260" },
        { "another package's blob", 36, "\x09", 1, "slot 2: the blob's head does not agree" },
        { "a longer blob", 44, "\x05", 1, "slot 2: the blob's head does not agree" },
        { "a changed byte", 4096 + 200, "\x5a", 1, "slot 2: the blob's Adler-32 checksum" },
    };
    CHANGED(ck_detect_rpm_ndb, "fixtures/rpmdb/ndb-sle15-bci/Packages.db", c);
}

/* 253 slots that all name the largest blob: no more is read than the file is long. */
static void ndb_one_blob_in_every_slot(void **state)
{
    (void)state;
    unit_auto ck_view db = unit_shared("fixtures/rpmdb/ndb-sle15-bci/Packages.db");
    uint8_t *slots = (uint8_t *)(uintptr_t)db.p + 32;
    for (size_t i = 1; i < 254; i++)
        memcpy(slots + 16 * i, slots + 16, 16);
    unit_says_among(ck_detect_rpm_ndb, db, "the blobs take more bytes than the file has");
}

static void sqlite_attacks(void **state)
{
    (void)state;
    static const struct change c[] = {
        { "page size 1000", 16, "\x03\xe8", 2, "pages of 1000 bytes" },
        { "all of a page reserved", 16, "\x02\x00\x01\x01\xff", 5, "255 of them reserved" },
        { "UTF-16", 56, "\x00\x00\x00\x02", 4, "text encoding 2" },
        { "page 1 is an index", 100, "\x0a", 1, "page 1 is of type 10" },
        { "60,000 cells on page 1", 103, "\xea\x60", 2, "page 1 claims 60000 cells" },
        { "a child past the end", 108, "\xff\xff", 2, "b-tree: there is no page 4294901795" },
        { "a child named outside the page", 112, "\xff\xff", 2, "b-tree: there is no page 0" },
        { "a root that is a leaf's overflow", 4096, "\x00", 1, "page 2 is of type 0" },
        { "one child twice", 4108, "\x0f\xfb\x0f\xfb", 4, "is used twice" },
        { "a cell past its page", 233480, "\xff\xff", 2, "a cell at byte 65535 leaves its page" },
        { "a row of 2^63 bytes", 235613, "\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9,
          "page 58 cell 0: a row of 18446744073709551615 bytes (limit RPM_HEADER" },
        { "a row longer than its chain", 235613, "\xcf\x14", 2,
          "page 58 cell 0: a payload of 10132 bytes ends after 6040" },
        { "a chain that is a b-tree page", 237564, "\x00\x00\x00\x02", 4,
          "page 58 cell 0: page 2 is used twice" },
        { "a record header longer than the row", 235616, "\xff\x7f", 2, "a record of 6040 bytes" },
        { "a blob that is a number", 235618, "\x01", 1, "the second column is no blob" },
        { "page 1 is its own child", 100, "\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01", 12,
          "b-tree: page 1 is used twice" },
    };
    CHANGED(ck_detect_rpm_sqlite, "fixtures/rpmdb/sqlite-cbl-mariner-2.0/rpmdb.sqlite", c);
}

/* Cut anywhere, a database gives fewer packages and a gap, never silence. */
static void cut_off(ck_detect_fn run, const char *file)
{
    unit_auto ck_view db = unit_shared(file);
    for (size_t part = 1; part < 16; part++)
        unit_says_among(run, ck_view_head(db, db.n * part / 17), "gap rpm database");
}

static void databases_cut_off(void **state)
{
    (void)state;
    cut_off(ck_detect_rpm_ndb, "fixtures/rpmdb/ndb-sle15-bci/Packages.db");
    cut_off(ck_detect_rpm_sqlite, "fixtures/rpmdb/sqlite-cbl-mariner-2.0/rpmdb.sqlite");
    cut_off(ck_detect_rpm_bdb, "fixtures/rpmdb/bdb-libuuid/Packages");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bdb_fixture),
        cmocka_unit_test(ndb_fixture),
        cmocka_unit_test(sqlite_fixture),
        cmocka_unit_test(rpm_itself_agrees),
        cmocka_unit_test(source_names_split_from_the_right),
        cmocka_unit_test(headers),
        cmocka_unit_test(header_attacks),
        cmocka_unit_test(files_that_are_something_else),
        cmocka_unit_test(bdb_attacks),
        cmocka_unit_test(ndb_attacks),
        cmocka_unit_test(ndb_one_blob_in_every_slot),
        cmocka_unit_test(sqlite_attacks),
        cmocka_unit_test(databases_cut_off),
    };
    return cmocka_run_group_tests_name("rpm", tests, NULL, NULL);
}
