/* What the hub says of images (CK_ASK_VERDICTS), and how people are told. */
#ifndef CK_SERVE_JUDGED_H
#define CK_SERVE_JUDGED_H

#include "base/arena.h"
#include "base/buf.h"

struct ck_judged {
    ck_view image; /* as asked */
    enum ck_judgement {
        CK_JUDGED_ALLOW, CK_JUDGED_QUARANTINE, CK_JUDGED_DENY, CK_JUDGEMENT_COUNT_
    } decision;
    ck_view digest; /* "sha256:...", what was judged; empty: not known */
    ck_view *reasons, *warnings;
    size_t n_reasons, n_warnings;
};

const char *ck_judgement_name(enum ck_judgement j); /* "allow", "quarantine", "deny" */

/* The answer must speak of the words that were asked about, in their order. Class OURS. */
CK_MUST ck_err *ck_judged_parse(ck_view json, const ck_view *words, size_t n, struct ck_arena *a,
                                struct ck_judged **ret);

bool ck_judged_all_allow(const struct ck_judged *v, size_t n);
/* "alpine:3: deny: reason; reason | ...": of those that are not allowed, one line of at most `max`
 * bytes; what is left out is counted. In `a`. */
ck_view ck_judged_line(const struct ck_judged *v, size_t n, size_t max, struct ck_arena *a);
/* "alpine:3 allow sha256:...; ...": of all, the same way. */
ck_view ck_judged_summary(const struct ck_judged *v, size_t n, size_t max, struct ck_arena *a);
/* Escaped, and not longer than `max` bytes: cut at a character, with "..." behind. In `a`. */
ck_view ck_judged_short(ck_view text, size_t max, struct ck_arena *a);

#endif
