#include "serve/review.h"

#include "base/base64.h"
#include "base/mem.h"
#include "base/text.h"
#include "image/name.h"

#include <stdlib.h>

#define API "admission.k8s.io/v1"
#define IMAGE_API "imagepolicy.k8s.io/v1alpha1"

enum {
    FORBIDDEN = 403,
    /* "Extensible admission controllers", Response: more may be cut, or dropped altogether. */
    WARNING = 120, WARNINGS = 4096,
};

static void begin(ck_view uid, bool allowed, struct ck_buf *out)
{
    ck_buf_format(out, "{\"apiVersion\":\"" API "\",\"kind\":\"AdmissionReview\","
                       "\"response\":{\"uid\":");
    ck_buf_json_str(out, uid);
    ck_buf_format(out, ",\"allowed\":%s", allowed ? "true" : "false");
}

static void end(struct ck_buf *out) { ck_put_bytes(out, CK_V("}}")); }

static void put_status(unsigned code, ck_view message, struct ck_buf *out)
{
    ck_buf_format(out, ",\"status\":{\"code\":%u,\"message\":", code);
    ck_buf_json_str(out, message);
    ck_put_u8(out, '}');
}

void ck_review_refuse(ck_view uid, unsigned code, ck_view message, struct ck_buf *out)
{
    begin(uid, false, out);
    put_status(code, message, out);
    end(out);
}

/* --- warnings and notes ----------------------------------------------------------------------- */

static void put_warning(ck_view text, size_t *bytes, struct ck_buf *out)
{
    if (*bytes + text.n > WARNINGS)
        return;
    ck_put_bytes(out, *bytes ? CK_V(",") : CK_V(",\"warnings\":["));
    ck_buf_json_str(out, text);
    *bytes += text.n;
}

static void put_warnings(const struct ck_judged *j, size_t n, struct ck_arena *a,
                         struct ck_buf *out)
{
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++) {
        ck_view image = ck_judged_short(j[i].image, WARNING / 2, a);
        for (size_t k = 0; k < j[i].n_warnings; k++) {
            ck_view line = ck_view_str(ck_arena_format(a, "%.*s: %.*s", CK_VF(image),
                                                       CK_VF(j[i].warnings[k])));
            put_warning(ck_judged_short(line, WARNING, a), &bytes, out);
        }
    }
    if (bytes)
        ck_put_u8(out, ']');
}

static void put_annotations(const struct ck_judged *j, size_t n, struct ck_arena *a,
                            struct ck_buf *out)
{
    ck_put_bytes(out, CK_V(",\"auditAnnotations\":{\"images\":"));
    ck_buf_json_str(out, ck_judged_summary(j, n, CK_MAX_ADMISSION_TEXT, a));
    ck_put_u8(out, '}');
}

/* Up to where the answers are the same for both: whether it is allowed. */
static bool begin_judged(const struct ck_review *r, const struct ck_judged *j, struct ck_arena *a,
                         struct ck_buf *out)
{
    bool allowed = !r->refusal.n && ck_judged_all_allow(j, r->n_words);
    begin(r->uid, allowed, out);
    if (r->refusal.n)
        put_status(FORBIDDEN, r->refusal, out);
    else if (!allowed)
        put_status(FORBIDDEN, ck_judged_line(j, r->n_words, CK_MAX_ADMISSION_TEXT, a), out);
    return allowed;
}

static void end_judged(const struct ck_review *r, const struct ck_judged *j, struct ck_arena *a,
                       struct ck_buf *out)
{
    put_warnings(j, r->n_words, a, out);
    if (r->n_words)
        put_annotations(j, r->n_words, a, out);
    end(out);
}

void ck_review_reply(const struct ck_review *r, const struct ck_judged *j, struct ck_arena *a,
                     struct ck_buf *out)
{
    begin_judged(r, j, a, out);
    end_judged(r, j, a, out);
}

/* --- the patch -------------------------------------------------------------------------------- */

static bool parse_name(ck_view image, struct ck_arena *a, struct ck_name *ret)
{
    ck_err *e = ck_name_parse(image, a, ret);
    bool ok = !e;
    ck_err_free(e);
    return ok;
}

bool ck_review_is_host(ck_view host, struct ck_arena *a)
{
    struct ck_name n;
    if (host.n > CK_MAX_REGISTRY_NAME || ck_view_find(host, '/') < host.n)
        return false;
    const char *probe = ck_arena_format(a, "%.*s/a/b", CK_VF(host));
    return parse_name(ck_view_str(probe), a, &n) && n.host_given && ck_view_eq(n.host, host);
}

static ck_view named_at(const struct ck_name *n, ck_view image, ck_view rewrite,
                        struct ck_arena *a)
{
    ck_view plain = image;
    if (n->has_digest) /* the digest is the same; what stands before it is wanted */
        plain = ck_view_head(image, ck_view_find(image, '@'));
    if (!rewrite.n || ck_view_eq(n->host, rewrite))
        return !n->tag_given && n->tag.n
                   ? ck_view_str(ck_arena_format(a, "%.*s:%.*s", CK_VF(plain), CK_VF(n->tag)))
                   : plain;
    return ck_view_str(ck_arena_format(a, "%.*s/%.*s/%.*s%s%.*s", CK_VF(rewrite), CK_VF(n->host),
                                       CK_VF(n->path), n->tag.n ? ":" : "", CK_VF(n->tag)));
}

bool ck_review_pinned(ck_view image, ck_view digest, ck_view rewrite, struct ck_arena *a,
                      ck_view *ret)
{
    struct ck_name n;
    char text[CK_DIGEST_TEXT];
    if (!parse_name(image, a, &n))
        return false;
    if (n.has_digest)
        digest = ck_view_str(ck_digest_text(&n.digest, text));
    if (!digest.n)
        return false;
    ck_view name = named_at(&n, image, rewrite, a);
    ck_view pinned = ck_view_str(ck_arena_format(a, "%.*s@%.*s", CK_VF(name), CK_VF(digest)));
    if (ck_view_eq(pinned, image))
        return false;
    *ret = pinned;
    return true;
}

static void put_patch(const struct ck_review *r, const struct ck_judged *j, ck_view rewrite,
                      struct ck_arena *a, struct ck_buf *out)
{
    for (size_t i = 0; i < r->n_images; i++) {
        const struct ck_pod_image *im = &r->images[i];
        ck_view value;
        if (!ck_review_pinned(im->image, j[im->word].digest, rewrite, a, &value))
            continue;
        ck_put_bytes(out, out->n ? CK_V(",") : CK_V("["));
        ck_put_bytes(out, CK_V("{\"op\":\"replace\",\"path\":"));
        ck_buf_json_str(out, im->pointer);
        ck_put_bytes(out, CK_V(",\"value\":"));
        ck_buf_json_str(out, value);
        ck_put_u8(out, '}');
    }
    if (out->n)
        ck_put_u8(out, ']');
}

void ck_review_mutate(const struct ck_review *r, const struct ck_judged *j, ck_view rewrite,
                      struct ck_arena *a, struct ck_buf *out)
{
    ck_autobuf struct ck_buf patch = ck_buf_new(CK_LIMIT_NONE);
    if (begin_judged(r, j, a, out))
        put_patch(r, j, rewrite, a, &patch);
    if (patch.n) {
        ck_put_bytes(out, CK_V(",\"patchType\":\"JSONPatch\",\"patch\":\""));
        ck_base64_put(out, ck_buf_view(&patch));
        ck_put_u8(out, '"');
    }
    end_judged(r, j, a, out);
}

/* --- ImageReview ------------------------------------------------------------------------------ */

static void begin_image_review(bool allowed, struct ck_buf *out)
{
    ck_buf_format(out, "{\"apiVersion\":\"" IMAGE_API "\",\"kind\":\"ImageReview\","
                       "\"status\":{\"allowed\":%s", allowed ? "true" : "false");
}

static void put_reason(ck_view text, struct ck_buf *out)
{
    ck_put_bytes(out, CK_V(",\"reason\":"));
    ck_buf_json_str(out, text);
}

void ck_image_review_reply(const struct ck_review *r, const struct ck_judged *j,
                           struct ck_arena *a, struct ck_buf *out)
{
    bool allowed = ck_judged_all_allow(j, r->n_words);
    begin_image_review(allowed, out);
    if (!allowed)
        put_reason(ck_judged_line(j, r->n_words, CK_MAX_ADMISSION_TEXT, a), out);
    if (r->n_words)
        put_annotations(j, r->n_words, a, out);
    end(out);
}

void ck_image_review_refuse(ck_view message, struct ck_buf *out)
{
    begin_image_review(false, out);
    put_reason(message, out);
    end(out);
}
