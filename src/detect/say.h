/* How a detector says what it found. Only detectors include this.
 *
 * Input that breaks a rule becomes a gap; an error is returned only where a limit costs the
 * image its verdict (PACKAGES, or the ceiling of the output).
 */
#ifndef CK_DETECT_SAY_H
#define CK_DETECT_SAY_H

#include "detect/facts.h"

enum { CK_SAY_GAPS = 16 }; /* gaps said in full for one file; the rest is counted */

struct ck_say {
    struct ck_buf *out;
    const char *what; /* "dpkg status": begins every gap */
    size_t packages, gaps;
};

/* Says a package. Where name or version is missing, too long or no UTF-8, says a gap instead;
 * where another field is, leaves it out and says a gap too. An empty source is filled from name and
 * version. `place` names the package's place in the file: "line 12". */
CK_MUST ck_err *ck_say_package(struct ck_say *s, const struct ck_package *p, const char *place);

/* Says one distribution; fields that are too long or no UTF-8 are left out, with a gap. */
CK_MUST ck_err *ck_say_os_release(struct ck_say *s, const struct ck_os_release *os);

CK_MUST ck_err *ck_say_gap(struct ck_say *s, const char *fmt, ...) CK_PRINTF(2, 3);

/* Says the text of `e` as a gap; takes over `e`. NULL is no gap. */
CK_MUST ck_err *ck_say_err(struct ck_say *s, ck_err *e);

/* Must be called last: says how many gaps were only counted. */
CK_MUST ck_err *ck_say_end(struct ck_say *s);

#endif
