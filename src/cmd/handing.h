/* What load and unpack share: the options, the reference, what is said at the end. */
#ifndef CK_CMD_HANDING_H
#define CK_CMD_HANDING_H

#include "cmd/cmd.h"
#include "load/load.h"

struct ck_handing {
    struct ck_load_options load;
    struct ck_platform platform;
    bool force, quiet;
    struct ck_progress_line line;
};

enum ck_handing_opt {
    CK_OPT_HAND_STORE = 768, CK_OPT_HAND_PLATFORM, CK_OPT_HAND_FORCE, CK_OPT_HAND_REASON,
    CK_OPT_HAND_NO_SANDBOX, CK_OPT_HAND_POLICY,
};
/* For a table of struct option. */
#define CK_HANDING_OPTIONS                                              \
    { "store", required_argument, NULL, CK_OPT_HAND_STORE },            \
    { "platform", required_argument, NULL, CK_OPT_HAND_PLATFORM },      \
    { "policy", required_argument, NULL, CK_OPT_HAND_POLICY },          \
    { "force", no_argument, NULL, CK_OPT_HAND_FORCE },                  \
    { "reason", required_argument, NULL, CK_OPT_HAND_REASON },          \
    { "quiet", no_argument, NULL, 'q' },                                \
    { "insecure-no-sandbox", no_argument, NULL, CK_OPT_HAND_NO_SANDBOX }, \
    { "help", no_argument, NULL, 'h' }

/* Takes an option of the table above; *ret_taken is false for others. */
CK_MUST ck_err *ck_handing_take(struct ck_handing *h, int opt, bool *ret_taken);
/* --force and --reason go together only. -1: go on. */
int ck_handing_check(const struct ck_handing *h, const char *page);
/* Warnings, and the line of progress. */
void ck_handing_start(struct ck_handing *h, const char *verb);

/* "cocket: REF is quarantined: REASON", and the exit status. */
int ck_handing_refused(const char *ref, const struct ck_loaded *l);

#endif
