#include "serve/route.h"

#include "serve/names.h"

/* Takes the last component off; what is left has no slash at its end. */
static ck_view last_of(ck_view *path)
{
    size_t at = path->n;
    while (at > 0 && path->p[at - 1] != '/')
        at--;
    ck_view last = ck_view_from(*path, at);
    *path = ck_view_head(*path, at ? at - 1 : 0);
    return last;
}

static bool is_upload_id(ck_view v)
{
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && c != '-' && c != '_')
            return false;
    }
    return v.n > 0 && v.n <= 128;
}

static bool is_tag_or_digest(ck_view v) { return ck_is_tag(v) || ck_is_digest(v); }

static const struct row {
    const char *word; /* the component before the last one */
    enum ck_place_kind kind;
    bool (*check)(ck_view last);
    enum ck_oci_error error, error_digest; /* of a last component that breaks its grammar */
} rows[] = {
    { "manifests", CK_AT_MANIFEST, is_tag_or_digest, CK_OCI_MANIFEST_INVALID,
      CK_OCI_DIGEST_INVALID },
    { "blobs", CK_AT_BLOB, ck_is_digest, CK_OCI_DIGEST_INVALID, CK_OCI_DIGEST_INVALID },
    { "referrers", CK_AT_REFERRERS, ck_is_digest, CK_OCI_DIGEST_INVALID, CK_OCI_DIGEST_INVALID },
};

static struct ck_at in_repository(enum ck_place_kind kind, ck_view repository, ck_view reference)
{
    struct ck_at at = { .kind = kind, .repository = repository, .reference = reference };
    if (!ck_is_repository(repository))
        at.error = CK_OCI_NAME_INVALID;
    return at;
}

static struct ck_at uploads(ck_view repository, ck_view id)
{
    struct ck_at at = in_repository(id.n ? CK_AT_UPLOAD : CK_AT_UPLOADS, repository, id);
    if (!at.error && id.n && !is_upload_id(id))
        at.error = CK_OCI_BLOB_UPLOAD_UNKNOWN;
    return at;
}

struct ck_at ck_route_of(ck_view path)
{
    const struct ck_at nowhere = { .kind = CK_AT_NOWHERE };
    if (ck_view_eq(path, CK_V("/v2/")) || ck_view_eq(path, CK_V("/v2")))
        return (struct ck_at){ .kind = CK_AT_BASE };
    if (!ck_view_starts(path, CK_V("/v2/")))
        return nowhere;
    ck_view left = ck_view_from(path, 4);
    ck_view last = last_of(&left), word = last_of(&left);
    if (ck_view_eq(last, CK_V("_catalog")) && !word.n)
        return (struct ck_at){ .kind = CK_AT_CATALOG };
    if (ck_view_eq(word, CK_V("tags")) && ck_view_eq(last, CK_V("list")))
        return in_repository(CK_AT_TAGS, left, CK_V(""));
    if (ck_view_eq(word, CK_V("uploads"))) {
        ck_view blobs = last_of(&left);
        return ck_view_eq(blobs, CK_V("blobs")) ? uploads(left, last) : nowhere;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];
        if (!last.n || !ck_view_eq(word, ck_view_str(r->word)))
            continue;
        struct ck_at at = in_repository(r->kind, left, last);
        if (!at.error && !r->check(last))
            at.error = ck_view_find(last, ':') < last.n ? r->error_digest : r->error;
        return at;
    }
    return nowhere;
}
