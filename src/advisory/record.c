#include "advisory/record.h"

#include <strings.h>

enum { RECORD_FORMAT = 1 };

/* One bit for each truth of an advisory or of an affected entry. */
enum { BIT_WITHDRAWN = 1, BIT_KEV = 2, ADVISORY_BITS = 3 };
enum { BIT_UNIMPORTANT = 1, AFFECTED_BITS = 1 };

const char *ck_severity_name(enum ck_severity s)
{
    static const char *const names[CK_SEVERITY_COUNT_] = {
        [CK_SEVERITY_UNKNOWN] = "unknown", [CK_SEVERITY_NEGLIGIBLE] = "negligible",
        [CK_SEVERITY_LOW] = "low",         [CK_SEVERITY_MEDIUM] = "medium",
        [CK_SEVERITY_HIGH] = "high",       [CK_SEVERITY_CRITICAL] = "critical",
    };
    return s < CK_SEVERITY_COUNT_ ? names[s] : "unknown";
}

/* The vendors' words: Debian urgencies, Ubuntu priorities, Red Hat, SUSE and GitHub ratings. */
static const struct {
    const char *word;
    enum ck_severity severity;
} severity_words[] = {
    { "critical", CK_SEVERITY_CRITICAL },
    { "high", CK_SEVERITY_HIGH },
    { "important", CK_SEVERITY_HIGH },
    { "medium", CK_SEVERITY_MEDIUM },
    { "moderate", CK_SEVERITY_MEDIUM },
    { "low", CK_SEVERITY_LOW },
    { "minor", CK_SEVERITY_LOW },
    { "negligible", CK_SEVERITY_NEGLIGIBLE },
    { "unimportant", CK_SEVERITY_NEGLIGIBLE },
    { "none", CK_SEVERITY_NEGLIGIBLE },
};

enum ck_severity ck_severity_parse(ck_view word)
{
    word = ck_view_trim(word);
    /* Debian marks urgencies that are a guess: "low**". */
    while (word.n && word.p[word.n - 1] == '*')
        word.n--;
    for (size_t i = 0; word.n && i < sizeof severity_words / sizeof *severity_words; i++) {
        const char *w = severity_words[i].word;
        if (word.n == strlen(w) && strncasecmp((const char *)word.p, w, word.n) == 0)
            return severity_words[i].severity;
    }
    return CK_SEVERITY_UNKNOWN;
}

const char *ck_fix_state_name(enum ck_fix_state s)
{
    static const char *const names[CK_FIX_STATE_COUNT_] = {
        [CK_FIX_FIXED] = "fixed",
        [CK_FIX_NONE] = "open",
        [CK_FIX_WONT] = "ignored",
        [CK_FIX_POSTPONED] = "postponed",
        [CK_FIX_NO_DSA] = "no-dsa",
        [CK_FIX_END_OF_LIFE] = "end-of-life",
        [CK_FIX_UNDETERMINED] = "undetermined",
        [CK_FIX_NOT_AFFECTED] = "not-affected",
    };
    return s < CK_FIX_STATE_COUNT_ ? names[s] : "?";
}

/* --- Encoding ---------------------------------------------------------------------------------
 * The fields in the order of the structures; strings as ck_put_str writes them, arrays with a
 * 32-bit count in front. encode_x and decode_x stand side by side.
 */

static void encode_strings(struct ck_buf *b, const ck_view *v, size_t n)
{
    ck_put_u32(b, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        ck_put_str(b, v[i]);
}

static ck_view decode_string(ck_cur *c)
{
    return ck_cur_str(c, CK_MAX_STRING);
}

/* A count of elements that take at least `least` bytes each: never more than the rest can hold,
 * so that a lie costs no memory. */
static uint32_t decode_count(ck_cur *c, size_t least, uint64_t max)
{
    uint32_t n = ck_cur_le32(c);
    if (n > max || n > ck_cur_left(c) / least) {
        c->bad = true;
        return 0;
    }
    return n;
}

static ck_view *decode_strings(ck_cur *c, struct ck_arena *a, uint64_t max, size_t *ret_n)
{
    uint32_t n = decode_count(c, 4, max);
    ck_view *v = ck_arena_alloc(a, n, sizeof *v);
    for (uint32_t i = 0; i < n && ck_cur_ok(c); i++)
        v[i] = decode_string(c);
    *ret_n = ck_cur_ok(c) ? n : 0;
    return v;
}

/* An enumeration of one byte. */
static unsigned decode_enum(ck_cur *c, unsigned count)
{
    uint8_t x = ck_cur_u8(c);
    if (x >= count)
        c->bad = true;
    return c->bad ? 0 : x;
}

static void encode_ranges(struct ck_buf *b, const struct ck_affected *af)
{
    ck_put_u32(b, (uint32_t)af->n_ranges);
    for (size_t i = 0; i < af->n_ranges; i++) {
        ck_put_str(b, af->ranges[i].introduced);
        ck_put_u8(b, (uint8_t)af->ranges[i].end);
        ck_put_str(b, af->ranges[i].upper);
    }
}

static void decode_ranges(ck_cur *c, struct ck_arena *a, struct ck_affected *af)
{
    uint32_t n = decode_count(c, 9, CK_MAX_ADVISORY_RANGES);
    af->ranges = ck_arena_alloc(a, n, sizeof *af->ranges);
    for (uint32_t i = 0; i < n && ck_cur_ok(c); i++) {
        af->ranges[i].introduced = decode_string(c);
        af->ranges[i].end = (enum ck_range_end)decode_enum(c, CK_END_COUNT_);
        af->ranges[i].upper = decode_string(c);
    }
    af->n_ranges = n;
}

static void encode_affected(struct ck_buf *b, const struct ck_affected *af)
{
    ck_put_str(b, af->ecosystem);
    ck_put_str(b, af->name);
    ck_put_u8(b, (uint8_t)af->kind);
    ck_put_str(b, af->module);
    ck_put_u8(b, (uint8_t)af->state);
    ck_put_u8(b, (uint8_t)af->severity);
    ck_put_u8(b, af->unimportant ? BIT_UNIMPORTANT : 0);
    ck_put_str(b, af->note);
    encode_ranges(b, af);
    encode_strings(b, af->versions, af->n_versions);
}

static void decode_affected(ck_cur *c, struct ck_arena *a, struct ck_affected *af)
{
    af->ecosystem = decode_string(c);
    af->name = decode_string(c);
    af->kind = (enum ck_name_kind)decode_enum(c, CK_NAME_KIND_COUNT_);
    af->module = decode_string(c);
    af->state = (enum ck_fix_state)decode_enum(c, CK_FIX_STATE_COUNT_);
    af->severity = (enum ck_severity)decode_enum(c, CK_SEVERITY_COUNT_);
    af->unimportant = decode_enum(c, AFFECTED_BITS + 1) & BIT_UNIMPORTANT;
    af->note = decode_string(c);
    decode_ranges(c, a, af);
    af->versions = decode_strings(c, a, UINT32_MAX, &af->n_versions);
}

/* The least bytes that an affected entry takes: four empty strings, four enums, two counts. */
enum { AFFECTED_LEAST = 4 * 4 + 4 + 2 * 4 };

void ck_advisory_encode(const struct ck_advisory *adv, struct ck_buf *out)
{
    ck_put_u8(out, RECORD_FORMAT);
    ck_put_str(out, adv->id);
    ck_put_str(out, adv->url);
    ck_put_str(out, adv->summary);
    encode_strings(out, adv->aliases, adv->n_aliases);
    encode_strings(out, adv->fixes, adv->n_fixes);
    ck_put_u8(out, (uint8_t)adv->severity);
    ck_put_str(out, adv->severity_text);
    encode_strings(out, adv->cvss, adv->n_cvss);
    ck_put_u64(out, (uint64_t)adv->published);
    ck_put_u64(out, (uint64_t)adv->modified);
    ck_put_u8(out, (uint8_t)((adv->withdrawn ? BIT_WITHDRAWN : 0) | (adv->kev ? BIT_KEV : 0)));
    ck_put_u32(out, (uint32_t)adv->n_affected);
    for (size_t i = 0; i < adv->n_affected; i++)
        encode_affected(out, &adv->affected[i]);
}

static void decode_head(ck_cur *c, struct ck_arena *a, struct ck_advisory *adv)
{
    if (ck_cur_u8(c) != RECORD_FORMAT)
        c->bad = true;
    adv->id = decode_string(c);
    adv->url = decode_string(c);
    adv->summary = decode_string(c);
    adv->aliases = decode_strings(c, a, CK_MAX_ADVISORY_ALIASES, &adv->n_aliases);
    adv->fixes = decode_strings(c, a, CK_MAX_ADVISORY_ALIASES, &adv->n_fixes);
    adv->severity = (enum ck_severity)decode_enum(c, CK_SEVERITY_COUNT_);
    adv->severity_text = decode_string(c);
    adv->cvss = decode_strings(c, a, CK_MAX_ADVISORY_ALIASES, &adv->n_cvss);
    adv->published = (int64_t)ck_cur_le64(c);
    adv->modified = (int64_t)ck_cur_le64(c);
    unsigned bits = decode_enum(c, ADVISORY_BITS + 1);
    adv->withdrawn = bits & BIT_WITHDRAWN;
    adv->kev = bits & BIT_KEV;
}

ck_err *ck_advisory_decode(ck_view bytes, struct ck_arena *a, struct ck_advisory *ret)
{
    if (bytes.n > CK_MAX_FEED_RECORD)
        return ck_err_limit(CK_LIMIT_FEED_RECORD, "advisory record of %zu bytes", bytes.n);
    ck_cur c = ck_cur_of(bytes);
    struct ck_advisory adv = { 0 };
    decode_head(&c, a, &adv);
    uint32_t n = decode_count(&c, AFFECTED_LEAST, UINT32_MAX);
    adv.affected = ck_arena_alloc(a, n, sizeof *adv.affected);
    adv.n_affected = n;
    for (uint32_t i = 0; i < n && ck_cur_ok(&c); i++)
        decode_affected(&c, a, &adv.affected[i]);
    if (!ck_cur_ok(&c))
        return ck_err_at(CK_ERR_HOSTILE, c.at, "advisory record: a length, count or enumeration "
                         "is out of bounds");
    if (!ck_cur_end(&c))
        return ck_err_at(CK_ERR_HOSTILE, c.at, "advisory record: %zu bytes too many",
                         ck_cur_left(&c));
    if (adv.id.n == 0)
        return ck_err_new(CK_ERR_HOSTILE, "advisory record: it has no id");
    *ret = adv;
    return NULL;
}
