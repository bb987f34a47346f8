/* Opening and making a store; its schema. */
#include "store/store_int.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* Digests are their text. Names, media types and reasons are foreign and may be anything that the
 * decoders let through. What a person denied is remembered when the image is gone. */
static const char schema[] =
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
    " BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;";

/* What version 2 adds: the gate's books. Pulls outlive their image, what belongs to one goes with
 * it. */
static const char schema_2[] =
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
    "CREATE INDEX token_user ON token(user);";

/* Looking again: inventories and who holds which package (inventory.h), what listings show
 * (pages.h), what changed and who hears of it (events.h), surveys (surveys.h). What is asked of all
 * images at once lies apart from the bytes, and is small: `listing` has a row for each image,
 * `place` one for each name and link that leads to it, through whatever indexes. Facts and
 * inventories that go leave behind what they were in `finding` and `holds` for: gc takes it away.
 * A number in `finding` takes 3 bytes where an id and a digest took 90, twice. */
static const char schema_3_facts[] =
    "ALTER TABLE finding RENAME TO finding_2; ALTER TABLE facts RENAME TO facts_2;"
    "DROP INDEX finding_image; DROP INDEX facts_chain;"
    "CREATE TABLE vulnerability(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
    " images INTEGER NOT NULL);"
    "CREATE TABLE facts(number INTEGER PRIMARY KEY AUTOINCREMENT, image TEXT NOT NULL UNIQUE"
    " REFERENCES image ON DELETE CASCADE, chain TEXT NOT NULL);"
    "CREATE INDEX facts_chain ON facts(chain) WHERE chain!='';"
    "CREATE TABLE facts_bytes(facts INTEGER PRIMARY KEY REFERENCES facts ON DELETE CASCADE,"
    " ids TEXT NOT NULL, bytes BLOB NOT NULL);"
    "CREATE TABLE finding(id INTEGER NOT NULL, facts INTEGER NOT NULL, PRIMARY KEY(id, facts))"
    " WITHOUT ROWID;"
    "INSERT INTO facts(image, chain) SELECT image, chain FROM facts_2;"
    "INSERT INTO vulnerability(id, images) SELECT id, count(*) FROM finding_2 GROUP BY id;"
    "INSERT INTO finding SELECT vulnerability.number, facts.number FROM finding_2 JOIN"
    " vulnerability ON vulnerability.id=finding_2.id JOIN facts ON facts.image=finding_2.image;"
    "INSERT INTO facts_bytes SELECT number, coalesce(ids, ''), facts_2.facts FROM facts JOIN"
    " facts_2 ON facts_2.image=facts.image LEFT JOIN (SELECT facts AS f, group_concat(id) AS ids"
    " FROM finding GROUP BY f) ON f=number;"
    "DROP TABLE finding_2; DROP TABLE facts_2;"
    "CREATE TABLE left_ids(facts INTEGER PRIMARY KEY, ids TEXT NOT NULL);"
    "CREATE TRIGGER ids_are_left AFTER DELETE ON facts_bytes"
    " BEGIN INSERT INTO left_ids VALUES(OLD.facts, OLD.ids); END;";

static const char schema_3_inventories[] =
    "CREATE TABLE package(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL UNIQUE);"
    "CREATE TABLE package_key(key BLOB NOT NULL, package INTEGER NOT NULL REFERENCES package"
    " ON DELETE CASCADE, PRIMARY KEY(key, package)) WITHOUT ROWID;"
    "CREATE INDEX package_key_package ON package_key(package);"
    "CREATE TABLE inventory(number INTEGER PRIMARY KEY AUTOINCREMENT, image TEXT NOT NULL UNIQUE"
    " REFERENCES image ON DELETE CASCADE, matched INTEGER NOT NULL);"
    "CREATE TABLE inventory_bytes(inventory INTEGER PRIMARY KEY REFERENCES inventory"
    " ON DELETE CASCADE, head BLOB NOT NULL, items BLOB NOT NULL);"
    "CREATE TABLE holds(package INTEGER NOT NULL, inventory INTEGER NOT NULL,"
    " PRIMARY KEY(package, inventory)) WITHOUT ROWID;"
    "CREATE TABLE unindexed(inventory INTEGER PRIMARY KEY, items INTEGER NOT NULL);"
    "CREATE TABLE left_items(inventory INTEGER PRIMARY KEY, items BLOB NOT NULL);"
    "CREATE TRIGGER items_are_left AFTER DELETE ON inventory_bytes"
    " BEGIN DELETE FROM unindexed WHERE inventory=OLD.inventory;"
    " INSERT INTO left_items VALUES(OLD.inventory, OLD.items); END;";

static const char schema_3_listings[] =
    "CREATE TABLE listing(number INTEGER PRIMARY KEY AUTOINCREMENT, image TEXT NOT NULL UNIQUE"
    " REFERENCES image ON DELETE CASCADE, state INTEGER NOT NULL, added INTEGER NOT NULL,"
    " name TEXT NOT NULL DEFAULT '', examined INTEGER NOT NULL DEFAULT 0,"
    " critical INTEGER NOT NULL DEFAULT 0, high INTEGER NOT NULL DEFAULT 0,"
    " medium INTEGER NOT NULL DEFAULT 0, low INTEGER NOT NULL DEFAULT 0,"
    " negligible INTEGER NOT NULL DEFAULT 0, unknown INTEGER NOT NULL DEFAULT 0,"
    " fixable INTEGER NOT NULL DEFAULT 0, kev INTEGER NOT NULL DEFAULT 0,"
    " packages INTEGER NOT NULL DEFAULT 0, whole INTEGER NOT NULL DEFAULT 0,"
    " scanned INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL DEFAULT 0,"
    " distro TEXT NOT NULL DEFAULT '');"
    "INSERT INTO listing(image, state, added) SELECT digest, state, added FROM image"
    " WHERE NOT is_index AND subject IS NULL ORDER BY added;"
    "CREATE TRIGGER image_is_listed AFTER INSERT ON image"
    " WHEN NOT NEW.is_index AND NEW.subject IS NULL BEGIN"
    " INSERT INTO listing(image, state, added) VALUES(NEW.digest, NEW.state, NEW.added); END;"
    "CREATE TRIGGER state_is_listed AFTER UPDATE OF state ON image BEGIN"
    " UPDATE listing SET state=NEW.state WHERE image=NEW.digest; END;"
    "CREATE TABLE repository(number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE place(image INTEGER NOT NULL REFERENCES listing ON DELETE CASCADE,"
    " name TEXT NOT NULL, repository INTEGER NOT NULL REFERENCES repository, via TEXT NOT NULL"
    " REFERENCES image ON DELETE CASCADE, UNIQUE(image, name, repository, via));"
    "CREATE INDEX place_repository ON place(repository, image);"
    "CREATE INDEX place_name ON place(name) WHERE name!='';"
    "CREATE INDEX place_via ON place(via);"
    "CREATE TRIGGER place_is_named AFTER INSERT ON place WHEN NEW.name!='' BEGIN"
    " UPDATE listing SET name=NEW.name WHERE number=NEW.image AND (name='' OR name>NEW.name); END;"
    "CREATE TRIGGER place_is_left AFTER DELETE ON place WHEN OLD.name!='' BEGIN"
    " UPDATE listing SET name=coalesce((SELECT min(name) FROM place WHERE image=OLD.image AND"
    " name!=''), '') WHERE number=OLD.image AND name=OLD.name; END;"
    "CREATE TRIGGER name_is_gone AFTER DELETE ON name BEGIN"
    " DELETE FROM place WHERE name=OLD.name AND name!=''; END;"
    "CREATE TRIGGER name_moves AFTER UPDATE OF digest ON name WHEN OLD.digest!=NEW.digest BEGIN"
    " DELETE FROM place WHERE name=OLD.name AND name!=''; END;"
    "CREATE TRIGGER link_is_gone AFTER DELETE ON link BEGIN"
    " DELETE FROM place WHERE via=OLD.digest AND name='' AND repository="
    "(SELECT number FROM repository WHERE name=OLD.repository); END;"
    "INSERT INTO repository(name) SELECT seen.repository FROM name JOIN seen"
    " ON seen.name=name.name AND seen.digest=name.digest UNION SELECT repository FROM link;"
    "INSERT INTO place(image, name, repository, via) " CK_PLACES_SQL ";";

static const char schema_3_events[] =
    "CREATE TABLE event(number INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL,"
    " kind TEXT NOT NULL, severity INTEGER NOT NULL, image TEXT NOT NULL, name TEXT NOT NULL,"
    " repository TEXT NOT NULL, summary TEXT NOT NULL, data BLOB NOT NULL);"
    "CREATE INDEX event_image ON event(image, number);"
    "CREATE INDEX event_repository ON event(repository, number);"
    "CREATE TABLE subscription(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"
    " way TEXT NOT NULL, target TEXT NOT NULL, secret TEXT NOT NULL, kinds TEXT NOT NULL,"
    " repository TEXT NOT NULL, severity INTEGER NOT NULL, digest_seconds INTEGER NOT NULL,"
    " disabled INTEGER NOT NULL, cursor INTEGER NOT NULL, made INTEGER NOT NULL,"
    " delivered INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0,"
    " last_time INTEGER NOT NULL DEFAULT 0, last_error TEXT NOT NULL DEFAULT '');"
    "CREATE TABLE delivery(number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " subscription INTEGER NOT NULL REFERENCES subscription ON DELETE CASCADE, key TEXT NOT NULL,"
    " events BLOB NOT NULL, due INTEGER NOT NULL, tries INTEGER NOT NULL, made INTEGER NOT NULL,"
    " given_up INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX delivery_due ON delivery(due) WHERE given_up=0;"
    "CREATE INDEX delivery_given_up ON delivery(number) WHERE given_up=1;"
    "CREATE INDEX delivery_subscription ON delivery(subscription, given_up);"
    "CREATE TABLE survey(number INTEGER PRIMARY KEY AUTOINCREMENT, registry TEXT NOT NULL,"
    " options BLOB NOT NULL, seed INTEGER NOT NULL, begun INTEGER NOT NULL,"
    " ended INTEGER NOT NULL, state INTEGER NOT NULL, result BLOB NOT NULL);"
    "CREATE TABLE survey_item(survey INTEGER NOT NULL REFERENCES survey ON DELETE CASCADE,"
    " position INTEGER NOT NULL, official INTEGER NOT NULL, name TEXT NOT NULL,"
    " state INTEGER NOT NULL, digest TEXT NOT NULL, result BLOB NOT NULL,"
    " PRIMARY KEY(survey, position)) WITHOUT ROWID;"
    "CREATE TABLE note(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;";

/* What is asked of the log (log_pages.c). Of a digest the key is a piece, which is unlikely to be
 * that of another, and takes a fourth of the pages that a scan of many images writes. */
static const char schema_4[] =
    "CREATE INDEX log_event ON log(event);"
    "CREATE INDEX log_who ON log(who);"
    "CREATE INDEX log_event_who ON log(event, who);"
    "CREATE INDEX log_digest ON log(substr(digest,8,12)) WHERE digest!='';";

enum { VERSION = 4, APPLICATION_ID = 0x636b7374 /* "ckst" */ };

static const char *const algorithms[CK_DIGEST_ALGORITHM_COUNT_] = { "blobs/sha256",
                                                                    "blobs/sha512" };

/* --- directories ------------------------------------------------------------------------------ */

static ck_err *make_dir(const char *path)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return ck_err_errno(CK_ERR_OURS, "making %s", path);
    return NULL;
}

static ck_err *open_dir(struct ck_store *s, const char *name, int *ret)
{
    ck_autofree char *path = ck_format("%s/%s", s->dir, name);
    CK_TRY(make_dir(path));
    *ret = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *ret < 0 ? ck_err_errno(CK_ERR_OURS, "%s", path) : NULL;
}

static ck_err *open_dirs(struct ck_store *s)
{
    int blobs = -1;
    CK_TRY(ck_make_parents(s->dir));
    CK_TRY(make_dir(s->dir));
    CK_TRY(open_dir(s, "blobs", &blobs));
    close(blobs);
    for (int i = 0; i < CK_DIGEST_ALGORITHM_COUNT_; i++)
        CK_TRY(open_dir(s, algorithms[i], &s->blobs[i]));
    CK_TRY(open_dir(s, "partial", &s->partial));
    return open_dir(s, "leases", &s->leases);
}

/* --- database --------------------------------------------------------------------------------- */

static ck_err *exec(struct ck_store *s, const char *sql)
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? NULL
                                                                   : ck_sql_error(s, "opening");
}

static ck_err *pragma(struct ck_store *s, const char *sql, int64_t *ret)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    ck_err *e = rc == SQLITE_ROW ? NULL : ck_sql_error(s, "opening");
    if (!e)
        *ret = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return e;
}

static ck_err *make_schema(struct ck_store *s)
{
    ck_autofree char *sql = ck_format("BEGIN IMMEDIATE; %s %s %s %s %s %s %s"
                                      " PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT",
                                      schema, schema_2, schema_3_facts, schema_3_inventories,
                                      schema_3_listings, schema_3_events, schema_4,
                                      APPLICATION_ID, VERSION);
    return exec(s, sql);
}

/* All of it or nothing; a new store goes the same way, so that both have one shape. */
static ck_err *migrate(struct ck_store *s, int64_t version)
{
    const char *const steps[] = { schema_3_facts, schema_3_inventories, schema_3_listings,
                                  schema_3_events };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_buf_format(&b, "BEGIN IMMEDIATE; %s", version < 2 ? schema_2 : "");
    for (size_t i = 0; version < 3 && i < sizeof steps / sizeof *steps; i++)
        ck_put_bytes(&b, ck_view_str(steps[i]));
    ck_buf_format(&b, "%s PRAGMA user_version=%d; COMMIT", schema_4, VERSION);
    ck_autofree char *sql = ck_buf_steal_str(&b);
    CK_TRY_WRAP(exec(s, sql), "bringing the store from version %lld to %d", (long long)version,
                VERSION);
    return NULL;
}

static ck_err *check_version(struct ck_store *s)
{
    int64_t version = 0, application = 0;
    CK_TRY(pragma(s, "PRAGMA user_version", &version));
    CK_TRY(pragma(s, "PRAGMA application_id", &application));
    if (version == 0 && application == 0)
        return make_schema(s);
    if (application != APPLICATION_ID)
        return ck_err_new(CK_ERR_OURS, "store %s: state.db is some other program's", s->dir);
    if (version >= 1 && version < VERSION)
        return migrate(s, version);
    if (version != VERSION)
        return ck_err_new(CK_ERR_OURS, "store %s: has version %lld, this cocket knows %d: use a "
                          "newer cocket", s->dir, (long long)version, VERSION);
    return NULL;
}

static ck_err *open_db(struct ck_store *s)
{
    ck_autofree char *path = ck_format("%s/state.db", s->dir);
    if (sqlite3_open_v2(path, &s->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX,
                        NULL) != SQLITE_OK)
        return s->db ? ck_sql_error(s, "opening") : ck_err_new(CK_ERR_OURS, "%s: no memory", path);
    sqlite3_extended_result_codes(s->db, 1);
    sqlite3_busy_timeout(s->db, CK_BUSY_MS);
    /* The journal keeps its place on the disk when nobody is here: a gc can then begin on a disk
     * that is full to the last byte. */
    int keep = 1;
    sqlite3_file_control(s->db, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DQS_DML, 0, (int *)NULL);
    CK_TRY(exec(s, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                   "PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=ON;"
                   "PRAGMA cache_size=-16384"));
    CK_TRY(check_version(s));
    return exec(s, "CREATE TEMP TABLE keep(digest TEXT PRIMARY KEY) WITHOUT ROWID");
}

/* Only one process at a time makes the database or turns its journal: SQLite does not wait for a
 * lock in every step of that. */
static ck_err *open_db_alone(struct ck_store *s)
{
    ck_autofree char *path = ck_format("%s/open.lock", s->dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return ck_err_errno(CK_ERR_OURS, "%s", path);
    while (flock(fd, LOCK_EX) != 0) {
        if (errno != EINTR) {
            ck_err *e = ck_err_errno(CK_ERR_OURS, "locking %s", path);
            close(fd);
            return e;
        }
    }
    ck_err *e = open_db(s);
    if (!e)
        ck_reserve_make(s);
    close(fd);
    return e;
}

/* --- the store -------------------------------------------------------------------------------- */

static ck_err *default_dir(const char *dir, char **ret)
{
    const char *env = getenv("COCKET_STORE");
    if (!dir && env && *env)
        dir = env;
    *ret = dir ? ck_strndup(dir, strlen(dir)) : ck_xdg_path(CK_XDG_DATA, "store");
    if (!*ret)
        return ck_err_new(CK_ERR_USAGE, "none of --store, COCKET_STORE, XDG_DATA_HOME and HOME "
                                        "says where the store is");
    return NULL;
}

ck_err *ck_store_open(const char *dir, struct ck_store **ret)
{
    struct ck_store *s = ck_new(struct ck_store);
    for (int i = 0; i < CK_DIGEST_ALGORITHM_COUNT_; i++)
        s->blobs[i] = -1;
    s->partial = s->leases = -1;
    pthread_mutex_init(&s->mutex, NULL);
    s->who = ck_login_name();
    ck_err *e = default_dir(dir, &s->dir);
    if (!e)
        e = open_dirs(s);
    if (!e)
        e = open_db_alone(s);
    if (e) {
        ck_store_close(s);
        return e;
    }
    *ret = s;
    return NULL;
}

void ck_store_close(struct ck_store *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < CK_STATEMENTS; i++)
        sqlite3_finalize(s->cache[i].st);
    sqlite3_close(s->db);
    int fds[] = { s->blobs[0], s->blobs[1], s->partial, s->leases };
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    pthread_mutex_destroy(&s->mutex);
    free(s->who);
    free(s->dir);
    free(s);
}

const char *ck_store_dir(const struct ck_store *s) { return s->dir; }
