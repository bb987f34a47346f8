/* Opening an image of the store for those who hand it on, and the question whether they may. */
#ifndef CK_LOAD_GATE_H
#define CK_LOAD_GATE_H

#include "load/load.h"
#include "source/source.h"

/* Opens `ref`. With all_platforms an index is opened as such. */
CK_MUST ck_err *ck_gate_open(const char *ref, const struct ck_load_options *o, struct ck_arena *a,
                             struct ck_source **ret);

/* Whether it may be handed on under its name (verdict/verdict.h): the manifest must be allowed, and
 * the index that it was chosen from must not be denied; of a whole index, every image must be
 * allowed. What a scan once decided counts no more than its facts. Fills refused, state, reason,
 * digest. With o->force it is not refused, and "force-`verb`" is logged where it would have been:
 * nothing is handed on before it is on record. */
CK_MUST ck_err *ck_gate_pass(struct ck_source *s, const char *verb, const char *to,
                             const struct ck_load_options *o, struct ck_arena *a,
                             struct ck_loaded *ret);

/* The name at the target: --name, or the one of the store that `ref` says, or its first, without a
 * digest; empty where there is none. */
CK_MUST ck_err *ck_gate_name(struct ck_source *s, const char *ref, const struct ck_load_options *o,
                             struct ck_arena *a, ck_view *ret);

/* The log: it was handed on. */
CK_MUST ck_err *ck_gate_log(struct ck_source *s, const char *verb, const char *to,
                            const struct ck_loaded *l);

#endif
