/* dpkg's status database: deb822(5) stanzas. The stanzas of status.d (distroless images) are those
 * of the packages' control files; they have no Status and are installed.
 */
#include "detect/detect.h"

#include "detect/say.h"

#include <stdio.h>

enum field { FIELD_PACKAGE, FIELD_STATUS, FIELD_VERSION, FIELD_ARCH, FIELD_SOURCE, FIELDS };

static const char *const field_names[FIELDS] = {
    [FIELD_PACKAGE] = "package", [FIELD_STATUS] = "status", [FIELD_VERSION] = "version",
    [FIELD_ARCH] = "architecture", [FIELD_SOURCE] = "source",
};

struct stanza {
    ck_view field[FIELDS];
    bool given[FIELDS];
    bool any;         /* at least one line belongs to it */
    size_t line;      /* of its first line */
    enum field last;  /* what a continuation line would continue; FIELDS: none of ours */
};

static uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c; }

/* `name` is in lower case. Field names do not distinguish case (deb822(5)). */
static bool is_name(ck_view v, const char *name)
{
    ck_view want = ck_view_str(name);
    if (v.n != want.n)
        return false;
    for (size_t i = 0; i < v.n; i++)
        if (lower(v.p[i]) != want.p[i])
            return false;
    return true;
}

static enum field field_of(ck_view name)
{
    for (int f = 0; f < FIELDS; f++)
        if (is_name(name, field_names[f]))
            return (enum field)f;
    return FIELDS;
}

/* Splits at blanks; empty at the end. */
static ck_view word(ck_view *rest)
{
    *rest = ck_view_trim(*rest);
    size_t n = 0;
    while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
        n++;
    ck_view out = ck_view_head(*rest, n);
    *rest = ck_view_from(*rest, n);
    return out;
}

/* "Source: name (version)"; the version is given where it is not the package's own. */
static void source_of(ck_view source, struct ck_package *p)
{
    size_t open = ck_view_find(source, '(');
    p->source_name = ck_view_trim(ck_view_head(source, open));
    ck_view version = ck_view_from(source, open + 1);
    p->source_version = ck_view_trim(ck_view_head(version, ck_view_find(version, ')')));
}

/* dpkg knows of it, but of its files at most configuration is left (dpkg(1), PACKAGE STATES). */
static bool is_gone(ck_view state)
{
    return ck_view_eq(state, CK_V("not-installed")) || ck_view_eq(state, CK_V("config-files"));
}

static ck_err *finish(struct ck_say *say, struct stanza *st)
{
    struct stanza s = *st;
    *st = (struct stanza){ .last = FIELDS };
    if (!s.any)
        return NULL;

    ck_view rest = s.field[FIELD_STATUS];
    (void)word(&rest);
    (void)word(&rest);
    ck_view state = word(&rest);
    if (is_gone(state))
        return NULL;
    if (s.given[FIELD_STATUS] && (state.n == 0 || rest.n != 0))
        CK_TRY(ck_say_gap(say, "line %zu: a Status that is not of three words (dpkg(1))", s.line));

    struct ck_package p = {
        .type = CK_PACKAGE_DEB,
        .name = s.field[FIELD_PACKAGE],
        .version = s.field[FIELD_VERSION],
        .arch = s.field[FIELD_ARCH],
        .status = s.field[FIELD_STATUS],
    };
    if (ck_view_eq(p.status, CK_V("install ok installed")))
        p.status = CK_V("");
    source_of(s.field[FIELD_SOURCE], &p);
    char place[48];
    snprintf(place, sizeof place, "line %zu", s.line);
    return ck_say_package(say, &p, place);
}

static ck_err *continuation(struct ck_say *say, const struct stanza *s, size_t number)
{
    if (!s->any)
        return ck_say_gap(say, "line %zu: a continuation of nothing (deb822(5))", number);
    if (s->last != FIELDS)
        return ck_say_gap(say, "line %zu: the field %s must be one line (deb822(5))", number,
                          field_names[s->last]);
    return NULL;
}

static ck_err *field_line(struct ck_say *say, struct stanza *s, ck_view line, size_t number)
{
    if (!s->any) {
        s->any = true;
        s->line = number;
    }
    s->last = FIELDS;
    size_t colon = ck_view_find(line, ':');
    if (colon == line.n || colon == 0)
        return ck_say_gap(say, "line %zu: neither a field nor a continuation (deb822(5))", number);
    enum field f = field_of(ck_view_head(line, colon));
    s->last = f;
    if (f == FIELDS)
        return NULL;
    if (s->given[f])
        return ck_say_gap(say, "line %zu: the field %s stands twice (deb822(5))", number,
                          field_names[f]);
    s->given[f] = true;
    s->field[f] = ck_view_trim(ck_view_from(line, colon + 1));
    return NULL;
}

static ck_err *line_of(struct ck_say *say, struct stanza *s, ck_view line, size_t number)
{
    if (line.n == 0)
        return finish(say, s);
    if (line.p[0] == ' ' || line.p[0] == '\t')
        return continuation(say, s, number);
    return field_line(say, s, line, number);
}

ck_err *ck_detect_dpkg(ck_view content, struct ck_buf *out)
{
    struct ck_say say = { .out = out, .what = "dpkg status" };
    struct stanza s = { .last = FIELDS };
    ck_cur c = ck_cur_of(content);
    for (size_t number = 1; !ck_cur_end(&c); number++)
        CK_TRY(line_of(&say, &s, ck_cur_line(&c), number));
    CK_TRY(finish(&say, &s));
    return ck_say_end(&say);
}
