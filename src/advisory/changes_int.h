/* Fingerprints of a database, decoded; changes.c and changes_take.c only.
 *
 * u8 version, u64 built, u64 hash of the feeds; u32 n, entries (key as CK_KEY_BYTES, u64 content)
 * by key; u32 n, known-exploited ids, sorted
 */
#ifndef CK_ADVISORY_CHANGES_INT_H
#define CK_ADVISORY_CHANGES_INT_H

#include "advisory/changes.h"

enum { CK_CHANGES_FORM = 1, CK_CHANGES_ENTRY = CK_KEY_BYTES + 8 };
/* Both in one byte: what either makes of it is another thing. */
_Static_assert(CK_KEYS_VERSION < 16, "it is four bits");
enum { CK_CHANGES_VERSION = CK_CHANGES_FORM << 4 | CK_KEYS_VERSION };

#endif
