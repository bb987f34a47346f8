/* What a policy may ask of an image: taken from a scan, kept with the image, so that every later
 * question (another name, another client, a new policy, another day) is answered without touching a
 * blob. Texts are the image's own and hostile; whoever shows them escapes them.
 */
#ifndef CK_POLICY_FACTS_H
#define CK_POLICY_FACTS_H

#include "advisory/record.h"
#include "base/arena.h"
#include "base/buf.h"
#include "image/digest.h"

struct ck_fact_finding {
    ck_view id;        /* "CVE-2024-1234" */
    ck_view *aliases;
    size_t n_aliases;
    ck_view package, version;
    enum ck_severity severity;
    enum ck_fix_state fix_state;
    ck_view fix_version; /* empty unless FIXED */
    int64_t fixed_since; /* the day the fix came out, seconds since the epoch; 0: not known */
    bool kev;            /* known to be exploited */
};

struct ck_fact_pair {
    ck_view key, value;
};

struct ck_facts {
    ck_view platform;       /* "linux/amd64" */
    int64_t created;        /* as the image says; 0: it says nothing */
    int64_t scanned, database_built;
    ck_view distro;         /* "debian:12", by id and version; empty: none that is known */
    bool distro_known;
    int64_t end_of_life;    /* of the distribution's support; 0: not known */
    bool complete;          /* of the assessment */
    struct ck_fact_pair *gaps; /* what, why */
    size_t n_gaps;
    struct ck_fact_finding *findings; /* worst first */
    size_t n_findings;
    /* The config. */
    ck_view user;           /* "" is root */
    struct ck_fact_pair *labels;
    size_t n_labels;
    ck_view *volumes, *ports;
    size_t n_volumes, n_ports;
    struct ck_fact_pair *secrets; /* environment variables that look like one: name, why; never
                                     the value */
    size_t n_secrets;
    /* ChainID of each prefix of the layers, lowest first (OCI image-spec, config, "Layer ChainID"):
     * the last is the image's own. */
    struct ck_digest *chain;
    size_t n_chain;
    /* Asked of it beyond the policy: the last scan was told to deny findings of this severity or
     * above (--fail-on; UNKNOWN: any). */
    bool has_fail_on;
    enum ck_severity fail_on;
    uint64_t size;          /* of all layers as they are stored, in bytes */
};

/* One value has one encoding, of which a version is the first byte. Decoding checks every count,
 * enum, time (years 0 to 9999) and limit, that texts are UTF-8 without NUL, and that only what is
 * FIXED has a fix; views point into `bytes`, arrays into `a`. Class HOSTILE, or LIMIT: the limits
 * are FACTS_OF_IMAGE, FACT_FINDINGS, FACT_ALIASES, FACT_GAPS, FACT_PAIRS, LAYERS, and STRING for
 * each text; whoever fills a value keeps to them. */
void ck_facts_encode(const struct ck_facts *f, struct ck_buf *out);
CK_MUST ck_err *ck_facts_decode(ck_view bytes, struct ck_arena *a, struct ck_facts *ret);

#endif
