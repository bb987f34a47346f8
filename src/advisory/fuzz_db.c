/* Hostile bytes as a database: opening, verifying, finding, matching and explaining must end
 * with an answer or an error of class CK_ERR_OURS. Its best seeds are small whole databases. */
#include "advisory/match_int.h"

#include <openssl/evp.h>
#include <stdlib.h>

static void check(ck_err *e)
{
    if (e && ck_err_class(e) != CK_ERR_OURS)
        abort();
    ck_err_free(e);
}

/* Looks up what the entries themselves name, so that a found key leads on. */
static void walk(const struct ck_db *db, struct ck_arena *a)
{
    uint64_t n = ck_db_counts(db).advisories;
    for (uint32_t i = 0; i < n && i < 8; i++) {
        struct ck_advisory adv;
        struct ck_statements st;
        ck_err *e = ck_db_advisory(db, i, a, &adv);
        if (!e) {
            check(ck_db_find_id(db, adv.id, a, &st));
            ck_db_kev(db, adv.id);
        }
        check(e);
        e = ck_db_find_ordinal(db, i, a, &st);
        if (!e && st.n)
            check(ck_db_find(db, st.v[0].affected.ecosystem, st.v[0].affected.kind,
                             st.v[0].affected.name, a, &st));
        check(e);
    }
}

static void match(const struct ck_db *db)
{
    struct ck_package p[] = {
        { CK_PACKAGE_DEB, CK_V("package1"), CK_V("1.2"), CK_V("amd64"), CK_V("package1"),
          CK_V("1.2"), CK_V(""), CK_V("") },
        { CK_PACKAGE_DEB, CK_V("second"), CK_V("1.9"), CK_V("amd64"), CK_V("second"), CK_V("1.9"),
          CK_V(""), CK_V("") },
    };
    struct ck_distro d = { CK_V("Debian:12"), CK_V("Debian"), CK_VERSION_DPKG, true, false, 1 };
    struct ck_match m;
    ck_err *e = ck_match_packages(db, &d, p, 2, &m);
    if (!e)
        ck_match_free(&m);
    check(e);
    ck_autobuf struct ck_buf text = ck_buf_new(CK_LIMIT_NONE);
    check(ck_match_explain(db, &d, p, 2, CK_V("CVE-2024-0001"), &text));
}

/* A file whose fixed fields are right, so that what lies behind them is reached. */
static void read_file(ck_view bytes)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_db *db;
    ck_err *e = ck_db_open_view(bytes, &db);
    if (!e) {
        check(ck_db_verify(db));
        walk(db, &a);
        match(db);
        ck_db_close(db);
    }
    check(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < CK_DB_HEADER) {
        read_file(ck_view_of(data, size));
        return 0;
    }
    ck_autobuf struct ck_buf head = ck_buf_new(CK_LIMIT_NONE);
    ck_put_bytes(&head, CK_V(CK_DB_MAGIC));
    ck_put_u32(&head, CK_DB_LAYOUT);
    ck_put_u32(&head, CK_DB_SECTION_COUNT_);
    ck_put_bytes(&head, ck_view_of(data + head.n, CK_DB_DIGESTED_FROM + 8 - head.n));
    ck_put_u64(&head, size); /* the length */
    ck_put_bytes(&head, ck_view_of(data + head.n, size - head.n));
    uint8_t digest[32];
    unsigned n = sizeof digest;
    if (EVP_Digest(head.p + CK_DB_DIGESTED_FROM, head.n - CK_DB_DIGESTED_FROM, digest, &n,
                   EVP_sha256(), NULL) != 1)
        abort();
    memcpy(head.p + CK_DB_SHA256_AT, digest, sizeof digest);
    read_file(ck_buf_view(&head));
    return 0;
}
