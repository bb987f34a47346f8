/* What the files of this folder share. */
#ifndef CK_LOCK_LOCK_INT_H
#define CK_LOCK_LOCK_INT_H

#include "base/mem.h"
#include "lock/lock.h"

struct ck_lock_list {
    struct ck_arena *a;
    size_t n, cap;
    struct ck_lock_reference *v; /* free() */
};

/* Appends content[begin .. end) as a reference of `line`. `why` NULL: it is read as a name, and
 * skipped where it is none. Class LIMIT past LOCK_REFERENCES. */
CK_MUST ck_err *ck_lock_add(struct ck_lock_list *l, ck_view content, size_t begin, size_t end,
                            unsigned line, const char *why);
/* Takes a reference back: it is not to be pinned. */
void ck_lock_skip(struct ck_lock_reference *r, const char *why);

CK_MUST ck_err *ck_lock_dockerfile(ck_view content, struct ck_lock_list *l);
CK_MUST ck_err *ck_lock_yaml(enum ck_lock_file_kind kind, ck_view content, struct ck_lock_list *l);

/* Whether the content begins as a Dockerfile does: FROM, ARG, or a directive. */
bool ck_lock_looks_like_dockerfile(ck_view content);
/* What the first document is that says so, by its keys; false where none does. */
CK_MUST ck_err *ck_lock_yaml_kind(ck_view content, enum ck_lock_file_kind *ret, bool *ret_found);

#endif
