/* deb(5): an ar archive (debian-binary, control.tar*, data.tar*), of which only the changelog is
 * read. */
#include "advisory/feed/debian_text.h"
#include "advisory/feed/feed.h"
#include "advisory/feed/table.h"
#include "layer/inflate.h"
#include "layer/tar.h"

enum { PIECE = 64 * 1024, AR_HEADER = 60 };

/* In order of preference: a package that is not native has its upstream's under the plain name. */
static const struct {
    ck_view name;
    bool gzip, upstream_too;
} names[] = {
    { CK_TV("changelog.Debian.gz"), true, false },
    { CK_TV("changelog.Debian"), false, false },
    { CK_TV("changelog.gz"), true, true },
    { CK_TV("changelog"), false, true },
};
enum { N_NAMES = 4 };

struct search {
    ck_view package;
    size_t best;    /* index of `names`; N_NAMES: nothing found */
    bool reading;   /* the current entry is the best one */
    bool complete;  /* nothing better can come */
    struct ck_buf content;
};

/* --- The tar inside --------------------------------------------------------------------------- */

/* What stands behind usr/share/doc/PACKAGE/ in a path; empty where it is elsewhere. */
static ck_view below_doc(ck_view path, ck_view package)
{
    static const ck_view doc = CK_TV("usr/share/doc/");
    if (ck_view_starts(path, CK_V("./")))
        path = ck_view_from(path, 2);
    if (!ck_view_starts(path, doc) || !ck_view_starts(ck_view_from(path, doc.n), package))
        return CK_V("");
    ck_view rest = ck_view_from(path, doc.n + package.n);
    return ck_view_starts(rest, CK_V("/")) ? ck_view_from(rest, 1) : CK_V("");
}

static ck_err *on_entry(void *ctx, const struct ck_tar_entry *e)
{
    struct search *s = ctx;
    s->reading = false;
    if (e->type != CK_TAR_FILE || e->sparse)
        return NULL;
    ck_view base = below_doc(e->name, s->package);
    for (size_t i = 0; base.n && i < s->best; i++) {
        if (!ck_view_eq(base, names[i].name))
            continue;
        s->best = i;
        s->reading = true;
        ck_buf_clear(&s->content);
    }
    return NULL;
}

static ck_err *on_data(void *ctx, ck_view piece)
{
    struct search *s = ctx;
    return s->reading ? ck_buf_add(&s->content, piece) : NULL;
}

static ck_err *on_end(void *ctx)
{
    struct search *s = ctx;
    if (s->reading && !names[s->best].upstream_too)
        s->complete = true;
    s->reading = false;
    return NULL;
}

/* Feeds the tar piece by piece until the changelog is complete, or to a proper end. */
static ck_err *read_tar(struct ck_inflate *z, struct ck_tar *t, ck_view data, struct search *s)
{
    uint8_t piece[PIECE];
    size_t n;
    do {
        CK_TRY(ck_inflate_step(z, &data, piece, sizeof piece, &n));
        CK_TRY(ck_tar_feed(t, ck_view_of(piece, n)));
        if (s->complete)
            return NULL;
    } while (data.n || n == sizeof piece);
    CK_TRY(ck_inflate_finish(z));
    return ck_tar_finish(t);
}

static ck_err *search_tar(ck_view data, enum ck_compression c, struct search *s)
{
    static const struct ck_tar_ops ops = { .entry = on_entry, .data = on_data, .end = on_end };
    struct ck_inflate *z = ck_inflate_new(c);
    struct ck_tar *t = ck_tar_new(&ops, s);
    ck_inflate_bound(z, CK_LIMIT_DEB_TAR);
    ck_err *e = read_tar(z, t, data, s);
    ck_tar_free(t);
    ck_inflate_free(z);
    return e;
}

/* --- The ar archive --------------------------------------------------------------------------- */

struct ar_member {
    ck_view name, data;
};

static ck_err *ar_next(ck_cur *c, struct ar_member *ret)
{
    ck_view header = ck_cur_take(c, AR_HEADER);
    if (!ck_cur_ok(c) || !ck_view_ends(header, CK_V("`\n")))
        return ck_err_at(CK_ERR_HOSTILE, c->at, "deb: bad ar header (deb(5))");
    ck_view name = ck_view_trim(ck_view_head(header, 16));
    ck_view digits = ck_view_trim(ck_view_head(ck_view_from(header, 48), 10));
    uint64_t size;
    if (ck_view_ends(name, CK_V("/")))
        name.n--;
    if (!ck_view_u64(digits, &size) || size > ck_cur_left(c))
        return ck_err_at(CK_ERR_HOSTILE, c->at, "deb: member \"%.*s\" is longer than the file",
                         CK_VF(name));
    *ret = (struct ar_member){ name, ck_cur_take(c, size) };
    if (size % 2 && !ck_cur_end(c))
        ck_cur_skip(c, 1);
    return NULL;
}

static ck_err *data_compression(ck_view name, enum ck_compression *ret)
{
    static const struct {
        ck_view suffix;
        enum ck_compression c;
    } table[] = {
        { CK_TV(""), CK_COMPRESSION_NONE },
        { CK_TV(".gz"), CK_COMPRESSION_GZIP },
        { CK_TV(".xz"), CK_COMPRESSION_XZ },
        { CK_TV(".zst"), CK_COMPRESSION_ZSTD },
    };
    ck_view suffix = ck_view_from(name, 8); /* "data.tar" */
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (ck_view_eq(suffix, table[i].suffix)) {
            *ret = table[i].c;
            return NULL;
        }
    return ck_err_new(CK_ERR_HOSTILE, "deb: \"%.*s\": not a compression that we know", CK_VF(name));
}

static ck_err *find_data(ck_view deb, struct ar_member *ret)
{
    ck_cur c = ck_cur_of(deb);
    struct ar_member m = { 0 };
    if (!ck_view_eq(ck_cur_take(&c, 8), CK_V("!<arch>\n")))
        return ck_err_new(CK_ERR_HOSTILE, "deb: no ar archive");
    CK_TRY(ar_next(&c, &m));
    if (!ck_view_eq(m.name, CK_V("debian-binary")) || !ck_view_starts(m.data, CK_V("2.")))
        return ck_err_new(CK_ERR_HOSTILE, "deb: does not begin with debian-binary 2.x (deb(5))");
    while (!ck_cur_end(&c)) {
        CK_TRY(ar_next(&c, &m));
        if (ck_view_starts(m.name, CK_V("data.tar"))) {
            *ret = m;
            return NULL;
        }
    }
    return ck_err_new(CK_ERR_HOSTILE, "deb: no data.tar");
}

/* --- The changelog ---------------------------------------------------------------------------- */

static ck_err *gunzip(struct ck_inflate *z, ck_view in, struct ck_buf *out)
{
    uint8_t piece[PIECE];
    size_t n;
    do {
        CK_TRY(ck_inflate_step(z, &in, piece, sizeof piece, &n));
        CK_TRY(ck_buf_add(out, ck_view_of(piece, n)));
    } while (in.n || n == sizeof piece);
    return ck_inflate_finish(z);
}

static ck_err *unpack_changelog(const struct search *s, struct ck_buf *out)
{
    if (!names[s->best].gzip)
        return ck_buf_add(out, ck_buf_view(&s->content));
    struct ck_inflate *z = ck_inflate_new(CK_COMPRESSION_GZIP);
    ck_inflate_bound(z, CK_LIMIT_CHANGELOG);
    ck_err *e = gunzip(z, ck_buf_view(&s->content), out);
    ck_inflate_free(z);
    return e;
}

static bool is_debian_changelog(ck_view text)
{
    ck_view source, version;
    for (ck_cur c = ck_cur_of(text); !ck_cur_end(&c);) {
        ck_view line = ck_cur_line(&c);
        if (ck_view_trim(line).n)
            return ck_changelog_header(line, &source, &version);
    }
    return false;
}

static ck_err *read_deb(ck_view deb, struct search *s, struct ck_buf *text, bool *ret_found)
{
    struct ar_member data = { 0 };
    enum ck_compression c = CK_COMPRESSION_NONE;
    CK_TRY(find_data(deb, &data));
    CK_TRY(data_compression(data.name, &c));
    CK_TRY_WRAP(search_tar(data.data, c, s), "deb: data.tar");
    if (s->best == N_NAMES) {
        *ret_found = false;
        return NULL;
    }
    CK_TRY_WRAP(unpack_changelog(s, text), "deb: %.*s", CK_VF(names[s->best].name));
    /* A plain changelog.gz is the Debian one in native packages only. */
    *ret_found = !names[s->best].upstream_too || is_debian_changelog(ck_buf_view(text));
    return NULL;
}

ck_err *ck_debian_deb_changelog(ck_view deb, ck_view package, struct ck_buf *ret_text,
                                bool *ret_found)
{
    if (deb.n > CK_MAX_DEB)
        return ck_err_limit(CK_LIMIT_DEB, "deb: %zu bytes", deb.n);
    struct search s = { .package = package, .best = N_NAMES,
                        .content = ck_buf_new(CK_LIMIT_CHANGELOG) };
    struct ck_buf text = ck_buf_new(CK_LIMIT_CHANGELOG);
    bool found = false;
    ck_err *e = read_deb(deb, &s, &text, &found);
    ck_buf_free(&s.content);
    if (e || !found) {
        ck_buf_free(&text);
    } else {
        ck_buf_free(ret_text);
        *ret_text = text;
    }
    if (!e)
        *ret_found = found;
    return e;
}
