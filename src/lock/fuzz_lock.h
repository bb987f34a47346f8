/* What must hold of any file: places lie in it and do not overlap, and a file that was pinned is
 * the same file, with the same references, that now have digests.
 */
#ifndef CK_LOCK_FUZZ_LOCK_H
#define CK_LOCK_FUZZ_LOCK_H

#include "lock/lock.h"

#include <stdlib.h>

static inline void fuzz_check(bool holds)
{
    if (!holds)
        abort();
}

static inline bool fuzz_read(enum ck_lock_file_kind kind, ck_view content, struct ck_arena *a,
                             struct ck_lock_reference **r, size_t *n)
{
    ck_err *e = ck_lock_references(kind, content, a, r, n);
    if (e)
        fuzz_check(ck_err_class(e) == CK_ERR_HOSTILE || ck_err_class(e) == CK_ERR_LIMIT);
    bool ok = !e;
    ck_err_free(e);
    return ok;
}

static inline void fuzz_references(enum ck_lock_file_kind kind, ck_view content)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    struct ck_lock_reference *r, *again;
    size_t n, n_again, end = 0, grown = 0;
    struct ck_digest d;
    if (!fuzz_read(kind, content, &a, &r, &n))
        return;
    const struct ck_digest **pins = ck_arena_alloc(&a, n, sizeof *pins);
    ck_hash_of(CK_DIGEST_SHA256, content, &d);
    for (size_t i = 0; i < n; i++) {
        fuzz_check(r[i].begin <= r[i].end && r[i].end <= content.n);
        if (r[i].skipped)
            continue;
        fuzz_check(r[i].named && r[i].begin >= end && r[i].end > r[i].begin);
        end = r[i].end;
        pins[i] = &d;
        grown += 1 + 7 + 64 - (r[i].text.n - ck_view_find(r[i].text, '@'));
    }
    ck_err *e = ck_lock_pin(content, r, n, pins, &out);
    fuzz_check(!e && out.n == content.n + grown);
    if (out.n > CK_MAX_LOCK_FILE)
        return;
    fuzz_check(fuzz_read(kind, ck_buf_view(&out), &a, &again, &n_again) && n_again == n);
    for (size_t i = 0; i < n; i++) {
        fuzz_check(again[i].skipped == r[i].skipped && again[i].line == r[i].line);
        if (!r[i].skipped)
            fuzz_check(again[i].name.has_digest && ck_digest_eq(&again[i].name.digest, &d) &&
                       ck_view_eq(again[i].name.path, r[i].name.path));
    }
}

#endif
