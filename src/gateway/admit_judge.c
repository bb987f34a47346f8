#include "gateway/admit_judge.h"

#include "base/mem.h"
#include "base/text.h"
#include "image/image.h"
#include "image/name.h"

#include <string.h>

enum { LINES = 256, WANTED = 16 };

/* --- lines ------------------------------------------------------------------------------------ */

static void add_line(struct ck_call *c, ck_view **v, size_t *n, ck_view text)
{
    if (!*v)
        *v = ck_arena_alloc(&c->arena, LINES, sizeof **v);
    for (size_t i = 0; i < *n; i++)
        if (ck_view_eq((*v)[i], text))
            return;
    if (*n < LINES)
        (*v)[(*n)++] = text;
}

static ck_view escaped(struct ck_call *c, const char *text)
{
    ck_autofree char *safe = ck_escape(ck_view_str(text));
    return ck_arena_dup(&c->arena, ck_view_str(safe));
}

void ck_admit_settle(struct ck_call *c, struct ck_admit_image *im, enum ck_decision d,
                     const char *reason)
{
    im->decision = d;
    im->n_reasons = 0;
    add_line(c, &im->reasons, &im->n_reasons, escaped(c, reason));
}

void ck_admit_warn(struct ck_call *c, struct ck_admit_image *im, const char *text)
{
    add_line(c, &im->warnings, &im->n_warnings, escaped(c, text));
}

/* --- what a name means ------------------------------------------------------------------------ */

/* A runtime's id, whole or its beginning. No official image is called like one. */
static bool is_id(ck_view word, ck_view *ret_hex)
{
    ck_view hex = ck_view_starts(word, CK_V("sha256:")) ? ck_view_from(word, 7) : word;
    for (size_t i = 0; i < hex.n; i++) {
        if (!((hex.p[i] >= '0' && hex.p[i] <= '9') || (hex.p[i] >= 'a' && hex.p[i] <= 'f')))
            return false;
    }
    *ret_hex = hex;
    return hex.n >= 1 && hex.n <= 64;
}

/* "gate.example:5443" of "https://gate.example:5443"; the port of the scheme is left out. */
static ck_view authority(const char *url)
{
    ck_view v = ck_view_str(url);
    bool tls = ck_view_starts(v, CK_V("https://"));
    const char *colons = strstr(url, "://");
    ck_view rest, host = ck_view_split(colons ? ck_view_str(colons + 3) : v, '/', &rest);
    ck_view port = tls ? CK_V(":443") : CK_V(":80");
    return ck_view_ends(host, port) ? ck_view_head(host, host.n - port.n) : host;
}

/* Names of this gate are names of what it serves. False: of nothing that it may. */
static bool resolve(struct ck_call *c, const struct ck_name *n, struct ck_place *ret)
{
    bool own = ck_view_eq(n->host, authority(ck_gateway_url(c->g)));
    c->ask.ns = c->ask.host = (ck_view){ 0 };
    c->ask.repository = own ? n->path
                            : ck_view_str(ck_arena_format(&c->arena, "%.*s/%.*s", CK_VF(n->host),
                                                          CK_VF(n->path)));
    return ck_place_find(c, ret);
}

static void keep_name(struct ck_call *c, const struct ck_name *n, const struct ck_place *place,
                      struct ck_admit_image *im)
{
    char text[CK_DIGEST_TEXT];
    im->hosted = place->hosted;
    im->repository = place->repository;
    im->judged_as = n->tag.n ? ck_arena_format(&c->arena, "%s:%.*s", im->repository, CK_VF(n->tag))
                             : im->repository;
    im->name = im->judged_as;
    if (!n->has_digest) {
        ck_admit_warn(c, im, "not pinned: the tag may come to mean another image");
        return;
    }
    im->pinned = im->has_digest = true;
    im->digest = n->digest;
    ck_digest_text(&n->digest, text);
    im->name = ck_arena_format(&c->arena, "%s@%s", im->repository, text);
    im->judged_as = ck_arena_format(&c->arena, "%s@%s", im->judged_as, text);
}

static ck_err *read_name(struct ck_call *c, struct ck_admit_image *im)
{
    struct ck_name n;
    struct ck_place place;
    if (ck_view_starts(im->word, CK_V("docker://")))
        return ck_err_new(CK_ERR_USAGE, "no name of an image: no runtime takes docker://");
    CK_TRY(ck_name_parse(im->word, &c->arena, &n));
    if (!resolve(c, &n, &place))
        return ck_err_new(CK_ERR_USAGE, "%.*s is not among the registries that this gate may ask",
                          CK_VF(n.host));
    keep_name(c, &n, &place, im);
    return NULL;
}

bool ck_admit_read(struct ck_call *c, struct ck_admit_image *im)
{
    ck_view hex;
    if (is_id(im->word, &hex)) {
        im->by_id = true;
        im->name = im->judged_as = im->repository = "";
        return true;
    }
    ck_err *e = im->word.n <= CK_MAX_ADMISSION_IMAGE
                    ? read_name(c, im)
                    : ck_err_limit(CK_LIMIT_ADMISSION_IMAGE, "%zu bytes of name", im->word.n);
    if (e)
        ck_admit_settle(c, im, CK_DENY, ck_err_text(e));
    ck_err_free(e);
    return e == NULL;
}

/* --- what it is worth ------------------------------------------------------------------------- */

static void warn_until(struct ck_call *c, struct ck_admit_image *im, int64_t until)
{
    char when[32];
    if (!until)
        return;
    ck_format_time(when, until);
    ck_admit_warn(c, im, ck_arena_format(&c->arena, "allowed until %s", when));
}

/* The worst of all that were looked at counts; all reasons are told. */
static void add_verdict(struct ck_call *c, struct ck_admit_image *im, const struct ck_verdict *v)
{
    bool allow = v->decision == CK_ALLOW;
    if (v->decision > im->decision) {
        im->decision = v->decision;
        im->n_reasons = 0;
    }
    for (size_t i = 0; i < v->n_reasons; i++) {
        if (allow)
            ck_admit_warn(c, im, ck_arena_format(&c->arena, "by exception: %.*s",
                                                 CK_VF(v->reasons[i])));
        else if (v->decision == im->decision)
            add_line(c, &im->reasons, &im->n_reasons, v->reasons[i]);
    }
    if (allow)
        warn_until(c, im, v->until);
}

/* Adds an image that runs. *ret_known is false where it was never examined, or is not there. */
static ck_err *judge_image(struct ck_call *c, struct ck_admit_image *im, const struct ck_digest *d,
                           bool *ret_known)
{
    struct ck_verdict v;
    ck_err *e = ck_call_verdict(c, ck_view_str(im->judged_as), d, &v);
    bool absent = e && ck_err_class(e) == CK_ERR_UNAVAILABLE;
    if (e && !absent)
        return e;
    ck_err_free(e);
    if (absent || (!v.examined && !v.by_person && v.decision != CK_DENY))
        *ret_known = false;
    else
        add_verdict(c, im, &v);
    return NULL;
}

/* The child that a host of that platform runs; false: there is none in the store. */
static ck_err *child_for(struct ck_call *c, const struct ck_store_entry *index,
                         const struct ck_platform *want, struct ck_digest *ret, bool *ret_has)
{
    int best = 0;
    for (size_t i = 0; i < index->image.n_parts; i++) {
        const struct ck_store_part *p = &index->image.parts[i];
        struct ck_store_entry child;
        struct ck_platform have;
        bool found = false;
        CK_TRY(ck_store_get(c->g->store, &p->digest, &c->arena, &child, &found));
        if (!found || child.image.index || !child.image.platform.n)
            continue;
        ck_err *e = ck_platform_parse(child.image.platform, &have);
        int score = e ? 0 : ck_platform_match(want, &have);
        ck_err_free(e);
        if (score > best) {
            best = score;
            *ret = p->digest;
        }
    }
    *ret_has = best > 0;
    return NULL;
}

static ck_err *wanted_platforms(const struct ck_call *c, struct ck_platform v[WANTED],
                                size_t *ret_n)
{
    size_t n = 0;
    ck_view rest = c->g->o->platforms ? ck_view_str(c->g->o->platforms) : CK_V("");
    while (rest.n && n < WANTED)
        CK_TRY(ck_platform_parse(ck_view_trim(ck_view_split(rest, ',', &rest)), &v[n++]));
    if (!n)
        v[n++] = ck_platform_host();
    *ret_n = n;
    return NULL;
}

/* By its own name, and each image that a node of ours would take from it. */
static ck_err *judge_index(struct ck_call *c, struct ck_admit_image *im,
                           const struct ck_store_entry *index, bool *ret_known)
{
    struct ck_platform want[WANTED];
    struct ck_verdict v;
    size_t n = 0, judged = 0;
    CK_TRY(ck_call_verdict(c, ck_view_str(im->judged_as), &index->image.digest, &v));
    add_verdict(c, im, &v);
    CK_TRY(wanted_platforms(c, want, &n));
    for (size_t i = 0; i < n; i++) {
        struct ck_digest d;
        bool has = false;
        CK_TRY(child_for(c, index, &want[i], &d, &has));
        if (has)
            CK_TRY(judge_image(c, im, &d, ret_known));
        judged += has;
    }
    if (!judged)
        *ret_known = false;
    return NULL;
}

static ck_err *judge_digest(struct ck_call *c, struct ck_admit_image *im, bool *ret_known)
{
    struct ck_store_entry entry;
    bool found = false;
    if (im->has_digest)
        CK_TRY(ck_store_get(c->g->store, &im->digest, &c->arena, &entry, &found));
    if (!found) {
        *ret_known = false;
        return NULL;
    }
    if (entry.image.index)
        return judge_index(c, im, &entry, ret_known);
    return judge_image(c, im, &im->digest, ret_known);
}

/* All that have this id: which of them the runtime has is not known. */
static ck_err *judge_id(struct ck_call *c, struct ck_admit_image *im)
{
    ck_view hex;
    struct ck_digest *v = NULL;
    size_t n = 0;
    bool known = true;
    if (is_id(im->word, &hex))
        CK_TRY(ck_store_by_id(c->g->store, hex, &c->arena, &v, &n));
    for (size_t i = 0; i < n; i++)
        CK_TRY(judge_image(c, im, &v[i], &known));
    if (n == 1) {
        im->digest = v[0];
        im->has_digest = true;
    }
    if (!n)
        ck_admit_settle(c, im, CK_DENY, "by id: the gate knows no image of that id");
    else if (!known)
        ck_admit_settle(c, im, CK_QUARANTINE, "by id: not examined");
    return NULL;
}

bool ck_admit_judge(struct ck_call *c, struct ck_admit_image *im)
{
    bool known = true;
    im->decision = CK_ALLOW;
    im->n_reasons = 0;
    ck_autoerr ck_err *e = im->by_id ? judge_id(c, im) : judge_digest(c, im, &known);
    if (e)
        ck_admit_settle(c, im, CK_DENY, ck_err_text(e));
    return known || e;
}
