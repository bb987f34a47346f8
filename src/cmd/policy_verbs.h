/* The verbs below `cocket policy`. */
#ifndef CK_CMD_POLICY_VERBS_H
#define CK_CMD_POLICY_VERBS_H

#include "base/err.h"

#define CK_POLICY_PAGE "cocket-policy"

/* argv[0] is the verb. */
int ck_cmd_policy_check(int argc, char **argv);
int ck_cmd_policy_replay(int argc, char **argv);

#endif
