#include "lockdown/verifier.h"

#include "base/base64.h"
#include "base/mem.h"
#include "base/text.h"
#include "image/json.h"
#include "registry/toml.h"


/* --- settings --------------------------------------------------------------------------------- */

static ck_err *take_setting(const char *name, const struct ck_toml *m, struct ck_arena *a,
                            struct ck_verifier_conf *c)
{
    const struct {
        const char *key;
        const char **at;
    } known[] = { { "gate", &c->gate },
                  { "ca", &c->ca },
                  { "token_file", &c->token_file },
                  { "store", &c->store },
                  { "policy", &c->policy } };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (!ck_view_eq(m->key, ck_view_str(known[i].key)))
            continue;
        if (m->kind != CK_TOML_STRING || m->text.n == 0)
            return ck_err_new(CK_ERR_USAGE, "%s:%u: %s must be a string", name, m->line,
                              known[i].key);
        *known[i].at = (const char *)ck_arena_dup(a, m->text).p;
        return NULL;
    }
    return ck_err_new(CK_ERR_USAGE, "%s:%u: there is no setting \"%.*s\"", name, m->line,
                      CK_VF(ck_view_head(m->key, 100)));
}

ck_err *ck_verifier_conf_parse(ck_view bytes, const char *name, struct ck_arena *a,
                               struct ck_verifier_conf *ret)
{
    struct ck_toml *root;
    struct ck_verifier_conf c = { 0 };
    CK_TRY(ck_toml_parse(bytes, name, a, &root));
    for (const struct ck_toml *m = root->first; m; m = m->next)
        CK_TRY(take_setting(name, m, a, &c));
    *ret = c;
    return NULL;
}

ck_err *ck_verifier_conf_read(const struct ck_place *p, const char *path, struct ck_arena *a,
                              struct ck_verifier_conf *ret, bool *ret_there)
{
    ck_view bytes = CK_V("");
    bool there = false;
    CK_TRY(ck_place_read(p, path, a, &bytes, &there));
    if (there)
        CK_TRY(ck_verifier_conf_parse(bytes, path, a, ret));
    *ret_there = there;
    return NULL;
}

ck_err *ck_verifier_authorization(ck_view token, struct ck_arena *a, const char **ret)
{
    while (token.n && (token.p[token.n - 1] == '\n' || token.p[token.n - 1] == '\r'))
        token.n--;
    for (size_t i = 0; i < token.n; i++) /* it becomes a header's line */
        if (token.p[i] < 0x20 || token.p[i] == 0x7F)
            return ck_err_new(CK_ERR_USAGE, "the token's file: one line is wanted");
    if (token.n == 0 || token.n > CK_MAX_REGISTRY_SECRET / 2)
        return ck_err_new(CK_ERR_USAGE, "the token's file is empty, or too long");
    if (ck_view_find(token, ':') == token.n) {
        *ret = ck_arena_format(a, "Bearer %s", (const char *)ck_arena_dup(a, token).p);
        return NULL;
    }
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    ck_put_bytes(&out, CK_V("Basic "));
    ck_base64_put(&out, token);
    *ret = (const char *)ck_arena_dup(a, ck_buf_view(&out)).p;
    return NULL;
}

/* --- the question ----------------------------------------------------------------------------- */

static bool is_image_type(ck_view type)
{
    static const char *const types[] = {
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (ck_view_eq(type, ck_view_str(types[i])))
            return true;
    return false;
}

static ck_err *check_descriptor(ck_view json, const struct ck_digest *want, struct ck_arena *a)
{
    static const char *const known[] = { "mediaType", "digest", "size", NULL };
    ck_autojson struct ck_json doc = { 0 };
    struct ck_digest d;
    ck_view type, digest;
    uint64_t size;
    CK_TRY(ck_json_load(json, "descriptor", &doc));
    CK_TRY(ck_json_object(&doc, known));
    struct ck_json m_type = ck_json_member(&doc, "mediaType");
    struct ck_json m_digest = ck_json_member(&doc, "digest");
    struct ck_json m_size = ck_json_member(&doc, "size");
    CK_TRY(ck_json_string(&m_type, CK_LIMIT_FIELD, a, &type));
    CK_TRY(ck_json_string(&m_digest, CK_LIMIT_FIELD, a, &digest));
    CK_TRY(ck_json_u64(&m_size, CK_MAX_DOCUMENT, &size));
    if (!is_image_type(type))
        return ck_json_refuse(&m_type, CK_ERR_HOSTILE, "\"%.*s\" is no image", CK_VF(type));
    CK_TRY(ck_json_wrap(&m_digest, ck_digest_parse(digest, &d)));
    if (!ck_digest_eq(&d, want))
        return ck_json_refuse(&m_digest, CK_ERR_HOSTILE, "another one than -digest says");
    return NULL;
}

ck_err *ck_verifier_question_read(const char *name, const char *digest, const char *media_type,
                                  ck_view descriptor, struct ck_arena *a,
                                  struct ck_verifier_question *ret)
{
    static const char descriptor_type[] = "application/vnd.oci.descriptor.v1+json";
    struct ck_verifier_question q;
    CK_TRY_WRAP(ck_name_parse(ck_view_str(name), a, &q.name), "-name");
    CK_TRY_WRAP(ck_digest_parse(ck_view_str(digest), &q.digest), "-digest");
    if (strcmp(media_type, descriptor_type) != 0)
        return ck_err_new(CK_ERR_USAGE, "-stdin-media-type \"%s\" is not known here", media_type);
    if (q.name.has_digest && !ck_digest_eq(&q.name.digest, &q.digest))
        return ck_err_new(CK_ERR_HOSTILE, "-name has another digest than -digest");
    CK_TRY(check_descriptor(descriptor, &q.digest, a));
    q.name.has_digest = true;
    q.name.digest = q.digest;
    *ret = q;
    return NULL;
}

/* RFC 3986, section 2.3: what is unreserved stays. */
static void put_encoded(struct ck_buf *out, const char *text)
{
    for (; *text; text++) {
        bool plain = (*text >= '0' && *text <= '9') ||
                     ((*text | 0x20) >= 'a' && (*text | 0x20) <= 'z') || memchr("-._~", *text, 4);
        if (plain)
            ck_put_u8(out, (uint8_t)*text);
        else
            ck_buf_format(out, "%%%02X", (unsigned)(uint8_t)*text);
    }
}

const char *ck_verifier_url(const char *gate, const struct ck_verifier_question *q,
                            struct ck_arena *a)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    size_t n = strlen(gate);
    ck_buf_format(&b, "%.*s/verdict?image=", (int)(n - (n && gate[n - 1] == '/')), gate);
    put_encoded(&b, ck_name_text(&q->name, a));
    return (const char *)ck_arena_dup(a, ck_buf_view(&b)).p;
}

/* --- the answer ------------------------------------------------------------------------------- */

static ck_err *join_reasons(const struct ck_json *list, struct ck_arena *a, struct ck_buf *out)
{
    size_t n;
    CK_TRY(ck_json_array(list, CK_LIMIT_VERIFIER_REASONS, &n));
    for (size_t i = 0; i < n; i++) {
        struct ck_json one = ck_json_at(list, i);
        ck_view text;
        CK_TRY(ck_json_string(&one, CK_LIMIT_STRING, a, &text));
        ck_put_bytes(out, i ? CK_V("; ") : CK_V(": "));
        ck_buf_escape(out, text);
    }
    return NULL;
}

static ck_err *read_answer(const struct ck_json *doc, const struct ck_verifier_question *q,
                           struct ck_arena *a, struct ck_verifier_answer *r)
{
    static const char *const known[] = { "image", "decision", "digest", "reasons", "warnings",
                                         NULL };
    ck_autobuf struct ck_buf line = ck_buf_new(CK_LIMIT_NONE);
    struct ck_digest d;
    ck_view decision, digest;
    CK_TRY(ck_json_object(doc, known));
    struct ck_json m_decision = ck_json_member(doc, "decision");
    struct ck_json m_digest = ck_json_member(doc, "digest");
    struct ck_json m_reasons = ck_json_member(doc, "reasons");
    CK_TRY(ck_json_string(&m_decision, CK_LIMIT_FIELD, a, &decision));
    CK_TRY(ck_json_string_opt(&m_digest, CK_LIMIT_FIELD, a, &digest));
    r->allowed = ck_view_eq(decision, CK_V("allow"));
    if (r->allowed) {
        CK_TRY(ck_json_wrap(&m_digest, ck_digest_parse(digest, &d)));
        if (!ck_digest_eq(&d, &q->digest))
            return ck_json_refuse(&m_digest, CK_ERR_HOSTILE, "not the one that was asked about");
    }
    ck_buf_escape(&line, decision);
    CK_TRY(join_reasons(&m_reasons, a, &line));
    r->reason = (const char *)ck_arena_dup(a, ck_buf_view(&line)).p;
    return NULL;
}

ck_err *ck_verifier_answer_read(ck_view json, const struct ck_verifier_question *q,
                                struct ck_arena *a, struct ck_verifier_answer *ret)
{
    ck_autojson struct ck_json doc = { 0 };
    struct ck_verifier_answer r = { 0 };
    CK_TRY(ck_json_load(json, "the gate's answer", &doc));
    CK_TRY(read_answer(&doc, q, a, &r));
    *ret = r;
    return NULL;
}
