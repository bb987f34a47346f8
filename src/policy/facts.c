/* X_put and X_get stand together. The reader repeats what the writer was promised: the store's file
 * may have been changed, or be of another version.
 */
#include "policy/facts.h"

#include "base/text.h"

enum { VERSION = 1 };
static const int64_t year_0 = -62167219200, year_9999 = 253402300799;

/* Fewest bytes that one of these takes, so that a count cannot promise more than there is. */
enum {
    MIN_STRING = 4,
    MIN_PAIR = 2 * MIN_STRING,
    MIN_FINDING = 4 * MIN_STRING + 4 + 1 + 1 + 8 + 1,
    MIN_DIGEST = 1 + 32,
};

/* The first complaint sticks, as in the cursor. */
struct reader {
    ck_cur c;
    struct ck_arena *a;
    const char *why;
    enum ck_limit limit; /* that the complaint is about */
};

static void complain(struct reader *r, const char *why)
{
    if (!r->why && !r->limit)
        r->why = why;
    r->c.bad = true;
}

static void complain_limit(struct reader *r, enum ck_limit limit)
{
    if (!r->why && !r->limit)
        r->limit = limit;
    r->c.bad = true;
}

static size_t get_count(struct reader *r, enum ck_limit limit, size_t least)
{
    uint32_t n = ck_cur_le32(&r->c);
    if (n > ck_limit_value(limit))
        complain_limit(r, limit);
    else if (n > ck_cur_left(&r->c) / least)
        complain(r, "a count promises more than there is");
    return ck_cur_ok(&r->c) ? n : 0;
}

static ck_view get_text(struct reader *r)
{
    uint32_t n = ck_cur_le32(&r->c);
    if (n > CK_MAX_STRING)
        complain_limit(r, CK_LIMIT_STRING);
    ck_view v = ck_cur_take(&r->c, n);
    if (!ck_utf8_valid(v) || ck_view_find(v, 0) < v.n)
        complain(r, "a text must be UTF-8 without NUL");
    return v;
}

static uint8_t get_word(struct reader *r, unsigned count, const char *why)
{
    uint8_t x = ck_cur_u8(&r->c);
    if (x >= count)
        complain(r, why);
    return ck_cur_ok(&r->c) ? x : 0;
}

static bool get_flag(struct reader *r) { return get_word(r, 2, "a flag must be 0 or 1") == 1; }

static int64_t get_time(struct reader *r)
{
    int64_t t = (int64_t)ck_cur_le64(&r->c);
    if (t < year_0 || t > year_9999)
        complain(r, "a time must lie in the years 0 to 9999");
    return ck_cur_ok(&r->c) ? t : 0;
}

/* --- lists ------------------------------------------------------------------------------------ */

static void put_texts(struct ck_buf *out, const ck_view *v, size_t n)
{
    ck_put_u32(out, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        ck_put_str(out, v[i]);
}

static void get_texts(struct reader *r, enum ck_limit limit, ck_view **ret, size_t *ret_n)
{
    *ret_n = get_count(r, limit, MIN_STRING);
    *ret = ck_arena_alloc(r->a, *ret_n, sizeof **ret);
    for (size_t i = 0; i < *ret_n && ck_cur_ok(&r->c); i++)
        (*ret)[i] = get_text(r);
}

static void put_pairs(struct ck_buf *out, const struct ck_fact_pair *v, size_t n)
{
    ck_put_u32(out, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        ck_put_str(out, v[i].key);
        ck_put_str(out, v[i].value);
    }
}

static void get_pairs(struct reader *r, enum ck_limit limit, struct ck_fact_pair **ret,
                      size_t *ret_n)
{
    *ret_n = get_count(r, limit, MIN_PAIR);
    *ret = ck_arena_alloc(r->a, *ret_n, sizeof **ret);
    for (size_t i = 0; i < *ret_n && ck_cur_ok(&r->c); i++) {
        (*ret)[i].key = get_text(r);
        (*ret)[i].value = get_text(r);
    }
}

static void put_finding(struct ck_buf *out, const struct ck_fact_finding *f)
{
    ck_put_str(out, f->id);
    put_texts(out, f->aliases, f->n_aliases);
    ck_put_str(out, f->package);
    ck_put_str(out, f->version);
    ck_put_u8(out, (uint8_t)f->severity);
    ck_put_u8(out, (uint8_t)f->fix_state);
    ck_put_str(out, f->fix_version);
    ck_put_u64(out, (uint64_t)f->fixed_since);
    ck_put_u8(out, f->kev);
}

static struct ck_fact_finding get_finding(struct reader *r)
{
    struct ck_fact_finding f = { .id = get_text(r) };
    get_texts(r, CK_LIMIT_FACT_ALIASES, &f.aliases, &f.n_aliases);
    f.package = get_text(r);
    f.version = get_text(r);
    f.severity = get_word(r, CK_SEVERITY_COUNT_, "there is no such severity");
    f.fix_state = get_word(r, CK_FIX_STATE_COUNT_, "there is no such state of a fix");
    f.fix_version = get_text(r);
    f.fixed_since = get_time(r);
    f.kev = get_flag(r);
    if (f.fix_state != CK_FIX_FIXED && (f.fix_version.n || f.fixed_since))
        complain(r, "only what is fixed has a version that fixes it");
    return f;
}

static void put_findings(struct ck_buf *out, const struct ck_facts *f)
{
    ck_put_u32(out, (uint32_t)f->n_findings);
    for (size_t i = 0; i < f->n_findings; i++)
        put_finding(out, &f->findings[i]);
}

static void get_findings(struct reader *r, struct ck_facts *f)
{
    f->n_findings = get_count(r, CK_LIMIT_FACT_FINDINGS, MIN_FINDING);
    f->findings = ck_arena_alloc(r->a, f->n_findings, sizeof *f->findings);
    for (size_t i = 0; i < f->n_findings && ck_cur_ok(&r->c); i++)
        f->findings[i] = get_finding(r);
}

static void put_chain(struct ck_buf *out, const struct ck_facts *f)
{
    ck_put_u32(out, (uint32_t)f->n_chain);
    for (size_t i = 0; i < f->n_chain; i++) {
        ck_put_u8(out, (uint8_t)f->chain[i].alg);
        ck_put_bytes(out, ck_view_of(f->chain[i].bytes, ck_digest_size(f->chain[i].alg)));
    }
}

static struct ck_digest get_digest(struct reader *r)
{
    struct ck_digest d = { .alg = get_word(r, CK_DIGEST_ALGORITHM_COUNT_,
                                           "a digest must be sha256 or sha512") };
    ck_view bytes = ck_cur_take(&r->c, ck_digest_size(d.alg));
    if (bytes.n)
        memcpy(d.bytes, bytes.p, bytes.n);
    return d;
}

static void get_chain(struct reader *r, struct ck_facts *f)
{
    f->n_chain = get_count(r, CK_LIMIT_LAYERS, MIN_DIGEST);
    f->chain = ck_arena_alloc(r->a, f->n_chain, sizeof *f->chain);
    for (size_t i = 0; i < f->n_chain && ck_cur_ok(&r->c); i++)
        f->chain[i] = get_digest(r);
}

/* --- the whole -------------------------------------------------------------------------------- */

static void put_config(struct ck_buf *out, const struct ck_facts *f)
{
    ck_put_str(out, f->user);
    put_pairs(out, f->labels, f->n_labels);
    put_texts(out, f->volumes, f->n_volumes);
    put_texts(out, f->ports, f->n_ports);
    put_pairs(out, f->secrets, f->n_secrets);
}

static void get_config(struct reader *r, struct ck_facts *f)
{
    f->user = get_text(r);
    get_pairs(r, CK_LIMIT_FACT_PAIRS, &f->labels, &f->n_labels);
    get_texts(r, CK_LIMIT_FACT_PAIRS, &f->volumes, &f->n_volumes);
    get_texts(r, CK_LIMIT_FACT_PAIRS, &f->ports, &f->n_ports);
    get_pairs(r, CK_LIMIT_FACT_PAIRS, &f->secrets, &f->n_secrets);
}

void ck_facts_encode(const struct ck_facts *f, struct ck_buf *out)
{
    ck_put_u8(out, VERSION);
    ck_put_str(out, f->platform);
    ck_put_u64(out, (uint64_t)f->created);
    ck_put_u64(out, (uint64_t)f->scanned);
    ck_put_u64(out, (uint64_t)f->database_built);
    ck_put_str(out, f->distro);
    ck_put_u8(out, f->distro_known);
    ck_put_u64(out, (uint64_t)f->end_of_life);
    ck_put_u8(out, f->complete);
    put_pairs(out, f->gaps, f->n_gaps);
    put_findings(out, f);
    put_config(out, f);
    put_chain(out, f);
    ck_put_u8(out, f->has_fail_on ? (uint8_t)(1 + f->fail_on) : 0);
    ck_put_u64(out, f->size);
}

static ck_err *finish(struct reader *r)
{
    if (ck_cur_ok(&r->c) && !ck_cur_end(&r->c))
        complain(r, "bytes follow");
    if (ck_cur_ok(&r->c))
        return NULL;
    if (r->limit)
        return ck_err_limit(r->limit, "facts of an image: more of them");
    return ck_err_new(CK_ERR_HOSTILE, "facts of an image: %s", r->why ? r->why : "are cut short");
}

ck_err *ck_facts_decode(ck_view bytes, struct ck_arena *a, struct ck_facts *ret)
{
    struct reader r = { .c = ck_cur_of(bytes), .a = a };
    struct ck_facts f = { 0 };
    if (bytes.n > CK_MAX_FACTS_OF_IMAGE)
        return ck_err_limit(CK_LIMIT_FACTS_OF_IMAGE, "facts of an image: %zu", bytes.n);
    if (ck_cur_u8(&r.c) != VERSION)
        complain(&r, "are of another version");
    f.platform = get_text(&r);
    f.created = get_time(&r);
    f.scanned = get_time(&r);
    f.database_built = get_time(&r);
    f.distro = get_text(&r);
    f.distro_known = get_flag(&r);
    f.end_of_life = get_time(&r);
    f.complete = get_flag(&r);
    get_pairs(&r, CK_LIMIT_FACT_GAPS, &f.gaps, &f.n_gaps);
    get_findings(&r, &f);
    get_config(&r, &f);
    get_chain(&r, &f);
    uint8_t fail_on = get_word(&r, 1 + CK_SEVERITY_COUNT_, "there is no such severity");
    f.has_fail_on = fail_on > 0;
    f.fail_on = fail_on ? (enum ck_severity)(fail_on - 1) : CK_SEVERITY_UNKNOWN;
    f.size = ck_cur_le64(&r.c);
    CK_TRY(finish(&r));
    *ret = f;
    return NULL;
}
