/* db_formats RECORDS DIR: builds the three formats in DIR, prints size and times. Lookups: 1,000
 * names of AlmaLinux:8 spread evenly, in a warm page cache; the best of 20 runs, opening
 * included. */
#include "formats.h"

#include "advisory/match.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

enum { NAMES = 1000, RUNS = 20 };
#define ECOSYSTEM "AlmaLinux:8"

static void must(ck_err *e)
{
    if (!e)
        return;
    fprintf(stderr, "%s\n", ck_err_text(e));
    exit(1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static long size_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (long)st.st_size : -1;
}

static ck_view read_whole(const char *path)
{
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    FILE *f = fopen(path, "rb");
    if (!f)
        must(ck_err_errno(CK_ERR_OURS, "%s", path));
    size_t n;
    while ((n = fread(ck_buf_room(&b, 1 << 20), 1, 1 << 20, f)) > 0)
        b.n += n;
    fclose(f);
    return ck_buf_view(&b);
}

static void load(const char *path, struct records *r)
{
    ck_cur c = ck_cur_of(read_whole(path));
    CK_VEC(struct ck_advisory) v = { 0 };
    while (!ck_cur_end(&c))
        must(ck_advisory_decode(ck_cur_str(&c, CK_MAX_FEED_RECORD), &r->arena, ck_push(&v)));
    r->v = v.v;
    r->n = v.n;
}

/* An installed package of the distribution with the most records: a name, and its last fixed
 * version but one, so that it is one erratum behind. */
struct installed {
    ck_view name, version, before;
};

static int by_name(const void *a, const void *b)
{
    return ck_view_cmp(((const struct installed *)a)->name, ((const struct installed *)b)->name);
}

/* 1,000 different names, spread evenly. */
static struct installed *pick(const struct records *r, struct names *out)
{
    CK_VEC(struct installed) all = { 0 };
    for (size_t i = 0; i < r->n; i++)
        for (size_t k = 0; k < r->v[i].n_affected; k++) {
            const struct ck_affected *af = &r->v[i].affected[k];
            if (ck_view_eq(af->ecosystem, CK_V(ECOSYSTEM)) && af->n_ranges)
                *ck_push(&all) = (struct installed){ af->name, af->ranges[0].upper, { 0 } };
        }
    qsort(all.v, all.n, sizeof *all.v, by_name);
    size_t n = 0;
    for (size_t i = 0; i < all.n; i++) {
        if (n && ck_view_eq(all.v[n - 1].name, all.v[i].name)) {
            struct installed *p = &all.v[n - 1];
            if (ck_rpm_cmp(all.v[i].version, p->version) > 0) {
                p->before = p->version;
                p->version = all.v[i].version;
            } else if (ck_rpm_cmp(all.v[i].version, p->before) > 0) {
                p->before = all.v[i].version;
            }
        } else {
            all.v[n] = all.v[i];
            all.v[n++].before = CK_V("0-0");
        }
    }
    out->v = ck_calloc(NAMES, sizeof *out->v);
    out->ecosystems = ck_calloc(NAMES, sizeof *out->ecosystems);
    out->kinds = ck_calloc(NAMES, sizeof *out->kinds);
    struct installed *chosen = ck_calloc(NAMES, sizeof *chosen);
    for (; out->n < NAMES && out->n < n; out->n++) {
        chosen[out->n] = all.v[out->n * n / NAMES];
        out->v[out->n] = chosen[out->n].name;
        out->ecosystems[out->n] = CK_V(ECOSYSTEM);
        out->kinds[out->n] = CK_NAME_BINARY;
    }
    free(all.v);
    return chosen;
}

static void own_build(const char *path, const struct records *r)
{
    struct ck_db_writer *w = ck_db_writer_new(1790000000);
    ck_db_writer_feed(w, &(struct ck_db_feed){ .kind = CK_V("osv"), .source = CK_V("bench") });
    for (size_t i = 0; i < r->n; i++)
        must(ck_db_writer_add(w, &r->v[i]));
    must(ck_db_writer_finish(w, path));
    ck_db_writer_free(w);
}

static size_t own_find(const char *path, const struct names *names)
{
    struct ck_db *db;
    size_t n = 0;
    must(ck_db_open(path, &db));
    ck_autoarena struct ck_arena a = { 0 };
    for (size_t i = 0; i < names->n; i++) {
        struct ck_statements st;
        must(ck_db_find(db, names->ecosystems[i], names->kinds[i], names->v[i], &a, &st));
        n += st.n;
    }
    ck_db_close(db);
    return n;
}

static void measure(const char *what, const char *path, double built,
                    size_t (*find)(const char *, const struct names *), const struct names *names)
{
    double best = 1e9;
    size_t n = 0;
    for (int i = 0; i < RUNS; i++) {
        double t = now();
        n = find(path, names);
        t = now() - t;
        best = t < best ? t : best;
    }
    printf("%-8s %10ld bytes, built in %7.1f ms, %zu lookups (%zu statements) in %6.2f ms\n", what,
           size_of(path), built, names->n, n, best);
}

/* Matching as a scan does it: 1,000 installed packages, opening included; `behind`: every one of
 * them lacks its last erratum, else every tenth. */
static void measure_match(const char *path, const struct installed *v, size_t n, bool behind)
{
    ck_autofree struct ck_package *p = ck_calloc(n, sizeof *p);
    struct ck_distro d = { CK_V(ECOSYSTEM), CK_V(ECOSYSTEM), CK_VERSION_RPM, true, false, 0 };
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        ck_view version = behind || i % 10 == 0 ? v[i].before : v[i].version;
        p[i] = (struct ck_package){ CK_PACKAGE_RPM, v[i].name, version, CK_V("x86_64"),
                                    v[i].name, version, CK_V(""), CK_V("") };
    }
    double best = 1e9;
    for (int i = 0; i < RUNS; i++) {
        struct ck_db *db;
        struct ck_match m;
        double t = now();
        must(ck_db_open(path, &db));
        must(ck_match_packages(db, &d, p, n, &m));
        found = m.n_findings + m.n_suppressed;
        ck_match_free(&m);
        ck_db_close(db);
        t = now() - t;
        best = t < best ? t : best;
    }
    printf("matching %zu packages of " ECOSYSTEM ", %s outdated: %zu rows in %.2f ms\n", n,
           behind ? "all" : "every tenth", found, best);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: db_formats RECORDS DIR\n");
        return 2;
    }
    struct records r = { 0 };
    struct names names = { 0 };
    load(argv[1], &r);
    ck_autofree struct installed *installed = pick(&r, &names);
    ck_autofree char *own = ck_format("%s/own.db", argv[2]);
    ck_autofree char *sqlite = ck_format("%s/sqlite.db", argv[2]);
    ck_autofree char *lmdb = ck_format("%s/lmdb.db", argv[2]);
    double t = now();
    own_build(own, &r);
    measure("own", own, now() - t, own_find, &names);
    t = now();
    sqlite_build(sqlite, &r);
    measure("sqlite", sqlite, now() - t, sqlite_find, &names);
    t = now();
    lmdb_build(lmdb, &r);
    measure("lmdb", lmdb, now() - t, lmdb_find, &names);
    measure_match(own, installed, names.n, false);
    measure_match(own, installed, names.n, true);
    return 0;
}
