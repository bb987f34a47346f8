/* One image of an admission: what its name means here, and what it is worth. */
#ifndef CK_GATEWAY_ADMIT_JUDGE_H
#define CK_GATEWAY_ADMIT_JUDGE_H

#include "gateway/gateway_int.h"

/* All in the call's arena. */
struct ck_admit_image {
    ck_view word; /* as asked */
    /* What it means: */
    const char *name;       /* "docker.io/library/alpine:3.20"; pinned: REPOSITORY@DIGEST */
    const char *judged_as;  /* for rules: with the tag, where there is one */
    const char *repository; /* empty for an id */
    bool hosted, pinned, by_id;
    bool has_digest;
    struct ck_digest digest;
    /* What it is worth: */
    enum ck_decision decision;
    ck_view *reasons, *warnings;
    size_t n_reasons, n_warnings;
};

/* Reads `word`: a name as the kubelet and containerd read it, a name of this gate, or the id of an
 * image in a runtime. False: it is settled. */
CK_MUST bool ck_admit_read(struct ck_call *c, struct ck_admit_image *im);
/* By the digest, or the id. False: it was not examined yet. */
CK_MUST bool ck_admit_judge(struct ck_call *c, struct ck_admit_image *im);
void ck_admit_settle(struct ck_call *c, struct ck_admit_image *im, enum ck_decision d,
                     const char *reason);
void ck_admit_warn(struct ck_call *c, struct ck_admit_image *im, const char *text);

#endif
