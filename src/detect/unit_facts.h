/* Facts as text, for the tests of the detectors. */
#ifndef CK_DETECT_UNIT_FACTS_H
#define CK_DETECT_UNIT_FACTS_H

#include "base/mem.h"
#include "base/unit.h"
#include "detect/detect.h"

/* Every fact a line: "deb NAME VERSION ARCH SOURCE SOURCEVERSION [MODULE] {STATUS}", "os ...",
 * "gap ...". Free with free(). */
static inline char *unit_facts(ck_detect_fn run, ck_view content)
{
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_FACTS);
    struct ck_buf text = ck_buf_new(CK_LIMIT_NONE);
    assert_ok(run(content, &out));
    ck_cur c = ck_cur_of(ck_buf_view(&out));
    for (;;) {
        struct ck_fact f;
        bool end;
        assert_ok(ck_fact_decode(&c, &f, &end));
        if (end)
            return ck_buf_steal_str(&text);
        if (f.kind == CK_FACT_PACKAGE)
            ck_buf_format(&text, "%s %.*s %.*s %.*s %.*s %.*s [%.*s] {%.*s}\n",
                          ck_package_type_name(f.package.type), CK_VF(f.package.name),
                          CK_VF(f.package.version), CK_VF(f.package.arch),
                          CK_VF(f.package.source_name), CK_VF(f.package.source_version),
                          CK_VF(f.package.module), CK_VF(f.package.status));
        else if (f.kind == CK_FACT_OS_RELEASE)
            ck_buf_format(&text, "os %.*s|%.*s|%.*s|%.*s|%.*s|%.*s|%.*s|%.*s\n", CK_VF(f.os.id),
                          CK_VF(f.os.id_like), CK_VF(f.os.version_id),
                          CK_VF(f.os.version_codename), CK_VF(f.os.name),
                          CK_VF(f.os.pretty_name), CK_VF(f.os.variant_id), CK_VF(f.os.cpe_name));
        else
            ck_buf_format(&text, "gap %.*s\n", CK_VF(f.gap));
    }
}

static inline void unit_says(ck_detect_fn run, ck_view content, const char *want)
{
    ck_autofree char *got = unit_facts(run, content);
    assert_string_equal(got, want);
}

/* The facts must contain this. */
static inline void unit_says_among(ck_detect_fn run, ck_view content, const char *part)
{
    ck_autofree char *got = unit_facts(run, content);
    if (!strstr(got, part))
        print_error("not among the facts: %s\n%s", part, got);
    assert_non_null(strstr(got, part));
}

static inline int unit_line_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The lines of a text, sorted, as one text. Free with free(). */
static inline char *unit_sorted(const char *text)
{
    ck_autofree char *copy = ck_strndup(text, strlen(text));
    CK_VEC(char *) lines = { 0 };
    for (char *rest = copy, *line; (line = strsep(&rest, "\n")) != NULL;)
        if (*line)
            *ck_push(&lines) = line;
    if (lines.n)
        qsort(lines.v, lines.n, sizeof *lines.v, unit_line_order);
    struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    for (size_t i = 0; i < lines.n; i++)
        ck_buf_format(&out, "%s\n", lines.v[i]);
    free(lines.v);
    return ck_buf_steal_str(&out);
}

/* The output of a command, which must succeed. Free ret.p with free(). */
static inline ck_view unit_command(const char *command)
{
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    FILE *p = popen(command, "r");
    assert_non_null(p);
    size_t n;
    do {
        n = fread(ck_buf_room(&b, 65536), 1, 65536, p);
        b.n += n;
    } while (n);
    if (pclose(p) != 0)
        fail_msg("fails: %s", command);
    return ck_buf_view(&b);
}

/* Views from unit_shared and unit_command. */
static inline void unit_free(ck_view *v) { free((void *)(uintptr_t)v->p); }
#define unit_auto __attribute__((cleanup(unit_free)))

#endif
