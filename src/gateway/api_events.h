/* Events, as several pages and the stream show them. */
#ifndef CK_GATEWAY_API_EVENTS_H
#define CK_GATEWAY_API_EVENTS_H

#include "gateway/api.h"

/* Whether an event is for the asker's eyes: what is of no repository (a feed) is for all who are
 * bound to none. */
bool ck_api_sees_event(const struct ck_api *r, const struct ck_event *e);
/* At most `most` of those, as elements of the list that is open. */
CK_MUST ck_err *ck_api_put_events(struct ck_api *r, const struct ck_event_filter *f, size_t most);

#endif
