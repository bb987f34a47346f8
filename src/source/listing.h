/* What a registry says it has: the repositories of its catalogue, the tags of a repository. */
#ifndef CK_SOURCE_LISTING_H
#define CK_SOURCE_LISTING_H

#include "source/remote.h"

struct ck_listed {
    ck_view *v; /* sorted bytewise, each once */
    size_t n;
    size_t unusable; /* what is no name by the distribution specification, and was left out */
};

/* All pages, of the registry itself. `r` is of any name at the registry. Class UNAVAILABLE where it
 * gives none: few public registries do. Limits LISTED_NAMES, LISTED_PAGES. In `a`. */
CK_MUST ck_err *ck_list_repositories(struct ck_remote *r, struct ck_arena *a,
                                     struct ck_listed *ret);
/* Of the repository that `r` names. */
CK_MUST ck_err *ck_list_tags(struct ck_remote *r, struct ck_arena *a, struct ck_listed *ret);

/* Names as they came, one a line, with duplicates: the parts that need no registry. `host` and, for
 * tags, `path`: what they are names of. */
CK_MUST ck_err *ck_listed_from(ck_view lines, ck_view host, ck_view path, struct ck_arena *a,
                               struct ck_listed *ret);

#endif
