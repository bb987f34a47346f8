/* A sink for tests: counts what it gets, and writes it down in lines that a test compares. */
#ifndef CK_ADVISORY_FEED_TEST_SINK_H
#define CK_ADVISORY_FEED_TEST_SINK_H

#include "advisory/record.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

struct seen {
    bool keep; /* write down */
    struct ck_buf text;
    size_t records, affected, ranges, versions, aliases, fixes, withdrawn, kev, cvss, modular;
    size_t by_severity[CK_SEVERITY_COUNT_], by_state[CK_FIX_STATE_COUNT_], by_end[CK_END_COUNT_];
    int64_t modified; /* sum */
};

static inline void seen_list(struct ck_buf *b, const char *what, const ck_view *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ck_buf_format(b, "%s%.*s", i ? "," : what, CK_VF(v[i]));
}

static inline void seen_affected(struct ck_buf *b, const struct ck_affected *af)
{
    static const char *const kinds[] = { "source", "binary" };
    static const char *const states[] = { "fixed", "none", "wont", "postponed", "no-dsa",
                                          "end-of-life", "undetermined", "not-affected" };
    ck_buf_format(b, "  %.*s %.*s %s %s", CK_VF(af->ecosystem), CK_VF(af->name), kinds[af->kind],
                  states[af->state]);
    if (af->module.n)
        ck_buf_format(b, " module=%.*s", CK_VF(af->module));
    if (af->severity)
        ck_buf_format(b, " severity=%d", af->severity);
    if (af->unimportant)
        ck_buf_format(b, " unimportant");
    if (af->note.n)
        ck_buf_format(b, " note=(%.*s)", CK_VF(af->note));
    for (size_t i = 0; i < af->n_ranges; i++) {
        const struct ck_range *r = &af->ranges[i];
        ck_buf_format(b, " [%.*s,%.*s%s", CK_VF(r->introduced), CK_VF(r->upper),
                      r->end == CK_END_LAST_AFFECTED ? "]" : ")");
    }
    seen_list(b, " versions=", af->versions, af->n_versions);
    ck_buf_format(b, "\n");
}

static inline void seen_write(struct ck_buf *b, const struct ck_advisory *adv)
{
    ck_buf_format(b, "%.*s", CK_VF(adv->id));
    if (adv->severity_text.n)
        ck_buf_format(b, " word=%.*s/%d", CK_VF(adv->severity_text), adv->severity);
    seen_list(b, " aliases=", adv->aliases, adv->n_aliases);
    seen_list(b, " fixes=", adv->fixes, adv->n_fixes);
    seen_list(b, " cvss=", adv->cvss, adv->n_cvss);
    if (adv->published)
        ck_buf_format(b, " published=%lld", (long long)adv->published);
    if (adv->modified)
        ck_buf_format(b, " modified=%lld", (long long)adv->modified);
    ck_buf_format(b, "%s%s", adv->withdrawn ? " withdrawn" : "", adv->kev ? " kev" : "");
    if (adv->url.n)
        ck_buf_format(b, " url=%.*s", CK_VF(adv->url));
    if (adv->summary.n)
        ck_buf_format(b, " \"%.*s\"", CK_VF(adv->summary));
    ck_buf_format(b, "\n");
    for (size_t i = 0; i < adv->n_affected; i++)
        seen_affected(b, &adv->affected[i]);
}

static inline ck_err *seen_put(void *ctx, const struct ck_advisory *adv)
{
    struct seen *s = ctx;
    s->records++;
    s->affected += adv->n_affected;
    s->aliases += adv->n_aliases;
    s->fixes += adv->n_fixes;
    s->withdrawn += adv->withdrawn;
    s->kev += adv->kev;
    s->cvss += adv->n_cvss;
    s->by_severity[adv->severity]++;
    s->modified += adv->modified;
    for (size_t i = 0; i < adv->n_affected; i++) {
        const struct ck_affected *af = &adv->affected[i];
        s->ranges += af->n_ranges;
        s->versions += af->n_versions;
        s->modular += af->module.n > 0;
        s->by_state[af->state]++;
        for (size_t k = 0; k < af->n_ranges; k++)
            s->by_end[af->ranges[k].end]++;
    }
    if (s->keep)
        seen_write(&s->text, adv);
    return NULL;
}

/* Runs one feed parser over a text and returns what came out; free() it. An error becomes its
 * text. */
static inline char *seen_run(ck_err *(*feed)(ck_view, const struct ck_advisory_sink *), ck_view in)
{
    struct seen s = { .keep = true, .text = ck_buf_new(CK_LIMIT_NONE) };
    struct ck_advisory_sink sink = { seen_put, &s };
    ck_err *e = feed(in, &sink);
    if (e)
        ck_buf_format(&s.text, "error: %s\n", ck_err_text(e));
    ck_err_free(e);
    return ck_buf_steal_str(&s.text);
}

#define assert_feed(feed, in, want)                     \
    do {                                                \
        char *got_ = seen_run(feed, in);                \
        assert_string_equal(got_, want);                \
        free(got_);                                     \
    } while (0)

#endif
