#include "source/listing.h"

#include <stdlib.h>

/* --- names ------------------------------------------------------------------------------------ */

static int by_bytes(const void *a, const void *b)
{
    return ck_view_cmp(*(const ck_view *)a, *(const ck_view *)b);
}

/* By the grammar that every name of an image goes through, and spelled as it would spell it. */
static bool is_name(ck_view host, ck_view path, ck_view v)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_name n;
    bool tag = path.n > 0;
    const char *text = tag ? ck_arena_format(&a, "%.*s/%.*s:%.*s", CK_VF(host), CK_VF(path),
                                             CK_VF(v))
                           : ck_arena_format(&a, "%.*s/%.*s", CK_VF(host), CK_VF(v));
    ck_err *e = ck_name_parse(ck_view_str(text), &a, &n);
    if (e) {
        ck_err_free(e);
        return false;
    }
    return !n.has_digest && n.tag_given == tag && ck_view_eq(n.host, host) &&
           ck_view_eq(tag ? n.tag : n.path, v);
}

ck_err *ck_listed_from(ck_view lines, ck_view host, ck_view path, struct ck_arena *a,
                       struct ck_listed *ret)
{
    struct ck_listed l = { 0 };
    size_t max = 0, n = 0;
    for (size_t i = 0; i < lines.n; i++)
        max += lines.p[i] == '\n';
    if (max > CK_MAX_LISTED_NAMES)
        return ck_err_limit(CK_LIMIT_LISTED_NAMES, "the registry lists too many names");
    l.v = ck_arena_alloc(a, max + 1, sizeof *l.v);
    for (ck_cur c = ck_cur_of(lines); !ck_cur_end(&c) && n < max;) {
        ck_view line = ck_cur_line(&c);
        if (line.n <= CK_MAX_REGISTRY_NAME && is_name(host, path, line))
            l.v[n++] = ck_arena_dup(a, line);
        else
            l.unusable++;
    }
    qsort(l.v, n, sizeof *l.v, by_bytes);
    for (size_t i = 0; i < n; i++)
        if (!l.n || !ck_view_eq(l.v[l.n - 1], l.v[i]))
            l.v[l.n++] = l.v[i];
    *ret = l;
    return NULL;
}

/* --- pages ------------------------------------------------------------------------------------ */

static size_t count_lines(const struct ck_buf *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->n; i++)
        n += b->p[i] == '\n';
    return n;
}

static ck_err *all_pages(struct ck_remote *r, enum ck_registry_op op, struct ck_buf *lines)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf page = ck_buf_new(CK_LIMIT_DOCUMENT);
    struct ck_job_registry j = { .op = op, .reference = CK_V("list"), .max = CK_MAX_DOCUMENT };
    size_t names = 0;
    for (size_t n = 0; n < CK_MAX_LISTED_PAGES; n++) {
        struct ck_registry_answer answer = { 0 };
        CK_TRY(ck_remote_document(r, &j, &a, &page, &answer));
        ck_put_bytes(lines, ck_buf_view(&page));
        names += count_lines(&page);
        if (names > CK_MAX_LISTED_NAMES)
            return ck_err_limit(CK_LIMIT_LISTED_NAMES, "the registry lists too many names");
        if (!answer.next.n)
            return NULL;
        j.next = answer.next;
    }
    return ck_err_limit(CK_LIMIT_LISTED_PAGES, "the listing has no end");
}

ck_err *ck_list_repositories(struct ck_remote *r, struct ck_arena *a, struct ck_listed *ret)
{
    ck_autobuf struct ck_buf lines = ck_buf_new(CK_LIMIT_NONE);
    CK_TRY_WRAP(all_pages(r, CK_REGISTRY_CATALOG, &lines), "catalogue");
    return ck_listed_from(ck_buf_view(&lines), ck_remote_name(r)->host, CK_V(""), a, ret);
}

ck_err *ck_list_tags(struct ck_remote *r, struct ck_arena *a, struct ck_listed *ret)
{
    ck_autobuf struct ck_buf lines = ck_buf_new(CK_LIMIT_NONE);
    const struct ck_name *n = ck_remote_name(r);
    CK_TRY_WRAP(all_pages(r, CK_REGISTRY_TAGS, &lines), "tags");
    return ck_listed_from(ck_buf_view(&lines), n->host, n->path, a, ret);
}
