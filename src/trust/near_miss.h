/* Is this what I think it is? Names that look like a well-known one without being it, and tags that
 * move. Pure functions; they warn and decide nothing.
 */
#ifndef CK_TRUST_NEAR_MISS_H
#define CK_TRUST_NEAR_MISS_H

#include "image/name.h"

enum ck_name_warning_kind {
    CK_NAME_NEAR_MISS,  /* "alpinne": one edit, keyboard neighbour or swap away from "alpine" */
    CK_NAME_HOMOGLYPH,  /* characters that look alike: rn and m, 0 and o, 1 and l, vv and w; the
                           grammar of names allows no others, "xn--" hosts are decoded */
    CK_NAME_LIBRARY,    /* "libary/nginx", "nginx/nginx" next to the official nginx: swapped or
                           missing
                           library/ */
    CK_NAME_HOST,       /* a registry's host that is a near miss ("dokcer.io", "ghrc.io") */
    CK_TAG_MOVES,       /* latest, none given, stable, edge, main, or a bare major version */
    CK_TAG_MINOR,       /* a minor version ("3.20"): moves with each patch release */
};

struct ck_name_warning {
    enum ck_name_warning_kind kind;
    ck_view text; /* one sentence: "alpinne is one letter away from the official image alpine" */
    ck_view like; /* the name that it resembles, or empty */
};

/* `seen`: repositories that the store knows ("docker.io/library/alpine"); a name that is among them
 * is no near miss of anything. In `a`; worst first. Nothing for a name with a digest but near
 * misses. At most 8. */
void ck_name_warnings(const struct ck_name *n, const ck_view *seen, size_t n_seen,
                      struct ck_arena *a, struct ck_name_warning **ret, size_t *ret_n);

/* Whether `path` ("alpine") is one of Docker's official images. */
bool ck_name_is_official(ck_view path);

/* "near-miss", "homoglyph", "library", "host", "moving-tag", "minor-tag" */
const char *ck_name_warning_name(enum ck_name_warning_kind k);

#endif
