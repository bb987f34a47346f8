/* How many requests a client address may make: a bucket of tokens each, of which there are at most
 * SERVE_BUCKETS; the one that was unused for longest makes room.
 */
#ifndef CK_SERVE_LIMITER_H
#define CK_SERVE_LIMITER_H

#include "base/view.h"

struct ck_limiter;
/* `rate` a second, ten times as many at once; 0: no limit. */
struct ck_limiter *ck_limiter_new(uint32_t rate);
void ck_limiter_free(struct ck_limiter *l);
bool ck_limiter_take(struct ck_limiter *l, ck_view client, int64_t now_ms);

#endif
