/* The one place where an image of the store, its facts, a policy and what people decided come
 * together. The command line, the gate, admission and the plugins all ask here.
 */
#ifndef CK_VERDICT_VERDICT_H
#define CK_VERDICT_VERDICT_H

#include "policy/policy.h"
#include "store/store.h"

/* Who wants what; anything may be empty. */
struct ck_verdict_question {
    ck_view name; /* "docker.io/library/alpine:3.20", normalised, or empty */
    ck_view user, address, namespace_;
    int64_t now; /* seconds since the epoch */
    bool without_people; /* what they decided is left out: for what a scan says */
    const struct ck_facts *facts; /* taken for those that are kept: before new ones are; or NULL */
};

struct ck_verdict {
    enum ck_decision decision; /* what holds now */
    enum ck_decision policy;   /* what it is but for people: the policy's, and the last scan's */
    bool examined;             /* there are facts; else it is quarantined as "not examined" */
    bool complete;             /* all its blobs are in the store */
    bool by_person;            /* a person's denial or release decided it */
    ck_view *reasons;          /* lines, escaped; why, or with ALLOW what was excepted */
    size_t n_reasons;
    unsigned persons, released_by; /* QUARANTINE: how many must release it, how many have */
    int64_t until;                 /* as in ck_policy_answer */
};

/* An index is judged by its name and by people only; each of its images for itself. So is an
 * artifact (signature, attestation, SBOM) that no runtime takes for an image by its config's media
 * type; others must have been cleared. A person's denial denies. A person's release (by as many as
 * the rule wants) makes QUARANTINE an ALLOW, never DENY. Facts that cannot be decoded (an older
 * version) count as not examined; what a scan refused to look at to its end is denied. Class
 * UNAVAILABLE: no such image; USAGE: `name` is none. */
CK_MUST ck_err *ck_verdict_of(struct ck_store *s, const struct ck_policy *p,
                              const struct ck_digest *d, const struct ck_verdict_question *q,
                              struct ck_arena *a, struct ck_verdict *ret);

/* The same with these facts in place of those that are kept: an image was assessed again, and what
 * it comes to is not written down yet. */
CK_MUST ck_err *ck_verdict_with(struct ck_store *s, const struct ck_policy *p,
                                const struct ck_digest *d, const struct ck_facts *f,
                                const struct ck_verdict_question *q, struct ck_arena *a,
                                struct ck_verdict *ret);

/* The same for an image that is in no store (an archive, a directory): it has no past, and nobody
 * has decided about it. */
CK_MUST ck_err *ck_verdict_of_facts(const struct ck_policy *p, const struct ck_facts *f,
                                    const struct ck_verdict_question *q, struct ck_arena *a,
                                    struct ck_verdict *ret);

/* What a scan with this verdict sets the image's state to, and the reason that is noted; in `a`. */
enum ck_state_of_image ck_verdict_state(const struct ck_verdict *v);
ck_view ck_verdict_reason(const struct ck_verdict *v, const struct ck_policy *p,
                          struct ck_arena *a);

/* "denied: rule: reason; rule: reason", one line of at most `max` bytes, that says how many more
 * there are. In `a`. */
const char *ck_verdict_line(const struct ck_verdict *v, size_t max, struct ck_arena *a);

#endif
