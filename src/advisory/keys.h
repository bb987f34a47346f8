/* What the matcher asks the database for, as keys: from a change of the database to the packages
 * that it may concern, without matching. A key is KEY bytes, compared bytewise: SHA-256, cut. Two
 * names with one key cost a needless match and nothing else.
 *
 * Raise CK_KEYS_VERSION whenever the matcher asks for other names, or other things than statements,
 * coverage, known-exploited marks and the end of support decide what it says.
 */
#ifndef CK_ADVISORY_KEYS_H
#define CK_ADVISORY_KEYS_H

#include "advisory/match.h"

#define CK_KEYS_VERSION 1
enum { CK_KEY_BYTES = 8 };

struct ck_keys {
    ck_view *v; /* sorted, each once; in the arena given */
    size_t n;
};

/* Every (ecosystem, kind of name, name) that is looked up for this package; none where it is not
 * matched (ck_match_packages). */
void ck_match_keys(const struct ck_distro *distro, const struct ck_package *p, struct ck_arena *a,
                   struct ck_keys *ret);

/* What an image of this distribution depends on, whatever packages it has: which feeds cover its
 * ecosystems, and the end of its support. */
void ck_distro_keys(const struct ck_distro *distro, struct ck_arena *a, struct ck_keys *ret);

#endif
