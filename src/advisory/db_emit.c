/* The second half of building the advisory database: order, sections, file. */
#include "advisory/db_emit.h"

#include "base/mem.h"
#include "base/text.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct emit {
    struct ck_db_writer *w;
    struct ck_buf section[CK_DB_SECTION_COUNT_];
    struct ck_w_advisory **advisories; /* in the order of the file, without duplicates */
    size_t n_advisories;
    struct ck_w_statement *statements; /* the same */
    size_t n_statements;
    struct ck_db_key key;
    /* Offsets of package entries, in the order of the file. */
    struct {
        uint32_t *v;
        size_t n, cap;
    } packages;
    struct {
        uint64_t *v;
        size_t n, cap;
    } package_hashes;
    /* (advisory, package entry) for each statement. */
    struct {
        struct named {
            uint32_t advisory, package;
        } *v;
        size_t n, cap;
    } named;
    uint32_t *version_index; /* by string: its place in the version table of the package at hand */
    uint64_t n_ids;
};

static ck_view str(const struct emit *e, uint32_t i) { return e->w->strings.v[i].v; }

static void put_str_ref(struct emit *e, struct ck_buf *b, uint32_t i)
{
    ck_put_varint(b, e->w->strings.v[i].at);
}

/* --- Order ------------------------------------------------------------------------------------ */

static int compare_advisories(const void *pa, const void *pb, void *ctx)
{
    const struct ck_db_writer *w = ctx;
    const struct ck_w_advisory *a = *(struct ck_w_advisory *const *)pa;
    const struct ck_w_advisory *b = *(struct ck_w_advisory *const *)pb;
    if (a->feed != b->feed)
        return a->feed < b->feed ? -1 : 1;
    if (a->id != b->id)
        return w->ids.v[a->id].rank < w->ids.v[b->id].rank ? -1 : 1;
    return a->hash < b->hash ? -1 : a->hash > b->hash;
}

/* Ordinals by feed, id and content; a record that came twice counts once. */
static void order_advisories(struct emit *e)
{
    struct ck_db_writer *w = e->w;
    size_t n = w->advisories.n;
    e->advisories = ck_calloc(n, sizeof(struct ck_w_advisory *));
    for (size_t i = 0; i < n; i++)
        e->advisories[i] = &w->advisories.v[i];
    qsort_r(e->advisories, n, sizeof(struct ck_w_advisory *), compare_advisories, w);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        struct ck_w_advisory *a = e->advisories[i];
        const struct ck_w_advisory *last = kept ? e->advisories[kept - 1] : NULL;
        if (last && last->feed == a->feed && last->id == a->id && last->hash == a->hash) {
            a->duplicate = true;
            continue;
        }
        a->ordinal = (uint32_t)kept;
        e->advisories[kept++] = a;
    }
    e->n_advisories = kept;
}

static int compare_statements(const void *pa, const void *pb, void *ctx)
{
    const struct ck_pool *strings = ctx;
    const struct ck_w_statement *a = pa, *b = pb;
    if (a->ecosystem != b->ecosystem)
        return strings->v[a->ecosystem].rank < strings->v[b->ecosystem].rank ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->name != b->name)
        return strings->v[a->name].rank < strings->v[b->name].rank ? -1 : 1;
    if (a->advisory != b->advisory)
        return a->advisory < b->advisory ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static void order_statements(struct emit *e)
{
    struct ck_db_writer *w = e->w;
    e->statements = ck_calloc(w->statements.n, sizeof *e->statements);
    for (size_t i = 0; i < w->statements.n; i++) {
        const struct ck_w_statement *s = &w->statements.v[i];
        const struct ck_w_advisory *a = &w->advisories.v[s->advisory];
        if (a->duplicate)
            continue;
        e->statements[e->n_statements] = *s;
        e->statements[e->n_statements++].advisory = a->ordinal;
    }
    qsort_r(e->statements, e->n_statements, sizeof *e->statements, compare_statements,
            &w->strings);
}

/* --- Version tables --------------------------------------------------------------------------- */

/* Natural order: runs of digits by their value, so that what lies between two versions lies
 * together and lists become few runs. Nothing depends on it but size. */
static bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

static int natural_cmp(ck_view a, ck_view b)
{
    size_t i = 0, j = 0;
    while (i < a.n && j < b.n) {
        if (is_digit(a.p[i]) && is_digit(b.p[j])) {
            size_t si = i, sj = j;
            while (i < a.n && is_digit(a.p[i]))
                i++;
            while (j < b.n && is_digit(b.p[j]))
                j++;
            while (si < i && a.p[si] == '0')
                si++;
            while (sj < j && b.p[sj] == '0')
                sj++;
            if (i - si != j - sj)
                return i - si < j - sj ? -1 : 1;
            int c = memcmp(a.p + si, b.p + sj, i - si);
            if (c)
                return c;
        } else {
            if (a.p[i] != b.p[j])
                return a.p[i] < b.p[j] ? -1 : 1;
            i++;
            j++;
        }
    }
    if (i < a.n || j < b.n)
        return i < a.n ? 1 : -1;
    return ck_view_cmp(a, b);
}

static int compare_versions(const void *pa, const void *pb, void *ctx)
{
    const struct emit *e = ctx;
    return natural_cmp(str(e, *(const uint32_t *)pa), str(e, *(const uint32_t *)pb));
}

static int compare_u32(const void *pa, const void *pb)
{
    uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
    return a < b ? -1 : a > b;
}

static size_t unique_u32(uint32_t *v, size_t n)
{
    qsort(v, n, sizeof *v, compare_u32);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || v[kept - 1] != v[i])
            v[kept++] = v[i];
    return kept;
}

/* All versions that the statements list, each once, in natural order. */
static uint32_t *version_table(struct emit *e, const struct ck_w_statement *s, size_t n,
                               size_t *ret_n)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += s[i].n_versions;
    uint32_t *table = ck_calloc(total, sizeof *table);
    size_t at = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < s[i].n_versions; j++)
            table[at++] = s[i].versions[j];
    total = unique_u32(table, total);
    qsort_r(table, total, sizeof *table, compare_versions, e);
    for (size_t i = 0; i < total; i++)
        e->version_index[table[i]] = (uint32_t)i;
    *ret_n = total;
    return table;
}

static void put_version_table(struct emit *e, struct ck_buf *b, const uint32_t *table, size_t n)
{
    ck_view last = CK_V("");
    ck_put_varint(b, n);
    for (size_t i = 0; i < n; i++) {
        ck_view v = str(e, table[i]);
        size_t same = 0;
        while (same < v.n && same < last.n && v.p[same] == last.p[same])
            same++;
        ck_put_varint(b, same);
        ck_put_vstr(b, ck_view_from(v, same));
        last = v;
    }
}

/* The places of a statement's versions in the table, as runs: gap before, length. */
static void put_runs(struct emit *e, struct ck_buf *b, struct ck_w_statement *s)
{
    for (size_t i = 0; i < s->n_versions; i++)
        s->versions[i] = e->version_index[s->versions[i]];
    size_t n = unique_u32(s->versions, s->n_versions), runs = 0;
    for (size_t i = 0; i < n; i++)
        runs += i == 0 || s->versions[i] != s->versions[i - 1] + 1;
    ck_put_varint(b, runs);
    uint32_t next = 0;
    for (size_t i = 0; i < n;) {
        size_t end = i + 1;
        while (end < n && s->versions[end] == s->versions[end - 1] + 1)
            end++;
        ck_put_varint(b, s->versions[i] - next);
        ck_put_varint(b, end - i - 1);
        next = s->versions[end - 1] + 1;
        i = end;
    }
}

/* --- Packages --------------------------------------------------------------------------------- */

static enum ck_db_shape shape_of(const struct ck_w_range *r)
{
    static const enum ck_db_shape shapes[2][CK_END_COUNT_] = {
        { [CK_END_FIXED] = CK_DB_SHAPE_FIXED, [CK_END_OPEN] = CK_DB_SHAPE_OPEN,
          [CK_END_LAST_AFFECTED] = CK_DB_SHAPE_LAST },
        { [CK_END_FIXED] = CK_DB_SHAPE_FROM_FIXED, [CK_END_OPEN] = CK_DB_SHAPE_FROM_OPEN,
          [CK_END_LAST_AFFECTED] = CK_DB_SHAPE_FROM_LAST },
    };
    return shapes[r->introduced != 0][r->end];
}

static void put_range(struct emit *e, struct ck_buf *b, const struct ck_w_range *r)
{
    if (r->introduced)
        put_str_ref(e, b, r->introduced);
    if (r->end != CK_END_OPEN)
        put_str_ref(e, b, r->upper);
}

static void put_ranges(struct emit *e, struct ck_buf *b, const struct ck_w_statement *s)
{
    if (s->n_ranges == 1)
        put_range(e, b, &s->ranges[0]);
    if (s->n_ranges < 2)
        return;
    ck_put_varint(b, s->n_ranges);
    for (size_t i = 0; i < s->n_ranges; i++) {
        ck_put_u8(b, (uint8_t)shape_of(&s->ranges[i]));
        put_range(e, b, &s->ranges[i]);
    }
}

static void put_statement(struct emit *e, struct ck_buf *b, struct ck_w_statement *s, uint32_t last)
{
    enum ck_db_shape shape = s->n_ranges == 0   ? CK_DB_SHAPE_NONE
                             : s->n_ranges == 1 ? shape_of(&s->ranges[0])
                                                : CK_DB_SHAPE_LIST;
    unsigned extra = s->severity | (s->unimportant ? CK_DB_EXTRA_UNIMPORTANT : 0) |
                     (s->module ? CK_DB_EXTRA_MODULE : 0) | (s->note ? CK_DB_EXTRA_NOTE : 0);
    ck_put_varint(b, s->advisory - last);
    ck_put_u8(b, (uint8_t)(s->state | (unsigned)shape << CK_DB_HEAD_SHAPE |
                           (s->n_versions ? CK_DB_HEAD_VERSIONS : 0) |
                           (extra ? CK_DB_HEAD_EXTRA : 0)));
    if (extra)
        ck_put_u8(b, (uint8_t)extra);
    if (s->module)
        put_str_ref(e, b, s->module);
    if (s->note)
        ck_put_varint(b, e->w->texts.v[s->note].at);
    put_ranges(e, b, s);
    if (s->n_versions)
        put_runs(e, b, s);
}

static void put_package(struct emit *e, struct ck_w_statement *s, size_t n)
{
    struct ck_buf *out = &e->section[CK_DB_PACKAGES], *body = &e->w->scratch;
    uint32_t at = (uint32_t)out->n;
    size_t n_versions;
    ck_autofree uint32_t *table = version_table(e, s, n, &n_versions);
    ck_buf_clear(body);
    uint32_t last = 0;
    for (size_t i = 0; i < n; i++) {
        put_statement(e, body, &s[i], last);
        last = s[i].advisory;
        *ck_push(&e->named) = (struct named){ s[i].advisory, at };
    }
    ck_view ecosystem = str(e, s->ecosystem), name = str(e, s->name);
    put_str_ref(e, out, s->ecosystem);
    ck_put_u8(out, s->kind);
    ck_put_vstr(out, name);
    ck_put_varint(out, n);
    ck_put_vstr(out, ck_buf_view(body));
    put_version_table(e, out, table, n_versions);
    *ck_push(&e->packages) = at;
    *ck_push(&e->package_hashes) =
        ck_db_package_hash(&e->key, ecosystem, (enum ck_name_kind)s->kind, name);
}

static bool same_package(const struct ck_w_statement *a, const struct ck_w_statement *b)
{
    return a->ecosystem == b->ecosystem && a->kind == b->kind && a->name == b->name;
}

static void put_packages(struct emit *e)
{
    e->version_index = ck_calloc(e->w->strings.n, sizeof *e->version_index);
    for (size_t i = 0; i < e->n_statements;) {
        size_t end = i + 1;
        while (end < e->n_statements && same_package(&e->statements[i], &e->statements[end]))
            end++;
        put_package(e, &e->statements[i], end - i);
        i = end;
    }
}

/* An open-addressed table; an empty slot is 0, others are an offset and 1. */
static void put_index(struct ck_buf *out, const uint64_t *hashes, const uint32_t *offsets,
                      size_t n, size_t slots)
{
    ck_autofree uint32_t *table = ck_calloc(slots, sizeof *table);
    for (size_t i = 0; i < n; i++) {
        size_t s = ck_db_slot(hashes[i], slots);
        while (table[s])
            s = s + 1 == slots ? 0 : s + 1;
        table[s] = offsets[i] + 1;
    }
    for (size_t i = 0; i < slots; i++)
        ck_put_u32(out, table[i]);
}

/* How many statements each feed makes about each ecosystem. */
static void put_ecosystems(struct emit *e)
{
    struct ck_buf *out = &e->section[CK_DB_ECOSYSTEMS];
    size_t feeds = e->w->feeds.n;
    ck_autofree uint64_t *count = ck_calloc(feeds, sizeof *count);
    for (size_t i = 0; i < e->n_statements; i++) {
        const struct ck_w_statement *s = &e->statements[i];
        count[e->advisories[s->advisory]->feed]++;
        if (i + 1 < e->n_statements && s[1].ecosystem == s->ecosystem)
            continue;
        ck_put_vstr(out, str(e, s->ecosystem));
        for (size_t f = 0; f < feeds; f++) {
            ck_put_varint(out, count[f]);
            count[f] = 0;
        }
    }
}

/* --- Ids and advisories ----------------------------------------------------------------------- */

struct carried {
    uint32_t id, advisory; /* the id's rank */
};

static int compare_pairs(const void *pa, const void *pb)
{
    const uint32_t *a = pa, *b = pb;
    if (a[0] != b[0])
        return a[0] < b[0] ? -1 : 1;
    return a[1] < b[1] ? -1 : a[1] > b[1];
}

/* Every pair of an id and an advisory that carries it, in order. */
static struct carried *carried_ids(struct emit *e, size_t *ret_n)
{
    const struct ck_pool_string *ids = e->w->ids.v;
    size_t n = 0;
    for (size_t i = 0; i < e->n_advisories; i++)
        n += 1 + e->advisories[i]->n_aliases + e->advisories[i]->n_fixes;
    struct carried *v = ck_calloc(n, sizeof *v);
    n = 0;
    for (size_t i = 0; i < e->n_advisories; i++) {
        const struct ck_w_advisory *a = e->advisories[i];
        v[n++] = (struct carried){ ids[a->id].rank, (uint32_t)i };
        for (size_t j = 0; j < a->n_aliases; j++)
            v[n++] = (struct carried){ ids[a->aliases[j]].rank, (uint32_t)i };
        for (size_t j = 0; j < a->n_fixes; j++)
            v[n++] = (struct carried){ ids[a->fixes[j]].rank, (uint32_t)i };
    }
    qsort(v, n, sizeof *v, compare_pairs);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || compare_pairs(&v[kept - 1], &v[i]))
            v[kept++] = v[i];
    *ret_n = kept;
    return v;
}

/* The entries of all ids, in the order of `order`. */
static void put_ids(struct emit *e, const uint32_t *order)
{
    struct ck_pool *ids = &e->w->ids;
    struct ck_buf *out = &e->section[CK_DB_IDS];
    size_t n_carried, c = 0, n = 0;
    ck_autofree struct carried *carried = carried_ids(e, &n_carried);
    ck_autofree uint8_t *kev = ck_calloc(ids->n, 1);
    for (size_t i = 0; i < e->w->kev.n; i++)
        kev[e->w->kev.v[i]] = 1;
    ck_autofree uint64_t *hashes = ck_calloc(ids->n, sizeof *hashes);
    ck_autofree uint32_t *offsets = ck_calloc(ids->n, sizeof *offsets);
    for (uint32_t rank = 0; rank < ids->n; rank++) {
        struct ck_pool_string *id = &ids->v[order[rank]];
        size_t end = c;
        while (end < n_carried && carried[end].id == rank)
            end++;
        if (end == c && !kev[order[rank]])
            continue;
        id->at = (uint32_t)out->n;
        hashes[n] = ck_db_hash(&e->key, id->v);
        offsets[n++] = id->at;
        ck_put_id(out, id->v);
        ck_put_varint(out, (uint64_t)(end - c) << 1 | kev[order[rank]]);
        for (uint32_t last = 0; c < end; last = carried[c++].advisory)
            ck_put_varint(out, carried[c].advisory - last);
    }
    e->n_ids = n;
    put_index(&e->section[CK_DB_ID_INDEX], hashes, offsets, n, n + n / 3 + 1);
}

static void put_id_refs(struct emit *e, struct ck_buf *b, const uint32_t *v, size_t n)
{
    if (n == 0)
        return;
    ck_put_varint(b, n);
    for (size_t i = 0; i < n; i++)
        ck_put_varint(b, e->w->ids.v[v[i]].at);
}

static void put_advisory(struct emit *e, struct ck_buf *b, const struct ck_w_advisory *a)
{
    const struct ck_pool_string *texts = e->w->texts.v;
    unsigned flags = a->severity | (a->withdrawn ? CK_DB_ADV_WITHDRAWN : 0) |
                     (a->n_aliases ? CK_DB_ADV_ALIASES : 0) | (a->n_fixes ? CK_DB_ADV_FIXES : 0) |
                     (a->n_cvss ? CK_DB_ADV_CVSS : 0) | (a->word ? CK_DB_ADV_WORD : 0) |
                     (a->url ? CK_DB_ADV_URL : 0) | (a->summary ? CK_DB_ADV_SUMMARY : 0) |
                     (a->published || a->modified ? CK_DB_ADV_DATES : 0) |
                     (a->url_id ? CK_DB_ADV_URL_ID : 0);
    ck_put_u16(b, (uint16_t)flags);
    ck_put_varint(b, e->w->ids.v[a->id].at);
    put_id_refs(e, b, a->aliases, a->n_aliases);
    put_id_refs(e, b, a->fixes, a->n_fixes);
    if (a->n_cvss)
        ck_put_varint(b, a->n_cvss);
    for (size_t i = 0; i < a->n_cvss; i++)
        put_str_ref(e, b, a->cvss[i]);
    if (a->word)
        put_str_ref(e, b, a->word);
    if (a->url)
        ck_put_varint(b, texts[a->url].at);
    if (a->summary)
        ck_put_varint(b, texts[a->summary].at);
    if (flags & CK_DB_ADV_DATES) {
        ck_put_svarint(b, a->published);
        ck_put_svarint(b, (int64_t)((uint64_t)a->modified - (uint64_t)a->published));
    }
}

/* Each advisory, and behind it the packages that it names. */
static void put_advisories(struct emit *e)
{
    struct ck_buf *out = &e->section[CK_DB_ADVISORIES];
    if (e->named.n)
        qsort(e->named.v, e->named.n, sizeof *e->named.v, compare_pairs);
    size_t at = 0;
    for (size_t i = 0; i < e->n_advisories; i++) {
        size_t begin = at, n = 0;
        for (; at < e->named.n && e->named.v[at].advisory == i; at++)
            n += at == begin || e->named.v[at].package != e->named.v[at - 1].package;
        ck_put_u32(&e->section[CK_DB_ADV_INDEX], (uint32_t)out->n);
        put_advisory(e, out, e->advisories[i]);
        ck_put_varint(out, n);
        uint32_t last = 0;
        for (size_t j = begin; j < at; j++) {
            uint32_t package = e->named.v[j].package;
            if (j > begin && package == last)
                continue;
            ck_put_varint(out, package - last);
            last = package;
        }
    }
}

static void put_feeds(struct emit *e)
{
    struct ck_buf *out = &e->section[CK_DB_FEEDS];
    ck_put_varint(out, e->w->feeds.n);
    size_t first = 0;
    for (size_t i = 0; i < e->w->feeds.n; i++) {
        const struct ck_db_feed *f = &e->w->feeds.v[i];
        ck_put_vstr(out, f->kind);
        ck_put_vstr(out, f->source);
        ck_put_vstr(out, f->detail);
        ck_put_svarint(out, f->time);
        ck_put_vstr(out, f->digest);
        ck_put_varint(out, f->records);
        ck_put_vstr(out, f->failure);
        while (first < e->n_advisories && e->advisories[first]->feed < i)
            first++;
        ck_put_varint(out, first);
    }
}

/* --- File ------------------------------------------------------------------------------------- */

static void sha256(uint8_t out[32], const struct ck_buf *parts, size_t n)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    if (!md || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
        abort();
    for (size_t i = 0; i < n; i++)
        if (parts[i].n && EVP_DigestUpdate(md, parts[i].p, parts[i].n) != 1)
            abort();
    if (EVP_DigestFinal_ex(md, out, NULL) != 1)
        abort();
    EVP_MD_CTX_free(md);
}

/* The key follows from the content: the same content gives the same file, and who writes one feed
 * does not know the others. */
static struct ck_db_key content_key(struct emit *e)
{
    ck_autobuf struct ck_buf ids = ck_buf_new(CK_LIMIT_NONE);
    for (size_t i = 0; i < e->n_advisories; i++)
        ck_put_u64(&ids, e->advisories[i]->hash);
    uint8_t digest[32];
    sha256(digest, &ids, 1);
    ck_cur c = ck_cur_of(ck_view_of(digest, sizeof digest));
    struct ck_db_key key = { ck_cur_le64(&c), ck_cur_le64(&c) };
    return key;
}

static ck_err *put_header(struct emit *e, struct ck_buf *head)
{
    ck_autobuf struct ck_buf tail = ck_buf_new(CK_LIMIT_NONE); /* the digested part */
    uint64_t at = CK_DB_HEADER, length = at;
    for (int i = 0; i < CK_DB_SECTION_COUNT_; i++)
        length += e->section[i].n;
    if (length > CK_MAX_DATABASE)
        return ck_err_limit(CK_LIMIT_DATABASE, "advisory database of %llu bytes",
                            (unsigned long long)length);
    ck_put_u64(&tail, (uint64_t)e->w->built);
    ck_put_u64(&tail, length);
    ck_put_u64(&tail, e->n_advisories);
    ck_put_u64(&tail, e->n_statements);
    ck_put_u64(&tail, e->packages.n);
    ck_put_u64(&tail, e->n_ids);
    ck_put_u64(&tail, e->key.k0);
    ck_put_u64(&tail, e->key.k1);
    for (int i = 0; i < CK_DB_SECTION_COUNT_; i++) {
        ck_put_u64(&tail, at);
        ck_put_u64(&tail, e->section[i].n);
        at += e->section[i].n;
    }
    struct ck_buf parts[1 + CK_DB_SECTION_COUNT_] = { tail };
    memcpy(parts + 1, e->section, sizeof e->section);
    uint8_t digest[32];
    sha256(digest, parts, 1 + CK_DB_SECTION_COUNT_);
    ck_put_bytes(head, CK_V(CK_DB_MAGIC));
    ck_put_u32(head, CK_DB_LAYOUT);
    ck_put_u32(head, CK_DB_SECTION_COUNT_);
    ck_put_bytes(head, ck_view_of(digest, sizeof digest));
    ck_put_bytes(head, ck_buf_view(&tail));
    return NULL;
}

static ck_err *write_all(int fd, const struct ck_buf *b, const char *path)
{
    for (size_t at = 0; at < b->n;) {
        ssize_t n = write(fd, b->p + at, b->n - at);
        if (n <= 0)
            return ck_err_errno(CK_ERR_OURS, "%s: write", path);
        at += (size_t)n;
    }
    return NULL;
}

static ck_err *write_sections(int fd, struct emit *e, const struct ck_buf *head, const char *path)
{
    CK_TRY(write_all(fd, head, path));
    for (int i = 0; i < CK_DB_SECTION_COUNT_; i++)
        CK_TRY(write_all(fd, &e->section[i], path));
    if (fchmod(fd, 0644) < 0 || fsync(fd) < 0)
        return ck_err_errno(CK_ERR_OURS, "%s: fsync", path);
    return NULL;
}

/* The directory too, so that the name survives a crash. */
static ck_err *sync_directory(const char *path)
{
    const char *slash = strrchr(path, '/');
    ck_autofree char *dir = slash ? ck_strndup(path, (size_t)(slash - path) + 1)
                                  : ck_strndup(".", 1);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int failed = fd < 0 || fsync(fd) < 0;
    ck_err *e = failed ? ck_err_errno(CK_ERR_OURS, "%s: fsync", dir) : NULL;
    if (fd >= 0)
        close(fd);
    return e;
}

static ck_err *write_file(struct emit *e, const char *path)
{
    ck_autobuf struct ck_buf head = ck_buf_new(CK_LIMIT_NONE);
    CK_TRY(put_header(e, &head));
    ck_autofree char *tmp = ck_format("%s.tmp", path);
    int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return ck_err_errno(CK_ERR_OURS, "%s", tmp);
    ck_err *err = write_sections(fd, e, &head, tmp);
    if (close(fd) < 0 && !err)
        err = ck_err_errno(CK_ERR_OURS, "%s: close", tmp);
    if (!err && rename(tmp, path) < 0)
        err = ck_err_errno(CK_ERR_OURS, "%s: rename", path);
    if (err) {
        unlink(tmp);
        return err;
    }
    return sync_directory(path);
}

static void emit_free(struct emit *e)
{
    for (int i = 0; i < CK_DB_SECTION_COUNT_; i++)
        ck_buf_free(&e->section[i]);
    free(e->advisories);
    free(e->statements);
    free(e->packages.v);
    free(e->package_hashes.v);
    free(e->named.v);
    free(e->version_index);
}

ck_err *ck_db_writer_finish(struct ck_db_writer *w, const char *path)
{
    struct emit e = { .w = w };
    ck_pool_write(&w->strings, &e.section[CK_DB_STRINGS]);
    ck_pool_write(&w->texts, &e.section[CK_DB_TEXTS]);
    ck_autofree uint32_t *id_order = ck_pool_rank(&w->ids, false);
    order_advisories(&e);
    order_statements(&e);
    e.key = content_key(&e);
    put_feeds(&e);
    put_packages(&e);
    put_index(&e.section[CK_DB_PKG_INDEX], e.package_hashes.v, e.packages.v, e.packages.n,
              2 * e.packages.n + 1);
    put_ecosystems(&e);
    put_ids(&e, id_order);
    put_advisories(&e);
    ck_err *err = write_file(&e, path);
    emit_free(&e);
    return err;
}
