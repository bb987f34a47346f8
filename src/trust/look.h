/* How alike two names look: what the files of this folder share. Names are foreign text; nothing
 * here trusts their grammar.
 */
#ifndef CK_TRUST_LOOK_H
#define CK_TRUST_LOOK_H

#include "base/view.h"

/* --- punycode --------------------------------------------------------------------------------- */

enum { CK_PUNYCODE_MAX = 63 }; /* a label of a host name (RFC 1035, 2.3.4) */

/* Decodes a label without its "xn--" (RFC 3492). False where it is none: other characters than
 * letters, digits and "-", numbers that run over, no scalar value of Unicode, more than 63. */
bool ck_punycode_decode(ck_view label, uint32_t out[CK_PUNYCODE_MAX], size_t *ret_n);

/* --- folding ---------------------------------------------------------------------------------- */

/* Longer than any name that the grammar allows. */
enum { CK_LOOK_MAX = 512 };
struct ck_look {
    size_t n;
    uint8_t p[CK_LOOK_MAX];
};
static inline ck_view ck_look_view(const struct ck_look *l) { return ck_view_of(l->p, l->n); }

enum ck_look_host_result {
    CK_LOOK_PLAIN,   /* ASCII only */
    CK_LOOK_DECODED, /* "xn--" labels were decoded; ret->p holds the ASCII that each resembles */
    CK_LOOK_BROKEN,  /* an "xn--" label that is no punycode, or longer than CK_LOOK_MAX */
};
/* A host's name in lower case, without its port. */
enum ck_look_host_result ck_look_host(ck_view host, struct ck_look *ret);

/* With one character for all that look the same: "rnysq1" and "mysql" come out equal. False, and
 * nothing, where v is longer than CK_LOOK_MAX. */
bool ck_look_skeleton(ck_view v, struct ck_look *ret);
/* Whether this is the skeleton of v. */
bool ck_look_has_skeleton(ck_view v, const struct ck_look *skeleton);

/* --- distance --------------------------------------------------------------------------------- */

/* Costs of edits: slips of the hand that happen most are the cheapest. */
enum {
    CK_EDIT_SLIP = 2,     /* swapped neighbours, a letter twice, another or no separator */
    CK_EDIT_KEY = 3,      /* the key beside it (QWERTY, QWERTZ, AZERTY) */
    CK_EDIT_ANY = 4,      /* any other letter */
    CK_EDIT_NEVER = 1000, /* digits: "app1" and "app2" are two things */
    CK_EDIT_FAR = 1000,
};

enum ck_edit_what {
    CK_EDIT_REPOSITORY, /* short words are like many others: three letters are like nothing */
    CK_EDIT_HOST,       /* few are well known, and "quai.io" is none of them by chance */
};

struct ck_edit {
    unsigned cost; /* CK_EDIT_FAR: not near */
    bool one;      /* a single letter added, missing or another */
    bool swap;     /* two neighbours swapped */
};
/* Damerau and Levenshtein's distance (optimal string alignment) of two different texts, with the
 * costs above, where it is near: the budget grows with the length of the words, between
 * separators, in which they differ. Symmetric. */
struct ck_edit ck_edit_between(ck_view a, ck_view b, enum ck_edit_what what);

/* The characters that are there, one bit each (some share one). Texts whose sets differ in more
 * than CK_EDIT_SET bits are not near. */
enum { CK_EDIT_SET = 8 };
uint64_t ck_edit_set(ck_view v);

/* --- tables ----------------------------------------------------------------------------------- */

/* Whether a publisher offers its own official image under its own name too: "traefik/traefik". */
bool ck_official_twin(ck_view publisher);
/* The official images, in order. NULL at the end. */
const char *const *ck_official_names(void);
/* Hosts of registries that many use. NULL at the end. */
const char *const *ck_known_hosts(void);

#endif
