/* Reading the advisory database piece by piece. */
#include "advisory/db_map.h"

/* --- Packages and statements ------------------------------------------------------------------ */

ck_err *ck_db_package_at(const struct ck_db *db, uint64_t at, struct ck_db_package *ret)
{
    ck_cur c = ck_db_at(db, CK_DB_PACKAGES, at);
    struct ck_db_package p = { .db = db };
    p.ecosystem = ck_db_string(db, CK_DB_STRINGS, &c);
    uint8_t kind = ck_cur_u8(&c);
    p.kind = (enum ck_name_kind)kind;
    p.name = ck_cur_vstr(&c);
    p.left = ck_cur_varint(&c);
    p.statements = ck_cur_of(ck_cur_vstr(&c));
    p.table_bytes = c;
    if (!ck_cur_ok(&c) || kind >= CK_NAME_KIND_COUNT_ || p.left > p.statements.v.n)
        return ck_db_damaged("package", at);
    *ret = p;
    return NULL;
}

ck_err *ck_db_package(const struct ck_db *db, ck_view ecosystem, enum ck_name_kind kind,
                      ck_view name, struct ck_db_package *ret, bool *ret_found)
{
    ck_view table = db->section[CK_DB_PKG_INDEX];
    size_t slots = table.n / 4;
    size_t s = ck_db_slot(ck_db_package_hash(&db->key, ecosystem, kind, name), slots);
    for (size_t tried = 0; tried < slots; tried++) {
        uint32_t at = ck_db_slot_at(table, s);
        if (at == 0)
            break;
        struct ck_db_package p;
        CK_TRY(ck_db_package_at(db, at - 1, &p));
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
        r->introduced = ck_db_string(db, CK_DB_STRINGS, c);
    if (r->end != CK_END_OPEN)
        r->upper = ck_db_string(db, CK_DB_STRINGS, c);
}

static void read_ranges(const struct ck_db *db, ck_cur *c, enum ck_db_shape shape,
                        struct ck_arena *a, struct ck_affected *af)
{
    if (shape == CK_DB_SHAPE_NONE)
        return;
    size_t n = shape == CK_DB_SHAPE_LIST ? ck_cur_count(c) : 1;
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
    for (size_t n = ck_cur_count(c); n && ck_cur_ok(c); n--) {
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
        e.affected.module = ck_db_string(p->db, CK_DB_STRINGS, c);
    if (extra & CK_DB_EXTRA_NOTE)
        e.affected.note = ck_db_string(p->db, CK_DB_TEXTS, c);
    read_ranges(p->db, c, (enum ck_db_shape)(head >> CK_DB_HEAD_SHAPE & 7), a, &e.affected);
    if (head & CK_DB_HEAD_VERSIONS)
        e.runs = skip_runs(c);
    if (!ck_cur_ok(c) || advisory >= p->db->counts.advisories ||
        e.affected.severity >= CK_SEVERITY_COUNT_)
        return ck_db_damaged("statement of a package", c->at);
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
    size_t n = ck_cur_count(c);
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
        return ck_db_damaged("version table", c->at);
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
    size_t left = ck_cur_count(&c), from = 0, to = 0;
    while (!*ret && next_run(&c, p->n_table, &left, &from, &to))
        for (size_t i = from; i < to && !*ret; i++)
            *ret = ck_view_eq(p->table[i], version);
    return ck_cur_ok(&c) ? NULL : ck_db_damaged("versions of a statement", c.at);
}

ck_err *ck_db_versions(struct ck_db_package *p, struct ck_db_entry *e, struct ck_arena *a)
{
    if (e->runs.v.n == 0)
        return NULL;
    CK_TRY(read_table(p, a));
    ck_cur c = e->runs;
    size_t runs = ck_cur_count(&c), left = runs, from = 0, to = 0, n = 0;
    while (next_run(&c, p->n_table, &left, &from, &to))
        n += to - from;
    if (!ck_cur_ok(&c))
        return ck_db_damaged("versions of a statement", c.at);
    e->affected.n_versions = n;
    if (runs == 1) { /* a part of the table as it stands */
        e->affected.versions = p->table + from;
        return NULL;
    }
    e->affected.versions = ck_arena_alloc(a, n, sizeof *e->affected.versions);
    c = e->runs;
    left = ck_cur_count(&c);
    from = to = n = 0;
    while (next_run(&c, p->n_table, &left, &from, &to))
        for (size_t i = from; i < to; i++)
            e->affected.versions[n++] = p->table[i];
    return NULL;
}

/* --- Advisories and ids ----------------------------------------------------------------------- */

static ck_view id_at(const struct ck_db *db, ck_cur *c, struct ck_arena *a)
{
    ck_cur id = ck_db_at(db, CK_DB_IDS, ck_cur_varint(c));
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
    size_t n = ck_cur_count(c);
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
    size_t n = ck_cur_count(c);
    ck_view *v = ck_arena_alloc(a, n, sizeof *v);
    for (size_t i = 0; i < n && ck_cur_ok(c); i++)
        v[i] = ck_db_string(db, CK_DB_STRINGS, c);
    *ret_n = n;
    return v;
}

ck_err *ck_db_read_advisory(const struct ck_db *db, uint32_t ordinal, bool ids,
                             struct ck_arena *a, struct ck_advisory *ret, ck_cur *ret_packages)
{
    if (ordinal >= db->counts.advisories)
        return ck_db_damaged("advisory number", ordinal);
    uint32_t at = ck_db_slot_at(db->section[CK_DB_ADV_INDEX], ordinal);
    ck_cur c = ck_db_at(db, CK_DB_ADVISORIES, at);
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
        adv.severity_text = ck_db_string(db, CK_DB_STRINGS, &c);
    if (flags & CK_DB_ADV_URL)
        adv.url = ck_db_string(db, CK_DB_TEXTS, &c);
    if (flags & CK_DB_ADV_URL_ID)
        adv.url = join(a, adv.url, adv.id);
    if (flags & CK_DB_ADV_SUMMARY)
        adv.summary = ck_db_string(db, CK_DB_TEXTS, &c);
    if (flags & CK_DB_ADV_DATES) {
        adv.published = ck_cur_svarint(&c);
        adv.modified = (int64_t)((uint64_t)adv.published + (uint64_t)ck_cur_svarint(&c));
    }
    if (!ck_cur_ok(&c) || adv.severity >= CK_SEVERITY_COUNT_)
        return ck_db_damaged("advisory", at);
    *ret = adv;
    if (ret_packages)
        *ret_packages = c;
    return NULL;
}

ck_err *ck_db_advisory(const struct ck_db *db, uint32_t ordinal, struct ck_arena *a,
                       struct ck_advisory *ret)
{
    return ck_db_read_advisory(db, ordinal, true, a, ret, NULL);
}

ck_err *ck_db_advisory_rating(const struct ck_db *db, uint32_t ordinal, struct ck_arena *a,
                              struct ck_advisory *ret)
{
    return ck_db_read_advisory(db, ordinal, false, a, ret, NULL);
}

ck_err *ck_db_read_carriers(const struct ck_db *db, ck_cur *c, struct ck_arena *a,
                             struct ck_db_id *ret)
{
    uint64_t x = ck_cur_varint(c);
    if (x >> 1 > ck_cur_left(c))
        return ck_db_damaged("id", c->at);
    struct ck_db_id id = { .known = true, .kev = x & 1, .n = (size_t)(x >> 1) };
    id.advisories = ck_arena_alloc(a, id.n, sizeof *id.advisories);
    uint64_t ordinal = 0;
    for (size_t i = 0; i < id.n; i++) {
        ordinal += ck_cur_varint(c);
        if (!ck_cur_ok(c) || ordinal >= db->counts.advisories)
            return ck_db_damaged("advisories of an id", c->at);
        id.advisories[i] = (uint32_t)ordinal;
    }
    if (!ck_cur_ok(c))
        return ck_db_damaged("id", c->at);
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
        uint32_t at = ck_db_slot_at(table, s);
        if (at == 0)
            return NULL;
        ck_cur c = ck_db_at(db, CK_DB_IDS, at - 1);
        if (!ck_cur_ok(&c))
            return ck_db_damaged("id table", s);
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
        return ck_db_read_carriers(db, &c, a, ret);
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
