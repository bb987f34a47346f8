/* Policies: one typed YAML document (cocket-policy(5), doc/policy.schema.json). No code, no loops:
 * deciding takes time in proportion to rules times findings. Pure functions: `now` is an argument.
 */
#ifndef CK_POLICY_POLICY_H
#define CK_POLICY_POLICY_H

#include "image/name.h"
#include "policy/facts.h"
#include "trust/near_miss.h"

enum ck_decision { CK_ALLOW, CK_QUARANTINE, CK_DENY, CK_DECISION_COUNT_ };
const char *ck_decision_name(enum ck_decision d); /* "allow", "quarantine", "deny" */

struct ck_policy; /* immutable; may be used by any number of threads */

/* `file` is for errors: "FILE:LINE:COLUMN: ...", class USAGE. */
CK_MUST ck_err *ck_policy_parse(ck_view yaml, const char *file, struct ck_policy **ret);
/* NULL: $COCKET_POLICY, else $XDG_CONFIG_HOME/cocket/policy.yaml, else /etc/cocket/policy.yaml,
 * else the one that is built in. A file that was named must be there. Class USAGE, UNAVAILABLE. */
CK_MUST ck_err *ck_policy_load(const char *path, struct ck_policy **ret);
void ck_policy_free(struct ck_policy *p);
/* "sha256:..." of its text, and the file it came from ("built-in"). */
const char *ck_policy_digest(const struct ck_policy *p);
const char *ck_policy_file(const struct ck_policy *p);
/* Whether any rule asks from which address a client comes: an answer for one is then none for
 * another of the same user. */
bool ck_policy_asks_networks(const struct ck_policy *p);
/* The built-in one, as YAML. */
ck_view ck_policy_builtin(void);
/* How long a client's pull may wait, tags may be trusted, ... are settings of the gate, not of the
 * policy. */

/* What is asked about. Anything may be missing (empty, 0, NULL): a rule that asks for it then does
 * not match by it, and a demand that needs it is not met and says so. */
struct ck_policy_subject {
    const struct ck_name *name; /* as it was asked for, normalised; NULL: by digest alone */
    ck_view repository;         /* "docker.io/library/debian", or empty */
    const ck_view *tags;        /* where it was asked for without a tag: those of its repository
                                   that are known to mean it, or an index that it is of */
    size_t n_tags;
    ck_view upstream;           /* the registry that it came from: "docker.io"; "gate.internal": it
                                   was pushed here */
    const struct ck_facts *facts; /* NULL: not examined yet (or an index: `index`) */
    bool index;                 /* an index: only what concerns names is judged */
    ck_view platform;
    ck_view user;               /* of the gate, or the login name on the command line */
    ck_view address;            /* of the client: "192.0.2.1" */
    ck_view namespace_;         /* of Kubernetes */
    int64_t now;
    int64_t first_seen;         /* when the gate first saw this digest under this name; 0 never */
    int64_t tag_moved;          /* when the tag last came to mean another digest; 0 never */
    const struct ck_name_warning *warnings;
    size_t n_warnings;
    const ck_view *bases;       /* repositories of images whose layers this one begins with */
    size_t n_bases;
    const ck_view *signers;     /* proven identities; the formats come later: always none */
    size_t n_signers;
};

struct ck_policy_reason {
    enum ck_decision decision; /* what this alone leads to; ALLOW: an exception that was used */
    ck_view rule;              /* its name in the document */
    ck_view text;              /* one line for a person; may quote the image: escape it */
};

struct ck_policy_answer {
    enum ck_decision decision;
    struct ck_policy_reason *reasons; /* all of them, worst first */
    size_t n_reasons;
    unsigned persons;   /* QUARANTINE: how many different people must release it; 0: nobody can */
    bool reason_needed; /* a release must say why */
    int64_t until;      /* when it may become another by time alone (grace, age, expiry); 0: never
                           */
};
/* All in `a`. Never fails on what an image says. */
void ck_policy_decide(const struct ck_policy *p, const struct ck_policy_subject *s,
                      struct ck_arena *a, struct ck_policy_answer *ret);

/* For `policy show` and pages: every rule and exception as lines of text. */
void ck_policy_describe(const struct ck_policy *p, int64_t now, struct ck_buf *out);

/* The same one by one, for pages, and the text that it was read from. */
ck_view ck_policy_text(const struct ck_policy *p);
size_t ck_policy_rules(const struct ck_policy *p);
ck_view ck_policy_rule(const struct ck_policy *p, size_t i, struct ck_buf *out); /* its name */
size_t ck_policy_exceptions(const struct ck_policy *p);
int64_t ck_policy_exception(const struct ck_policy *p, size_t i, int64_t now,
                            struct ck_buf *out); /* when it expires */

#endif
