/* How patient notifications are, as the environment says. */
#ifndef CK_CMD_NOTIFY_ENV_H
#define CK_CMD_NOTIFY_ENV_H

#include "notify/notify.h"

/* COCKET_NOTIFY_RETRY, "FIRST[,MOST[,GIVE-UP]]", COCKET_NOTIFY_TIMEOUT and COCKET_NOTIFY_FLOOD.
 * Class USAGE. */
CK_MUST ck_err *ck_notify_env(struct ck_notify_options *o);

#endif
