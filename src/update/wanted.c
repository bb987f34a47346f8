#include "update/wanted.h"

#include "base/file.h"
#include "base/mem.h"

#include <stdlib.h>

static int cmp(const void *a, const void *b)
{
    return ck_view_cmp(*(const ck_view *)a, *(const ck_view *)b);
}

static ck_err *parse(ck_view text, struct ck_arena *a, struct ck_sources_wanted *ret)
{
    ck_cur c = ck_cur_of(text), count = c;
    size_t lines = 0;
    while (!ck_cur_end(&count)) {
        ck_cur_line(&count);
        lines++;
    }
    ret->names = ck_arena_alloc(a, lines + 1, sizeof *ret->names);
    ret->n = 0;
    while (!ck_cur_end(&c)) {
        ck_view name = ck_view_trim(ck_cur_line(&c));
        if (name.n)
            ret->names[ret->n++] = name;
    }
    if (ret->n)
        qsort(ret->names, ret->n, sizeof *ret->names, cmp);
    return NULL;
}

ck_err *ck_wanted_read(struct ck_arena *a, struct ck_sources_wanted *ret)
{
    ck_autofree char *path = ck_xdg_path(CK_XDG_DATA, "wanted-changelogs");
    ck_autobuf struct ck_buf file = ck_buf_new(CK_LIMIT_DOCUMENT);
    *ret = (struct ck_sources_wanted){ 0 };
    if (!path)
        return NULL;
    ck_err *e = ck_file_read(path, &file);
    if (e) { /* none yet */
        ck_err_free(e);
        return NULL;
    }
    return parse(ck_arena_dup(a, ck_buf_view(&file)), a, ret);
}

bool ck_wanted_has(const struct ck_sources_wanted *w, ck_view name)
{
    return w->n && bsearch(&name, w->names, w->n, sizeof *w->names, cmp);
}

ck_err *ck_wanted_add(const ck_view *names, size_t n)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autofree char *path = ck_xdg_path(CK_XDG_DATA, "wanted-changelogs");
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_DOCUMENT);
    struct ck_sources_wanted have;
    size_t added = 0;
    if (!path)
        return NULL;
    CK_TRY(ck_wanted_read(&a, &have));
    ck_view *all = ck_arena_alloc(&a, have.n + n + 1, sizeof *all);
    if (have.n)
        memcpy(all, have.names, have.n * sizeof *all);
    for (size_t i = 0; i < n; i++)
        if (!ck_wanted_has(&have, names[i]))
            all[have.n + added++] = names[i];
    if (added == 0)
        return NULL;
    size_t total = have.n + added;
    qsort(all, total, sizeof *all, cmp);
    for (size_t i = 0; i < total; i++) {
        if (i && ck_view_eq(all[i], all[i - 1]))
            continue;
        CK_TRY(ck_buf_add(&out, all[i]));
        CK_TRY(ck_buf_add(&out, CK_V("\n")));
    }
    return ck_file_write(path, ck_buf_view(&out), CK_FILE_PARENTS);
}
