/* Showing what is to be set, and setting it. */
#include "base/text.h"
#include "lockdown/parts.h"

static const char *state(const struct ck_setting *f)
{
    if (!f->there)
        return "new";
    return ck_view_eq(f->old, f->content) ? "as it is" : "changed";
}

static void print_text(struct ck_buf *out, ck_view text)
{
    ck_put_bytes(out, text);
    if (text.n && text.p[text.n - 1] != '\n')
        ck_put_u8(out, '\n');
}

static void print_advice(const struct ck_settings *s, struct ck_buf *out)
{
    for (size_t i = 0; i < s->advice.n; i++)
        ck_buf_format(out, "\n# %s\n", s->advice.v[i]);
}

void ck_settings_print(const struct ck_settings *s, struct ck_buf *out)
{
    for (size_t i = 0; i < s->files.n; i++) {
        const struct ck_setting *f = &s->files.v[i];
        ck_buf_format(out, "%s### %s (%s): %s\n", i ? "\n" : "", f->path, state(f), f->why);
        print_text(out, f->content);
    }
    print_advice(s, out);
}

void ck_settings_diff(const struct ck_settings *s, struct ck_buf *out)
{
    size_t before = out->n;
    for (size_t i = 0; i < s->files.n; i++)
        ck_diff(s->files.v[i].path, s->files.v[i].old, s->files.v[i].content, out);
    if (out->n == before)
        ck_put_bytes(out, CK_V("nothing would change\n"));
}

/* "NAME.cocket-backup-N", or below /etc/cocket where a copy beside it would be run. */
static ck_err *keep_old(const struct ck_settings *s, const struct ck_setting *f, const char **ret)
{
    const char *name = strrchr(f->path, '/') + 1;
    const char *base = f->no_backup_beside
                           ? ck_arena_format(s->a, "/etc/cocket/%s.cocket-backup-", name)
                           : ck_arena_format(s->a, "%s.cocket-backup-", f->path);
    return ck_place_write_new(s->o->place, base, f->old, f->mode, s->a, ret);
}

static ck_err *write_one(const struct ck_settings *s, const struct ck_setting *f,
                         struct ck_buf *out)
{
    const char *backup = NULL;
    if (f->there && ck_view_eq(f->old, f->content)) {
        ck_buf_format(out, "%s: as it is\n", f->path);
        return NULL;
    }
    if (f->there)
        CK_TRY(keep_old(s, f, &backup));
    CK_TRY(ck_place_write(s->o->place, f->path, f->content, f->mode));
    ck_buf_format(out, "%s: written%s%s\n", f->path, backup ? ", before: " : "",
                  backup ? backup : "");
    return NULL;
}

ck_err *ck_settings_write(const struct ck_settings *s, struct ck_buf *out)
{
    for (size_t i = 0; i < s->files.n; i++)
        CK_TRY(write_one(s, &s->files.v[i], out));
    print_advice(s, out);
    return NULL;
}

/* --- diff ------------------------------------------------------------------------------------- */

static size_t count_lines(ck_view v)
{
    ck_cur c = ck_cur_of(v);
    size_t n = 0;
    for (; !ck_cur_end(&c); n++)
        (void)ck_cur_line(&c);
    return n;
}

/* Lines [from, to) of `v` with `mark` in front. */
static void put_lines(struct ck_buf *out, ck_view v, size_t from, size_t to, char mark)
{
    ck_cur c = ck_cur_of(v);
    for (size_t i = 0; i < to; i++) {
        ck_view line = ck_cur_line(&c);
        if (i < from)
            continue;
        ck_put_u8(out, (uint8_t)mark);
        ck_buf_escape(out, line);
        ck_put_u8(out, '\n');
    }
}

static size_t same_at_start(ck_view a, ck_view b)
{
    ck_cur x = ck_cur_of(a), y = ck_cur_of(b);
    size_t n = 0;
    while (!ck_cur_end(&x) && !ck_cur_end(&y) && ck_view_eq(ck_cur_line(&x), ck_cur_line(&y)))
        n++;
    return n;
}

/* The last line of `v`, which gets shorter by it. */
static ck_view last_line(ck_view *v)
{
    size_t end = v->n - (v->p[v->n - 1] == '\n'), start = end;
    while (start && v->p[start - 1] != '\n')
        start--;
    ck_view line = ck_view_of(v->p + start, end - start);
    v->n = start;
    return line;
}

static size_t same_at_end(ck_view a, ck_view b, size_t most)
{
    size_t n = 0;
    while (n < most && a.n && b.n && ck_view_eq(last_line(&a), last_line(&b)))
        n++;
    return n;
}

void ck_diff(const char *path, ck_view old, ck_view new, struct ck_buf *out)
{
    enum { CONTEXT = 3 };
    size_t n_old = count_lines(old), n_new = count_lines(new);
    if (ck_view_eq(old, new))
        return;
    size_t head = same_at_start(old, new);
    size_t most = (n_old < n_new ? n_old : n_new) - head;
    size_t tail = same_at_end(old, new, most);
    size_t first = head > CONTEXT ? head - CONTEXT : 0;
    size_t rest = tail > CONTEXT ? CONTEXT : tail;
    ck_buf_format(out, "--- %s\n+++ %s\n@@ -%zu,%zu +%zu,%zu @@\n", path, path,
                  n_old ? first + 1 : 0, n_old - tail + rest - first, n_new ? first + 1 : 0,
                  n_new - tail + rest - first);
    put_lines(out, new, first, head, ' ');
    put_lines(out, old, head, n_old - tail, '-');
    put_lines(out, new, head, n_new - tail, '+');
    put_lines(out, new, n_new - tail, n_new - tail + rest, ' ');
}
