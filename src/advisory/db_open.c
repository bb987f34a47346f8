/* Opening the advisory database: header, feeds and what they cover. */
#include "advisory/db_map.h"

#include "base/mem.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

ck_err *ck_db_damaged(const char *what, uint64_t at)
{
    return ck_err_new(CK_ERR_OURS, "advisory database is damaged: %s at %llu", what,
                      (unsigned long long)at);
}

static ck_view string_at(const struct ck_db *db, enum ck_db_section s, uint64_t at, bool *bad)
{
    ck_cur c = ck_db_at(db, s, at);
    ck_view v = ck_cur_vstr(&c);
    if (!ck_cur_ok(&c))
        *bad = true;
    return v;
}

ck_view ck_db_string(const struct ck_db *db, enum ck_db_section s, ck_cur *c)
{
    return string_at(db, s, ck_cur_varint(c), &c->bad);
}

size_t ck_cur_count(ck_cur *c)
{
    uint64_t n = ck_cur_varint(c);
    if (n > ck_cur_left(c)) {
        c->bad = true;
        return 0;
    }
    return (size_t)n;
}

/* --- Opening ---------------------------------------------------------------------------------- */

static ck_err *read_header(struct ck_db *db)
{
    ck_cur c = ck_cur_of(db->file);
    if (!ck_view_eq(ck_cur_take(&c, 8), CK_V(CK_DB_MAGIC)))
        return ck_err_new(CK_ERR_OURS, "it is no advisory database");
    uint32_t layout = ck_cur_le32(&c);
    if (layout != CK_DB_LAYOUT)
        return ck_err_new(CK_ERR_OURS, "advisory database of layout %u, this program reads %u: "
                          "build it again", layout, CK_DB_LAYOUT);
    if (ck_cur_le32(&c) != CK_DB_SECTION_COUNT_)
        return ck_db_damaged("number of sections", 12);
    ck_cur_seek(&c, CK_DB_DIGESTED_FROM);
    db->built = (int64_t)ck_cur_le64(&c);
    uint64_t length = ck_cur_le64(&c);
    if (length != db->file.n)
        return ck_err_new(CK_ERR_OURS, "advisory database is damaged: it is %zu bytes long, "
                          "its header says %llu", db->file.n, (unsigned long long)length);
    db->counts.advisories = ck_cur_le64(&c);
    db->counts.statements = ck_cur_le64(&c);
    db->counts.packages = ck_cur_le64(&c);
    db->counts.bytes = length;
    ck_cur_skip(&c, 8);
    db->key.k0 = ck_cur_le64(&c);
    db->key.k1 = ck_cur_le64(&c);
    for (int i = 0; i < CK_DB_SECTION_COUNT_; i++) {
        uint64_t at = ck_cur_le64(&c), n = ck_cur_le64(&c);
        if (!ck_cur_ok(&c) || at < CK_DB_HEADER || at > length || n > length - at ||
            n >= UINT32_MAX)
            return ck_db_damaged("section", (uint64_t)i);
        db->section[i] = ck_view_of(db->file.p + at, (size_t)n);
    }
    if (db->section[CK_DB_ADV_INDEX].n != db->counts.advisories * 4)
        return ck_db_damaged("number of advisories", CK_DB_DIGESTED_FROM);
    return NULL;
}

static ck_err *read_feeds(struct ck_db *db)
{
    ck_cur c = ck_cur_of(db->section[CK_DB_FEEDS]);
    size_t n = ck_cur_count(&c);
    db->feeds = ck_arena_alloc(&db->arena, n, sizeof *db->feeds);
    db->first = ck_arena_alloc(&db->arena, n, sizeof *db->first);
    for (size_t i = 0; i < n && ck_cur_ok(&c); i++) {
        struct ck_db_feed *f = &db->feeds[i];
        f->kind = ck_cur_vstr(&c);
        f->source = ck_cur_vstr(&c);
        f->detail = ck_cur_vstr(&c);
        f->time = ck_cur_svarint(&c);
        f->digest = ck_cur_vstr(&c);
        f->records = ck_cur_varint(&c);
        f->failure = ck_cur_vstr(&c);
        uint64_t first = ck_cur_varint(&c);
        if (first > db->counts.advisories || (i > 0 && first < db->first[i - 1]) ||
            (i == 0 && first != 0))
            c.bad = true;
        db->first[i] = (uint32_t)first;
    }
    if (!ck_cur_ok(&c) || (n == 0 && db->counts.advisories))
        return ck_db_damaged("feeds", c.at);
    db->n_feeds = n;
    return NULL;
}

static ck_err *open_view(ck_view bytes, bool mapped, struct ck_db **ret)
{
    struct ck_db *db = ck_new(struct ck_db);
    db->file = bytes;
    ck_err *e = read_header(db);
    if (!e)
        e = read_feeds(db);
    if (e) {
        ck_db_close(db);
        return e;
    }
    db->mapped = mapped;
    *ret = db;
    return NULL;
}

ck_err *ck_db_open_view(ck_view bytes, struct ck_db **ret)
{
    return open_view(bytes, false, ret);
}

static ck_err *map_file(int fd, const char *path, ck_view *ret)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return ck_err_errno(CK_ERR_OURS, "%s", path);
    if (!S_ISREG(st.st_mode))
        return ck_err_new(CK_ERR_OURS, "%s: it is no regular file", path);
    if (st.st_size < CK_DB_HEADER)
        return ck_err_new(CK_ERR_OURS, "%s: it is no advisory database: only %lld bytes", path,
                          (long long)st.st_size);
    if ((uint64_t)st.st_size > CK_MAX_DATABASE)
        return ck_err_reclass(ck_err_limit(CK_LIMIT_DATABASE, "%s: %lld bytes", path,
                                           (long long)st.st_size), CK_ERR_OURS);
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return ck_err_errno(CK_ERR_OURS, "%s: mmap", path);
    *ret = ck_view_of(p, (size_t)st.st_size);
    return NULL;
}

static void unmap(ck_view v)
{
    void *p;
    memcpy(&p, &v.p, sizeof p); /* munmap takes no const */
    munmap(p, v.n);
}

ck_err *ck_db_open(const char *path, struct ck_db **ret)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ck_err_errno(CK_ERR_OURS, "%s", path);
    ck_view file;
    ck_err *e = map_file(fd, path, &file);
    close(fd);
    if (e)
        return e;
    e = open_view(file, true, ret);
    if (e) {
        unmap(file);
        return ck_err_wrap(e, "%s", path);
    }
    return NULL;
}

void ck_db_close(struct ck_db *db)
{
    if (!db)
        return;
    if (db->mapped)
        unmap(db->file);
    ck_arena_free(&db->arena);
    free(db);
}

int64_t ck_db_built(const struct ck_db *db) { return db->built; }
size_t ck_db_feeds(const struct ck_db *db) { return db->n_feeds; }
struct ck_db_counts ck_db_counts(const struct ck_db *db) { return db->counts; }

ck_err *ck_db_feed(const struct ck_db *db, size_t i, struct ck_db_feed *ret)
{
    if (i >= db->n_feeds)
        return ck_err_new(CK_ERR_OURS, "advisory database: feed %zu of %zu", i, db->n_feeds);
    *ret = db->feeds[i];
    return NULL;
}

size_t ck_db_advisory_feed(const struct ck_db *db, uint32_t ordinal)
{
    size_t i = db->n_feeds;
    while (i > 1 && db->first[i - 1] > ordinal)
        i--;
    return i ? i - 1 : 0;
}

/* Finds the ecosystem's counts, one varint for each feed. */
static bool find_ecosystem(const struct ck_db *db, ck_view ecosystem, ck_cur *ret)
{
    ck_cur c = ck_cur_of(db->section[CK_DB_ECOSYSTEMS]);
    while (!ck_cur_end(&c)) {
        if (ck_view_eq(ck_cur_vstr(&c), ecosystem) && ck_cur_ok(&c)) {
            *ret = c;
            return true;
        }
        for (size_t i = 0; i < db->n_feeds; i++)
            ck_cur_varint(&c);
        if (db->n_feeds == 0)
            break;
    }
    return false;
}

bool ck_db_covers(const struct ck_db *db, ck_view ecosystem)
{
    ck_cur c;
    return find_ecosystem(db, ecosystem, &c);
}

uint64_t ck_db_feed_covers(const struct ck_db *db, size_t feed, ck_view ecosystem)
{
    ck_cur c;
    if (feed >= db->n_feeds || !find_ecosystem(db, ecosystem, &c))
        return 0;
    for (size_t i = 0; i < feed; i++)
        ck_cur_varint(&c);
    return ck_cur_varint(&c);
}
