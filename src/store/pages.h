/* Listings for people, a page at a time: each is one indexed query, whatever the size of the store.
 */
#ifndef CK_STORE_PAGES_H
#define CK_STORE_PAGES_H

#include "store/store.h"

/* What listings show of an image's findings; written with the facts. */
struct ck_store_summary {
    uint32_t severities[6]; /* by enum ck_severity of advisory/record.h */
    uint32_t fixable, kev, packages;
    bool complete;
    int64_t scanned, created; /* seconds since the epoch; created 0: not said */
    ck_view distro;           /* "debian:12" */
};
CK_MUST ck_err *ck_store_put_summary(struct ck_store *s, const struct ck_digest *d,
                                     const struct ck_store_summary *v);

struct ck_store_row {
    struct ck_digest digest;
    ck_view name;       /* one of its names, or empty */
    size_t n_names;     /* that the reader may see */
    ck_view platform;
    enum ck_state_of_image state;
    bool by_person;
    ck_view reason;
    int64_t added, decided;
    bool has_summary;
    struct ck_store_summary summary;
};
struct ck_page_filter {
    ck_view repository; /* exact, or empty */
    ck_view search;     /* in names, digests and distributions; or empty */
    bool has_state;
    enum ck_state_of_image state;
    bool incomplete;    /* only what could not be assessed wholly */
    int min_severity;   /* at least one finding of it or worse; -1: any */
    enum ck_page_order { CK_PAGE_NEWEST, CK_PAGE_WORST, CK_PAGE_NAME, CK_PAGE_ORDER_COUNT_ } order;
    size_t from, max;   /* rows to pass over; at most PAGE_ROWS */
    ck_view bound;      /* pattern of repositories that the reader is bound to, or empty */
};
/* Images only: no indexes, no referrers. *ret_total: how many there are in all. An image has the
 * names of indexes that lead to it too. LIMIT: what is searched for is too long. */
CK_MUST ck_err *ck_store_page(struct ck_store *s, const struct ck_page_filter *f,
                              struct ck_arena *a, struct ck_store_row **ret, size_t *ret_n,
                              uint64_t *ret_total);
/* One of them, with as much of it as the reader may see; false too where he may see none of it. */
CK_MUST ck_err *ck_store_page_row(struct ck_store *s, const struct ck_digest *d, ck_view bound,
                                  struct ck_arena *a, struct ck_store_row *ret, bool *ret_found);

struct ck_store_repository {
    ck_view name;
    uint64_t images, tags;
    uint64_t states[3];
    uint32_t worst[6]; /* of the worst image: severities */
    int64_t last;      /* when anything of it came last */
};
CK_MUST ck_err *ck_store_repository_page(struct ck_store *s, ck_view search, ck_view bound,
                                         size_t from, size_t max, struct ck_arena *a,
                                         struct ck_store_repository **ret, size_t *ret_n,
                                         uint64_t *ret_total);
/* Every digest that each tag of the repository has meant (the newest TAG_HISTORY), oldest first
 * within a tag, with what is known of each: the colour map. An index stands as the images that it
 * leads to: the worst of their states, the worst of their findings. */
struct ck_store_tag {
    ck_view tag;
    struct ck_digest digest;
    int64_t first; /* seen as this tag */
    bool current;
    bool known;    /* the image is still there */
    enum ck_state_of_image state;
    bool has_summary;
    struct ck_store_summary summary;
};
CK_MUST ck_err *ck_store_tag_page(struct ck_store *s, ck_view repository, ck_view search,
                                  size_t from, size_t max_tags, struct ck_arena *a,
                                  struct ck_store_tag **ret, size_t *ret_n, uint64_t *ret_tags);

struct ck_store_counts {
    uint64_t images, states[3], incomplete, unexamined;
    uint64_t with_severity[6]; /* images whose worst finding is of it */
    uint64_t clean;            /* examined wholly, nothing found */
};
CK_MUST ck_err *ck_store_count(struct ck_store *s, ck_view bound, struct ck_store_counts *ret);

/* Ids among the findings of all images, by how many have them. */
struct ck_store_id {
    ck_view id;
    uint64_t images;
};
CK_MUST ck_err *ck_store_id_page(struct ck_store *s, ck_view search, size_t from, size_t max,
                                 struct ck_arena *a, struct ck_store_id **ret, size_t *ret_n,
                                 uint64_t *ret_total);

#endif
