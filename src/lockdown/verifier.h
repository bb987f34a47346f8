/* What containerd asks an image verifier, and what the gate answers it (docs/image-verification.md
 * of containerd). Whatever is not plainly a yes is a no.
 */
#ifndef CK_LOCKDOWN_VERIFIER_H
#define CK_LOCKDOWN_VERIFIER_H

#include "image/name.h"
#include "lockdown/place.h"

#define CK_VERIFIER_CONF "/etc/cocket/verifier.conf"

/* The file of settings (TOML). All may be NULL. */
struct ck_verifier_conf {
    const char *gate;       /* URL */
    const char *ca;         /* file, PEM: it alone vouches for the gate */
    const char *token_file; /* one line: a token; or USER:PASSWORD */
    const char *store;      /* the gate's, on this machine: no gate is asked */
    const char *policy;     /* with store */
};

/* Unknown keys are errors: one that is misspelt would else count as not given. Class USAGE. */
CK_MUST ck_err *ck_verifier_conf_parse(ck_view bytes, const char *name, struct ck_arena *a,
                                       struct ck_verifier_conf *ret);
CK_MUST ck_err *ck_verifier_conf_read(const struct ck_place *p, const char *path,
                                      struct ck_arena *a, struct ck_verifier_conf *ret,
                                      bool *ret_there);

/* -name, -digest, -stdin-media-type and what came on stdin. */
struct ck_verifier_question {
    struct ck_name name;
    struct ck_digest digest;
};
/* The descriptor must be one, of the same digest, of an image or an index. Class USAGE for what
 * containerd said, HOSTILE for the descriptor. */
CK_MUST ck_err *ck_verifier_question_read(const char *name, const char *digest,
                                          const char *media_type, ck_view descriptor,
                                          struct ck_arena *a, struct ck_verifier_question *ret);
/* "GATE/verdict?image=docker.io%2Flibrary%2Falpine%3A3.20%40sha256%3A..." */
const char *ck_verifier_url(const char *gate, const struct ck_verifier_question *q,
                            struct ck_arena *a);
/* The Authorization header's value for what stands in a token file. Class USAGE. */
CK_MUST ck_err *ck_verifier_authorization(ck_view token, struct ck_arena *a, const char **ret);

struct ck_verifier_answer {
    bool allowed;
    const char *reason; /* one line, escaped */
};
/* {"image","decision","digest","reasons":[],"warnings":[]}. It allows only with the decision
 * "allow" and the digest that was asked about. Class HOSTILE, LIMIT. */
CK_MUST ck_err *ck_verifier_answer_read(ck_view json, const struct ck_verifier_question *q,
                                        struct ck_arena *a, struct ck_verifier_answer *ret);

#endif
