/* Typed reading of the project's own YAML documents: a mapping is a table of its keys. Every error
 * is "FILE:LINE:COLUMN: what is wrong, what is allowed", class USAGE.
 *
 * A scalar's type is that of YAML 1.2's core schema. Plain scalars that other readers take for
 * something else (no, on, y) are refused where a text is wanted, as numbers are.
 */
#ifndef CK_POLICY_DOCUMENT_H
#define CK_POLICY_DOCUMENT_H

#include "base/arena.h"
#include "base/err.h"
#include "lock/yaml_tree.h"

struct ck_doc {
    const char *file;
    struct ck_arena *a;  /* what is read lives here */
    const char *key;     /* whose value is being read, for errors */
    struct ck_arena tree;
    struct ck_yaml_stream *stream;
};

typedef ck_err *(*ck_doc_read)(struct ck_doc *d, const struct ck_yaml_node *n, void *ret);
struct ck_doc_key {
    const char *name;
    ck_doc_read read;
    size_t at; /* where in the structure its value is put */
    bool required;
};

/* One document, which is a mapping; *ret_root lives until ck_doc_close, which follows in any case.
 */
CK_MUST ck_err *ck_doc_open(struct ck_doc *d, ck_view yaml, const char *file, struct ck_arena *a,
                            const struct ck_yaml_node **ret_root);
void ck_doc_close(struct ck_doc *d);

CK_FAILS ck_err *ck_doc_refuse(const struct ck_doc *d, const struct ck_yaml_node *n,
                              const char *fmt, ...) CK_PRINTF(3, 4);

/* `what`: "a rule", for errors. */
CK_MUST ck_err *ck_doc_mapping(struct ck_doc *d, const struct ck_yaml_node *n, const char *what,
                               const struct ck_doc_key *keys, size_t n_keys, void *ret);
/* The value of a key as it stands there, or NULL. */
const struct ck_yaml_node *ck_doc_value(const struct ck_yaml_node *n, const char *key);

/* An array of `size` bytes each, in the arena; not empty. */
CK_MUST ck_err *ck_doc_list(struct ck_doc *d, const struct ck_yaml_node *n, enum ck_limit limit,
                            ck_doc_read read, size_t size, void **ret, size_t *ret_n);
/* The same; one value that stands alone is a list of one. */
CK_MUST ck_err *ck_doc_one_or_list(struct ck_doc *d, const struct ck_yaml_node *n,
                                   enum ck_limit limit, ck_doc_read read, size_t size, void **ret,
                                   size_t *ret_n);

/* Into a ck_view: not empty, printable, at most POLICY_TEXT bytes. */
CK_MUST ck_err *ck_doc_text(struct ck_doc *d, const struct ck_yaml_node *n, void *ret);
CK_MUST ck_err *ck_doc_bool(struct ck_doc *d, const struct ck_yaml_node *n, void *ret);
/* Seconds into an int64_t: "12h", "14d", "2w". */
CK_MUST ck_err *ck_doc_duration(struct ck_doc *d, const struct ck_yaml_node *n, void *ret);
/* Into an int64_t: a time (RFC 3339). */
CK_MUST ck_err *ck_doc_time(struct ck_doc *d, const struct ck_yaml_node *n, void *ret);
/* The same; a day stands for its end. */
CK_MUST ck_err *ck_doc_end_of_day(struct ck_doc *d, const struct ck_yaml_node *n, void *ret);
CK_MUST ck_err *ck_doc_number(struct ck_doc *d, const struct ck_yaml_node *n, uint64_t min,
                              uint64_t max, uint64_t *ret);
/* The index of the word in a list that ends with NULL. */
CK_MUST ck_err *ck_doc_word(struct ck_doc *d, const struct ck_yaml_node *n,
                            const char *const *words, unsigned *ret);

#endif
