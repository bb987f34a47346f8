#include "base/file.h"
#include "base/mem.h"
#include "update/update.h"

#include <stdlib.h>
#include <unistd.h>

static const char *const kinds[CK_KIND_COUNT_] = {
    [CK_KIND_DEBIAN_ARCHIVE] = "debian-archive", [CK_KIND_DEBIAN_TRACKER] = "debian-tracker",
    [CK_KIND_ALPINE_SECDB] = "alpine-secdb",     [CK_KIND_OSV] = "osv",
    [CK_KIND_KEV] = "kev",
};

const char *ck_feed_kind_name(enum ck_feed_kind k)
{
    return (unsigned)k < CK_KIND_COUNT_ ? kinds[k] : "?";
}

static bool kind_of(ck_view word, enum ck_feed_kind *ret)
{
    for (unsigned i = 0; i < CK_KIND_COUNT_; i++)
        if (ck_view_eq(word, ck_view_str(kinds[i]))) {
            *ret = (enum ck_feed_kind)i;
            return true;
        }
    return false;
}

/* A suite becomes part of a path: letters, digits, and -./ between them. */
static bool is_suite(ck_view s)
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!word && (i == 0 || (c != '-' && c != '.' && c != '/') || s.p[i - 1] == '.'))
            return false;
    }
    return s.n > 0;
}

static ck_err *take_suites(ck_view list, struct ck_arena *a, struct ck_feed_spec *f)
{
    size_t max = 1;
    for (size_t i = 0; i < list.n; i++)
        max += list.p[i] == ',';
    f->suites = ck_arena_alloc(a, max, sizeof *f->suites);
    while (list.n) {
        ck_view suite = ck_view_split(list, ',', &list);
        if (!is_suite(suite))
            return ck_err_new(CK_ERR_USAGE, "\"%.*s\" is no suite", CK_VF(suite));
        f->suites[f->n_suites++] = (const char *)ck_arena_dup(a, suite).p;
    }
    if (f->n_suites == 0)
        return ck_err_new(CK_ERR_USAGE, "debian-archive needs suites: "
                                        "debian-archive=URL,bookworm-security[,...]");
    return NULL;
}

ck_err *ck_feed_spec_parse(ck_view text, struct ck_arena *a, struct ck_feed_spec *ret)
{
    struct ck_feed_spec f = { 0 };
    ck_view source, suites = { 0 };
    ck_view word = ck_view_trim(ck_view_split(text, '=', &source));
    source = ck_view_trim(source);
    if (!kind_of(word, &f.kind) || source.n == 0)
        return ck_err_new(CK_ERR_USAGE,
                          "\"%.*s\" is no feed: write KIND=SOURCE with KIND one of "
                          "debian-archive, debian-tracker, alpine-secdb, osv, kev",
                          CK_VF(text));
    if (source.n > CK_MAX_REFERENCE)
        return ck_err_new(CK_ERR_USAGE, "the source of the %s feed is too long", kinds[f.kind]);
    if (f.kind == CK_KIND_DEBIAN_ARCHIVE) {
        source = ck_view_split(source, ',', &suites);
        CK_TRY(take_suites(suites, a, &f));
        if (source.n == 0)
            return ck_err_new(CK_ERR_USAGE, "debian-archive needs a URL or directory before its "
                                            "suites");
    }
    while (source.n > 1 && source.p[source.n - 1] == '/')
        source.n--;
    if (ck_view_starts(source, CK_V("file://")))
        source = ck_view_from(source, 7);
    f.source = (const char *)ck_arena_dup(a, source).p;
    *ret = f;
    return NULL;
}

ck_err *ck_feed_config_read(const char *path, struct ck_arena *a, struct ck_feed_specs *ret)
{
    ck_autobuf struct ck_buf file = ck_buf_new(CK_LIMIT_DOCUMENT);
    CK_VEC(struct ck_feed_spec) v = { 0 };
    CK_TRY(ck_file_read(path, &file));
    ck_cur c = ck_cur_of(ck_buf_view(&file));
    ck_err *e = NULL;
    for (unsigned line = 1; !e && !ck_cur_end(&c); line++) {
        ck_view text = ck_view_trim(ck_cur_line(&c));
        if (text.n == 0 || text.p[0] == '#')
            continue;
        struct ck_feed_spec f;
        e = ck_feed_spec_parse(text, a, &f);
        if (e)
            e = ck_err_wrap(e, "%s line %u", path, line);
        else
            *ck_push(&v) = f;
    }
    if (!e) {
        *ret = (struct ck_feed_specs){ ck_arena_alloc(a, v.n + 1, sizeof *v.v), v.n };
        if (v.n)
            memcpy(ret->v, v.v, v.n * sizeof *v.v);
    }
    free(v.v);
    return e;
}

ck_err *ck_feed_config_default(struct ck_arena *a, struct ck_feed_specs *ret)
{
    static const char system_wide[] = "/etc/cocket/feeds.conf";
    ck_autofree char *own = ck_xdg_path(CK_XDG_CONFIG, "feeds.conf");
    if (own && access(own, F_OK) == 0)
        return ck_feed_config_read(own, a, ret);
    if (access(system_wide, F_OK) == 0)
        return ck_feed_config_read(system_wide, a, ret);
    return ck_err_new(CK_ERR_USAGE, "no feeds are configured: write KIND=SOURCE lines to %s or %s",
                      own ? own : "$XDG_CONFIG_HOME/cocket/feeds.conf", system_wide);
}
