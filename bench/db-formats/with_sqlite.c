/* SQLite, opened immutable: WITHOUT ROWID tables, strings stored once, integers as references - the
 * layout that one would choose for size. */
#include "formats.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

static const char schema[] =
    "PRAGMA page_size=4096; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
    "CREATE TABLE string(id INTEGER PRIMARY KEY, s TEXT);"
    "CREATE TABLE advisory(id INTEGER PRIMARY KEY, name TEXT, summary TEXT, severity INT, word INT,"
    " cvss TEXT, published INT, modified INT, withdrawn INT);"
    "CREATE TABLE alias(id TEXT, advisory INT, fixes INT, PRIMARY KEY(id, advisory, fixes))"
    " WITHOUT ROWID;"
    "CREATE TABLE of_advisory(advisory INT, id TEXT, fixes INT, PRIMARY KEY(advisory, id, fixes))"
    " WITHOUT ROWID;"
    "CREATE TABLE package(ecosystem INT, kind INT, name TEXT, id INT,"
    " PRIMARY KEY(ecosystem, kind, name)) WITHOUT ROWID;"
    "CREATE TABLE statement(package INT, advisory INT, n INT, state INT, ranges BLOB,"
    " versions BLOB, PRIMARY KEY(package, advisory, n)) WITHOUT ROWID;";

static void die(sqlite3 *db)
{
    fprintf(stderr, "sqlite: %s\n", sqlite3_errmsg(db));
    exit(1);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *s;
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
        die(db);
    return s;
}

static void text(sqlite3_stmt *s, int i, ck_view v)
{
    sqlite3_bind_text(s, i, (const char *)v.p, (int)v.n, SQLITE_STATIC);
}

static void run(sqlite3 *db, sqlite3_stmt *s)
{
    int rc = sqlite3_step(s);
    if (rc != SQLITE_DONE && rc != SQLITE_ROW)
        die(db);
    sqlite3_reset(s);
}

struct writer {
    sqlite3 *db;
    sqlite3_stmt *find_string, *add_string, *add_advisory, *add_alias, *add_of, *find_package,
        *add_package, *add_statement;
    sqlite3_int64 packages;
};

static sqlite3_int64 intern(struct writer *w, ck_view v)
{
    text(w->find_string, 1, v);
    sqlite3_int64 id = -1;
    if (sqlite3_step(w->find_string) == SQLITE_ROW)
        id = sqlite3_column_int64(w->find_string, 0);
    sqlite3_reset(w->find_string);
    if (id >= 0)
        return id;
    text(w->add_string, 1, v);
    run(w->db, w->add_string);
    return sqlite3_last_insert_rowid(w->db);
}

static void varint(struct ck_buf *b, uint64_t x)
{
    for (; x > 127; x >>= 7)
        ck_put_u8(b, (uint8_t)(x | 128));
    ck_put_u8(b, (uint8_t)x);
}

static sqlite3_int64 package(struct writer *w, const struct ck_affected *af)
{
    sqlite3_int64 eco = intern(w, af->ecosystem), id = -1;
    sqlite3_bind_int64(w->find_package, 1, eco);
    sqlite3_bind_int(w->find_package, 2, af->kind);
    text(w->find_package, 3, af->name);
    if (sqlite3_step(w->find_package) == SQLITE_ROW)
        id = sqlite3_column_int64(w->find_package, 0);
    sqlite3_reset(w->find_package);
    if (id >= 0)
        return id;
    id = w->packages++;
    sqlite3_bind_int64(w->add_package, 1, eco);
    sqlite3_bind_int(w->add_package, 2, af->kind);
    text(w->add_package, 3, af->name);
    sqlite3_bind_int64(w->add_package, 4, id);
    run(w->db, w->add_package);
    return id;
}

static void statement(struct writer *w, sqlite3_int64 advisory, int n, const struct ck_affected *af)
{
    struct ck_buf ranges = ck_buf_new(CK_LIMIT_NONE), versions = ck_buf_new(CK_LIMIT_NONE);
    for (size_t i = 0; i < af->n_ranges; i++) {
        varint(&ranges, (uint64_t)intern(w, af->ranges[i].introduced));
        ck_put_u8(&ranges, (uint8_t)af->ranges[i].end);
        varint(&ranges, (uint64_t)intern(w, af->ranges[i].upper));
    }
    for (size_t i = 0; i < af->n_versions; i++)
        varint(&versions, (uint64_t)intern(w, af->versions[i]));
    sqlite3_bind_int64(w->add_statement, 1, package(w, af));
    sqlite3_bind_int64(w->add_statement, 2, advisory);
    sqlite3_bind_int(w->add_statement, 3, n);
    sqlite3_bind_int(w->add_statement, 4, af->state);
    sqlite3_bind_blob(w->add_statement, 5, ranges.p, (int)ranges.n, SQLITE_STATIC);
    sqlite3_bind_blob(w->add_statement, 6, versions.p, (int)versions.n, SQLITE_STATIC);
    run(w->db, w->add_statement);
    ck_buf_free(&ranges);
    ck_buf_free(&versions);
}

static void alias(struct writer *w, sqlite3_int64 advisory, ck_view id, int fixes)
{
    text(w->add_alias, 1, id);
    sqlite3_bind_int64(w->add_alias, 2, advisory);
    sqlite3_bind_int(w->add_alias, 3, fixes);
    run(w->db, w->add_alias);
    if (fixes < 0)
        return;
    sqlite3_bind_int64(w->add_of, 1, advisory);
    text(w->add_of, 2, id);
    sqlite3_bind_int(w->add_of, 3, fixes);
    run(w->db, w->add_of);
}

static void advisory(struct writer *w, const struct ck_advisory *a)
{
    text(w->add_advisory, 1, a->id);
    text(w->add_advisory, 2, ck_view_head(a->summary, 100));
    sqlite3_bind_int(w->add_advisory, 3, a->severity);
    sqlite3_bind_int64(w->add_advisory, 4, intern(w, a->severity_text));
    text(w->add_advisory, 5, a->n_cvss ? a->cvss[0] : (ck_view){ NULL, 0 });
    sqlite3_bind_int64(w->add_advisory, 6, a->published);
    sqlite3_bind_int64(w->add_advisory, 7, a->modified);
    sqlite3_bind_int(w->add_advisory, 8, a->withdrawn);
    run(w->db, w->add_advisory);
    sqlite3_int64 id = sqlite3_last_insert_rowid(w->db);
    alias(w, id, a->id, -1);
    for (size_t i = 0; i < a->n_aliases; i++)
        alias(w, id, a->aliases[i], 0);
    for (size_t i = 0; i < a->n_fixes; i++)
        alias(w, id, a->fixes[i], 1);
    for (size_t i = 0; i < a->n_affected; i++)
        statement(w, id, (int)i, &a->affected[i]);
}

void sqlite_build(const char *path, const struct records *r)
{
    struct writer w = { 0 };
    remove(path);
    if (sqlite3_open(path, &w.db) != SQLITE_OK ||
        sqlite3_exec(w.db, schema, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(w.db, "BEGIN; CREATE INDEX s ON string(s)", NULL, NULL, NULL) != SQLITE_OK)
        die(w.db);
    w.find_string = prepare(w.db, "SELECT id FROM string WHERE s=?");
    w.add_string = prepare(w.db, "INSERT INTO string(s) VALUES(?)");
    w.add_advisory = prepare(w.db, "INSERT INTO advisory VALUES(NULL,?,?,?,?,?,?,?,?)");
    w.add_alias = prepare(w.db, "INSERT OR IGNORE INTO alias VALUES(?,?,?)");
    w.add_of = prepare(w.db, "INSERT OR IGNORE INTO of_advisory VALUES(?,?,?)");
    w.find_package =
        prepare(w.db, "SELECT id FROM package WHERE ecosystem=? AND kind=? AND name=?");
    w.add_package = prepare(w.db, "INSERT INTO package VALUES(?,?,?,?)");
    w.add_statement = prepare(w.db, "INSERT INTO statement VALUES(?,?,?,?,?,?)");
    for (size_t i = 0; i < r->n; i++)
        advisory(&w, &r->v[i]);
    sqlite3_stmt *all[] = { w.find_string, w.add_string, w.add_advisory, w.add_alias, w.add_of,
                            w.find_package, w.add_package, w.add_statement };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        sqlite3_finalize(all[i]);
    if (sqlite3_exec(w.db, "DROP INDEX s; COMMIT; VACUUM", NULL, NULL, NULL) != SQLITE_OK)
        die(w.db);
    sqlite3_close(w.db);
}

size_t sqlite_find(const char *path, const struct names *names)
{
    sqlite3 *db;
    char uri[600];
    snprintf(uri, sizeof uri, "file:%s?immutable=1", path);
    if (sqlite3_open_v2(uri, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        die(db);
    sqlite3_exec(db, "PRAGMA mmap_size=4294967296", NULL, NULL, NULL);
    sqlite3_stmt *eco = prepare(db, "SELECT id FROM string WHERE s=?");
    sqlite3_stmt *s = prepare(
        db, "SELECT st.state, st.ranges, a.name, a.severity FROM package p"
            " JOIN statement st ON st.package=p.id JOIN advisory a ON a.id=st.advisory"
            " WHERE p.ecosystem=? AND p.kind=? AND p.name=?");
    size_t n = 0;
    ck_view last = { NULL, 0 };
    sqlite3_int64 id = 0;
    for (size_t i = 0; i < names->n; i++) {
        if (!ck_view_eq(last, names->ecosystems[i])) {
            last = names->ecosystems[i];
            text(eco, 1, last);
            id = sqlite3_step(eco) == SQLITE_ROW ? sqlite3_column_int64(eco, 0) : -1;
            sqlite3_reset(eco);
        }
        sqlite3_bind_int64(s, 1, id);
        sqlite3_bind_int(s, 2, names->kinds[i]);
        text(s, 3, names->v[i]);
        while (sqlite3_step(s) == SQLITE_ROW)
            n += sqlite3_column_bytes(s, 1) > 0 && sqlite3_column_bytes(s, 2) > 0;
        sqlite3_reset(s);
    }
    sqlite3_finalize(s);
    sqlite3_finalize(eco);
    sqlite3_close(db);
    return n;
}
