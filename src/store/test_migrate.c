/* Stores of earlier versions. */
#include "store/unit_fixture.h"

#include "store/inventory.h"

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

/* What version 2 added to it, and a store of that: an index with a tag, its image with findings. */
static const char version_2[] =
    "ALTER TABLE name ADD COLUMN checked INTEGER NOT NULL DEFAULT 0;"
    "UPDATE name SET checked=since;"
    "CREATE TABLE link(repository TEXT NOT NULL, digest TEXT NOT NULL REFERENCES image"
    " ON DELETE CASCADE, since INTEGER NOT NULL, PRIMARY KEY(repository, digest)) WITHOUT ROWID;"
    "CREATE INDEX link_digest ON link(digest);"
    "CREATE TABLE facts(image TEXT PRIMARY KEY REFERENCES image ON DELETE CASCADE,"
    " facts BLOB NOT NULL, chain TEXT NOT NULL);"
    "CREATE INDEX facts_chain ON facts(chain) WHERE chain!='';"
    "CREATE TABLE finding(id TEXT NOT NULL, image TEXT NOT NULL REFERENCES facts"
    " ON DELETE CASCADE, PRIMARY KEY(id, image)) WITHOUT ROWID;"
    "CREATE INDEX finding_image ON finding(image);"
    "CREATE TABLE pull(number INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL,"
    " who TEXT NOT NULL, client TEXT NOT NULL, agent TEXT NOT NULL, name TEXT NOT NULL,"
    " repository TEXT NOT NULL, digest TEXT NOT NULL, count INTEGER NOT NULL,"
    " result INTEGER NOT NULL CHECK(result BETWEEN 0 AND 1));"
    "CREATE INDEX pull_time ON pull(time);"
    "CREATE INDEX pull_digest ON pull(digest, time);"
    "CREATE INDEX pull_repository ON pull(repository, time);"
    "CREATE TABLE approval(digest TEXT NOT NULL REFERENCES image ON DELETE CASCADE,"
    " who TEXT NOT NULL, reason TEXT NOT NULL, time INTEGER NOT NULL,"
    " PRIMARY KEY(digest, who)) WITHOUT ROWID;"
    "CREATE TABLE user(name TEXT PRIMARY KEY, robot INTEGER NOT NULL, roles INTEGER NOT NULL,"
    " repository TEXT NOT NULL, password TEXT NOT NULL, expires INTEGER NOT NULL,"
    " disabled INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE token(hash BLOB PRIMARY KEY CHECK(length(hash)=32), user TEXT NOT NULL"
    " REFERENCES user ON DELETE CASCADE, roles INTEGER NOT NULL, expires INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE INDEX token_user ON token(user);"
    "PRAGMA user_version=2;"
    "UPDATE image SET is_index=1;"
    "INSERT INTO blob VALUES('sha256:"
    "486ea46224d1bb4fb680f34f7c9ad96a8f24ec88be73ea8e5a6c65260e9cb8a7',5);"
    "INSERT INTO image SELECT digest,'t',5,0,'linux/amd64',NULL,'',1,2,'bad','me',1,5,4 FROM blob"
    " WHERE digest LIKE '%b8a7';"
    "INSERT INTO part SELECT i.digest,0,c.digest,5,'t',2 FROM image AS i, image AS c"
    " WHERE i.is_index AND NOT c.is_index;"
    "INSERT INTO link SELECT 'r/linked',digest,7 FROM image WHERE NOT is_index;"
    "INSERT INTO facts SELECT digest,X'010203','sha256:cc' FROM image WHERE NOT is_index;"
    "INSERT INTO facts SELECT digest,X'','' FROM image WHERE is_index;"
    "INSERT INTO finding SELECT 'X-'||value, image FROM facts, json_each('[3,1,2]')"
    " WHERE chain!='';"
    "INSERT INTO finding SELECT 'X-1', image FROM facts WHERE chain='';";

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
    assert_ok(ck_store_link(f->l, CK_V("r/x"), &hello));
    assert_fsck(f, false, "");
    close_store(f); /* and is not migrated again */
    reopen_store(f);
    assert_ok(ck_store_linked(f->s, CK_V("r/x"), &hello, &found));
    assert_true(found);
}

static void a_store_of_version_2_is_migrated(void **state)
{
    struct fixture *f = *state;
    struct ck_digest hello = unit_digest(CK_V("hello")), world = unit_digest(CK_V("world"));
    const struct ck_page_filter all = { .min_severity = -1, .max = 9 };
    ck_autobuf struct ck_buf facts = ck_buf_new(CK_LIMIT_NONE);
    struct ck_store_row *row;
    struct ck_store_id *ids;
    struct ck_digest *d;
    ck_view *bases;
    size_t n = 0;
    uint64_t total = 0;
    bool found = false;
    ck_autofree char *made = schema_of(f);
    ck_autofree char *index = blob_path(f, &hello), *image = blob_path(f, &world);
    remove_database(f);
    assert_ok(ck_file_write(index, CK_V("hello"), CK_FILE_PLAIN));
    assert_ok(ck_file_write(image, CK_V("world"), CK_FILE_PLAIN));
    tamper(f, version_1);
    tamper(f, version_2);
    reopen_store(f);
    ck_autofree char *migrated = schema_of(f);
    assert_string_equal(migrated, made);
    assert_ok(ck_store_get_facts(f->s, &world, &facts, &found));
    assert_true(found);
    assert_view(ck_buf_view(&facts), "\1\2\3");
    assert_ok(ck_store_having(f->s, CK_V("X-1"), &f->arena, &d, &n));
    assert_int_equal(n, 2);
    assert_ok(ck_store_having(f->s, CK_V("X-3"), &f->arena, &d, &n));
    assert_int_equal(n, 1);
    assert_true(ck_digest_eq(&d[0], &world));
    assert_ok(ck_store_bases(f->s, &CK_V("sha256:cc"), 1, &f->arena, &bases, &n));
    assert_int_equal(n, 1);
    assert_view(bases[0], "r/linked"); /* it has no name of its own */
    assert_ok(ck_store_without_inventory(f->s, &f->arena, &d, &n));
    assert_int_equal(n, 2);
    assert_ok(ck_store_id_page(f->s, CK_V(""), 0, 9, &f->arena, &ids, &n, &total));
    assert_int_equal(n, 3);
    assert_view(ids[0].id, "X-1");
    assert_int_equal(ids[0].images, 2);
    assert_ok(ck_store_page(f->s, &all, &f->arena, &row, &n, &total));
    assert_int_equal(n, 1);
    assert_view(row[0].name, "docker.io/library/old:1");
    assert_int_equal(row[0].state, CK_DENIED);
    assert_fsck(f, false, "");
    const ck_view one = CK_V("X-2");
    assert_ok(ck_store_put_facts(f->s, &world, CK_V("y"), &one, 1, CK_V("")));
    assert_ok(ck_store_having(f->s, CK_V("X-1"), &f->arena, &d, &n));
    assert_int_equal(n, 1);
    assert_fsck(f, false, "");
}

static void a_store_of_version_3_is_migrated(void **state)
{
    struct fixture *f = *state;
    const struct ck_log_filter filter = { .event = CK_V("fetch"), .max = 9 };
    struct ck_log_record *v = NULL;
    size_t n = 0;
    uint64_t total = 0;
    ck_autofree char *made = schema_of(f);
    assert_ok(ck_log_append(f->s, CK_V("fetch"), NULL, CK_V("r/x:1"), CK_V("")));
    close_store(f);
    tamper(f, "DROP INDEX log_event; DROP INDEX log_who; DROP INDEX log_event_who;"
              "DROP INDEX log_digest; PRAGMA user_version=3");
    reopen_store(f);
    ck_autofree char *migrated = schema_of(f);
    assert_string_equal(migrated, made);
    assert_ok(ck_log_page(f->s, &filter, &f->arena, &v, &n, &total));
    assert_int_equal(total, 1);
    assert_fsck(f, false, "");
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
    assert_fails(ck_store_open(f->dir, &f->s), CK_ERR_OURS, "from version 1 to 4");
    f->s = NULL;
    tamper(f, "DROP TABLE token; SELECT since FROM name");
    reopen_store(f);
    assert_fsck(f, true, ""); /* nothing of the first try is in the way of the second */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_store_of_version_1_is_migrated),
        T(a_store_of_version_2_is_migrated),
        T(a_store_of_version_3_is_migrated),
        T(a_migration_that_fails_leaves_version_1),
    };
    return cmocka_run_group_tests_name("store migrate", tests, NULL, NULL);
}
