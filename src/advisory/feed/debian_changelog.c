#include "advisory/feed/debian_text.h"
#include "advisory/feed/feed.h"
#include "base/mem.h"

#include <stdlib.h>

struct reader {
    ck_err *(*put)(void *ctx, const struct ck_changelog_entry *e);
    void *ctx;
    struct ck_changelog_entry entry; /* source is empty before the first header */
    CK_VEC(ck_view) ids;
};

static bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }
static bool is_word(uint8_t c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static size_t digits(ck_view v)
{
    size_t n = 0;
    while (n < v.n && is_digit(v.p[n]))
        n++;
    return n;
}

/* The length of the id at the front of v, 0 if there is none: CVE-YYYY-N{4,19}, not followed by
 * a letter. */
static size_t id_length(ck_view v)
{
    ck_view year = ck_view_from(v, 4);
    if (digits(year) != 4 || year.n < 5 || year.p[4] != '-')
        return 0;
    ck_view number = ck_view_from(year, 5);
    size_t n = digits(number);
    if (n < 4 || n > 19 || (n < number.n && is_word(number.p[n])))
        return 0;
    return 4 + 5 + n;
}

static ck_err *find_ids(struct reader *r, ck_view line)
{
    ck_view rest = line;
    for (;;) {
        const uint8_t *hit = rest.n ? memmem(rest.p, rest.n, "CVE-", 4) : NULL;
        if (!hit)
            return NULL;
        size_t at = (size_t)(hit - rest.p);
        bool stands = at == 0 || !is_word(rest.p[at - 1]);
        rest = ck_view_from(rest, at);
        size_t n = id_length(rest);
        if (n && stands) {
            if (r->ids.n >= CK_MAX_CHANGELOG_IDS)
                return ck_err_limit(CK_LIMIT_CHANGELOG_IDS, "too many ids");
            *ck_push(&r->ids) = ck_view_head(rest, n);
        }
        /* What stands before the rest now is no letter: a "-", or an id that ended. */
        rest = ck_view_from(rest, n ? n : 4);
    }
}

static int by_bytes(const void *a, const void *b)
{
    return ck_view_cmp(*(const ck_view *)a, *(const ck_view *)b);
}

static ck_err *flush(struct reader *r)
{
    if (r->entry.source.n == 0)
        return NULL;
    if (r->ids.n)
        qsort(r->ids.v, r->ids.n, sizeof *r->ids.v, by_bytes);
    size_t n = 0;
    for (size_t i = 0; i < r->ids.n; i++)
        if (n == 0 || !ck_view_eq(r->ids.v[n - 1], r->ids.v[i]))
            r->ids.v[n++] = r->ids.v[i];
    r->entry.ids = r->ids.v;
    r->entry.n_ids = n;
    ck_err *e = r->put(r->ctx, &r->entry);
    r->entry = (struct ck_changelog_entry){ 0 };
    r->ids.n = 0;
    return e;
}

/* " -- Name <address>  Mon, 25 Sep 2023 23:12:53 +0200" */
static int64_t trailer_date(ck_view line)
{
    int64_t t = 0;
    ck_view rest = line;
    while (ck_view_find(rest, '>') < rest.n)
        (void)ck_view_split(rest, '>', &rest);
    return ck_parse_rfc2822(rest, &t) ? t : 0;
}

static ck_err *read_line(struct reader *r, ck_view line)
{
    struct ck_changelog_entry next = { 0 };
    if (ck_changelog_header(line, &next.source, &next.version)) {
        CK_TRY(flush(r));
        r->entry = next;
        return NULL;
    }
    if (ck_view_starts(line, CK_V(" -- "))) {
        r->entry.date = trailer_date(line);
        return NULL;
    }
    return r->entry.source.n ? find_ids(r, line) : NULL;
}

ck_err *ck_debian_changelog(ck_view text,
                            ck_err *(*put)(void *ctx, const struct ck_changelog_entry *e),
                            void *ctx)
{
    struct reader r = { .put = put, .ctx = ctx };
    if (text.n > CK_MAX_CHANGELOG)
        return ck_err_limit(CK_LIMIT_CHANGELOG, "changelog: %zu bytes", text.n);
    ck_err *e = NULL;
    for (ck_cur c = ck_cur_of(text); !e && !ck_cur_end(&c);)
        e = read_line(&r, ck_cur_line(&c));
    if (!e)
        e = flush(&r);
    free(r.ids.v);
    return e;
}
