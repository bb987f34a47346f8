#include "serve/harbor_request.h"

#include "base/text.h"
#include "image/json.h"
#include "image/name.h"

#include <strings.h>

/* Their spelling is checked, so that no second reading of them is there. */
static const char *const request_keys[] = { "registry", "artifact", "enabled_capabilities", NULL };
static const char *const registry_keys[] = { "url", "authorization", NULL };
static const char *const artifact_keys[] = { "repository", "digest", "mime_type", NULL };
static const char *const capability_keys[] = { "type", "produces_mime_types", NULL };

#define OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"

static ck_err *get(const struct ck_json *object, const char *key, enum ck_limit limit,
                   struct ck_arena *a, ck_view *ret)
{
    struct ck_json member = ck_json_member(object, key);
    return ck_json_string_opt(&member, limit, a, ret);
}

static ck_err *invalid(const char *field, const char *why)
{
    return ck_err_new(CK_ERR_USAGE, "%s: %s", field, why);
}

static bool is_printable(ck_view v)
{
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] < 0x20 || v.p[i] > 0x7e)
            return false;
    return true;
}

/* --- its fields ------------------------------------------------------------------------------- */

static ck_err *check_url(ck_view url)
{
    ck_view rest = ck_view_starts(url, CK_V("https://"))  ? ck_view_from(url, 8)
                   : ck_view_starts(url, CK_V("http://")) ? ck_view_from(url, 7)
                                                          : CK_V("");
    if (!rest.n || !is_printable(rest) || ck_view_find(rest, '@') < rest.n ||
        ck_view_find(rest, '?') < rest.n || ck_view_find(rest, '#') < rest.n ||
        ck_view_find(rest, ' ') < rest.n)
        return invalid("registry.url", "must be http://HOST or https://HOST of a registry");
    return NULL;
}

static ck_err *check_authorization(ck_view v)
{
    if (!v.n)
        return NULL;
    ck_view value, scheme = ck_view_split(v, ' ', &value);
    bool known = (scheme.n == 5 && strncasecmp((const char *)scheme.p, "Basic", 5) == 0) ||
                 (scheme.n == 6 && strncasecmp((const char *)scheme.p, "Bearer", 6) == 0);
    if (!known || !value.n || !is_printable(value) || ck_view_find(value, ' ') < value.n)
        return invalid("registry.authorization", "must be Basic or Bearer");
    return NULL;
}

static ck_err *check_artifact(const struct ck_harbor_request *q, ck_view type, struct ck_arena *a)
{
    struct ck_name name;
    struct ck_digest digest;
    const char *text = ck_arena_format(a, "registry.invalid/%.*s@%.*s", CK_VF(q->repository),
                                       CK_VF(q->digest));
    ck_err *e = ck_digest_parse(q->digest, &digest);
    if (e)
        return ck_err_reclass(ck_err_wrap(e, "artifact.digest"), CK_ERR_USAGE);
    e = ck_name_parse(ck_view_str(text), a, &name);
    if (!e && (name.tag.n || !ck_view_eq(name.path, q->repository)))
        e = invalid("not a repository", "tag or digest in it");
    if (e)
        return ck_err_reclass(ck_err_wrap(e, "artifact.repository"), CK_ERR_USAGE);
    if (type.n && !ck_view_eq(type, CK_V(OCI_MANIFEST)) && !ck_view_eq(type, CK_V(DOCKER_MANIFEST)))
        return ck_err_new(CK_ERR_UNAVAILABLE, "artifact.mime_type: not one that is scanned");
    return NULL;
}

/* --- what is wanted of it --------------------------------------------------------------------- */

static const char *report_of(ck_view type)
{
    static const char *const types[] = { CK_HARBOR_REPORT_1_1, CK_HARBOR_REPORT_1_0,
                                         CK_HARBOR_REPORT_RAW };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        ck_view want = ck_view_str(types[i]);
        ck_view plain = ck_view_head(want, ck_view_find(want, ';'));
        if (ck_view_eq(type, want) || ck_view_eq(type, plain))
            return types[i];
    }
    return NULL;
}

static ck_err *wants_report(const struct ck_json *capability, struct ck_arena *a, bool *ret)
{
    struct ck_json list = ck_json_member(capability, "produces_mime_types");
    size_t n = 0;
    ck_view type;
    CK_TRY(ck_json_object(capability, capability_keys));
    CK_TRY(get(capability, "type", CK_LIMIT_FIELD, a, &type));
    if (type.n && !ck_view_eq(type, CK_V("vulnerability")))
        return NULL;
    CK_TRY(ck_json_array(&list, CK_LIMIT_ADMISSION_ENTRIES, &n));
    *ret = *ret || n == 0;
    for (size_t i = 0; i < n; i++) {
        struct ck_json one = ck_json_at(&list, i);
        CK_TRY(ck_json_string(&one, CK_LIMIT_FIELD, a, &type));
        *ret = *ret || report_of(type);
    }
    return NULL;
}

static ck_err *check_capabilities(const struct ck_json *list, struct ck_arena *a)
{
    size_t n = 0;
    bool wanted = false;
    CK_TRY(ck_json_array(list, CK_LIMIT_ADMISSION_ENTRIES, &n));
    for (size_t i = 0; i < n; i++) {
        struct ck_json one = ck_json_at(list, i);
        CK_TRY(wants_report(&one, a, &wanted));
    }
    if (n && !wanted)
        return ck_err_new(CK_ERR_UNAVAILABLE, "enabled_capabilities: reports of vulnerabilities "
                                              "are all that is made here");
    return NULL;
}

ck_err *ck_harbor_request(ck_view body, struct ck_arena *a, struct ck_harbor_request *ret)
{
    ck_autojson struct ck_json doc = { 0 };
    struct ck_harbor_request q = { 0 };
    ck_view type;
    if (body.n > CK_MAX_HARBOR_REQUEST)
        return ck_err_limit(CK_LIMIT_HARBOR_REQUEST, "scan request: %zu bytes", body.n);
    CK_TRY(ck_json_load(body, "scan request", &doc));
    CK_TRY(ck_json_object(&doc, request_keys));
    struct ck_json registry = ck_json_member(&doc, "registry");
    struct ck_json artifact = ck_json_member(&doc, "artifact");
    struct ck_json wanted = ck_json_member(&doc, "enabled_capabilities");
    CK_TRY(ck_json_object(&registry, registry_keys));
    CK_TRY(ck_json_object(&artifact, artifact_keys));
    CK_TRY(get(&registry, "url", CK_LIMIT_REGISTRY_NAME, a, &q.url));
    CK_TRY(get(&registry, "authorization", CK_LIMIT_REGISTRY_SECRET, a, &q.authorization));
    CK_TRY(get(&artifact, "repository", CK_LIMIT_ADMISSION_IMAGE, a, &q.repository));
    CK_TRY(get(&artifact, "digest", CK_LIMIT_FIELD, a, &q.digest));
    CK_TRY(get(&artifact, "mime_type", CK_LIMIT_FIELD, a, &type));
    CK_TRY(check_url(q.url));
    CK_TRY(check_authorization(q.authorization));
    CK_TRY(check_artifact(&q, type, a));
    CK_TRY(check_capabilities(&wanted, a));
    *ret = q;
    return NULL;
}

/* --- answers ---------------------------------------------------------------------------------- */

void ck_harbor_metadata(ck_view database, struct ck_buf *out)
{
    ck_buf_format(out, "{\"scanner\":{\"name\":\"cocket\",\"vendor\":\"cocket\",\"version\":\"%s\"}"
                       ",\"capabilities\":[{\"type\":\"vulnerability\",\"consumes_mime_types\":[\""
                       OCI_MANIFEST "\",\"" DOCKER_MANIFEST "\"],\"produces_mime_types\":[\""
                       CK_HARBOR_REPORT_1_1 "\",\"" CK_HARBOR_REPORT_1_0 "\",\""
                       CK_HARBOR_REPORT_RAW "\"]}],\"properties\":{"
                       "\"harbor.scanner-adapter/scanner-type\":\"os-package-vulnerability\"",
                  COCKET_VERSION);
    if (database.n) {
        ck_put_bytes(out, CK_V(",\"harbor.scanner-adapter/vulnerability-database-updated-at\":"));
        ck_buf_json_str(out, database);
    }
    ck_put_bytes(out, CK_V("}}"));
}

void ck_harbor_accepted(ck_view id, struct ck_buf *out)
{
    ck_put_bytes(out, CK_V("{\"id\":"));
    ck_buf_json_str(out, id);
    ck_put_u8(out, '}');
}

void ck_harbor_error(ck_view message, struct ck_buf *out)
{
    ck_put_bytes(out, CK_V("{\"error\":{\"message\":"));
    ck_buf_json_str(out, message);
    ck_put_bytes(out, CK_V("}}"));
}

const char *ck_harbor_accept(ck_view accept)
{
    if (!ck_view_trim(accept).n)
        return CK_HARBOR_REPORT_1_1;
    while (accept.n) {
        ck_view one = ck_view_trim(ck_view_split(accept, ',', &accept));
        const char *type = report_of(one);
        if (type)
            return type;
        if (ck_view_eq(one, CK_V("*/*")) || ck_view_eq(one, CK_V("application/json")))
            return CK_HARBOR_REPORT_1_1;
    }
    return NULL;
}

bool ck_harbor_report_id(ck_view rest, ck_view *ret)
{
    enum { LONGEST = 64 };
    ck_view tail, id = ck_view_split(rest, '/', &tail);
    if (!id.n || id.n > LONGEST || !ck_view_eq(tail, CK_V("report")))
        return false;
    for (size_t i = 0; i < id.n; i++) {
        uint8_t c = id.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    *ret = id;
    return true;
}
