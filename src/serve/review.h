/* Questions of Kubernetes API servers and their answers, as bytes: AdmissionReview
 * (admission.k8s.io/v1) and ImageReview (imagepolicy.k8s.io/v1alpha1).
 */
#ifndef CK_SERVE_REVIEW_H
#define CK_SERVE_REVIEW_H

#include "serve/judged.h"
#include "serve/pods.h"

struct ck_review {
    ck_view uid;         /* AdmissionReview; to be given back */
    ck_view refusal;     /* not empty: it cannot be judged, and why */
    ck_view namespace_;
    bool changes_only;   /* UPDATE: images that the old object had are not among these */
    struct ck_pod_image *images;
    size_t n_images;
    ck_view *words;      /* each image once; images[i].word says which */
    size_t n_words;
};

/* Fails (class HOSTILE, LIMIT) only where there is no uid to answer to; what is wrong beyond that
 * stands in `refusal`. DELETE and CONNECT run no image: there is nothing to judge. */
CK_MUST ck_err *ck_review_parse(ck_view body, struct ck_arena *a, struct ck_review *ret);
/* An ImageReview; uid stays empty, images have no pointers. */
CK_MUST ck_err *ck_image_review_parse(ck_view body, struct ck_arena *a, struct ck_review *ret);

/* Whether an admission reply allows: no refusal, and every image. `j` has an entry for each word.
 */
void ck_review_reply(const struct ck_review *r, const struct ck_judged *j, struct ck_arena *a,
                     struct ck_buf *out);
/* As that, with the patch that pins each image to what was judged, "NAME:TAG@sha256:...". Images
 * that have a digest stay. `rewrite` (HOST[:PORT] of the gate, or empty): all are named as the
 * gate serves them, but those that name it already. */
void ck_review_mutate(const struct ck_review *r, const struct ck_judged *j, ck_view rewrite,
                      struct ck_arena *a, struct ck_buf *out);
/* Not allowed, for want of a judgement; `code` as of HTTP. */
void ck_review_refuse(ck_view uid, unsigned code, ck_view message, struct ck_buf *out);

void ck_image_review_reply(const struct ck_review *r, const struct ck_judged *j,
                           struct ck_arena *a, struct ck_buf *out);
void ck_image_review_refuse(ck_view message, struct ck_buf *out);

/* An image as the patch writes it; false: it stays as it is. */
bool ck_review_pinned(ck_view image, ck_view digest, ck_view rewrite, struct ck_arena *a,
                      ck_view *ret);
/* HOST[:PORT] that a name of an image can begin with, and that is told from a path by it. */
bool ck_review_is_host(ck_view host, struct ck_arena *a);
/* "10s", "1m30s", "500ms": what API servers append as ?timeout=. False where it is none, or more
 * than an hour. */
bool ck_review_duration(ck_view text, uint64_t *ret_ms);

#endif
