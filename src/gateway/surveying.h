/* The survey that the gate makes, where somebody asked for one. Any thread. */
#ifndef CK_GATEWAY_SURVEYING_H
#define CK_GATEWAY_SURVEYING_H

#include "gateway/core.h"

/* False: one is under way. sample 0: as many as the survey chooses. */
bool ck_surveying_begin(struct ck_gateway *g, ck_view registry, uint64_t sample);
/* How far it is; false: none is under way. */
bool ck_surveying_look(struct ck_gateway *g, struct ck_buf *ret_registry, uint64_t *ret_done,
                       uint64_t *ret_total);

#endif
