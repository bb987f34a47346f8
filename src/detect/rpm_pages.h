/* A file of pages, each of which may be used once: what links pages in a circle, or shares one
 * between two chains, is refused, and no chain can cost more than the file is long. Only the rpm
 * detectors include this.
 */
#ifndef CK_DETECT_RPM_PAGES_H
#define CK_DETECT_RPM_PAGES_H

#include "base/err.h"
#include "base/view.h"

struct ck_pages {
    ck_view file;
    size_t size;
    uint64_t first; /* the number of the page at byte 0 */
    uint64_t count; /* whole pages */
    uint8_t *used;  /* one bit a page */
};

/* `size` is not 0. */
struct ck_pages ck_pages_new(ck_view file, size_t size, uint64_t first);
void ck_pages_free(struct ck_pages *p);

/* Takes a page for the one use that it may have. */
CK_MUST ck_err *ck_pages_claim(struct ck_pages *p, uint64_t number);
/* The bytes of a page; empty where there is none of that number. */
ck_view ck_pages_get(const struct ck_pages *p, uint64_t number);

#endif
