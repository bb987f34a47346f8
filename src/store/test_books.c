/* What the gate keeps in the store: links, tags, facts, pulls. */
#include "store/unit_fixture.h"

#include <time.h>

#define DEBIAN "docker.io/library/debian"
#define APP CK_STORE_HOSTED "/hosted/app"

static void link_to(struct fixture *f, const char *repository, const struct ck_digest *d)
{
    assert_ok(ck_store_link(f->l, ck_view_str(repository), d));
}

static bool linked(struct fixture *f, const char *repository, const struct ck_digest *d)
{
    bool yes = !d;
    assert_ok(ck_store_linked(f->s, ck_view_str(repository), d, &yes));
    return yes;
}

static size_t reaching(struct fixture *f, const char *repository, const struct ck_digest *d,
                       struct ck_digest **ret)
{
    size_t n = 99;
    assert_ok(ck_store_reaching(f->s, ck_view_str(repository), d, &f->arena, ret, &n));
    return n;
}

static void name_it(struct fixture *f, const char *name, const struct ck_digest *d)
{
    struct ck_digest from;
    bool moved;
    assert_ok(ck_store_set_name(f->l, ck_view_str(name), d, &moved, &from));
}

/* --- a store of the version before ------------------------------------------------------------ */

static const char version_1[] =
    "CREATE TABLE blob(digest TEXT PRIMARY KEY, size INTEGER NOT NULL CHECK(size>=0))"
    " WITHOUT ROWID;"
    "CREATE TABLE image(digest TEXT PRIMARY KEY REFERENCES blob, media_type TEXT NOT NULL,"
    " size INTEGER NOT NULL, is_index INTEGER NOT NULL, platform TEXT NOT NULL, subject TEXT,"
    " artifact_type TEXT NOT NULL, complete INTEGER NOT NULL,"
    " state INTEGER NOT NULL CHECK(state BETWEEN 0 AND 2), reason TEXT NOT NULL,"
    " who TEXT NOT NULL, person INTEGER NOT NULL, decided INTEGER NOT NULL,"
    " added INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX image_subject ON image(subject) WHERE subject IS NOT NULL;"
    "CREATE TABLE part(image TEXT NOT NULL REFERENCES image ON DELETE CASCADE,"
    " number INTEGER NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL,"
    " media_type TEXT NOT NULL, role INTEGER NOT NULL CHECK(role BETWEEN 0 AND 2),"
    " PRIMARY KEY(image, number)) WITHOUT ROWID;"
    "CREATE INDEX part_digest ON part(digest);"
    "CREATE TABLE name(name TEXT PRIMARY KEY, digest TEXT NOT NULL REFERENCES image,"
    " since INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX name_digest ON name(digest);"
    "CREATE TABLE seen(name TEXT NOT NULL, digest TEXT NOT NULL, repository TEXT NOT NULL,"
    " first INTEGER NOT NULL, PRIMARY KEY(name, digest)) WITHOUT ROWID;"
    "CREATE INDEX seen_repository ON seen(repository);"
    "CREATE TABLE denial(digest TEXT PRIMARY KEY, reason TEXT NOT NULL, who TEXT NOT NULL,"
    " decided INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE report(image TEXT PRIMARY KEY REFERENCES image ON DELETE CASCADE,"
    " json BLOB NOT NULL);"
    "CREATE TABLE lease(id INTEGER PRIMARY KEY AUTOINCREMENT, file TEXT NOT NULL UNIQUE);"
    "CREATE TABLE leased(lease INTEGER NOT NULL REFERENCES lease ON DELETE CASCADE,"
    " digest TEXT NOT NULL, PRIMARY KEY(lease, digest)) WITHOUT ROWID;"
    "CREATE TABLE log(number INTEGER PRIMARY KEY, time INTEGER NOT NULL, who TEXT NOT NULL,"
    " event TEXT NOT NULL, digest TEXT NOT NULL, name TEXT NOT NULL, text TEXT NOT NULL,"
    " hash BLOB NOT NULL);"
    "CREATE TRIGGER log_is_not_changed BEFORE UPDATE ON log"
    " BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;"
    "CREATE TRIGGER log_is_not_deleted BEFORE DELETE ON log"
    " BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;"
    "PRAGMA application_id=1667986292; PRAGMA user_version=1;"
    "INSERT INTO blob VALUES('sha256:"
    "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',5);"
    "INSERT INTO image SELECT digest,'t',5,0,'',NULL,'',1,1,'ok','me',0,5,4 FROM blob;"
    "INSERT INTO name SELECT 'docker.io/library/old:1',digest,1700000000 FROM blob;"
    "INSERT INTO seen SELECT 'docker.io/library/old:1',digest,'docker.io/library/old',1600000000"
    " FROM blob;";

static char *schema_of(struct fixture *f)
{
    ck_autofree char *path = ck_format("%s/state.db", f->dir);
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"
                                            " AND name NOT LIKE 'sqlite%' ORDER BY name", -1, &st,
                                        NULL), SQLITE_OK);
    while (sqlite3_step(st) == SQLITE_ROW)
        ck_buf_format(&b, "%s\n", (const char *)sqlite3_column_text(st, 0));
    sqlite3_finalize(st);
    sqlite3_close(db);
    return ck_buf_steal_str(&b);
}

static void remove_database(struct fixture *f)
{
    static const char *const files[] = { "state.db", "state.db-wal", "state.db-shm" };
    close_store(f);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        ck_autofree char *path = ck_format("%s/%s", f->dir, files[i]);
        unlink(path);
    }
}

static void a_store_of_version_1_is_migrated(void **state)
{
    struct fixture *f = *state;
    struct ck_digest hello = unit_digest(CK_V("hello"));
    struct ck_store_name n;
    bool found = false;
    ck_autofree char *made = schema_of(f), *blob = blob_path(f, &hello);
    remove_database(f);
    assert_ok(ck_file_write(blob, CK_V("hello"), CK_FILE_PLAIN));
    tamper(f, version_1);
    reopen_store(f);
    ck_autofree char *migrated = schema_of(f);
    assert_string_equal(migrated, made);
    assert_ok(ck_store_name_of(f->s, CK_V("docker.io/library/old:1"), &n, &found));
    assert_true(found);
    assert_true(ck_digest_eq(&n.digest, &hello));
    assert_int_equal(n.since, 1700000000);
    assert_int_equal(n.checked, 1700000000);
    assert_int_equal(n.first_seen, 1600000000);
    assert_int_equal(n.moved, 0);
    assert_int_equal(get(f, &hello).state, CK_CLEARED);
    link_to(f, DEBIAN, &hello);
    assert_fsck(f, false, "");
    close_store(f); /* and is not migrated again */
    reopen_store(f);
    assert_true(linked(f, DEBIAN, &hello));
}

static void a_migration_that_fails_leaves_version_1(void **state)
{
    struct fixture *f = *state;
    struct ck_digest hello = unit_digest(CK_V("hello"));
    ck_autofree char *blob = blob_path(f, &hello);
    remove_database(f);
    assert_ok(ck_file_write(blob, CK_V("hello"), CK_FILE_PLAIN));
    tamper(f, version_1);
    tamper(f, "CREATE TABLE token(x)"); /* stands in the way of the last but one step */
    assert_fails(ck_store_open(f->dir, &f->s), CK_ERR_OURS, "from version 1 to 3");
    f->s = NULL;
    tamper(f, "DROP TABLE token; SELECT since FROM name");
    reopen_store(f);
    assert_fsck(f, true, ""); /* nothing of the first try is in the way of the second */
}

/* --- links ------------------------------------------------------------------------------------ */

static void a_repository_serves_what_is_linked_and_its_children(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, ""), b = fetch(f, 5, ""), none = unit_image(9, 10);
    struct ck_digest index = add_index(f, "index", &a);
    struct ck_digest *by;
    link_to(f, DEBIAN, &index);
    link_to(f, DEBIAN, &index); /* again is nothing new */
    link_to(f, APP, &b.image.digest);
    assert_true(linked(f, DEBIAN, &index));
    assert_true(linked(f, DEBIAN, &a.image.digest));
    assert_false(linked(f, DEBIAN, &b.image.digest));
    assert_false(linked(f, "docker.io/library", &index));
    assert_true(linked(f, APP, &b.image.digest));

    assert_int_equal(reaching(f, DEBIAN, &a.parts[0].digest, &by), 1);
    assert_true(ck_digest_eq(&by[0], &a.image.digest));
    assert_int_equal(reaching(f, DEBIAN, &a.parts[2].digest, &by), 1); /* b has it, elsewhere */
    assert_true(ck_digest_eq(&by[0], &a.image.digest));
    assert_int_equal(reaching(f, APP, &a.parts[2].digest, &by), 1);
    assert_true(ck_digest_eq(&by[0], &b.image.digest));
    assert_int_equal(reaching(f, APP, &a.parts[1].digest, &by), 0);
    assert_int_equal(reaching(f, DEBIAN, &a.image.digest, &by), 0); /* a manifest is no blob */
    link_to(f, DEBIAN, &b.image.digest);
    decide(f, &b.image.digest, CK_CLEARED, CK_BY_SCAN);
    assert_int_equal(reaching(f, DEBIAN, &a.parts[2].digest, &by), 2);
    assert_true(ck_digest_eq(&by[0], &b.image.digest)); /* what is cleared comes first */
    assert_fails(ck_store_link(f->l, CK_V("x"), &none.image.digest), CK_ERR_UNAVAILABLE,
                 "is no image of the store");
    assert_fails(ck_store_link(f->l, CK_V(""), &index), CK_ERR_USAGE, "1 to 4096 bytes");
    unit_image_free(&a);
    unit_image_free(&b);
    unit_image_free(&none);
}

static void attack_a_blob_of_an_image_that_is_not_whole(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = unit_image(1, 10);
    struct ck_digest *by;
    a.image.parts = a.parts;
    assert_ok(ck_store_put(f->l, &a.image.digest, ck_view_str(a.texts[3])));
    assert_ok(ck_store_add_image(f->l, &a.image, false));
    link_to(f, DEBIAN, &a.image.digest);
    assert_int_equal(reaching(f, DEBIAN, &a.parts[1].digest, &by), 0);
    unit_image_free(&a);
}

/* As many images as the limit and one more, that share a layer. */
static void what_shares_a_blob_is_at_most_the_limit(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "");
    struct ck_digest *by;
    char layer[CK_DIGEST_TEXT];
    ck_digest_text(&a.parts[1].digest, layer);
    link_to(f, DEBIAN, &a.image.digest);
    ck_autofree char *sql = ck_format(
        "CREATE TABLE n AS WITH RECURSIVE i(x) AS (VALUES(1) UNION ALL SELECT x+1 FROM i WHERE"
        " x<%llu) SELECT printf('sha256:%%064x', x) AS d FROM i;"
        "INSERT INTO blob SELECT d,1 FROM n;"
        "INSERT INTO image SELECT d,'',1,0,'',NULL,'',1,0,'','',0,0,0 FROM n;"
        "INSERT INTO part SELECT d,0,'%s',1,'',1 FROM n;"
        "INSERT INTO link SELECT '" DEBIAN "',d,0 FROM n;",
        (unsigned long long)CK_MAX_REPOSITORY_IMAGES - 1, layer);
    tamper(f, sql);
    assert_int_equal(reaching(f, DEBIAN, &a.parts[1].digest, &by), CK_MAX_REPOSITORY_IMAGES);
    assert_true(ck_digest_eq(&by[0], &a.image.digest)); /* the newest */
    struct unit_image one_more = unit_image(5, 10);
    one_more.parts[2] = a.parts[1];
    one_more.parts[2].digest = a.parts[1].digest;
    free(one_more.texts[2]);
    one_more.texts[2] = ck_strndup(a.texts[1], strlen(a.texts[1]));
    assert_ok(unit_fetch(f->l, &one_more, CK_V("")));
    link_to(f, DEBIAN, &one_more.image.digest);
    decide(f, &one_more.image.digest, CK_CLEARED, CK_BY_SCAN);
    assert_int_equal(reaching(f, DEBIAN, &a.parts[1].digest, &by), CK_MAX_REPOSITORY_IMAGES);
    assert_true(ck_digest_eq(&by[0], &one_more.image.digest));
    unit_image_free(&a);
    unit_image_free(&one_more);
}

static void unlinking_takes_the_tags_along(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, APP ":1"), b = fetch(f, 2, APP ":2");
    struct ck_store_name n;
    bool was = false, found = true;
    link_to(f, APP, &a.image.digest);
    link_to(f, APP, &b.image.digest);
    name_it(f, APP ":latest", &a.image.digest);
    name_it(f, APP "le:1", &a.image.digest);
    assert_ok(ck_store_unlink(f->s, CK_V(APP), &a.image.digest, &was));
    assert_true(was);
    assert_false(linked(f, APP, &a.image.digest));
    assert_ok(ck_store_name_of(f->s, CK_V(APP ":1"), &n, &found));
    assert_false(found);
    assert_ok(ck_store_name_of(f->s, CK_V(APP ":latest"), &n, &found));
    assert_false(found);
    assert_ok(ck_store_name_of(f->s, CK_V(APP "le:1"), &n, &found));
    assert_true(found);
    assert_ok(ck_store_name_of(f->s, CK_V(APP ":2"), &n, &found));
    assert_true(found);
    assert_ok(ck_store_unlink(f->s, CK_V(APP), &a.image.digest, &was));
    assert_false(was);
    unit_image_free(&a);
    unit_image_free(&b);
}

static void gc_keeps_what_was_pushed_here(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, ""), b = fetch(f, 2, ""), c = fetch(f, 3, "");
    struct ck_digest index = add_index(f, "index", &c);
    struct ck_gc_result r;
    bool was;
    link_to(f, APP, &a.image.digest);
    link_to(f, APP, &index);
    link_to(f, CK_STORE_HOSTED "0/x", &b.image.digest); /* another host */
    link_to(f, DEBIAN, &b.image.digest);
    new_lease(f);
    r = gc(f, false);
    assert_int_equal(r.images, 1);
    assert_false(has(f, &b.image.digest));
    assert_false(linked(f, DEBIAN, &b.image.digest));
    assert_true(has(f, &a.parts[1].digest));
    assert_true(has(f, &c.parts[1].digest));
    assert_fsck(f, false, "");
    assert_ok(ck_store_unlink(f->s, CK_V(APP), &index, &was));
    assert_ok(ck_store_unlink(f->s, CK_V(APP), &a.image.digest, &was));
    new_lease(f);
    assert_int_equal(gc(f, false).images, 3);
    assert_int_equal(files_in(f, "blobs/sha256"), 0);
    assert_fsck(f, false, "");
    unit_image_free(&a);
    unit_image_free(&b);
    unit_image_free(&c);
}

static void repositories_come_in_pages(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "");
    ck_view *v;
    size_t n = 0;
    bool more = false;
    static const char *const names[] = { "b/x", "a/x", "c/x" };
    for (size_t i = 0; i < 3; i++)
        link_to(f, names[i], &a.image.digest);
    assert_ok(ck_store_linked_repositories(f->s, CK_V(""), 2, &f->arena, &v, &n, &more));
    assert_int_equal(n, 2);
    assert_true(more);
    assert_view(v[0], "a/x");
    assert_view(v[1], "b/x");
    assert_ok(ck_store_linked_repositories(f->s, v[1], 2, &f->arena, &v, &n, &more));
    assert_int_equal(n, 1);
    assert_false(more);
    assert_view(v[0], "c/x");
    unit_image_free(&a);
}

static void fsck_knows_the_books(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "");
    static const struct {
        const char *sql, *undo, *why;
    } cases[] = {
        { "DELETE FROM link", "INSERT INTO link SELECT '" APP "', digest, 0 FROM image;"
          "INSERT INTO place SELECT image, '', repository, via FROM place",
          "name " APP ":1 means what its repository does not have: sha256:" },
        { "INSERT INTO user VALUES('robot-x',0,0,'','',0,0)", "DELETE FROM user",
          "user robot-x: the name does not say whether it is a robot" },
        { "INSERT INTO finding VALUES('CVE-1','sha256:0')", "DELETE FROM finding",
          "a row of finding leads nowhere in facts" },
        { "INSERT INTO token VALUES(zeroblob(32),'nobody',0,0)", "DELETE FROM token",
          "a row of token leads nowhere in user" },
        { "INSERT INTO link VALUES('r','sha256:0',0)", "DELETE FROM link WHERE repository='r'",
          "a row of link leads nowhere in image" },
    };
    link_to(f, APP, &a.image.digest);
    name_it(f, APP ":1", &a.image.digest);
    assert_fsck(f, true, "");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tamper(f, cases[i].sql);
        assert_fsck(f, true, cases[i].why);
        tamper(f, cases[i].undo);
        assert_fsck(f, true, "");
    }
    unit_image_free(&a);
}

/* --- names ------------------------------------------------------------------------------------ */

static void tags_come_in_pages(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "");
    static const char *const names[] = {
        APP ":b", APP ":A", APP ":a10", APP ":a2", APP "le:x", APP "@sha256:0", APP ":z@sha256:0",
        APP ":5000/y:t", "gate.internal/hosted:no",
    };
    ck_view *v;
    size_t n = 0;
    bool more = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        name_it(f, names[i], &a.image.digest);
    assert_ok(ck_store_tags(f->s, CK_V(APP), CK_V(""), SIZE_MAX, &f->arena, &v, &n, &more));
    assert_int_equal(n, 4);
    assert_false(more);
    static const char *const want[] = { "A", "a10", "a2", "b" };
    for (size_t i = 0; i < 4; i++)
        assert_view(v[i], want[i]);
    assert_ok(ck_store_tags(f->s, CK_V(APP), CK_V("A"), 2, &f->arena, &v, &n, &more));
    assert_int_equal(n, 2);
    assert_true(more);
    assert_view(v[0], "a10");
    assert_ok(ck_store_tags(f->s, CK_V(APP), CK_V("a2"), 1, &f->arena, &v, &n, &more));
    assert_int_equal(n, 1);
    assert_false(more);
    assert_ok(ck_store_tags(f->s, CK_V(APP), CK_V("zz"), 9, &f->arena, &v, &n, &more));
    assert_int_equal(n, 0);
    assert_ok(ck_store_tags(f->s, CK_V(APP), CK_V(""), 0, &f->arena, &v, &n, &more));
    assert_int_equal(n, 0);
    assert_false(more);
    unit_image_free(&a);
}

static void a_name_says_since_when(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "r/x:1"), b = fetch(f, 2, "");
    struct ck_store_name n;
    bool found = true;
    assert_ok(ck_store_name_of(f->s, CK_V("r/x:2"), &n, &found));
    assert_false(found);
    tamper(f, "UPDATE name SET since=5, checked=5; UPDATE seen SET first=4");
    name_it(f, "r/x:1", &a.image.digest);
    assert_ok(ck_store_name_of(f->s, CK_V("r/x:1"), &n, &found));
    assert_true(found);
    assert_int_equal(n.since, 5); /* it means the same as ever */
    assert_int_equal(n.first_seen, 4);
    assert_int_equal(n.moved, 0);
    assert_true(n.checked > 1700000000);
    name_it(f, "r/x:1", &b.image.digest);
    assert_ok(ck_store_name_of(f->s, CK_V("r/x:1"), &n, &found));
    assert_true(ck_digest_eq(&n.digest, &b.image.digest));
    assert_true(n.since > 1700000000);
    assert_int_equal(n.moved, n.since);
    unit_image_free(&a);
    unit_image_free(&b);
}

static void the_version_changes_when_another_writes(void **state)
{
    struct fixture *f = *state;
    struct ck_store *other = NULL;
    int64_t a = 0, b = 0;
    assert_ok(ck_store_open(f->dir, &other));
    assert_ok(ck_store_version(f->s, &a));
    assert_ok(ck_store_version(f->s, &b));
    assert_int_equal(a, b);
    assert_ok(ck_log_append(other, CK_V("x"), NULL, CK_V(""), CK_V("")));
    assert_ok(ck_store_version(f->s, &b));
    assert_int_not_equal(a, b);
    ck_store_close(other);
}

/* --- facts ------------------------------------------------------------------------------------ */

static size_t having(struct fixture *f, const char *id)
{
    struct ck_digest *d;
    size_t n = 99;
    assert_ok(ck_store_having(f->s, ck_view_str(id), &f->arena, &d, &n));
    return n;
}

static void facts_are_replaced_as_a_whole(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "r/x:1"), b = fetch(f, 2, "");
    const ck_view first[] = { CK_V("CVE-2024-1"), CK_V("DSA-1"), CK_V("CVE-2024-1") };
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    bool found = true;
    assert_ok(ck_store_get_facts(f->s, &a.image.digest, &out, &found));
    assert_false(found);
    assert_ok(ck_store_put_facts(f->s, &a.image.digest, CK_V("one"), first, 3, CK_V("c")));
    assert_ok(ck_store_put_facts(f->s, &b.image.digest, CK_V("x"), first, 1, CK_V("c")));
    assert_int_equal(having(f, "CVE-2024-1"), 2);
    assert_int_equal(having(f, "DSA-1"), 1);
    assert_ok(ck_store_put_facts(f->s, &a.image.digest, CK_V("two"), first + 1, 1, CK_V("d")));
    assert_int_equal(having(f, "CVE-2024-1"), 1);
    assert_int_equal(having(f, "DSA-1"), 1);
    assert_int_equal(having(f, "dsa-1"), 0);
    assert_ok(ck_store_get_facts(f->s, &a.image.digest, &out, &found));
    assert_true(found);
    assert_view(ck_buf_view(&out), "two");
    assert_ok(ck_store_remove(f->s, &a.image.digest, CK_V("")));
    new_lease(f);
    gc(f, false);
    assert_int_equal(having(f, "DSA-1"), 0);
    assert_fails(ck_store_put_facts(f->s, &a.image.digest, CK_V(""), NULL, 0, CK_V("")),
                 CK_ERR_UNAVAILABLE, "is no image of the store");
    assert_fsck(f, false, "");
    unit_image_free(&a);
    unit_image_free(&b);
}

static void bases_are_found_by_their_chain(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, DEBIAN ":12"), b = fetch(f, 2, "r/mine:1"),
                      c = fetch(f, 3, "");
    const ck_view asked[] = { CK_V("sha256:aa"), CK_V("sha256:bb"), CK_V(""), CK_V("sha256:aa") };
    ck_view *v;
    size_t n = 0;
    name_it(f, "r/moved:1", &a.image.digest);
    name_it(f, "r/moved:1", &b.image.digest);
    link_to(f, APP, &a.image.digest);
    assert_ok(ck_store_put_facts(f->s, &a.image.digest, CK_V(""), NULL, 0, CK_V("sha256:aa")));
    assert_ok(ck_store_put_facts(f->s, &b.image.digest, CK_V(""), NULL, 0, CK_V("sha256:cc")));
    assert_ok(ck_store_put_facts(f->s, &c.image.digest, CK_V(""), NULL, 0, CK_V("")));
    link_to(f, "r/empty", &c.image.digest);
    assert_ok(ck_store_bases(f->s, asked, 4, &f->arena, &v, &n));
    assert_int_equal(n, 2);
    assert_view(v[0], DEBIAN);
    assert_view(v[1], APP);
    assert_ok(ck_store_bases(f->s, NULL, 0, &f->arena, &v, &n));
    assert_int_equal(n, 0);
    unit_image_free(&a);
    unit_image_free(&b);
    unit_image_free(&c);
}

/* --- pulls ------------------------------------------------------------------------------------ */

static ck_err *remember(void *ctx, const struct ck_pull *p)
{
    ck_buf_format(ctx, "%lld %.*s %.*s %.*s x%llu %d\n", (long long)p->time, CK_VF(p->who),
                  CK_VF(p->client), CK_VF(p->name), (unsigned long long)p->count, p->result);
    return NULL;
}

static void assert_pulls(struct fixture *f, struct ck_pull_filter filter, const char *want)
{
    struct ck_buf said = ck_buf_new(CK_LIMIT_NONE);
    assert_ok(ck_store_pulls(f->s, &filter, remember, &said));
    ck_autofree char *got = ck_buf_steal_str(&said);
    assert_string_equal(got, want);
}

static struct ck_pull pull(int64_t time, const char *who, const char *name, const char *blob)
{
    return (struct ck_pull){ .time = time, .who = ck_view_str(who), .client = CK_V("192.0.2.1"),
                             .agent = CK_V("docker"), .name = ck_view_str(name), .count = 1,
                             .digest = unit_digest(ck_view_str(blob)) };
}

static void pulls_of_a_minute_are_one_line(void **state)
{
    struct fixture *f = *state;
    struct ck_pull p[] = {
        pull(100, "ann", "r/x:1", "a"), pull(100, "ann", "r/x:1", "a"),
        pull(159, "ann", "r/x:1", "a"), pull(160, "ann", "r/x:1", "a"),
        pull(161, "bob", "r/x:1", "a"), pull(162, "ann", "r/x:1", "b"),
        pull(163, "ann", "r/y@sha256:0", "a"), pull(164, "ann", "r/x:1", "a"),
    };
    p[1].count = 5;
    p[7].result = CK_PULL_DENIED;
    assert_ok(ck_store_add_pulls(f->s, p, 3));
    assert_ok(ck_store_add_pulls(f->s, p + 3, 5));
    assert_ok(ck_store_add_pulls(f->s, NULL, 0));
    struct ck_digest a = unit_digest(CK_V("a")), none = unit_digest(CK_V("none"));
    assert_pulls(f, (struct ck_pull_filter){ 0 },
                 "164 ann 192.0.2.1 r/x:1 x1 1\n163 ann 192.0.2.1 r/y@sha256:0 x1 0\n"
                 "162 ann 192.0.2.1 r/x:1 x1 0\n161 bob 192.0.2.1 r/x:1 x1 0\n"
                 "160 ann 192.0.2.1 r/x:1 x1 0\n100 ann 192.0.2.1 r/x:1 x7 0\n");
    assert_pulls(f, (struct ck_pull_filter){ .max = 1 }, "164 ann 192.0.2.1 r/x:1 x1 1\n");
    assert_pulls(f, (struct ck_pull_filter){ .digest = &none }, "");
    assert_pulls(f, (struct ck_pull_filter){ .digest = &a, .who = CK_V("ann"), .since = 161 },
                 "164 ann 192.0.2.1 r/x:1 x1 1\n163 ann 192.0.2.1 r/y@sha256:0 x1 0\n");
    assert_pulls(f, (struct ck_pull_filter){ .name = CK_V("r/y") },
                 "163 ann 192.0.2.1 r/y@sha256:0 x1 0\n");
    assert_pulls(f, (struct ck_pull_filter){ .name = CK_V("r/y@sha256:0") },
                 "163 ann 192.0.2.1 r/y@sha256:0 x1 0\n");
    assert_pulls(f, (struct ck_pull_filter){ .name = CK_V("r/x:1"), .max = 2, .who = CK_V("bob") },
                 "161 bob 192.0.2.1 r/x:1 x1 0\n");
    assert_pulls(f, (struct ck_pull_filter){ .name = CK_V("r/x:2") }, "");
    assert_pulls(f, (struct ck_pull_filter){ .name = CK_V("r") }, "");
}

static ck_err *count_them(void *ctx, const struct ck_pull *p)
{
    int64_t *last = ctx;
    assert_true(p->time == last[1] - 1 || last[0] == 0);
    last[0]++;
    last[1] = p->time;
    return NULL;
}

static void many_pulls_are_read_in_pages(void **state)
{
    struct fixture *f = *state;
    enum { MANY = 600 };
    ck_autofree struct ck_pull *p = ck_calloc(MANY, sizeof *p);
    int64_t seen[2] = { 0 };
    for (int i = 0; i < MANY; i++) {
        p[i] = pull(1000 + i, "ann", "r/x:1", "a");
        p[i].client = ck_view_str(ck_arena_format(&f->arena, "192.0.2.%d", i));
    }
    assert_ok(ck_store_add_pulls(f->s, p, MANY));
    assert_ok(ck_store_pulls(f->s, &(struct ck_pull_filter){ 0 }, count_them, seen));
    assert_int_equal(seen[0], MANY);
    seen[0] = 0;
    assert_ok(ck_store_pulls(f->s, &(struct ck_pull_filter){ .max = 300 }, count_them, seen));
    assert_int_equal(seen[0], 300);
}

static void the_oldest_pulls_go_behind_the_limit(void **state)
{
    struct fixture *f = *state;
    struct ck_pull a = pull(1, "ann", "r/x:1", "a"), b = pull(500, "bob", "r/x:1", "a"),
                   c = pull(900, "eve", "r/x:1", "a");
    assert_ok(ck_store_add_pulls(f->s, &a, 1));
    ck_autofree char *sql = ck_format("UPDATE sqlite_sequence SET seq=%llu WHERE name='pull'",
                                      (unsigned long long)CK_MAX_PULLS - 1);
    tamper(f, sql);
    assert_ok(ck_store_add_pulls(f->s, &b, 1));
    assert_pulls(f, (struct ck_pull_filter){ 0 },
                 "500 bob 192.0.2.1 r/x:1 x1 0\n1 ann 192.0.2.1 r/x:1 x1 0\n");
    assert_ok(ck_store_add_pulls(f->s, &c, 1));
    assert_pulls(f, (struct ck_pull_filter){ 0 },
                 "900 eve 192.0.2.1 r/x:1 x1 0\n500 bob 192.0.2.1 r/x:1 x1 0\n");
}

/* --- pushed blobs ----------------------------------------------------------------------------- */

static void a_blob_gets_its_digest_at_its_end(void **state)
{
    struct fixture *f = *state;
    struct ck_incoming *in = NULL, *other = NULL;
    struct ck_digest d = unit_digest(CK_V("hello"));
    assert_ok(ck_incoming_anonymous(f->l, &in));
    assert_ok(ck_incoming_anonymous(f->l, &other));
    assert_int_equal(ck_incoming_have(in), 0);
    assert_ok(ck_write_all(ck_incoming_fd(in), CK_V("hello")));
    assert_ok(ck_incoming_commit_as(in, &d, 5));
    assert_true(has(f, &d));
    assert_ok(ck_write_all(ck_incoming_fd(other), CK_V("hell")));
    assert_fails(ck_incoming_commit_as(other, &d, 5), CK_ERR_HOSTILE, "4 bytes arrived");
    assert_ok(ck_incoming_anonymous(f->l, &in));
    ck_incoming_drop(in, true); /* nobody comes back for it */
    assert_int_equal(files_in(f, "partial"), 0);
    assert_fsck(f, false, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_store_of_version_1_is_migrated),
        T(a_migration_that_fails_leaves_version_1),
        T(a_repository_serves_what_is_linked_and_its_children),
        T(attack_a_blob_of_an_image_that_is_not_whole),
        T(what_shares_a_blob_is_at_most_the_limit),
        T(unlinking_takes_the_tags_along),
        T(gc_keeps_what_was_pushed_here),
        T(repositories_come_in_pages),
        T(fsck_knows_the_books),
        T(tags_come_in_pages),
        T(a_name_says_since_when),
        T(the_version_changes_when_another_writes),
        T(facts_are_replaced_as_a_whole),
        T(bases_are_found_by_their_chain),
        T(pulls_of_a_minute_are_one_line),
        T(many_pulls_are_read_in_pages),
        T(the_oldest_pulls_go_behind_the_limit),
        T(a_blob_gets_its_digest_at_its_end),
    };
    return cmocka_run_group_tests_name("store books", tests, NULL, NULL);
}
