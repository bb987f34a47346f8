/* apk's installed database, the text that apk-tools 2 and 3 keep: one letter, a colon and a value a
 * line ("P:name"), an empty line behind each package.
 */
#include "detect/detect.h"

#include "detect/say.h"

#include <stdio.h>

struct entry {
    struct ck_package p;
    bool any;
    size_t line;
};

static const struct {
    uint8_t letter;
    size_t at;
} letters[] = {
    { 'P', offsetof(struct ck_package, name) },
    { 'V', offsetof(struct ck_package, version) },
    { 'A', offsetof(struct ck_package, arch) },
    { 'o', offsetof(struct ck_package, source_name) },
};

static ck_view *slot(struct ck_package *p, uint8_t letter)
{
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++)
        if (letters[i].letter == letter)
            return (ck_view *)(void *)((char *)p + letters[i].at);
    return NULL;
}

static ck_err *finish(struct ck_say *say, struct entry *e)
{
    struct entry done = *e;
    *e = (struct entry){ 0 };
    if (!done.any)
        return NULL;
    done.p.type = CK_PACKAGE_APK;
    char place[48];
    snprintf(place, sizeof place, "line %zu", done.line);
    return ck_say_package(say, &done.p, place);
}

static ck_err *line_of(struct ck_say *say, struct entry *e, ck_view line, size_t number)
{
    if (line.n == 0)
        return finish(say, e);
    if (!e->any)
        *e = (struct entry){ .any = true, .line = number };
    if (line.n < 2 || line.p[1] != ':')
        return ck_say_gap(say, "line %zu: does not begin with a letter and a colon", number);
    ck_view *value = slot(&e->p, line.p[0]);
    if (!value)
        return NULL;
    if (value->n)
        return ck_say_gap(say, "line %zu: \"%c:\" stands twice in a package", number, line.p[0]);
    *value = ck_view_from(line, 2);
    return NULL;
}

ck_err *ck_detect_apk(ck_view content, struct ck_buf *out)
{
    struct ck_say say = { .out = out, .what = "apk installed database" };
    struct entry e = { 0 };
    ck_cur c = ck_cur_of(content);
    for (size_t number = 1; !ck_cur_end(&c); number++)
        CK_TRY(line_of(&say, &e, ck_cur_line(&c), number));
    CK_TRY(finish(&say, &e));
    return ck_say_end(&say);
}
