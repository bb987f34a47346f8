/* The images that a Kubernetes object would have run: those of containers, init containers,
 * ephemeral containers and image volumes of every pod specification in it (Kubernetes API
 * reference, core/v1 PodSpec).
 */
#ifndef CK_SERVE_PODS_H
#define CK_SERVE_PODS_H

#include "image/json.h"

struct ck_pod_image {
    ck_view image;   /* as written; never empty */
    ck_view pointer; /* where it stands in the object (RFC 6901): "/spec/containers/0/image" */
    size_t word;     /* for the caller's use */
};

struct ck_pod_images {
    struct ck_pod_image *v;
    size_t n;
    size_t nameless; /* containers without an image: templates may leave it to another */
};

/* Of the kinds of Kubernetes itself the pod specification must stand in its place (HOSTILE where
 * it does not). In an object of another kind every part that is built like one is taken: it has
 * containers with images. All in `a`; the document may go. */
CK_MUST ck_err *ck_pod_images_of(const struct ck_json *object, ck_view group, ck_view kind,
                                 struct ck_arena *a, struct ck_pod_images *ret);

#endif
