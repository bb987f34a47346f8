#include "layer/path.h"

/* Takes the next component off the front of *rest; false where there is none. */
static bool next_part(ck_view *rest, ck_view *ret)
{
    while (rest->n && rest->p[0] == '/')
        *rest = ck_view_from(*rest, 1);
    if (!rest->n)
        return false;
    size_t n = ck_view_find(*rest, '/');
    *ret = ck_view_head(*rest, n);
    *rest = ck_view_from(*rest, n);
    return true;
}

static bool is_dot(ck_view part) { return ck_view_eq(part, CK_V(".")); }

/* Appends the components that count to `out`, which has room for name.n bytes. */
static ck_view join(ck_view name, uint8_t *out)
{
    size_t n = 0;
    ck_view part;
    while (next_part(&name, &part)) {
        if (is_dot(part))
            continue;
        if (n)
            out[n++] = '/';
        memcpy(out + n, part.p, part.n);
        n += part.n;
    }
    return ck_view_of(out, n);
}

static ck_err *check_size(ck_view path, size_t depth)
{
    if (path.n > CK_MAX_PATH)
        return ck_err_limit(CK_LIMIT_PATH, "a path of %zu bytes", path.n);
    if (depth > CK_MAX_PATH_DEPTH)
        return ck_err_limit(CK_LIMIT_PATH_DEPTH, "path of %zu components: %.*s", depth,
                            CK_VF(ck_view_head(path, 64)));
    return NULL;
}

ck_err *ck_path_normalise(ck_view name, struct ck_arena *a, ck_view *ret)
{
    if (ck_view_find(name, 0) < name.n)
        return ck_err_new(CK_ERR_HOSTILE, "a NUL in the path %.*s", CK_VF(name));

    ck_view rest = name, part, path = { name.p, 0 };
    size_t depth = 0;
    bool as_is = true; /* what counts stands together in `name` */
    while (next_part(&rest, &part)) {
        if (is_dot(part))
            continue;
        if (ck_view_eq(part, CK_V("..")))
            return ck_err_new(CK_ERR_HOSTILE, "a \"..\" component in the path %.*s", CK_VF(name));
        if (!depth++)
            path = part;
        else if (part.p == path.p + path.n + 1)
            path.n += 1 + part.n;
        else
            as_is = false;
    }
    if (!as_is)
        path = join(name, ck_arena_alloc(a, name.n, 1));
    CK_TRY(check_size(path, depth));
    *ret = path;
    return NULL;
}

ck_view ck_path_parent(ck_view path)
{
    size_t n = path.n;
    while (n && path.p[n - 1] != '/')
        n--;
    return ck_view_head(path, n ? n - 1 : 0);
}

ck_view ck_path_base(ck_view path)
{
    size_t dir = ck_path_parent(path).n;
    return ck_view_from(path, dir ? dir + 1 : (path.n && path.p[0] == '/'));
}

#define MARK ".wh."
#define OPAQUE ".wh..wh..opq"

/* What aufs keeps in the root of a branch; it never was a part of the image. */
static bool is_aufs(ck_view first)
{
    return ck_view_eq(first, CK_V(".wh..wh.aufs")) || ck_view_eq(first, CK_V(".wh..wh.orph")) ||
           ck_view_eq(first, CK_V(".wh..wh.plnk"));
}

static ck_err *refuse(const char *why, ck_view path)
{
    return ck_err_new(CK_ERR_HOSTILE, "OCI image-spec, layer, Whiteouts: %s: %.*s", why,
                      CK_VF(path));
}

static ck_err *check_parents(ck_view path)
{
    ck_view rest = ck_path_parent(path), part;
    while (next_part(&rest, &part))
        if (ck_view_starts(part, CK_V(MARK)))
            return refuse("an entry below a whiteout", path);
    return NULL;
}

/* The path that the whiteout `path` hides. */
static ck_view target_of(ck_view path, ck_view hidden, struct ck_arena *a)
{
    ck_view dir = ck_path_parent(path);
    if (!dir.n)
        return hidden;
    uint8_t *p = ck_arena_alloc(a, dir.n + 1 + hidden.n, 1);
    memcpy(p, dir.p, dir.n);
    p[dir.n] = '/';
    memcpy(p + dir.n + 1, hidden.p, hidden.n);
    return ck_view_of(p, dir.n + 1 + hidden.n);
}

ck_err *ck_path_whiteout(ck_view path, struct ck_arena *a, enum ck_whiteout *ret,
                         ck_view *ret_target, bool *ret_ignored)
{
    enum ck_whiteout kind = CK_WHITEOUT_NONE;
    ck_view target = { path.p, 0 };
    bool ignored = is_aufs(ck_view_head(path, ck_view_find(path, '/')));
    ck_view base = ck_path_base(path);

    if (!ignored)
        CK_TRY(check_parents(path));
    if (!ignored && ck_view_eq(base, CK_V(OPAQUE))) {
        kind = CK_WHITEOUT_OPAQUE;
        target = ck_path_parent(path);
    } else if (!ignored && ck_view_starts(base, CK_V(MARK))) {
        ck_view hidden = ck_view_from(base, sizeof MARK - 1);
        if (!hidden.n || is_dot(hidden) || ck_view_eq(hidden, CK_V("..")))
            return refuse("a whiteout that names nothing in its directory", path);
        if (ck_view_starts(hidden, CK_V(MARK)))
            return refuse("a reserved name", path);
        kind = CK_WHITEOUT_FILE;
        target = target_of(path, hidden, a);
    }
    *ret = kind;
    *ret_target = target;
    *ret_ignored = ignored;
    return NULL;
}
