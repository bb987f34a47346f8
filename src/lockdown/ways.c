/* The list of ways around the gate, and reading the files that they are found in. */
#include "base/text.h"
#include "image/json.h"
#include "lockdown/parts.h"

static void add(struct ck_ways *w, bool open, const char *where, const char *what)
{
    *ck_push(&w->list) = (struct ck_way){ w->runtime, open, where, what };
    w->n_open += open;
}

void ck_way_open(struct ck_ways *w, const char *where, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add(w, true, where, ck_vtext(w->a, fmt, ap));
    va_end(ap);
}

void ck_way_note(struct ck_ways *w, const char *where, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add(w, false, where, ck_vtext(w->a, fmt, ap));
    va_end(ap);
}

const char *ck_where(struct ck_ways *w, const char *file, unsigned line)
{
    return ck_arena_format(w->a, "%s:%u", file, line);
}

void ck_way_unreadable(struct ck_ways *w, const char *where, ck_err *e)
{
    ck_way_open(w, where, "cannot be judged: %s", ck_err_text(e));
    ck_err_free(e);
}

bool ck_ways_read(struct ck_ways *w, const char *path, ck_view *ret)
{
    bool there = false;
    ck_err *e = ck_place_read(w->o->place, path, w->a, ret, &there);
    if (e)
        ck_way_unreadable(w, path, e);
    return !e && there;
}

const struct ck_toml *ck_ways_toml(struct ck_ways *w, const char *path)
{
    ck_view bytes;
    struct ck_toml *root = NULL;
    if (!ck_ways_read(w, path, &bytes))
        return NULL;
    ck_err *e = ck_toml_parse(bytes, path, w->a, &root);
    if (e)
        ck_way_unreadable(w, path, e);
    return e ? NULL : root;
}

json_t *ck_ways_json(struct ck_ways *w, const char *path)
{
    ck_view bytes;
    struct ck_json doc = { 0 };
    if (!ck_ways_read(w, path, &bytes) || ck_view_trim(bytes).n == 0)
        return NULL;
    ck_err *e = ck_json_load(bytes, path, &doc);
    if (!e && !json_is_object(doc.v)) {
        json_decref(doc.v);
        e = ck_err_new(CK_ERR_USAGE, "%s: no JSON object", path);
    }
    if (e)
        ck_way_unreadable(w, path, e);
    return e ? NULL : doc.v;
}

void ck_ways_homes(struct ck_ways *w, void (*each)(struct ck_ways *w, const char *home))
{
    const char **names = NULL;
    size_t n = 0;
    each(w, "/root");
    ck_err *e = ck_place_list(w->o->place, "/home", w->a, &names, &n);
    if (e)
        ck_way_unreadable(w, "/home", e);
    for (size_t i = 0; i < n; i++)
        each(w, ck_arena_format(w->a, "/home/%s", names[i]));
}

void ck_ways_print(const struct ck_ways *w, struct ck_buf *out)
{
    for (size_t i = 0; i < w->list.n; i++) {
        const struct ck_way *y = &w->list.v[i];
        ck_buf_format(out, "%-5s %s: ", y->open ? "OPEN" : "note", ck_runtime_name(y->runtime));
        ck_buf_escape(out, ck_view_str(y->where));
        ck_put_bytes(out, CK_V(": "));
        ck_buf_escape(out, ck_view_str(y->what));
        ck_put_u8(out, '\n');
    }
    if (w->n_open)
        ck_buf_format(out, "%zu %s around the gate %s\n", w->n_open,
                      w->n_open == 1 ? "way" : "ways", w->o->gate.host);
    else
        ck_buf_format(out, "no way around the gate %s was found\n", w->o->gate.host);
}
