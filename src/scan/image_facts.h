/* What a policy asks of an image (policy/facts.h), out of a scan, and its place in the store. */
#ifndef CK_SCAN_IMAGE_FACTS_H
#define CK_SCAN_IMAGE_FACTS_H

#include "policy/facts.h"
#include "report/report.h"
#include "source/source.h"
#include "store/pages.h"

/* Keeps to the limits of facts: what is more is cut, and findings or gaps that are left out are a
 * gap. A fix whose day nobody says came out `now`. Everything lives in `a`, or as long as the image
 * and the report. */
void ck_image_facts_of(const struct ck_image *im, const struct ck_report *r, int64_t now,
                       struct ck_arena *a, struct ck_facts *ret);

/* A day that is known from an earlier scan, of this or another image that has the same fix open,
 * counts where it is the earlier one: a grace period begins once. */
CK_MUST ck_err *ck_image_facts_remember(struct ck_store *s, const struct ck_digest *d,
                                        struct ck_facts *f);

/* The same of an image that is assessed again, without reading its layers: config, layers, when it
 * was scanned and --fail-on are those of `before`, and so is the day of each fix that was open
 * then, where it is the earlier one. Of fixes that are new nobody else is asked: who has them too
 * is assessed again with it. As long as `before` and the report. */
void ck_image_facts_again(const struct ck_facts *before, const struct ck_report *r, int64_t now,
                          struct ck_arena *a, struct ck_facts *ret);

/* Ids and aliases of all findings, sorted, each once. */
size_t ck_image_facts_ids(const struct ck_facts *f, struct ck_arena *a, ck_view **ret);
/* The ChainID of all layers, or empty. */
ck_view ck_image_facts_chain(const struct ck_facts *f, struct ck_arena *a);
/* What listings show. */
struct ck_store_summary ck_image_summary(const struct ck_report *r, const struct ck_facts *f);

/* Puts them into the store, with the ids of what was found. */
CK_MUST ck_err *ck_image_facts_keep(struct ck_store *s, const struct ck_digest *d,
                                    const struct ck_facts *f);

#endif
