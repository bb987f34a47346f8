#include "serve/review.h"

#include "base/text.h"

#define API "admission.k8s.io/v1"
#define IMAGE_API "imagepolicy.k8s.io/v1alpha1"

/* Their spelling is checked, so that no second reading of them is there. */
static const char *const review_keys[] = { "apiVersion", "kind", "request", NULL };
static const char *const request_keys[] = { "uid", "kind", "namespace", "operation", "object",
                                            "oldObject", NULL };
static const char *const kind_keys[] = { "group", "kind", "version", NULL };
static const char *const image_review_keys[] = { "apiVersion", "kind", "spec", NULL };
static const char *const image_spec_keys[] = { "containers", "namespace", NULL };
static const char *const image_keys[] = { "image", NULL };

static ck_err *expect(const struct ck_json *object, const char *key, const char *value,
                      struct ck_arena *a)
{
    struct ck_json member = ck_json_member(object, key);
    ck_view text;
    CK_TRY(ck_json_string(&member, CK_LIMIT_FIELD, a, &text));
    if (!ck_view_eq(text, ck_view_str(value)))
        return ck_json_refuse(&member, CK_ERR_HOSTILE, "must be %s", value);
    return NULL;
}

static ck_err *get(const struct ck_json *object, const char *key, struct ck_arena *a, ck_view *ret)
{
    struct ck_json member = ck_json_member(object, key);
    return ck_json_string_opt(&member, CK_LIMIT_FIELD, a, ret);
}

/* --- which images are to be judged ------------------------------------------------------------ */

static bool is_listed(const ck_view *words, size_t n, ck_view image, size_t *ret)
{
    for (size_t i = 0; i < n; i++) {
        if (ck_view_eq(words[i], image)) {
            *ret = i;
            return true;
        }
    }
    return false;
}

static ck_err *list_words(struct ck_review *r, struct ck_arena *a)
{
    size_t bytes = 0;
    r->words = ck_arena_alloc(a, CK_MAX_ADMISSION_IMAGES + 1, sizeof *r->words);
    for (size_t i = 0; i < r->n_images; i++) {
        struct ck_pod_image *im = &r->images[i];
        if (is_listed(r->words, r->n_words, im->image, &im->word))
            continue;
        if (r->n_words == CK_MAX_ADMISSION_IMAGES)
            return ck_err_limit(CK_LIMIT_ADMISSION_IMAGES, "different images of one object");
        bytes += im->image.n;
        if (bytes > CK_MAX_ADMISSION_NAMES)
            return ck_err_limit(CK_LIMIT_ADMISSION_NAMES, "names of images");
        im->word = r->n_words;
        r->words[r->n_words++] = im->image;
    }
    return NULL;
}

/* What the object ran before is not asked about again: a label must be changeable on what runs,
 * whatever became known of its image since. */
static void leave_out(struct ck_pod_images *now, const struct ck_pod_images *before)
{
    size_t n = 0;
    for (size_t i = 0; i < now->n; i++) {
        bool same = false;
        for (size_t k = 0; k < before->n && !same; k++)
            same = ck_view_eq(now->v[i].image, before->v[k].image);
        if (!same)
            now->v[n++] = now->v[i];
    }
    now->n = n;
}

static ck_err *take_images(const struct ck_json *request, ck_view operation, struct ck_arena *a,
                           struct ck_review *r)
{
    struct ck_json object = ck_json_member(request, "object");
    struct ck_json old = ck_json_member(request, "oldObject");
    struct ck_json kind = ck_json_member(request, "kind");
    struct ck_pod_images now = { 0 }, before = { 0 };
    ck_view group, name;
    CK_TRY(ck_json_object(&kind, kind_keys));
    CK_TRY(get(&kind, "group", a, &group));
    CK_TRY(get(&kind, "kind", a, &name));
    if (!name.n)
        return ck_json_refuse(&kind, CK_ERR_HOSTILE, "names no kind");
    if (!object.v)
        return ck_json_refuse(&object, CK_ERR_HOSTILE, "is missing");
    CK_TRY(ck_pod_images_of(&object, group, name, a, &now));
    r->changes_only = ck_view_eq(operation, CK_V("UPDATE"));
    if (r->changes_only && old.v) {
        CK_TRY(ck_pod_images_of(&old, group, name, a, &before));
        leave_out(&now, &before);
    }
    r->images = now.v;
    r->n_images = now.n;
    return list_words(r, a);
}

static ck_err *take_request(const struct ck_json *request, struct ck_arena *a,
                            struct ck_review *r)
{
    ck_view operation;
    CK_TRY(ck_json_object(request, request_keys));
    CK_TRY(get(request, "namespace", a, &r->namespace_));
    CK_TRY(get(request, "operation", a, &operation));
    if (ck_view_eq(operation, CK_V("DELETE")) || ck_view_eq(operation, CK_V("CONNECT")))
        return NULL;
    if (!ck_view_eq(operation, CK_V("CREATE")) && !ck_view_eq(operation, CK_V("UPDATE")))
        return ck_json_refuse(request, CK_ERR_HOSTILE, "operation is none that is known");
    return take_images(request, operation, a, r);
}

static void take_refusal(ck_err *e, struct ck_arena *a, struct ck_review *r)
{
    if (!e)
        return;
    *r = (struct ck_review){ .uid = r->uid };
    r->refusal = ck_judged_short(ck_view_str(ck_err_text(e)), CK_MAX_ADMISSION_TEXT / 4, a);
    ck_err_free(e);
}

ck_err *ck_review_parse(ck_view body, struct ck_arena *a, struct ck_review *ret)
{
    ck_autojson struct ck_json doc = { 0 };
    struct ck_review r = { 0 };
    if (body.n > CK_MAX_ADMISSION_BODY)
        return ck_err_limit(CK_LIMIT_ADMISSION_BODY, "AdmissionReview: %zu bytes", body.n);
    CK_TRY(ck_json_load(body, "AdmissionReview", &doc));
    CK_TRY(ck_json_object(&doc, review_keys));
    CK_TRY(expect(&doc, "apiVersion", API, a));
    CK_TRY(expect(&doc, "kind", "AdmissionReview", a));
    struct ck_json request = ck_json_member(&doc, "request");
    struct ck_json uid = ck_json_member(&request, "uid");
    if (!json_is_object(request.v))
        return ck_json_refuse(&request, CK_ERR_HOSTILE, "must be an object");
    CK_TRY(ck_json_string(&uid, CK_LIMIT_FIELD, a, &r.uid));
    if (!r.uid.n)
        return ck_json_refuse(&uid, CK_ERR_HOSTILE, "must not be empty");
    take_refusal(take_request(&request, a, &r), a, &r);
    *ret = r;
    return NULL;
}

static ck_err *take_containers(const struct ck_json *spec, struct ck_arena *a,
                               struct ck_review *r)
{
    struct ck_json list = ck_json_member(spec, "containers");
    size_t n = 0;
    CK_TRY(ck_json_object(spec, image_spec_keys));
    CK_TRY(get(spec, "namespace", a, &r->namespace_));
    CK_TRY(ck_json_array(&list, CK_LIMIT_ADMISSION_ENTRIES, &n));
    r->images = ck_arena_alloc(a, n + 1, sizeof *r->images);
    for (size_t i = 0; i < n; i++) {
        struct ck_json one = ck_json_at(&list, i), image = ck_json_member(&one, "image");
        CK_TRY(ck_json_object(&one, image_keys));
        CK_TRY(ck_json_string(&image, CK_LIMIT_ADMISSION_IMAGE, a, &r->images[i].image));
        if (!r->images[i].image.n)
            return ck_json_refuse(&image, CK_ERR_HOSTILE, "must not be empty");
    }
    r->n_images = n;
    return list_words(r, a);
}

ck_err *ck_image_review_parse(ck_view body, struct ck_arena *a, struct ck_review *ret)
{
    ck_autojson struct ck_json doc = { 0 };
    struct ck_review r = { 0 };
    if (body.n > CK_MAX_ADMISSION_BODY)
        return ck_err_limit(CK_LIMIT_ADMISSION_BODY, "ImageReview: %zu bytes", body.n);
    CK_TRY(ck_json_load(body, "ImageReview", &doc));
    CK_TRY(ck_json_object(&doc, image_review_keys));
    CK_TRY(expect(&doc, "apiVersion", IMAGE_API, a));
    CK_TRY(expect(&doc, "kind", "ImageReview", a));
    struct ck_json spec = ck_json_member(&doc, "spec");
    CK_TRY(take_containers(&spec, a, &r));
    *ret = r;
    return NULL;
}

/* --- parameters of the address ---------------------------------------------------------------- */

static bool unit_of(ck_view unit, uint64_t *ret_ms)
{
    static const struct {
        const char *name;
        uint64_t ms;
    } units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 } };
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (ck_view_eq(unit, ck_view_str(units[i].name))) {
            *ret_ms = units[i].ms;
            return true;
        }
    }
    return false;
}

static size_t run_of(ck_view v, bool digits)
{
    size_t n = 0;
    while (n < v.n && (v.p[n] >= '0' && v.p[n] <= '9') == digits)
        n++;
    return n;
}

bool ck_review_duration(ck_view text, uint64_t *ret_ms)
{
    enum { HOUR = 3600000 };
    uint64_t sum = 0, x = 0, unit = 0;
    if (!text.n)
        return false;
    while (text.n) {
        size_t n = run_of(text, true);
        size_t m = run_of(ck_view_from(text, n), false);
        if (!ck_view_u64(ck_view_head(text, n), &x) || x > HOUR ||
            !unit_of(ck_view_of(text.p + n, m), &unit))
            return false;
        sum += x * unit;
        if (sum > HOUR)
            return false;
        text = ck_view_from(text, n + m);
    }
    *ret_ms = sum;
    return true;
}
