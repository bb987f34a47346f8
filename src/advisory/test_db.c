#include "advisory/db_read.h"
#include "base/mem.h"
#include "base/unit.h"

#include <sys/stat.h>
#include <unistd.h>

static ck_view read_file(const char *path)
{
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n;
    while ((n = fread(ck_buf_room(&b, 65536), 1, 65536, f)) > 0)
        b.n += n;
    fclose(f);
    return ck_buf_view(&b);
}

static void free_view(ck_view v)
{
    void *p;
    memcpy(&p, &v.p, sizeof p);
    free(p);
}

static void add_feed(struct ck_db_writer *w, const char *kind)
{
    ck_db_writer_feed(w, &(struct ck_db_feed){
        .kind = ck_view_str(kind), .source = CK_V("/feeds/x"), .detail = CK_V("a,b"),
        .time = 1700000000, .digest = CK_V("sha256:12"), .failure = CK_V("late") });
}

/* Records that use every shape of range, lists of versions, and every optional field. */
static struct ck_advisory record(unsigned i)
{
    static struct ck_range ranges[3];
    static ck_view versions[5], aliases[2], fixes[2], cvss[1];
    static struct ck_affected affected[2];
    static char id[32], name[32];
    snprintf(id, sizeof id, i % 3 ? "CVE-2024-%04u" : "DSA-%u-1", i);
    snprintf(name, sizeof name, "package%u", i % 7);
    ranges[0] = (struct ck_range){ i % 2 ? CK_V("0") : CK_V("1.2"),
                                   (enum ck_range_end)(i % 3),
                                   i % 3 == CK_END_OPEN ? CK_V("") : CK_V("2.0") };
    ranges[1] = (struct ck_range){ CK_V("3"), CK_END_FIXED, CK_V("4") };
    ranges[2] = (struct ck_range){ CK_V("5"), CK_END_OPEN, CK_V("") };
    for (unsigned k = 0; k < 5; k++)
        versions[k] = (ck_view[]){ CK_V("1.10"), CK_V("1.9"), CK_V("1.2"), CK_V("1.2-rc1"),
                                   CK_V("2") }[(k * (i % 4 + 1)) % 5];
    aliases[0] = CK_V("GHSA-2rf9-m3c5-vwxq");
    aliases[1] = CK_V("XSA-1");
    fixes[0] = CK_V("CVE-2020-12345678");
    fixes[1] = CK_V("CVE-1999-0001");
    cvss[0] = CK_V("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H");
    affected[0] = (struct ck_affected){
        .ecosystem = i % 2 ? CK_V("Debian:12") : CK_V("PyPI"), .name = ck_view_str(name),
        .kind = (enum ck_name_kind)(i % 2), .module = i % 5 ? CK_V("") : CK_V("m:1"),
        .state = (enum ck_fix_state)(i % CK_FIX_STATE_COUNT_),
        .severity = (enum ck_severity)(i % CK_SEVERITY_COUNT_), .unimportant = i % 4 == 0,
        .note = i % 6 ? CK_V("") : CK_V("because"), .ranges = ranges, .n_ranges = i % 4,
        .versions = versions, .n_versions = i % 3 ? i % 6 : 0 };
    affected[1] = affected[0];
    affected[1].name = CK_V("second");
    return (struct ck_advisory){
        .id = ck_view_str(id), .url = i % 2 ? CK_V("https://example.org/x") : CK_V(""),
        .summary = i % 2 ? CK_V("summary") : CK_V(""), .aliases = aliases, .n_aliases = i % 3,
        .fixes = fixes, .n_fixes = (i / 3) % 3, .severity = (enum ck_severity)(i % 6),
        .severity_text = i % 4 ? CK_V("") : CK_V("Important"), .cvss = cvss, .n_cvss = i % 2,
        .published = i % 5 ? 1700000000 + i : 0, .modified = i % 5 ? 1600000000 : 0,
        .withdrawn = i % 7 == 0, .affected = affected, .n_affected = 1 + i % 2 };
}

enum { RECORDS = 100 };

/* Builds in the order i * step mod RECORDS. */
static char *build(unsigned step)
{
    char *path = ck_strndup("/tmp/test-db-XXXXXX", 19);
    close(mkstemp(path));
    struct ck_db_writer *w = ck_db_writer_new(1234567890);
    add_feed(w, "osv");
    for (unsigned i = 0; i < RECORDS; i++) {
        struct ck_advisory adv = record(i * step % RECORDS);
        assert_ok(ck_db_writer_add(w, &adv));
    }
    add_feed(w, "kev");
    ck_view alias = CK_V("OLD-1");
    assert_ok(ck_db_writer_add(w, &(struct ck_advisory){ .id = CK_V("CVE-2024-0001"),
                                                         .aliases = &alias, .n_aliases = 1,
                                                         .kev = true }));
    assert_ok(ck_db_writer_finish(w, path));
    ck_db_writer_free(w);
    return path;
}

static void assert_same_view(ck_view a, ck_view b) { assert_true(ck_view_eq(a, b)); }

static bool has_version(const struct ck_affected *af, ck_view v)
{
    for (size_t i = 0; i < af->n_versions; i++)
        if (ck_view_eq(af->versions[i], v))
            return true;
    return false;
}

static void assert_same_affected(const struct ck_affected *in, const struct ck_affected *out)
{
    assert_same_view(in->ecosystem, out->ecosystem);
    assert_same_view(in->name, out->name);
    assert_same_view(in->module, out->module);
    assert_same_view(in->note, out->note);
    assert_int_equal(in->state, out->state);
    assert_int_equal(in->severity, out->severity);
    assert_int_equal(in->unimportant, out->unimportant);
    assert_int_equal(in->n_ranges, out->n_ranges);
    for (size_t i = 0; i < in->n_ranges; i++) {
        ck_view from = in->ranges[i].introduced;
        assert_same_view(ck_view_eq(from, CK_V("0")) ? CK_V("") : from, out->ranges[i].introduced);
        assert_int_equal(in->ranges[i].end, out->ranges[i].end);
        assert_same_view(in->ranges[i].upper, out->ranges[i].upper);
    }
    for (size_t i = 0; i < in->n_versions; i++)
        assert_true(has_version(out, in->versions[i]));
    for (size_t i = 0; i < out->n_versions; i++)
        assert_true(has_version(in, out->versions[i]));
}

static void assert_same_advisory(const struct ck_advisory *in, const struct ck_advisory *out)
{
    assert_same_view(in->id, out->id);
    assert_same_view(in->url, out->url);
    assert_same_view(in->summary, out->summary);
    assert_same_view(in->severity_text, out->severity_text);
    assert_int_equal(in->severity, out->severity);
    assert_int_equal(in->published, out->published);
    assert_int_equal(in->modified, out->modified);
    assert_int_equal(in->withdrawn, out->withdrawn);
    assert_int_equal(in->n_aliases, out->n_aliases);
    for (size_t i = 0; i < in->n_aliases; i++)
        assert_same_view(in->aliases[i], out->aliases[i]);
    assert_int_equal(in->n_fixes, out->n_fixes);
    for (size_t i = 0; i < in->n_fixes; i++)
        assert_same_view(in->fixes[i], out->fixes[i]);
    assert_int_equal(in->n_cvss, out->n_cvss);
    for (size_t i = 0; i < in->n_cvss; i++)
        assert_same_view(in->cvss[i], out->cvss[i]);
}

static void test_everything_comes_back(void **state)
{
    (void)state;
    ck_autofree char *path = build(1);
    struct ck_db *db;
    assert_ok(ck_db_open(path, &db));
    assert_ok(ck_db_verify(db));
    assert_int_equal(ck_db_counts(db).advisories, RECORDS);
    for (unsigned i = 0; i < RECORDS; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_advisory in = record(i);
        struct ck_statements by_name, by_id;
        for (size_t k = 0; k < in.n_affected; k++) {
            const struct ck_affected *af = &in.affected[k];
            assert_ok(ck_db_find(db, af->ecosystem, af->kind, af->name, &a, &by_name));
            size_t hits = 0;
            for (size_t s = 0; s < by_name.n; s++) {
                if (!ck_view_eq(by_name.v[s].advisory.id, in.id))
                    continue;
                assert_same_advisory(&in, &by_name.v[s].advisory);
                assert_same_affected(af, &by_name.v[s].affected);
                hits++;
            }
            assert_int_equal(hits, 1);
        }
        assert_ok(ck_db_find_id(db, in.id, &a, &by_id));
        assert_true(by_id.n >= in.n_affected);
    }
    ck_db_close(db);
    unlink(path);
}

static void test_feeds_ids_and_absence(void **state)
{
    (void)state;
    ck_autofree char *path = build(1);
    struct ck_db *db;
    struct ck_db_feed f;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_statements st;
    assert_ok(ck_db_open(path, &db));
    assert_int_equal(ck_db_built(db), 1234567890);
    assert_int_equal(ck_db_feeds(db), 2);
    assert_ok(ck_db_feed(db, 0, &f));
    assert_view(f.kind, "osv");
    assert_view(f.detail, "a,b");
    assert_view(f.failure, "late");
    assert_int_equal(f.time, 1700000000);
    assert_int_equal(f.records, RECORDS);
    assert_fails(ck_db_feed(db, 2, &f), CK_ERR_OURS, "feed 2 of 2");
    assert_true(ck_db_covers(db, CK_V("Debian:12")));
    assert_false(ck_db_covers(db, CK_V("Debian:1")));
    assert_false(ck_db_covers(db, CK_V("")));
    assert_true(ck_db_kev(db, CK_V("CVE-2024-0001")));
    assert_true(ck_db_kev(db, CK_V("OLD-1")));
    assert_false(ck_db_kev(db, CK_V("CVE-2024-0002")));
    assert_false(ck_db_kev(db, CK_V("CVE-2024-1")));
    assert_ok(ck_db_find(db, CK_V("Debian:12"), CK_NAME_SOURCE, CK_V("nothing"), &a, &st));
    assert_int_equal(st.n, 0);
    assert_ok(ck_db_find_id(db, CK_V("XSA-1"), &a, &st));
    assert_true(st.n > 10);
    assert_ok(ck_db_find_id(db, CK_V("CVE-1999-0001"), &a, &st));
    assert_true(st.n > 10);
    assert_ok(ck_db_find_id(db, CK_V("CVE-1999-1"), &a, &st));
    assert_int_equal(st.n, 0);
    ck_db_close(db);
    unlink(path);
}

static void test_order_of_arrival_does_not_matter(void **state)
{
    (void)state;
    ck_autofree char *a = build(1), *b = build(37);
    ck_view va = read_file(a), vb = read_file(b);
    assert_true(ck_view_eq(va, vb));
    struct stat st;
    assert_int_equal(stat(a, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0644);
    free_view(va);
    free_view(vb);
    unlink(a);
    unlink(b);
}

static void test_a_record_that_comes_twice_counts_once(void **state)
{
    (void)state;
    char path[] = "/tmp/test-db-XXXXXX";
    close(mkstemp(path));
    struct ck_db_writer *w = ck_db_writer_new(0);
    add_feed(w, "osv");
    struct ck_advisory adv = record(1);
    assert_ok(ck_db_writer_add(w, &adv));
    assert_ok(ck_db_writer_add(w, &adv));
    assert_ok(ck_db_writer_finish(w, path));
    ck_db_writer_free(w);
    struct ck_db *db;
    assert_ok(ck_db_open(path, &db));
    assert_ok(ck_db_verify(db));
    assert_int_equal(ck_db_counts(db).advisories, 1);
    assert_int_equal(ck_db_counts(db).statements, adv.n_affected);
    ck_db_close(db);
    unlink(path);
}

static void test_empty_database(void **state)
{
    (void)state;
    char path[] = "/tmp/test-db-XXXXXX";
    close(mkstemp(path));
    struct ck_db_writer *w = ck_db_writer_new(0);
    assert_ok(ck_db_writer_finish(w, path));
    struct ck_advisory adv = record(1);
    assert_fails(ck_db_writer_add(w, &adv), CK_ERR_OURS, "before the first feed");
    ck_db_writer_free(w);
    struct ck_db *db;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_statements st;
    assert_ok(ck_db_open(path, &db));
    assert_ok(ck_db_verify(db));
    assert_ok(ck_db_find(db, CK_V("x"), CK_NAME_SOURCE, CK_V("y"), &a, &st));
    assert_int_equal(st.n, 0);
    assert_false(ck_db_kev(db, CK_V("CVE-2024-0001")));
    ck_db_close(db);
    unlink(path);
}

static void test_a_failed_write_leaves_the_old_file(void **state)
{
    (void)state;
    char dir[] = "/tmp/test-db-dir-XXXXXX";
    assert_non_null(mkdtemp(dir));
    ck_autofree char *missing = ck_format("%s/no/such/db", dir);
    struct ck_db_writer *w = ck_db_writer_new(0);
    assert_fails(ck_db_writer_finish(w, missing), CK_ERR_OURS, "db.tmp");
    ck_db_writer_free(w);
    struct ck_db *db;
    assert_fails(ck_db_open(missing, &db), CK_ERR_OURS, "No such file");
    assert_fails(ck_db_open(dir, &db), CK_ERR_OURS, "no regular file");
    rmdir(dir);
}

static void test_clipped_between_characters(void **state)
{
    (void)state;
    char path[] = "/tmp/test-db-XXXXXX", summary[400] = "";
    close(mkstemp(path));
    for (int i = 0; i < 150; i++)
        strcat(summary, "\xc3\xa4");
    struct ck_advisory adv = record(1);
    adv.summary = ck_view_str(summary);
    struct ck_db_writer *w = ck_db_writer_new(0);
    add_feed(w, "osv");
    assert_ok(ck_db_writer_add(w, &adv));
    assert_ok(ck_db_writer_finish(w, path));
    ck_db_writer_free(w);
    struct ck_db *db;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_advisory out;
    assert_ok(ck_db_open(path, &db));
    assert_ok(ck_db_advisory(db, 0, &a, &out));
    assert_true(out.summary.n <= CK_DB_SUMMARY_MAX && out.summary.n > CK_DB_SUMMARY_MAX - 4);
    assert_true(ck_utf8_valid(out.summary));
    assert_true(ck_view_ends(out.summary, CK_V("...")));
    ck_db_close(db);
    unlink(path);
}

/* --- Damage ----------------------------------------------------------------------------------- */

/* Reads all there is; every error must be of our own class. */
static void read_all(ck_view bytes)
{
    struct ck_db *db;
    ck_autoerr ck_err *e = ck_db_open_view(bytes, &db);
    if (e) {
        assert_int_equal(ck_err_class(e), CK_ERR_OURS);
        return;
    }
    ck_autoerr ck_err *verify = ck_db_verify(db);
    if (verify)
        assert_int_equal(ck_err_class(verify), CK_ERR_OURS);
    for (unsigned i = 0; i < RECORDS; i += 9) {
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_advisory in = record(i);
        struct ck_statements st;
        ck_autoerr ck_err *f = ck_db_find(db, in.affected->ecosystem, in.affected->kind,
                                          in.affected->name, &a, &st);
        ck_autoerr ck_err *g = ck_db_find_id(db, in.id, &a, &st);
        if (f)
            assert_int_equal(ck_err_class(f), CK_ERR_OURS);
        if (g)
            assert_int_equal(ck_err_class(g), CK_ERR_OURS);
        ck_db_kev(db, in.id);
        ck_db_covers(db, in.affected->ecosystem);
    }
    ck_db_close(db);
}

static void test_truncated(void **state)
{
    (void)state;
    ck_autofree char *path = build(1);
    ck_view v = read_file(path);
    for (size_t n = 0; n < v.n; n += 1 + n / 300) {
        struct ck_db *db;
        assert_fails(ck_db_open_view(ck_view_head(v, n), &db), CK_ERR_OURS, "database");
    }
    assert_int_equal(truncate(path, 100), 0);
    struct ck_db *db;
    assert_fails(ck_db_open(path, &db), CK_ERR_OURS, "only 100 bytes");
    free_view(v);
    unlink(path);
}

static void test_every_flipped_bit_fails_the_checksum(void **state)
{
    (void)state;
    ck_autofree char *path = build(1);
    ck_view v = read_file(path);
    uint8_t *p;
    memcpy(&p, &v.p, sizeof p);
    for (size_t i = 0; i < v.n; i++) {
        p[i] ^= (uint8_t)(1u << (i % 8));
        struct ck_db *db;
        ck_autoerr ck_err *e = ck_db_open_view(v, &db);
        if (!e) {
            ck_autoerr ck_err *verify = ck_db_verify(db);
            assert_non_null(verify);
            ck_db_close(db);
        }
        if (i % 7 == 0)
            read_all(v);
        p[i] ^= (uint8_t)(1u << (i % 8));
    }
    free_view(v);
    unlink(path);
}

static void test_layout_of_the_future(void **state)
{
    (void)state;
    ck_autofree char *path = build(1);
    ck_view v = read_file(path);
    uint8_t *p;
    memcpy(&p, &v.p, sizeof p);
    p[8] = 99;
    struct ck_db *db;
    assert_fails(ck_db_open_view(v, &db), CK_ERR_OURS, "layout 99");
    p[0] = 'X';
    assert_fails(ck_db_open_view(v, &db), CK_ERR_OURS, "no advisory database");
    free_view(v);
    unlink(path);
}

/* --- The short forms -------------------------------------------------------------------------- */

static void test_ids(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        size_t n; /* bytes */
    } rows[] = {
        { "CVE-2024-1234", 3 }, { "CVE-1999-0001", 2 }, { "CVE-2026-1234567", 4 },
        { "CVE-2024-01234", 15 }, /* a leading zero too many: kept as it is */
        { "CVE-2024-123", 13 },   { "CVE-1998-0001", 14 }, { "CVE-2024-12a4", 14 },
        { "GHSA-2rf9-m3c5-vwxq", 8 }, { "GHSA-2rf9-m3c5-vwxa", 21 }, { "GHSA-2rf9_m3c5-vwxq", 21 },
        { "GHSA-2rf9-m3c5-vwxqq", 22 }, { "DSA-5532-1", 11 }, { "", 1 }, { "CVE-", 5 },
        { "CVE-2024-99999999999", 8 }, { "CVE-2024-999999999999", 23 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
        ck_autoarena struct ck_arena a = { 0 };
        ck_put_id(&b, ck_view_str(rows[i].id));
        ck_cur c = ck_cur_of(ck_buf_view(&b));
        ck_view v = ck_cur_id(&c, &a);
        assert_true(ck_cur_ok(&c) && ck_cur_end(&c));
        assert_view(v, rows[i].id);
        assert_true(b.n <= rows[i].n + 1);
    }
}

static void test_varints(void **state)
{
    (void)state;
    static const uint64_t values[] = { 0, 1, 127, 128, 16383, 16384, UINT32_MAX, UINT64_MAX };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
        ck_put_varint(&b, values[i]);
        ck_put_svarint(&b, (int64_t)values[i]);
        ck_cur c = ck_cur_of(ck_buf_view(&b));
        assert_true(ck_cur_varint(&c) == values[i]);
        assert_true(ck_cur_svarint(&c) == (int64_t)values[i]);
        assert_true(ck_cur_ok(&c) && ck_cur_end(&c));
    }
    ck_cur endless = ck_cur_of(CK_V("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"));
    ck_cur_varint(&endless);
    assert_false(ck_cur_ok(&endless));
}

/* A vector of the reference implementation: key 00..0f, input 00..07 of SipHash-1-3. */
static void test_siphash(void **state)
{
    (void)state;
    struct ck_db_key key = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };
    assert_true(ck_db_hash(&key, CK_V("")) != ck_db_hash(&key, CK_V("a")));
    assert_true(ck_db_package_hash(&key, CK_V("a"), CK_NAME_SOURCE, CK_V("bc")) !=
                ck_db_package_hash(&key, CK_V("ab"), CK_NAME_SOURCE, CK_V("c")));
    assert_true(ck_db_package_hash(&key, CK_V("a"), CK_NAME_SOURCE, CK_V("b")) !=
                ck_db_package_hash(&key, CK_V("a"), CK_NAME_BINARY, CK_V("b")));
    assert_true(ck_db_hash(&key, CK_V("")) == 0xabac0158050fc4dc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_comes_back),
        cmocka_unit_test(test_feeds_ids_and_absence),
        cmocka_unit_test(test_order_of_arrival_does_not_matter),
        cmocka_unit_test(test_a_record_that_comes_twice_counts_once),
        cmocka_unit_test(test_empty_database),
        cmocka_unit_test(test_a_failed_write_leaves_the_old_file),
        cmocka_unit_test(test_clipped_between_characters),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_every_flipped_bit_fails_the_checksum),
        cmocka_unit_test(test_layout_of_the_future),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_varints),
        cmocka_unit_test(test_siphash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
