/* Shared by the files of listings: what a reader may see and searches for. */
#ifndef CK_STORE_PAGES_INT_H
#define CK_STORE_PAGES_INT_H

#include "store/store_int.h"

/* A pattern is a name, or how names begin and a star. Repositories of the hosted area are matched
 * as clients write them: without CK_STORE_HOSTED. ?1: the pattern without its star, ?2: whether it
 * has one, and 2 where everything may be seen. */
#define CK_SEEN_NAME                                                                             \
    "CASE WHEN substr(repository.name,1,length('" CK_STORE_HOSTED "/'))='" CK_STORE_HOSTED "/'"   \
    " THEN substr(repository.name,length('" CK_STORE_HOSTED "/')+1) ELSE repository.name END"
#define CK_SEEN                                                                                  \
    "(?2=2 OR CASE ?2 WHEN 1 THEN substr(" CK_SEEN_NAME ",1,length(?1))=?1"                       \
    " ELSE " CK_SEEN_NAME "=?1 END)"
#define CK_SEEN_REPOSITORIES "(SELECT repository.number FROM repository WHERE " CK_SEEN ")"

/* ?3, a text to search for: in LIKE's own words, or empty. */
#define CK_SEARCHED(text) "(?3='' OR " text " LIKE ?3 ESCAPE '\\')"

/* ?1 and ?2 */
void ck_bind_bound(struct ck_query *q, ck_view bound);
/* ?3. LIMIT: it is too long. */
CK_MUST ck_err *ck_bind_search(struct ck_query *q, ck_view search);

/* The columns of a summary, from the unknown ones on. */
#define CK_SUMMARY_COLUMNS                                                                       \
    "examined, unknown, negligible, low, medium, high, critical, fixable, kev, packages,"         \
    " whole, scanned, created, distro"
/* From column i on; false where nothing is known. */
bool ck_column_summary(struct ck_query *q, int i, struct ck_arena *a,
                       struct ck_store_summary *ret);
/* Whether the findings of x are worse than those of y. */
bool ck_is_worse(const struct ck_store_summary *x, const struct ck_store_summary *y);

#endif
