/* Makes what bench/watch measures: databases, and a store of many images with inventories.
 *
 *   watch_store db FILE BUILT NAMES CHANGED
 *       Debian 12; CHANGED of the names have one advisory more
 *   watch_store fill STORE IMAGES PACKAGES NAMES DB
 *   watch_store having STORE ID
 *       how many images have it, and in how many microseconds
 *
 * Each image has PACKAGES of NAMES packages, each in one of two versions, and was matched with DB;
 * its manifest is a few bytes, and no layer is there.
 */
#include "advisory/db.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "scan/image_facts.h"
#include "scan/inventory_codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ADVISORIES = 2, LAYERS = 6 };

/* --- databases -------------------------------------------------------------------------------- */

/* Every second package of version 1 has what number 0 tells of, every eighth of version 2 too. */
static ck_err *add(struct ck_db_writer *w, unsigned name, unsigned number)
{
    static const char *const cvss[] = { "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
                                        "CVSS:3.1/AV:L/AC:H/PR:L/UI:N/S:U/C:L/I:L/A:N" };
    ck_autofree char *id = ck_format("CVE-2024-%u", 100000 + name * 4 + number);
    ck_autofree char *package = ck_format("package-%u", name);
    ck_view vector = ck_view_str(cvss[(name + number) % 2]);
    bool both = number == ADVISORIES || name % 8 == 0;
    struct ck_range range = { .end = CK_END_FIXED, .upper = both ? CK_V("3") : CK_V("2") };
    struct ck_affected affected = { .ecosystem = CK_V("Debian:12"), .name = ck_view_str(package),
                                    .kind = CK_NAME_SOURCE, .state = CK_FIX_FIXED,
                                    .ranges = &range, .n_ranges = 1 };
    struct ck_advisory adv = { .id = ck_view_str(id), .severity_text = CK_V(""),
                               .summary = CK_V("something is wrong with it"),
                               .cvss = &vector, .n_cvss = 1, .published = 1700000000,
                               .affected = &affected, .n_affected = 1 };
    return ck_db_writer_add(w, &adv);
}

static ck_err *make_db(const char *path, int64_t built, unsigned names, unsigned changed)
{
    struct ck_db_writer *w = ck_db_writer_new(built);
    const struct ck_db_feed feed = { .kind = CK_V("debian-tracker"), .source = CK_V("made"),
                                     .time = 1700000000, .digest = CK_V("sha256:00"),
                                     .records = (uint64_t)names * ADVISORIES };
    ck_err *e = NULL;
    ck_db_writer_feed(w, &feed);
    for (unsigned i = 0; !e && i < names; i++) {
        for (unsigned k = 0; !e && k < ADVISORIES; k++)
            if (k == 0 ? i % 2 == 0 : i % 5 == 0)
                e = add(w, i, k);
        if (!e && changed && i % (names / changed) == 1)
            e = add(w, i, ADVISORIES);
    }
    if (!e)
        e = ck_db_writer_finish(w, path);
    ck_db_writer_free(w);
    return e;
}

/* --- images ----------------------------------------------------------------------------------- */

struct random {
    uint64_t x;
};

static unsigned draw(struct random *r, unsigned n)
{
    r->x = r->x * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((r->x >> 33) % n);
}

static struct ck_report_package package(unsigned name, unsigned version, size_t layer,
                                        ck_view *location, struct ck_arena *a)
{
    ck_view text = ck_view_str(ck_arena_format(a, "package-%u", name));
    ck_view v = version ? CK_V("2-1") : CK_V("1-1");
    return (struct ck_report_package){
        .p = { .type = CK_PACKAGE_DEB, .name = text, .version = v, .arch = CK_V("amd64"),
               .source_name = text, .source_version = v, .module = CK_V(""),
               .status = CK_V("") },
        .layer = layer, .locations = location, .n_locations = 1,
    };
}

static int by_name(const void *x, const void *y)
{
    const struct ck_report_package *a = x, *b = y;
    return ck_view_cmp(a->p.name, b->p.name);
}

static void see(unsigned image, unsigned packages, unsigned names, struct ck_arena *a,
                struct ck_seen *ret)
{
    struct random r = { image * 2654435761u + 1 };
    ck_view *location = ck_arena_alloc(a, 1, sizeof *location);
    bool *taken = ck_arena_alloc(a, names, sizeof *taken);
    *location = CK_V("/var/lib/dpkg/status");
    *ret = (struct ck_seen){
        .os = CK_V("linux"), .architecture = CK_V("amd64"), .created = CK_V("2024-01-01T00:00:00Z"),
        .reference = CK_V(""), .name = CK_V(""), .digest = CK_V(""), .platforms = CK_V(""),
        .os_release = { .id = CK_V("debian"), .version_id = CK_V("12"), .id_like = CK_V(""),
                        .version_codename = CK_V("bookworm"), .name = CK_V("Debian GNU/Linux"),
                        .pretty_name = CK_V("Debian GNU/Linux 12 (bookworm)"),
                        .variant_id = CK_V(""), .cpe_name = CK_V("") },
    };
    char text[CK_DIGEST_TEXT];
    ck_view none = ck_arena_dup(a, ck_view_str(ck_digest_text(&(struct ck_digest){ 0 }, text)));
    ret->layers = ck_arena_alloc(a, LAYERS, sizeof *ret->layers);
    for (ret->n_layers = 0; ret->n_layers < LAYERS; ret->n_layers++)
        ret->layers[ret->n_layers] = (struct ck_report_layer){
            .digest = none,
            .diff_id = none,
            .media_type = CK_V("application/vnd.oci.image.layer.v1.tar+gzip"), .size = 1000,
            .created_by = CK_V("RUN apt-get install") };
    ret->packages = ck_arena_alloc(a, packages, sizeof *ret->packages);
    while (ret->n_packages < packages) {
        unsigned name = draw(&r, names);
        if (taken[name])
            continue;
        taken[name] = true;
        ret->packages[ret->n_packages++] = package(name, draw(&r, 2), draw(&r, LAYERS), location,
                                                   a);
    }
    qsort(ret->packages, packages, sizeof *ret->packages, by_name);
}

static ck_err *record(struct ck_lease *l, unsigned image, struct ck_arena *a, struct ck_digest *ret)
{
    const char *text = ck_arena_format(a, "manifest of %u", image);
    const char *name = ck_arena_format(a, "docker.io/library/image-%u:1", image);
    struct ck_digest from;
    bool moved;
    ck_hash_of(CK_DIGEST_SHA256, ck_view_str(text), ret);
    struct ck_store_image im = { .digest = *ret, .size = strlen(text),
                                 .media_type = CK_V("application/vnd.oci.image.manifest.v1+json"),
                                 .platform = CK_V("linux/amd64"), .artifact_type = CK_V("") };
    CK_TRY(ck_store_put(l, ret, ck_view_str(text)));
    CK_TRY(ck_store_add_image(l, &im, true));
    return ck_store_set_name(l, ck_view_str(name), ret, &moved, &from);
}

static ck_err *keep(struct ck_store *s, const struct ck_digest *d, const struct ck_seen *seen,
                    const struct ck_assessment *x, const struct ck_db *db, struct ck_arena *a)
{
    struct ck_store_inventory v;
    struct ck_facts before = { .platform = CK_V("linux/amd64"), .user = CK_V(""),
                               .scanned = ck_db_built(db), .created = 1700000000 }, f;
    struct ck_digest chain[LAYERS];
    enum ck_state_of_image state;
    for (int i = 0; i < LAYERS; i++)
        ck_hash_of(CK_DIGEST_SHA256, ck_view_of(d->bytes, (size_t)i + 1), &chain[i]);
    before.chain = chain;
    before.n_chain = LAYERS;
    ck_image_facts_again(&before, &x->report, ck_db_built(db), a, &f);
    struct ck_store_summary summary = ck_image_summary(&x->report, &f);
    ck_seen_encode(seen, a, &v);
    v.matched = ck_db_built(db);
    CK_TRY(ck_image_facts_keep(s, d, &f));
    CK_TRY(ck_store_put_summary(s, d, &summary));
    CK_TRY(ck_store_put_inventory(s, d, &v));
    return ck_store_decide(s, d, CK_CLEARED, CK_V("made"), CK_BY_SCAN, &state);
}

static ck_err *fill(struct ck_store *s, const struct ck_db *db, unsigned images, unsigned packages,
                    unsigned names)
{
    struct ck_lease *l = NULL;
    CK_TRY(ck_lease_new(s, &l));
    ck_err *e = NULL;
    for (unsigned i = 0; !e && i < images; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_assessment x = { 0 };
        struct ck_seen seen;
        struct ck_digest d;
        see(i, packages, names, &a, &seen);
        e = record(l, i, &a, &d);
        if (!e)
            e = ck_assess(&seen, db, &x);
        if (!e)
            e = keep(s, &d, &seen, &x, db, &a);
        ck_assessment_free(&x);
    }
    ck_lease_end(l);
    return e;
}

static unsigned number(const char *text)
{
    return (unsigned)strtoul(text, NULL, 10);
}

static ck_err *fill_with(char **argv)
{
    struct ck_store *s = NULL;
    struct ck_db *db = NULL;
    CK_TRY(ck_db_open(argv[6], &db));
    ck_err *e = ck_store_open(argv[2], &s);
    if (!e)
        e = fill(s, db, number(argv[3]), number(argv[4]), number(argv[5]));
    ck_store_close(s);
    ck_db_close(db);
    return e;
}

static ck_err *ask(const char *dir, const char *id)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_store *s = NULL;
    struct ck_digest *v = NULL;
    size_t n = 0;
    CK_TRY(ck_store_open(dir, &s));
    int64_t began = ck_clock_us();
    ck_err *e = ck_store_having(s, ck_view_str(id), &a, &v, &n);
    if (!e)
        printf("%zu %lld\n", n, (long long)(ck_clock_us() - began));
    ck_store_close(s);
    return e;
}

int main(int argc, char **argv)
{
    ck_err *e = NULL;
    if (argc == 6 && strcmp(argv[1], "db") == 0)
        e = make_db(argv[2], (int64_t)strtoll(argv[3], NULL, 10), number(argv[4]), number(argv[5]));
    else if (argc == 7 && strcmp(argv[1], "fill") == 0)
        e = fill_with(argv);
    else if (argc == 4 && strcmp(argv[1], "having") == 0)
        e = ask(argv[2], argv[3]);
    else
        e = ck_err_new(CK_ERR_USAGE, "watch_store db|fill|having ...");
    if (!e)
        return 0;
    fprintf(stderr, "watch_store: %s\n", ck_err_text(e));
    ck_err_free(e);
    return 1;
}
