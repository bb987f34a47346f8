/* The verbs below `cocket policy`. */
#ifndef CK_CMD_POLICY_VERBS_H
#define CK_CMD_POLICY_VERBS_H

#include "base/err.h"

#define CK_POLICY_PAGE "cocket-policy"

/* argv[0] is the verb. */
int ck_cmd_policy_check(int argc, char **argv);
int ck_cmd_policy_replay(int argc, char **argv);

/* --format text or json. */
CK_MUST ck_err *ck_cmd_policy_format(const char *value, bool *ret_json);

#endif
