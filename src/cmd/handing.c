#include "cmd/handing.h"

#include "base/mem.h"
#include "base/text.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

ck_err *ck_handing_take(struct ck_handing *h, int opt, bool *ret_taken)
{
    *ret_taken = true;
    switch (opt) {
    case CK_OPT_HAND_STORE:
        h->load.store = optarg;
        return NULL;
    case CK_OPT_HAND_PLATFORM:
        h->load.platform = &h->platform;
        h->load.platform_asked = true;
        return ck_platform_parse(ck_view_str(optarg), &h->platform);
    case CK_OPT_HAND_FORCE:
        h->force = true;
        return NULL;
    case CK_OPT_HAND_REASON:
        h->load.force = optarg;
        return NULL;
    case CK_OPT_HAND_POLICY:
        h->load.policy = optarg;
        return NULL;
    case CK_OPT_HAND_NO_SANDBOX:
        h->load.no_sandbox = true;
        return NULL;
    case 'q':
        h->quiet = true;
        return NULL;
    case 'o':
        return ck_err_new(CK_ERR_USAGE, "unknown option -o");
    }
    *ret_taken = false;
    return NULL;
}

int ck_handing_check(const struct ck_handing *h, const char *page)
{
    ck_view reason = ck_view_trim(ck_view_str(h->load.force ? h->load.force : ""));
    if (h->force && !reason.n)
        return ck_cmd_usage(page, "--force needs a reason, which goes into the log: --reason TEXT");
    if (!h->force && h->load.force)
        return ck_cmd_usage(page, "--reason goes with --force");
    if (reason.n > CK_MAX_FIELD)
        return ck_cmd_usage(page, "a reason of at most %llu bytes",
                            (unsigned long long)CK_MAX_FIELD);
    return -1;
}

void ck_handing_start(struct ck_handing *h, const char *verb)
{
    if (h->load.no_sandbox)
        fputs("cocket: WARNING: the sandbox is off; a hostile image can take over this account\n",
              stderr);
    h->line = ck_progress_line_new(verb, h->quiet);
    h->load.progress = ck_progress_line_report;
    h->load.ctx = &h->line;
}

static const char *what_to_do(enum ck_state_of_image s)
{
    return s == CK_DENIED ? "it was denied" : "cocket scan looks at it, cocket release clears it";
}

int ck_handing_refused(const char *ref, const struct ck_loaded *l)
{
    char text[CK_DIGEST_TEXT];
    ck_autofree char *name = ck_escape(ck_view_str(ref)), *reason = ck_escape(l->reason);
    fprintf(stderr, "cocket: %s is not cleared: %s is %s%s%s (%s)\n", name,
            ck_digest_text(&l->digest, text), ck_state_name(l->state), *reason ? ": " : "", reason,
            what_to_do(l->state));
    return CK_EXIT_DENIED;
}
