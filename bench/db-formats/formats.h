/* The same content in three formats: what each needs on disk, and how long it takes to open it
 * and to look up the names of a thousand packages and read what is said of them. */
#ifndef BENCH_FORMATS_H
#define BENCH_FORMATS_H

#include "advisory/record.h"

struct names {
    ck_view *v; /* "ecosystem\0kind name" split below */
    ck_view *ecosystems;
    enum ck_name_kind *kinds;
    size_t n;
};

struct records {
    struct ck_arena arena;
    struct ck_advisory *v;
    size_t n;
};

void sqlite_build(const char *path, const struct records *r);
/* Opens, looks all names up, closes; returns the statements read. */
size_t sqlite_find(const char *path, const struct names *names);
void lmdb_build(const char *path, const struct records *r);
size_t lmdb_find(const char *path, const struct names *names);

#endif
