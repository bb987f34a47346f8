/* The verdict on an image, from the gate's own store on this machine. */
#ifndef CK_CMD_VERDICT_HERE_H
#define CK_CMD_VERDICT_HERE_H

#include "lockdown/verifier.h"

/* `store` and `policy` as for ck_store_open and ck_policy_load. Of an index, each image that is in
 * the store must be allowed, and one must be there: which of them will be run is not known. */
CK_MUST ck_err *ck_verdict_here(const char *store, const char *policy,
                                const struct ck_verifier_question *q, struct ck_arena *a,
                                struct ck_verifier_answer *ret);

#endif
