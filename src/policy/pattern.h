/* Patterns: "*" stands for any characters but '/', "**" for any at all; everything else for itself.
 * Matching takes one step for each byte of the text and 64 bytes of the pattern, whatever they are.
 */
#ifndef CK_POLICY_PATTERN_H
#define CK_POLICY_PATTERN_H

#include "base/arena.h"

struct ck_pattern {
    ck_view text;
    ck_view prefix; /* what stands before the first star */
    bool stars;
    size_t words;    /* of a set of states */
    size_t end;      /* the state in which all is matched */
    uint8_t *classes;   /* [256]: which of the masks is a byte's */
    uint64_t *masks;    /* [classes][words]: the states that the byte leads on from */
    uint64_t *any;      /* states at a star */
    uint64_t *across;   /* of them, at "**" */
};

/* At most POLICY_PATTERN bytes, which the caller has checked. All in `a`, the text too. */
void ck_pattern_compile(ck_view text, struct ck_arena *a, struct ck_pattern *ret);
bool ck_pattern_matches(const struct ck_pattern *p, ck_view text);

#endif
