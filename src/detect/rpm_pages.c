#include "detect/rpm_pages.h"

#include "base/mem.h"

#include <stdlib.h>

struct ck_pages ck_pages_new(ck_view file, size_t size, uint64_t first)
{
    struct ck_pages p = { .file = file, .size = size, .first = first, .count = file.n / size };
    p.used = ck_calloc(p.count / 8 + 1, 1);
    return p;
}

void ck_pages_free(struct ck_pages *p)
{
    free(p->used);
    p->used = NULL;
}

static bool exists(const struct ck_pages *p, uint64_t number)
{
    return number >= p->first && number - p->first < p->count;
}

ck_err *ck_pages_claim(struct ck_pages *p, uint64_t number)
{
    if (!exists(p, number))
        return ck_err_new(CK_ERR_HOSTILE, "there is no page %llu in a file of %llu pages",
                          (unsigned long long)number, (unsigned long long)p->count);
    uint64_t i = number - p->first;
    uint8_t bit = (uint8_t)(1u << (i % 8));
    if (p->used[i / 8] & bit)
        return ck_err_new(CK_ERR_HOSTILE, "page %llu is used twice", (unsigned long long)number);
    p->used[i / 8] |= bit;
    return NULL;
}

ck_view ck_pages_get(const struct ck_pages *p, uint64_t number)
{
    if (!exists(p, number))
        return (ck_view){ NULL, 0 };
    return ck_view_head(ck_view_from(p->file, (number - p->first) * p->size), p->size);
}
