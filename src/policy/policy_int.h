/* What the files of this folder share: the policy as it was read. */
#ifndef CK_POLICY_POLICY_INT_H
#define CK_POLICY_POLICY_INT_H

#include "image/image.h"
#include "policy/document.h"
#include "policy/pattern.h"
#include "policy/policy.h"

struct ck_policy_patterns {
    struct ck_pattern *v;
    size_t n;
};
bool ck_policy_any(const struct ck_policy_patterns *p, ck_view text);

/* REPOSITORY[:TAG][@DIGEST] */
struct ck_policy_name_pattern {
    ck_view text;
    struct ck_pattern repository, tag;
    bool has_tag, has_digest;
    struct ck_digest digest;
};
struct ck_policy_names {
    struct ck_policy_name_pattern *v;
    size_t n;
};

/* A pattern for users, or a network. */
struct ck_policy_client {
    bool network;
    struct ck_pattern user;
    uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
    unsigned bits;
};
struct ck_policy_clients {
    struct ck_policy_client *v;
    size_t n;
};

/* What is not given matches. */
struct ck_policy_match {
    struct ck_policy_names images;
    struct ck_policy_patterns namespaces, platforms;
    struct ck_policy_clients clients;
};

/* The order is that of the reasons. */
enum ck_demand_id {
    CK_DEMAND_SEVERITY,
    CK_DEMAND_KNOWN_EXPLOITED,
    CK_DEMAND_ASSESSMENT,
    CK_DEMAND_DISTRIBUTION,
    CK_DEMAND_BASE,
    CK_DEMAND_MAX_AGE,
    CK_DEMAND_USER,
    CK_DEMAND_ENVIRONMENT,
    CK_DEMAND_LABELS,
    CK_DEMAND_VOLUMES,
    CK_DEMAND_PORTS,
    CK_DEMAND_TAGS,
    CK_DEMAND_UPSTREAMS,
    CK_DEMAND_NEAR_MISS,
    CK_DEMAND_SIGNERS,
    CK_DEMAND_COUNT_
};

/* One structure for all of them; each uses what its keys name. */
struct ck_demand {
    bool given;
    enum ck_decision otherwise; /* COUNT_ until the rule's holds */
    enum ck_severity at_most, fixable, unknown;
    int64_t grace, age;
    unsigned word;
    struct ck_policy_patterns any, forbidden, required;
};

struct ck_policy_release {
    bool given;
    unsigned persons; /* 0: nobody */
    bool reason;
};

struct ck_policy_rule {
    ck_view name;
    struct ck_policy_match match;
    struct ck_demand demands[CK_DEMAND_COUNT_];
    enum ck_decision decision;  /* of all it matches; ALLOW where its demands decide */
    enum ck_decision otherwise;
    struct ck_policy_release release;
};

struct ck_policy_exception {
    ck_view *ids;
    size_t n_ids;
    uint32_t demands; /* bits; 0: it is for findings */
    struct ck_policy_names images;
    struct ck_policy_patterns packages;
    ck_view owner, reason;
    int64_t expires;
};

struct ck_policy_id {
    ck_view id;
    size_t exception;
};

struct ck_policy {
    struct ck_arena a;
    const char *file;
    ck_view text;
    char digest[CK_DIGEST_TEXT];
    enum ck_decision fallback; /* "default" */
    struct ck_policy_release release;
    struct ck_policy_rule *rules;
    size_t n_rules;
    struct ck_policy_exception *exceptions;
    size_t n_exceptions;
    struct ck_policy_id *ids; /* of all exceptions, sorted */
    size_t n_ids;
};

/* --- reading (parse.c) ------------------------------------------------------------------------ */

/* Names of the demands, in their order; ends with NULL. */
extern const char *const ck_demand_names[CK_DEMAND_COUNT_ + 1];
extern const char *const ck_severity_words[]; /* none, negligible, ...; by enum ck_severity */
/* Readers of document.h, into the structure of that name. */
ck_err *ck_policy_read_patterns(struct ck_doc *d, const struct ck_yaml_node *n, void *ret);
ck_err *ck_policy_read_names(struct ck_doc *d, const struct ck_yaml_node *n, void *ret);
ck_err *ck_policy_read_clients(struct ck_doc *d, const struct ck_yaml_node *n, void *ret);
ck_err *ck_policy_read_platforms(struct ck_doc *d, const struct ck_yaml_node *n, void *ret);
ck_err *ck_policy_read_decision(struct ck_doc *d, const struct ck_yaml_node *n, void *ret);
ck_err *ck_policy_read_refusal(struct ck_doc *d, const struct ck_yaml_node *n, void *ret);
/* Into struct ck_demand[CK_DEMAND_COUNT_]. */
ck_err *ck_policy_read_demands(struct ck_doc *d, const struct ck_yaml_node *n, void *ret);

/* --- matching (match.c) ----------------------------------------------------------------------- */

/* The subject as rules see it: in lower case where it is a host, addresses as numbers. */
struct ck_policy_view {
    ck_view repository, tag, upstream, platform, user, namespace_;
    const struct ck_digest *digest; /* that was asked for, or NULL */
    const ck_view *tags;            /* known ones, where none was asked for */
    size_t n_tags;
    bool has_address, index;
    uint8_t address[16];
};
void ck_policy_view_of(const struct ck_policy_subject *s, struct ck_arena *a,
                       struct ck_policy_view *ret);
bool ck_policy_address(ck_view text, uint8_t ret[16], bool *ret_v4);
bool ck_policy_names_match(const struct ck_policy_names *names, const struct ck_policy_view *v);
bool ck_policy_matches(const struct ck_policy_match *m, const struct ck_policy_view *v);

/* --- judging (decide.c) ----------------------------------------------------------------------- */

/* What became of an exception. */
struct ck_policy_use {
    bool holds;   /* it is for this image */
    bool active;  /* has not expired */
    bool used;
    enum ck_decision missed; /* expired: what it would have prevented; ALLOW: nothing */
    ck_view rule;            /* by which */
};

struct ck_judging {
    const struct ck_policy *p;
    const struct ck_policy_subject *s;
    struct ck_policy_view v;
    struct ck_arena *a;
    /* What is being judged. */
    const struct ck_policy_rule *rule;
    enum ck_demand_id id;
    const struct ck_demand *demand;
    /* Exceptions; 1 + index of the one that lasts longest, 0: none. */
    struct ck_policy_use *uses;
    size_t for_demand[CK_DEMAND_COUNT_];
    size_t *for_finding;
    ck_view *labels; /* "key=value", once they were asked for */
    /* What came out. */
    struct ck_policy_reason *reasons;
    size_t n, cap;
    int64_t until[CK_DECISION_COUNT_]; /* when the first demand that leads to it fails; 0 never */
};

/* The demand is not met, unless it is excepted. The text is cut behind some lines' length. */
void ck_judge_unmet(struct ck_judging *j, const char *fmt, ...) CK_PRINTF(2, 3);
/* From `when` on the demand is not met. */
void ck_judge_until(struct ck_judging *j, int64_t when);
/* Whether a finding fails the demand now, which it would from `from` on; what is excepted does not
 * yet. */
bool ck_judge_finding(struct ck_judging *j, size_t finding, int64_t from);

/* A few of many: "a, b, c and 4 more". */
struct ck_judge_list {
    size_t n;
    const char *text;
};
void ck_judge_list_add(struct ck_judging *j, struct ck_judge_list *l, const char *fmt, ...)
    CK_PRINTF(3, 4);
const char *ck_judge_list_text(struct ck_judging *j, const struct ck_judge_list *l);

struct ck_demand_judge {
    void (*judge)(struct ck_judging *j);
    bool facts; /* needs them */
    bool index; /* concerns names, and is asked of an index too */
};
extern const struct ck_demand_judge ck_demand_judges[CK_DEMAND_COUNT_];
void ck_judge_severity(struct ck_judging *j);
void ck_judge_known_exploited(struct ck_judging *j);

/* Texts, in the arena: "2027-01-31"; "14 days", "12 hours". */
const char *ck_policy_day(int64_t t, struct ck_arena *a);
const char *ck_policy_duration(int64_t seconds, struct ck_arena *a);
/* A text of the image's as it stands in a reason: not too long. */
#define CK_SHORT(v) CK_VF(ck_view_head(v, 120))

#endif
