#include "advisory/db_read.h"

#include "base/mem.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct ck_db {
    ck_view file;
    bool mapped;
    int64_t built;
    struct ck_db_counts counts;
    struct ck_db_key key;
    ck_view section[CK_DB_SECTION_COUNT_];
    struct ck_arena arena;
    struct ck_db_feed *feeds;
    uint32_t *first; /* ordinal of each feed's first advisory */
    size_t n_feeds;
};

static ck_err *damaged(const char *what, uint64_t at)
{
    return ck_err_new(CK_ERR_OURS, "advisory database is damaged: %s at %llu", what,
                      (unsigned long long)at);
}

static ck_cur cur_at(const struct ck_db *db, enum ck_db_section s, uint64_t at)
{
    ck_cur c = ck_cur_of(db->section[s]);
    ck_cur_seek(&c, at > SIZE_MAX ? SIZE_MAX : (size_t)at);
    return c;
}

static ck_view string_at(const struct ck_db *db, enum ck_db_section s, uint64_t at, bool *bad)
{
    ck_cur c = cur_at(db, s, at);
    ck_view v = ck_cur_vstr(&c);
    if (!ck_cur_ok(&c))
        *bad = true;
    return v;
}

/* Follows the reference that the cursor stands at. */
static ck_view string_ref(const struct ck_db *db, enum ck_db_section s, ck_cur *c)
{
    return string_at(db, s, ck_cur_varint(c), &c->bad);
}

/* A count of elements of at least one byte each. */
static size_t count_of(ck_cur *c)
{
    uint64_t n = ck_cur_varint(c);
    if (n > ck_cur_left(c)) {
        c->bad = true;
        return 0;
    }
    return (size_t)n;
}

/* --- Opening -------------------------------------------------------------------------------------- */

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
        return damaged("number of sections", 12);
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
            return damaged("section", (uint64_t)i);
        db->section[i] = ck_view_of(db->file.p + at, (size_t)n);
    }
    if (db->section[CK_DB_ADV_INDEX].n != db->counts.advisories * 4)
        return damaged("number of advisories", CK_DB_DIGESTED_FROM);
    return NULL;
}

static ck_err *read_feeds(struct ck_db *db)
{
    ck_cur c = ck_cur_of(db->section[CK_DB_FEEDS]);
    size_t n = count_of(&c);
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
        return damaged("feeds", c.at);
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

/* --- Packages and statements ------------------------------------------------------------------------ */

static ck_err *package_at(const struct ck_db *db, uint64_t at, struct ck_db_package *ret)
{
    ck_cur c = cur_at(db, CK_DB_PACKAGES, at);
    struct ck_db_package p = { .db = db };
    p.ecosystem = string_ref(db, CK_DB_STRINGS, &c);
    uint8_t kind = ck_cur_u8(&c);
    p.kind = (enum ck_name_kind)kind;
    p.name = ck_cur_vstr(&c);
    p.left = ck_cur_varint(&c);
    p.statements = ck_cur_of(ck_cur_vstr(&c));
    p.table_bytes = c;
    if (!ck_cur_ok(&c) || kind >= CK_NAME_KIND_COUNT_ || p.left > p.statements.v.n)
        return damaged("package", at);
    *ret = p;
    return NULL;
}

static uint32_t slot_at(ck_view table, size_t i)
{
    ck_cur c = ck_cur_of(table);
    ck_cur_seek(&c, i * 4);
    return ck_cur_le32(&c);
}

ck_err *ck_db_package(const struct ck_db *db, ck_view ecosystem, enum ck_name_kind kind,
                      ck_view name, struct ck_db_package *ret, bool *ret_found)
{
    ck_view table = db->section[CK_DB_PKG_INDEX];
    size_t slots = table.n / 4;
    size_t s = ck_db_slot(ck_db_package_hash(&db->key, ecosystem, kind, name), slots);
    for (size_t tried = 0; tried < slots; tried++) {
        uint32_t at = slot_at(table, s);
        if (at == 0)
            break;
        struct ck_db_package p;
        CK_TRY(package_at(db, at - 1, &p));
        if (p.kind == kind && ck_view_eq(p.name, name) && ck_view_eq(p.ecosystem, ecosystem)) {
            *ret = p;
            *ret_found = true;
            return NULL;
        }
        s = s + 1 == slots ? 0 : s + 1;
    }
    *ret_found = false;
    return NULL;
}

static void read_range(const struct ck_db *db, ck_cur *c, enum ck_db_shape shape,
                       struct ck_range *r)
{
    static const enum ck_range_end ends[] = {
        [CK_DB_SHAPE_FIXED] = CK_END_FIXED,      [CK_DB_SHAPE_OPEN] = CK_END_OPEN,
        [CK_DB_SHAPE_LAST] = CK_END_LAST_AFFECTED, [CK_DB_SHAPE_FROM_FIXED] = CK_END_FIXED,
        [CK_DB_SHAPE_FROM_OPEN] = CK_END_OPEN,   [CK_DB_SHAPE_FROM_LAST] = CK_END_LAST_AFFECTED,
    };
    *r = (struct ck_range){ .introduced = CK_V(""), .upper = CK_V("") };
    if (shape == CK_DB_SHAPE_NONE || shape >= CK_DB_SHAPE_LIST) {
        c->bad = true;
        return;
    }
    r->end = ends[shape];
    if (shape >= CK_DB_SHAPE_FROM_FIXED)
        r->introduced = string_ref(db, CK_DB_STRINGS, c);
    if (r->end != CK_END_OPEN)
        r->upper = string_ref(db, CK_DB_STRINGS, c);
}

static void read_ranges(const struct ck_db *db, ck_cur *c, enum ck_db_shape shape,
                        struct ck_arena *a, struct ck_affected *af)
{
    if (shape == CK_DB_SHAPE_NONE)
        return;
    size_t n = shape == CK_DB_SHAPE_LIST ? count_of(c) : 1;
    if (n > CK_MAX_ADVISORY_RANGES) {
        c->bad = true;
        return;
    }
    af->ranges = ck_arena_alloc(a, n, sizeof *af->ranges);
    af->n_ranges = n;
    for (size_t i = 0; i < n && ck_cur_ok(c); i++) {
        enum ck_db_shape s = shape == CK_DB_SHAPE_LIST ? (enum ck_db_shape)ck_cur_u8(c) : shape;
        read_range(db, c, s, &af->ranges[i]);
    }
}

/* Passes over runs; they are read when somebody asks. */
static ck_cur skip_runs(ck_cur *c)
{
    ck_cur runs = *c;
    for (size_t n = count_of(c); n && ck_cur_ok(c); n--) {
        ck_cur_varint(c);
        ck_cur_varint(c);
    }
    return runs;
}

ck_err *ck_db_next(struct ck_db_package *p, struct ck_arena *a, struct ck_db_entry *ret,
                   bool *ret_end)
{
    *ret_end = p->left == 0;
    if (p->left == 0)
        return NULL;
    ck_cur *c = &p->statements;
    struct ck_db_entry e = { .affected = { .ecosystem = p->ecosystem, .name = p->name,
                                           .kind = p->kind, .module = CK_V(""),
                                           .note = CK_V("") } };
    uint64_t advisory = p->advisory + ck_cur_varint(c);
    uint8_t head = ck_cur_u8(c);
    uint8_t extra = head & CK_DB_HEAD_EXTRA ? ck_cur_u8(c) : 0;
    e.affected.state = (enum ck_fix_state)(head & 7);
    e.affected.severity = (enum ck_severity)(extra & 7);
    e.affected.unimportant = extra & CK_DB_EXTRA_UNIMPORTANT;
    if (extra & CK_DB_EXTRA_MODULE)
        e.affected.module = string_ref(p->db, CK_DB_STRINGS, c);
    if (extra & CK_DB_EXTRA_NOTE)
        e.affected.note = string_ref(p->db, CK_DB_TEXTS, c);
    read_ranges(p->db, c, (enum ck_db_shape)(head >> CK_DB_HEAD_SHAPE & 7), a, &e.affected);
    if (head & CK_DB_HEAD_VERSIONS)
        e.runs = skip_runs(c);
    if (!ck_cur_ok(c) || advisory >= p->db->counts.advisories ||
        e.affected.severity >= CK_SEVERITY_COUNT_)
        return damaged("statement of a package", c->at);
    e.advisory = p->advisory = (uint32_t)advisory;
    p->left--;
    *ret = e;
    return NULL;
}

/* Decodes the version table: each version is the beginning of the one before and a rest. */
static ck_err *read_table(struct ck_db_package *p, struct ck_arena *a)
{
    if (p->table)
        return NULL;
    ck_cur *c = &p->table_bytes;
    size_t n = count_of(c);
    ck_view *table = ck_arena_alloc(a, n, sizeof *table);
    ck_view last = CK_V("");
    for (size_t i = 0; i < n && ck_cur_ok(c); i++) {
        uint64_t same = ck_cur_varint(c);
        ck_view rest = ck_cur_vstr(c);
        if (same > last.n || same + rest.n > CK_MAX_STRING)
            c->bad = true;
        if (!ck_cur_ok(c))
            break;
        uint8_t *s = ck_arena_alloc(a, (size_t)same + rest.n, 1);
        memcpy(s, last.p, (size_t)same);
        if (rest.n)
            memcpy(s + same, rest.p, rest.n);
        last = table[i] = ck_view_of(s, (size_t)same + rest.n);
    }
    if (!ck_cur_ok(c))
        return damaged("version table", c->at);
    p->table = table;
    p->n_table = n;
    return NULL;
}

/* The next run, [*from, *to); false at the end or where it leads outside. */
static bool next_run(ck_cur *c, size_t n_table, size_t *left, size_t *from, size_t *to)
{
    if (*left == 0)
        return false;
    --*left;
    uint64_t gap = ck_cur_varint(c), more = ck_cur_varint(c);
    if (!ck_cur_ok(c) || *to > n_table || gap > n_table - *to ||
        more >= n_table - *to - (size_t)gap) {
        c->bad = true;
        return false;
    }
    *from = *to + (size_t)gap;
    *to = *from + (size_t)more + 1;
    return true;
}

ck_err *ck_db_lists(struct ck_db_package *p, const struct ck_db_entry *e, ck_view version,
                    struct ck_arena *a, bool *ret)
{
    *ret = false;
    if (e->runs.v.n == 0)
        return NULL;
    CK_TRY(read_table(p, a));
    ck_cur c = e->runs;
    size_t left = count_of(&c), from = 0, to = 0;
    while (!*ret && next_run(&c, p->n_table, &left, &from, &to))
        for (size_t i = from; i < to && !*ret; i++)
            *ret = ck_view_eq(p->table[i], version);
    return ck_cur_ok(&c) ? NULL : damaged("versions of a statement", c.at);
}

ck_err *ck_db_versions(struct ck_db_package *p, struct ck_db_entry *e, struct ck_arena *a)
{
    if (e->runs.v.n == 0)
        return NULL;
    CK_TRY(read_table(p, a));
    ck_cur c = e->runs;
    size_t runs = count_of(&c), left = runs, from = 0, to = 0, n = 0;
    while (next_run(&c, p->n_table, &left, &from, &to))
        n += to - from;
    if (!ck_cur_ok(&c))
        return damaged("versions of a statement", c.at);
    e->affected.n_versions = n;
    if (runs == 1) { /* a part of the table as it stands */
        e->affected.versions = p->table + from;
        return NULL;
    }
    e->affected.versions = ck_arena_alloc(a, n, sizeof *e->affected.versions);
    c = e->runs;
    left = count_of(&c);
    from = to = n = 0;
    while (next_run(&c, p->n_table, &left, &from, &to))
        for (size_t i = from; i < to; i++)
            e->affected.versions[n++] = p->table[i];
    return NULL;
}

/* --- Advisories and ids ------------------------------------------------------------------------------ */

static ck_view id_at(const struct ck_db *db, ck_cur *c, struct ck_arena *a)
{
    ck_cur id = cur_at(db, CK_DB_IDS, ck_cur_varint(c));
    ck_view v = ck_cur_id(&id, a);
    if (!ck_cur_ok(&id))
        c->bad = true;
    return v;
}

static ck_view join(struct ck_arena *a, ck_view head, ck_view tail)
{
    uint8_t *p = ck_arena_alloc(a, head.n + tail.n, 1);
    if (head.n)
        memcpy(p, head.p, head.n);
    if (tail.n)
        memcpy(p + head.n, tail.p, tail.n);
    return ck_view_of(p, head.n + tail.n);
}

/* Without an arena the ids are passed over. */
static ck_view *read_ids(const struct ck_db *db, ck_cur *c, struct ck_arena *a, size_t *ret_n)
{
    size_t n = count_of(c);
    if (!a) {
        while (n-- && ck_cur_ok(c))
            ck_cur_varint(c);
        return NULL;
    }
    ck_view *v = ck_arena_alloc(a, n, sizeof *v);
    for (size_t i = 0; i < n && ck_cur_ok(c); i++)
        v[i] = id_at(db, c, a);
    *ret_n = n;
    return v;
}

static ck_view *read_cvss(const struct ck_db *db, ck_cur *c, struct ck_arena *a, size_t *ret_n)
{
    size_t n = count_of(c);
    ck_view *v = ck_arena_alloc(a, n, sizeof *v);
    for (size_t i = 0; i < n && ck_cur_ok(c); i++)
        v[i] = string_ref(db, CK_DB_STRINGS, c);
    *ret_n = n;
    return v;
}

/* Reads an advisory and leaves the cursor at the packages that it names. Its ids are left out where
 * `ids` is false. */
static ck_err *read_advisory(const struct ck_db *db, uint32_t ordinal, bool ids,
                             struct ck_arena *a, struct ck_advisory *ret, ck_cur *ret_packages)
{
    if (ordinal >= db->counts.advisories)
        return damaged("advisory number", ordinal);
    uint32_t at = slot_at(db->section[CK_DB_ADV_INDEX], ordinal);
    ck_cur c = cur_at(db, CK_DB_ADVISORIES, at);
    struct ck_advisory adv = { .url = CK_V(""), .summary = CK_V(""), .severity_text = CK_V("") };
    uint16_t flags = ck_cur_le16(&c);
    adv.severity = (enum ck_severity)(flags & 7);
    adv.withdrawn = flags & CK_DB_ADV_WITHDRAWN;
    if (ids)
        adv.id = id_at(db, &c, a);
    else
        ck_cur_varint(&c);
    if (flags & CK_DB_ADV_ALIASES)
        adv.aliases = read_ids(db, &c, ids ? a : NULL, &adv.n_aliases);
    if (flags & CK_DB_ADV_FIXES)
        adv.fixes = read_ids(db, &c, ids ? a : NULL, &adv.n_fixes);
    if (flags & CK_DB_ADV_CVSS)
        adv.cvss = read_cvss(db, &c, a, &adv.n_cvss);
    if (flags & CK_DB_ADV_WORD)
        adv.severity_text = string_ref(db, CK_DB_STRINGS, &c);
    if (flags & CK_DB_ADV_URL)
        adv.url = string_ref(db, CK_DB_TEXTS, &c);
    if (flags & CK_DB_ADV_URL_ID)
        adv.url = join(a, adv.url, adv.id);
    if (flags & CK_DB_ADV_SUMMARY)
        adv.summary = string_ref(db, CK_DB_TEXTS, &c);
    if (flags & CK_DB_ADV_DATES) {
        adv.published = ck_cur_svarint(&c);
        adv.modified = (int64_t)((uint64_t)adv.published + (uint64_t)ck_cur_svarint(&c));
    }
    if (!ck_cur_ok(&c) || adv.severity >= CK_SEVERITY_COUNT_)
        return damaged("advisory", at);
    *ret = adv;
    if (ret_packages)
        *ret_packages = c;
    return NULL;
}

ck_err *ck_db_advisory(const struct ck_db *db, uint32_t ordinal, struct ck_arena *a,
                       struct ck_advisory *ret)
{
    return read_advisory(db, ordinal, true, a, ret, NULL);
}

ck_err *ck_db_advisory_rating(const struct ck_db *db, uint32_t ordinal, struct ck_arena *a,
                              struct ck_advisory *ret)
{
    return read_advisory(db, ordinal, false, a, ret, NULL);
}

/* Reads what stands behind the id of an entry of IDS. */
static ck_err *read_carriers(const struct ck_db *db, ck_cur *c, struct ck_arena *a,
                             struct ck_db_id *ret)
{
    uint64_t x = ck_cur_varint(c);
    if (x >> 1 > ck_cur_left(c))
        return damaged("id", c->at);
    struct ck_db_id id = { .known = true, .kev = x & 1, .n = (size_t)(x >> 1) };
    id.advisories = ck_arena_alloc(a, id.n, sizeof *id.advisories);
    uint64_t ordinal = 0;
    for (size_t i = 0; i < id.n; i++) {
        ordinal += ck_cur_varint(c);
        if (!ck_cur_ok(c) || ordinal >= db->counts.advisories)
            return damaged("advisories of an id", c->at);
        id.advisories[i] = (uint32_t)ordinal;
    }
    if (!ck_cur_ok(c))
        return damaged("id", c->at);
    *ret = id;
    return NULL;
}

/* Finds the entry of an id; the cursor then stands behind its text. */
static ck_err *find_id(const struct ck_db *db, ck_view id, ck_cur *ret, bool *ret_found)
{
    ck_view table = db->section[CK_DB_ID_INDEX];
    size_t slots = table.n / 4;
    ck_autobuf struct ck_buf form = ck_buf_new(CK_LIMIT_NONE);
    ck_put_id(&form, id);
    size_t s = ck_db_slot(ck_db_hash(&db->key, id), slots);
    *ret_found = false;
    for (size_t tried = 0; tried < slots; tried++) {
        uint32_t at = slot_at(table, s);
        if (at == 0)
            return NULL;
        ck_cur c = cur_at(db, CK_DB_IDS, at - 1);
        if (!ck_cur_ok(&c))
            return damaged("id table", s);
        if (ck_view_starts(ck_view_from(c.v, c.at), ck_buf_view(&form))) {
            ck_cur_skip(&c, form.n);
            *ret = c;
            *ret_found = true;
            return NULL;
        }
        s = s + 1 == slots ? 0 : s + 1;
    }
    return NULL;
}

ck_err *ck_db_id(const struct ck_db *db, ck_view id, struct ck_arena *a, struct ck_db_id *ret)
{
    ck_cur c;
    bool found;
    CK_TRY(find_id(db, id, &c, &found));
    if (found)
        return read_carriers(db, &c, a, ret);
    *ret = (struct ck_db_id){ .known = false };
    return NULL;
}

bool ck_db_kev(const struct ck_db *db, ck_view id)
{
    ck_cur c;
    bool found;
    ck_autoerr ck_err *e = find_id(db, id, &c, &found);
    return !e && found && (ck_cur_varint(&c) & 1);
}

/* --- Whole statements ---------------------------------------------------------------------------------- */

struct list {
    struct ck_statement *v;
    size_t n, cap;
};

static ck_err *add_statement(struct ck_db_package *p, struct ck_db_entry *e, struct ck_arena *a,
                             struct list *out)
{
    struct ck_statement s = { .feed = ck_db_advisory_feed(p->db, e->advisory) };
    CK_TRY(ck_db_versions(p, e, a));
    CK_TRY(ck_db_advisory(p->db, e->advisory, a, &s.advisory));
    s.affected = e->affected;
    *ck_push(out) = s;
    return NULL;
}

/* The statements of a package; only those of one advisory where `only` is not UINT32_MAX. */
static ck_err *collect(struct ck_db_package *p, uint32_t only, struct ck_arena *a,
                       struct list *out)
{
    for (;;) {
        struct ck_db_entry e;
        bool end;
        CK_TRY(ck_db_next(p, a, &e, &end));
        if (end)
            return NULL;
        if (only == UINT32_MAX || e.advisory == only)
            CK_TRY(add_statement(p, &e, a, out));
    }
}

/* Moves the list into the arena. */
static void hand_over(struct list *l, struct ck_arena *a, struct ck_statements *ret)
{
    ret->v = ck_arena_alloc(a, l->n, sizeof *ret->v);
    ret->n = l->n;
    if (l->n)
        memcpy(ret->v, l->v, l->n * sizeof *ret->v);
}

ck_err *ck_db_find(const struct ck_db *db, ck_view ecosystem, enum ck_name_kind kind, ck_view name,
                   struct ck_arena *a, struct ck_statements *ret)
{
    struct ck_db_package p;
    bool found;
    CK_TRY(ck_db_package(db, ecosystem, kind, name, &p, &found));
    struct list l = { 0 };
    ck_err *e = found ? collect(&p, UINT32_MAX, a, &l) : NULL;
    if (!e)
        hand_over(&l, a, ret);
    free(l.v);
    return e;
}

static ck_err *collect_advisory(const struct ck_db *db, uint32_t ordinal, struct ck_arena *a,
                                struct list *out)
{
    struct ck_advisory adv;
    ck_cur c;
    CK_TRY(read_advisory(db, ordinal, true, a, &adv, &c));
    size_t n = count_of(&c);
    if (n == 0 && ck_cur_ok(&c))
        *ck_push(out) = (struct ck_statement){ ck_db_advisory_feed(db, ordinal), adv,
                                               { .ecosystem = CK_V(""), .name = CK_V("") } };
    uint64_t at = 0;
    for (size_t i = 0; i < n; i++) {
        at += ck_cur_varint(&c);
        struct ck_db_package p;
        if (!ck_cur_ok(&c))
            break;
        CK_TRY(package_at(db, at, &p));
        CK_TRY(collect(&p, ordinal, a, out));
    }
    return ck_cur_ok(&c) ? NULL : damaged("packages of an advisory", c.at);
}

ck_err *ck_db_find_ordinal(const struct ck_db *db, uint32_t ordinal, struct ck_arena *a,
                           struct ck_statements *ret)
{
    struct list l = { 0 };
    ck_err *e = collect_advisory(db, ordinal, a, &l);
    if (!e)
        hand_over(&l, a, ret);
    free(l.v);
    return e;
}

ck_err *ck_db_find_id(const struct ck_db *db, ck_view id, struct ck_arena *a,
                      struct ck_statements *ret)
{
    struct ck_db_id carriers;
    CK_TRY(ck_db_id(db, id, a, &carriers));
    struct list l = { 0 };
    ck_err *e = NULL;
    for (size_t i = 0; i < carriers.n && !e; i++)
        e = collect_advisory(db, carriers.advisories[i], a, &l);
    if (!e)
        hand_over(&l, a, ret);
    free(l.v);
    return e;
}

/* --- Verifying ------------------------------------------------------------------------------------------ */

static ck_err *verify_digest(const struct ck_db *db)
{
    uint8_t digest[32];
    unsigned n = sizeof digest;
    ck_view covered = ck_view_from(db->file, CK_DB_DIGESTED_FROM);
    if (EVP_Digest(covered.p, covered.n, digest, &n, EVP_sha256(), NULL) != 1)
        return ck_err_new(CK_ERR_OURS, "SHA-256 is not available");
    if (memcmp(digest, db->file.p + CK_DB_SHA256_AT, sizeof digest) != 0)
        return ck_err_new(CK_ERR_OURS, "advisory database is damaged: its content does not match "
                          "its checksum");
    return NULL;
}

/* Reads every package of the table with all its statements. */
static ck_err *verify_packages(const struct ck_db *db)
{
    ck_view table = db->section[CK_DB_PKG_INDEX];
    uint64_t packages = 0, statements = 0;
    for (size_t s = 0; s < table.n / 4; s++) {
        uint32_t at = slot_at(table, s);
        if (at == 0)
            continue;
        __attribute__((cleanup(ck_arena_free))) struct ck_arena a = { 0 };
        struct ck_db_package p;
        CK_TRY(package_at(db, at - 1, &p));
        packages++;
        statements += p.left;
        for (bool end = false; !end;) {
            struct ck_db_entry e;
            CK_TRY(ck_db_next(&p, &a, &e, &end));
            bool listed;
            if (!end)
                CK_TRY(ck_db_lists(&p, &e, CK_V("?"), &a, &listed));
        }
    }
    if (packages != db->counts.packages || statements != db->counts.statements)
        return damaged("the table of packages is not complete", packages);
    return NULL;
}

static ck_err *verify_advisories(const struct ck_db *db)
{
    for (uint32_t i = 0; i < db->counts.advisories; i++) {
        __attribute__((cleanup(ck_arena_free))) struct ck_arena a = { 0 };
        struct ck_advisory adv;
        ck_cur c;
        CK_TRY(read_advisory(db, i, true, &a, &adv, &c));
        uint64_t at = 0;
        for (size_t n = count_of(&c); n && ck_cur_ok(&c); n--) {
            struct ck_db_package p;
            at += ck_cur_varint(&c);
            CK_TRY(package_at(db, at, &p));
        }
        if (!ck_cur_ok(&c))
            return damaged("packages of an advisory", i);
    }
    return NULL;
}

static ck_err *verify_ids(const struct ck_db *db)
{
    ck_view table = db->section[CK_DB_ID_INDEX];
    for (size_t s = 0; s < table.n / 4; s++) {
        uint32_t at = slot_at(table, s);
        if (at == 0)
            continue;
        __attribute__((cleanup(ck_arena_free))) struct ck_arena a = { 0 };
        ck_cur c = cur_at(db, CK_DB_IDS, at - 1);
        struct ck_db_id id;
        ck_cur_id(&c, &a);
        CK_TRY(read_carriers(db, &c, &a, &id));
    }
    return NULL;
}

ck_err *ck_db_verify(const struct ck_db *db)
{
    CK_TRY(verify_digest(db));
    CK_TRY(verify_packages(db));
    CK_TRY(verify_advisories(db));
    return verify_ids(db);
}
