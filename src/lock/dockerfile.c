#include "lock/docker_args.h"
#include "lock/docker_lines.h"
#include "lock/lock_int.h"

#include <stdlib.h>

struct file {
    struct ck_docker_lines d;
    struct ck_lock_list *l;
    struct ck_docker_args args;
    CK_VEC(ck_view) stages;  /* names; empty where a stage has none */
    size_t line_place; /* where `line` is known to be */
    unsigned line;
    CK_VEC(size_t) borrowed; /* references of COPY --from and RUN --mount: may be a later stage */
};

static const char variable[] = "holds a variable", stage[] = "is a stage of this file",
                  quoted[] = "is quoted or escaped", broken[] = "is broken over two lines",
                  onbuild[] = "is of a later build (ONBUILD)";

static bool is_stage(const struct file *f, ck_view name)
{
    ck_autofree char *text = ck_strndup(name.p, name.n);
    for (size_t i = 0; i < f->stages.n; i++)
        if (f->stages.v[i].n && ck_docker_is(f->stages.v[i], text))
            return true;
    return false;
}

/* The line of a place in the present instruction. Asked for in ascending order, mostly. */
static unsigned line_of(struct file *f, size_t place)
{
    if (f->line == 0 || f->line_place < f->d.places[0] || f->line_place > place) {
        f->line_place = f->d.places[0];
        f->line = f->d.first_line;
    }
    for (; f->line_place < place; f->line_place++)
        f->line += f->d.content.p[f->line_place] == '\n';
    return f->line;
}

/* The place of text[begin .. end); where a line break divides it, of its first part. */
static ck_err *add(struct file *f, size_t begin, size_t end, const char *why)
{
    size_t from, to;
    if (!ck_docker_place(&f->d, begin, end, &from, &to)) {
        why = why ? why : broken;
        for (to = from + 1; to - from < end - begin && f->d.places[begin + to - from] == to;)
            to++;
    }
    return ck_lock_add(f->l, f->d.content, from, to, line_of(f, from), why);
}

/* --- FROM ------------------------------------------------------------------------------------- */

/* A quoted word whose quotes are its ends only: what is between. */
static bool unquote(const struct file *f, struct ck_docker_word *w)
{
    ck_view v = ck_docker_text(&f->d, *w);
    if (!w->quoted)
        return true;
    if (v.n < 3 || (v.p[0] != '"' && v.p[0] != '\'') || v.p[v.n - 1] != v.p[0])
        return false;
    for (size_t i = 1; i + 1 < v.n; i++)
        if (v.p[i] == '"' || v.p[i] == '\'' || v.p[i] == f->d.escape)
            return false;
    w->begin++;
    w->end--;
    return true;
}

/* The reference that was added last holds variables and means `value`. */
static void resolve(struct file *f, ck_view value)
{
    struct ck_lock_reference *r = &f->l->v[f->l->n - 1];
    if (ck_docker_is(value, "scratch"))
        ck_lock_skip(r, "scratch");
    else if (is_stage(f, value))
        ck_lock_skip(r, stage);
    else {
        ck_autoerr ck_err *e = ck_name_parse(value, f->l->a, &r->name);
        r->named = !e;
    }
}

static ck_err *add_base(struct file *f, struct ck_docker_word w)
{
    ck_view value, text = ck_docker_text(&f->d, w);
    bool plain = unquote(f, &w);
    if (ck_view_find(text, '$') < text.n) {
        bool known = ck_docker_expand(&f->args, text, f->d.escape, &value);
        CK_TRY(add(f, w.begin, w.end, known ? variable : "holds a variable without a default"));
        if (known)
            resolve(f, value);
        return NULL;
    }
    text = ck_docker_text(&f->d, w);
    const char *why = !plain                              ? quoted
                      : ck_view_eq(text, CK_V("scratch")) ? "scratch"
                      : is_stage(f, text)                 ? stage
                                                          : NULL;
    return add(f, w.begin, w.end, why);
}

static void note_platform(struct file *f, ck_view platform)
{
    struct ck_lock_reference *r = &f->l->v[f->l->n - 1];
    if (ck_view_find(platform, '$') == platform.n)
        r->platform = ck_arena_dup(f->l->a, platform);
}

static ck_err *add_stage(struct file *f, ck_view name)
{
    if (f->stages.n == CK_MAX_LOCK_STAGES)
        return ck_err_limit(CK_LIMIT_LOCK_STAGES, "line %u: one more", f->d.first_line);
    *ck_push(&f->stages) = ck_arena_dup(f->l->a, name);
    return NULL;
}

static ck_err *bad_from(const struct file *f)
{
    return ck_err_new(CK_ERR_HOSTILE,
                      "line %u: FROM is not followed by IMAGE or IMAGE AS NAME", f->d.first_line);
}

/* FROM [--platform=PLATFORM] IMAGE [AS NAME] */
static ck_err *take_from(struct file *f, size_t at)
{
    ck_view platform = CK_V(""), flag = CK_V("--platform=");
    struct ck_docker_word w, as, name, more;
    bool found = ck_docker_word(&f->d, at, &w);
    for (; found && ck_view_starts(ck_docker_text(&f->d, w), CK_V("--"));
         found = ck_docker_word(&f->d, w.end, &w))
        if (ck_view_starts(ck_docker_text(&f->d, w), flag))
            platform = ck_view_from(ck_docker_text(&f->d, w), flag.n);
    if (!found)
        return bad_from(f);
    CK_TRY(add_base(f, w));
    note_platform(f, platform);
    if (!ck_docker_word(&f->d, w.end, &as))
        return add_stage(f, CK_V(""));
    if (!ck_docker_is(ck_docker_text(&f->d, as), "as") || !ck_docker_word(&f->d, as.end, &name) ||
        ck_docker_word(&f->d, name.end, &more))
        return bad_from(f);
    return add_stage(f, ck_docker_text(&f->d, name));
}

/* --- ARG, COPY, RUN --------------------------------------------------------------------------- */

static ck_err *take_arg(struct file *f, size_t at)
{
    struct ck_docker_word w;
    if (f->stages.n)
        return NULL; /* FROM does not see it */
    for (; ck_docker_word(&f->d, at, &w); at = w.end)
        CK_TRY(ck_docker_args_add(&f->args, ck_docker_text(&f->d, w), f->d.escape));
    return NULL;
}

static ck_err *borrow(struct file *f, size_t begin, size_t end, bool is_quoted, const char *why)
{
    ck_view text = ck_view_head(ck_view_from(f->d.text, begin), end - begin);
    if (end == begin)
        return NULL;
    if (!why && ck_view_find(text, '$') < text.n)
        why = variable;
    CK_TRY(add(f, begin, end, why ? why : is_quoted ? quoted : NULL));
    *ck_push(&f->borrowed) = f->l->n - 1;
    return NULL;
}

/* type=bind,from=IMAGE,... */
static ck_err *take_mount(struct file *f, struct ck_docker_word w, size_t begin, const char *why)
{
    while (begin < w.end) {
        ck_view rest = ck_view_head(ck_view_from(f->d.text, begin), w.end - begin);
        size_t n = ck_view_find(rest, ',');
        ck_view field = ck_view_head(rest, n);
        if (field.n > 5 && ck_docker_is(ck_view_head(field, 5), "from="))
            CK_TRY(borrow(f, begin + 5, begin + n, w.quoted, why));
        begin += n + 1;
    }
    return NULL;
}

/* The flags in front: --from=IMAGE, --mount=... */
static ck_err *take_flags(struct file *f, size_t at, const char *why)
{
    struct ck_docker_word w;
    const ck_view from = CK_V("--from="), mount = CK_V("--mount=");
    for (; ck_docker_word(&f->d, at, &w); at = w.end) {
        ck_view text = ck_docker_text(&f->d, w);
        if (!ck_view_starts(text, CK_V("--")) || text.n == 2)
            return NULL;
        if (ck_view_starts(text, from))
            CK_TRY(borrow(f, w.begin + from.n, w.end, w.quoted, why));
        if (ck_view_starts(text, mount))
            CK_TRY(take_mount(f, w, w.begin + mount.n, why));
    }
    return NULL;
}

static ck_err *take_copy(struct file *f, size_t at)
{
    CK_TRY(take_flags(f, at, NULL));
    return ck_docker_skip_heredocs(&f->d);
}

static ck_err *take_onbuild(struct file *f, size_t at)
{
    CK_TRY(take_flags(f, at, onbuild));
    return ck_docker_skip_heredocs(&f->d);
}

static ck_err *take_inner(struct file *f, size_t at)
{
    struct ck_docker_word w;
    static const char *const with_flags[] = { "COPY", "RUN", "ADD" };
    if (!ck_docker_word(&f->d, at, &w))
        return NULL;
    for (size_t i = 0; i < sizeof with_flags / sizeof *with_flags; i++)
        if (ck_docker_is(ck_docker_text(&f->d, w), with_flags[i]))
            return take_onbuild(f, w.end);
    return NULL;
}

static const struct {
    const char *keyword;
    ck_err *(*take)(struct file *f, size_t at);
} instructions[] = {
    { "FROM", take_from }, { "ARG", take_arg }, { "COPY", take_copy },
    { "ADD", take_copy },  { "RUN", take_copy }, { "ONBUILD", take_inner },
};

static ck_err *take_instruction(struct file *f)
{
    struct ck_docker_word w;
    if (!ck_docker_word(&f->d, 0, &w))
        return NULL;
    ck_view keyword = ck_docker_text(&f->d, w);
    if (f->stages.n == 0 && !ck_docker_is(keyword, "FROM") && !ck_docker_is(keyword, "ARG"))
        return ck_err_new(CK_ERR_HOSTILE, "line %u: only ARG may stand before the first FROM",
                          f->d.first_line);
    for (size_t i = 0; i < sizeof instructions / sizeof *instructions; i++)
        if (ck_docker_is(keyword, instructions[i].keyword))
            return instructions[i].take(f, w.end);
    return NULL;
}

/* --- the file --------------------------------------------------------------------------------- */

static bool all_digits(ck_view v)
{
    uint64_t number;
    return ck_view_u64(v, &number);
}

/* Stages may stand behind the COPY that takes from them. */
static void settle_borrowed(struct file *f)
{
    for (size_t i = 0; i < f->borrowed.n; i++) {
        struct ck_lock_reference *r = &f->l->v[f->borrowed.v[i]];
        if (ck_view_eq(r->why, ck_view_str(variable)) || ck_view_eq(r->why, ck_view_str(onbuild)))
            continue;
        if (all_digits(r->text) || is_stage(f, r->text)) {
            ck_lock_skip(r, stage);
            r->named = false;
        }
    }
}

static ck_err *read_file(struct file *f, ck_view content)
{
    bool end = false;
    CK_TRY(ck_docker_lines_open(content, &f->d));
    if (f->d.syntax_line)
        CK_TRY(ck_lock_add(f->l, content, f->d.syntax, f->d.syntax_end, f->d.syntax_line, NULL));
    for (;;) {
        CK_TRY(ck_docker_lines_next(&f->d, &end));
        if (end)
            break;
        CK_TRY(take_instruction(f));
    }
    if (f->stages.n == 0)
        return ck_err_new(CK_ERR_HOSTILE, "no FROM: it is no Dockerfile");
    settle_borrowed(f);
    return NULL;
}

ck_err *ck_lock_dockerfile(ck_view content, struct ck_lock_list *l)
{
    struct file f = { .l = l, .args = { .a = l->a } };
    ck_err *e = read_file(&f, content);
    ck_docker_lines_free(&f.d);
    free(f.args.v);
    free(f.stages.v);
    free(f.borrowed.v);
    return e;
}

bool ck_lock_looks_like_dockerfile(ck_view content)
{
    struct file f = { 0 };
    bool end = true, looks = false;
    struct ck_docker_word w;
    ck_err *e = ck_docker_lines_open(content, &f.d);
    if (!e)
        e = ck_docker_lines_next(&f.d, &end);
    if (!e && !end && ck_docker_word(&f.d, 0, &w))
        looks = ck_docker_is(ck_docker_text(&f.d, w), "FROM") ||
                ck_docker_is(ck_docker_text(&f.d, w), "ARG");
    ck_err_free(e);
    ck_docker_lines_free(&f.d);
    return looks;
}
