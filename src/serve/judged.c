#include "serve/judged.h"

#include "base/mem.h"
#include "base/text.h"
#include "image/json.h"

#include <stdlib.h>

static const char *const decisions[CK_JUDGEMENT_COUNT_] = { "allow", "quarantine", "deny" };

const char *ck_judgement_name(enum ck_judgement j)
{
    return (unsigned)j < CK_JUDGEMENT_COUNT_ ? decisions[j] : "?";
}

static ck_err *get_lines(const struct ck_json *entry, const char *key, struct ck_arena *a,
                         ck_view **ret, size_t *ret_n)
{
    struct ck_json list = ck_json_member(entry, key);
    size_t n = 0;
    CK_TRY(ck_json_array(&list, CK_LIMIT_ADMISSION_ENTRIES, &n));
    ck_view *v = ck_arena_alloc(a, n + 1, sizeof *v);
    for (size_t i = 0; i < n; i++) {
        struct ck_json one = ck_json_at(&list, i);
        CK_TRY(ck_json_string(&one, CK_LIMIT_STRING, a, &v[i]));
    }
    *ret = v;
    *ret_n = n;
    return NULL;
}

static ck_err *get_decision(const struct ck_json *entry, struct ck_arena *a,
                            enum ck_judgement *ret)
{
    struct ck_json decision = ck_json_member(entry, "decision");
    ck_view text;
    CK_TRY(ck_json_string(&decision, CK_LIMIT_FIELD, a, &text));
    for (unsigned i = 0; i < CK_JUDGEMENT_COUNT_; i++) {
        if (ck_view_eq(text, ck_view_str(decisions[i]))) {
            *ret = (enum ck_judgement)i;
            return NULL;
        }
    }
    return ck_json_refuse(&decision, CK_ERR_OURS, "no decision");
}

static ck_err *get_one(const struct ck_json *entry, ck_view word, struct ck_arena *a,
                       struct ck_judged *ret)
{
    struct ck_json image = ck_json_member(entry, "image");
    struct ck_json digest = ck_json_member(entry, "digest");
    CK_TRY(ck_json_string(&image, CK_LIMIT_STRING, a, &ret->image));
    if (!ck_view_eq(ret->image, word))
        return ck_json_refuse(&image, CK_ERR_OURS, "not the image that was asked about");
    CK_TRY(get_decision(entry, a, &ret->decision));
    CK_TRY(ck_json_string_opt(&digest, CK_LIMIT_FIELD, a, &ret->digest));
    CK_TRY(get_lines(entry, "reasons", a, &ret->reasons, &ret->n_reasons));
    return get_lines(entry, "warnings", a, &ret->warnings, &ret->n_warnings);
}

static ck_err *parse(ck_view json, const ck_view *words, size_t n, struct ck_arena *a,
                     struct ck_judged *v)
{
    ck_autojson struct ck_json doc = { 0 };
    size_t have = 0;
    CK_TRY(ck_json_load(json, "the hub's verdicts", &doc));
    CK_TRY(ck_json_array(&doc, CK_LIMIT_ADMISSION_IMAGES, &have));
    if (have != n)
        return ck_json_refuse(&doc, CK_ERR_OURS, "%zu of %zu images", have, n);
    for (size_t i = 0; i < n; i++) {
        struct ck_json entry = ck_json_at(&doc, i);
        CK_TRY(get_one(&entry, words[i], a, &v[i]));
    }
    return NULL;
}

ck_err *ck_judged_parse(ck_view json, const ck_view *words, size_t n, struct ck_arena *a,
                        struct ck_judged **ret)
{
    struct ck_judged *v = ck_arena_alloc(a, n + 1, sizeof *v);
    ck_err *e = parse(json, words, n, a, v);
    if (e)
        return ck_err_reclass(e, CK_ERR_OURS);
    *ret = v;
    return NULL;
}

bool ck_judged_all_allow(const struct ck_judged *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (v[i].decision != CK_JUDGED_ALLOW)
            return false;
    }
    return true;
}

ck_view ck_judged_short(ck_view text, size_t max, struct ck_arena *a)
{
    ck_autofree char *shown = ck_escape(text);
    ck_view all = ck_view_str(shown);
    if (all.n <= max)
        return ck_arena_dup(a, all);
    size_t end = max > 3 ? max - 3 : 0;
    while (end && (all.p[end] & 0xC0) == 0x80)
        end--;
    return ck_view_str(ck_arena_format(a, "%.*s...", (int)end, shown));
}

/* Appends `part` behind a separator unless that makes the line too long for a count behind it. */
enum { ROOM_FOR_COUNT = 24 };
static bool put_part(struct ck_buf *b, ck_view part, const char *separator, size_t max)
{
    size_t gap = b->n ? strlen(separator) : 0;
    if (b->n + gap + part.n + ROOM_FOR_COUNT > max)
        return false;
    if (gap)
        ck_put_bytes(b, ck_view_str(separator));
    ck_put_bytes(b, part);
    return true;
}

static ck_view line_of(const struct ck_judged *j, size_t max, struct ck_arena *a)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    size_t shown = 0;
    ck_buf_format(&b, "%.*s: %s: ", CK_VF(ck_judged_short(j->image, max / 2, a)),
                  decisions[j->decision]);
    while (shown < j->n_reasons) {
        size_t left = max > b.n + ROOM_FOR_COUNT ? max - b.n - ROOM_FOR_COUNT : 0;
        ck_view text = ck_judged_short(j->reasons[shown], left > 400 ? 400 : left, a);
        if (left < 8 || !put_part(&b, text, shown ? "; " : "", max))
            break;
        shown++;
    }
    if (!j->n_reasons)
        ck_put_bytes(&b, CK_V("no reason given"));
    else if (shown < j->n_reasons)
        ck_buf_format(&b, "; and %zu more", j->n_reasons - shown);
    return ck_arena_dup(a, ck_buf_view(&b));
}

ck_view ck_judged_line(const struct ck_judged *v, size_t n, size_t max, struct ck_arena *a)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    size_t left_out = 0, bad = 0;
    for (size_t i = 0; i < n; i++)
        bad += v[i].decision != CK_JUDGED_ALLOW;
    size_t share = bad > 4 ? max / 4 : bad ? max / bad : max;
    for (size_t i = 0; i < n; i++) {
        if (v[i].decision != CK_JUDGED_ALLOW &&
            !put_part(&b, line_of(&v[i], share - ROOM_FOR_COUNT - 3, a), " | ", max))
            left_out++;
    }
    if (left_out)
        ck_buf_format(&b, " | and %zu more", left_out);
    return ck_arena_dup(a, ck_buf_view(&b));
}

ck_view ck_judged_summary(const struct ck_judged *v, size_t n, size_t max, struct ck_arena *a)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    size_t left_out = 0;
    for (size_t i = 0; i < n; i++) {
        ck_view image = ck_judged_short(v[i].image, CK_MAX_ADMISSION_IMAGE, a);
        const char *one = ck_arena_format(a, "%.*s %s%s%.*s", CK_VF(image),
                                          decisions[v[i].decision], v[i].digest.n ? " " : "",
                                          CK_VF(v[i].digest));
        if (!put_part(&b, ck_view_str(one), "; ", max))
            left_out++;
    }
    if (left_out)
        ck_buf_format(&b, "; and %zu more", left_out);
    return ck_arena_dup(a, ck_buf_view(&b));
}
