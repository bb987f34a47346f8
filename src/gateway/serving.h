/* What call.c, manifest.c, blob.c, listing.c and explain.c share. */
#ifndef CK_GATEWAY_SERVING_H
#define CK_GATEWAY_SERVING_H

#include "gateway/gateway_int.h"

/* "docker.io/library/alpine:3@sha256:..." -> "docker.io/library/alpine" */
ck_view ck_name_head(ck_view name);
/* How long the room may give the same answer to the same user: `ms`, and never past `until`
 * (seconds; 0: no end); not at all where the policy asks for the client's address. */
uint32_t ck_keep_ms(struct ck_gateway *g, int64_t ms, int64_t until);

#endif
