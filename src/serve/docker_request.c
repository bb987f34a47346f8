#include "serve/docker_request.h"

#include "base/base64.h"
#include "base/mem.h"
#include "base/text.h"
#include "image/json.h"

#include <strings.h>

/* Their spelling is checked, so that no second reading of them is there. */
static const char *const envelope_keys[] = { "RequestMethod", "RequestUri", "RequestBody",
                                             "RequestHeaders", NULL };
static const char *const create_keys[] = { "Image", "HostConfig", NULL };
static const char *const host_keys[] = { "Mounts", NULL };
static const char *const mount_keys[] = { "Type", "Source", NULL };
static const char *const service_keys[] = { "TaskTemplate", NULL };
static const char *const task_keys[] = { "ContainerSpec", "PluginSpec", "NetworkAttachmentSpec",
                                         NULL };
static const char *const container_keys[] = { "Image", "Mounts", NULL };

struct request {
    struct ck_arena *a;
    ck_view method, path, query; /* path: decoded, without the version; query: raw */
    ck_view content_length;
    ck_view body;
    ck_view *words;
    size_t n_words;
};

static ck_err *no(const char *why) { return ck_err_new(CK_ERR_HOSTILE, "%s", why); }

static ck_err *add_word(struct request *r, ck_view image)
{
    if (image.n > CK_MAX_ADMISSION_IMAGE)
        return ck_err_limit(CK_LIMIT_ADMISSION_IMAGE, "%zu bytes of name", image.n);
    if (r->n_words == CK_MAX_ADMISSION_IMAGES)
        return ck_err_limit(CK_LIMIT_ADMISSION_IMAGES, "images of one request");
    if (!image.n)
        return no("it names no image");
    r->words[r->n_words++] = image;
    return NULL;
}

/* --- path and query --------------------------------------------------------------------------- */

static int hex_of(uint8_t c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Percent-decodes once; in a query a plus is a blank. */
static ck_err *decode(ck_view v, bool query, struct ck_arena *a, ck_view *ret)
{
    uint8_t *out = ck_arena_alloc(a, v.n + 1, 1);
    size_t n = 0;
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        if (c == '%') {
            int high = i + 2 < v.n ? hex_of(v.p[i + 1]) : -1, low = -1;
            if (high >= 0)
                low = hex_of(v.p[i + 2]);
            if (low < 0)
                return no("a percent sign that encodes nothing");
            c = (uint8_t)(high * 16 + low);
            i += 2;
        } else if (c == '+' && query) {
            c = ' ';
        }
        if (c < 0x20 || c == 0x7f)
            return no("a control character in the address");
        out[n++] = c;
    }
    *ret = ck_view_of(out, n);
    return NULL;
}

static bool is_clean(ck_view path)
{
    path = ck_view_from(path, 1);
    while (path.n) {
        bool more = ck_view_find(path, '/') < path.n;
        ck_view part = ck_view_split(path, '/', &path);
        if (ck_view_eq(part, CK_V("")) || ck_view_eq(part, CK_V(".")) ||
            ck_view_eq(part, CK_V("..")) || (more && !path.n))
            return false;
    }
    return true;
}

/* "/v1.41/images/create" is "/images/create" in a certain version. */
static ck_view without_version(ck_view path)
{
    size_t n = 2;
    if (!ck_view_starts(path, CK_V("/v")))
        return path;
    while (n < path.n && ((path.p[n] >= '0' && path.p[n] <= '9') || path.p[n] == '.'))
        n++;
    return n > 2 && n < path.n && path.p[n] == '/' ? ck_view_from(path, n) : path;
}

static ck_err *take_address(struct request *r, ck_view uri)
{
    ck_view path;
    if (uri.n > CK_MAX_DOCKER_QUERY)
        return ck_err_limit(CK_LIMIT_DOCKER_QUERY, "%zu bytes of address", uri.n);
    if (!uri.n || uri.p[0] != '/')
        return no("the address is no path");
    CK_TRY(decode(ck_view_split(uri, '?', &r->query), false, r->a, &path));
    if (!is_clean(path))
        return no("the path is not clean");
    r->path = without_version(path);
    return NULL;
}

/* The parameter's value; what is there twice, or is a separator to some readers, is refused. */
static ck_err *parameter(const struct request *r, const char *name, ck_view *ret, bool *ret_has)
{
    ck_view rest = r->query, found = { 0 };
    bool has = false;
    if (ck_view_find(rest, ';') < rest.n)
        return no("a semicolon in the query, which some readers take for a separator");
    while (rest.n) {
        ck_view value, key = ck_view_split(ck_view_split(rest, '&', &rest), '=', &value);
        CK_TRY(decode(key, true, r->a, &key));
        CK_TRY(decode(value, true, r->a, &value));
        if (!ck_view_eq(key, ck_view_str(name)))
            continue;
        if (has)
            return ck_err_new(CK_ERR_HOSTILE, "parameter %s is there twice", name);
        has = true;
        found = value;
    }
    *ret = found;
    *ret_has = has;
    return NULL;
}

/* --- what is judged --------------------------------------------------------------------------- */

/* dockerd reads parameters from a body too, and prefers those; it tells plugins of no such body.
 * Only a length of 0 says for certain that there is none (chunked ones have no length). */
static ck_err *must_have_no_body(const struct request *r)
{
    if (r->body.n || !ck_view_eq(r->content_length, CK_V("0")))
        return no("a body, or no \"Content-Length: 0\", where parameters are judged");
    return NULL;
}

static ck_err *judge_pull(struct request *r)
{
    ck_view image, tag, source;
    bool has_image, has_tag, has_source;
    CK_TRY(parameter(r, "fromImage", &image, &has_image));
    CK_TRY(parameter(r, "tag", &tag, &has_tag));
    CK_TRY(parameter(r, "fromSrc", &source, &has_source));
    if (has_source || !has_image)
        return no("import makes an image that nobody has examined");
    CK_TRY(must_have_no_body(r));
    size_t slash = image.n;
    while (slash && image.p[slash - 1] != '/')
        slash--;
    ck_view last = ck_view_from(image, slash);
    bool named = ck_view_find(image, '@') < image.n || ck_view_find(last, ':') < last.n;
    if (!named && !tag.n)
        return no("all tags of a repository at once; pull them one by one");
    if (named && tag.n)
        return no("tag or digest are named twice");
    bool digest = ck_view_find(tag, ':') < tag.n;
    return add_word(r, tag.n ? ck_view_str(ck_arena_format(r->a, "%.*s%s%.*s", CK_VF(image),
                                                           digest ? "@" : ":", CK_VF(tag)))
                             : image);
}

static ck_err *judge_mounts(struct request *r, const struct ck_json *mounts)
{
    size_t n = 0;
    CK_TRY(ck_json_array(mounts, CK_LIMIT_ADMISSION_ENTRIES, &n));
    for (size_t i = 0; i < n; i++) {
        struct ck_json one = ck_json_at(mounts, i);
        CK_TRY(ck_json_object(&one, mount_keys));
        struct ck_json type = ck_json_member(&one, "Type"), source = ck_json_member(&one, "Source");
        ck_view kind, image;
        CK_TRY(ck_json_string_opt(&type, CK_LIMIT_FIELD, r->a, &kind));
        CK_TRY(ck_json_string_opt(&source, CK_LIMIT_STRING, r->a, &image));
        if (kind.n == 5 && strncasecmp((const char *)kind.p, "image", kind.n) == 0)
            CK_TRY(add_word(r, image));
    }
    return NULL;
}

static ck_err *judge_image(struct request *r, const struct ck_json *holder)
{
    struct ck_json image = ck_json_member(holder, "Image");
    ck_view text;
    CK_TRY(ck_json_string_opt(&image, CK_LIMIT_STRING, r->a, &text));
    return add_word(r, text);
}

static ck_err *load_body(const struct request *r, const char *name, struct ck_json *ret)
{
    if (!r->body.n)
        return no("a body is wanted here, and dockerd showed none (it must be JSON, of type "
                  "application/json, and not too large)");
    if (r->body.n > CK_MAX_DOCKER_BODY)
        return ck_err_limit(CK_LIMIT_DOCKER_BODY, "%zu bytes of body", r->body.n);
    return ck_json_load(r->body, name, ret);
}

static ck_err *judge_create(struct request *r)
{
    ck_autojson struct ck_json doc = { 0 };
    CK_TRY(load_body(r, "container", &doc));
    CK_TRY(ck_json_object(&doc, create_keys));
    CK_TRY(judge_image(r, &doc));
    struct ck_json host = ck_json_member(&doc, "HostConfig");
    if (!host.v)
        return NULL;
    CK_TRY(ck_json_object(&host, host_keys));
    struct ck_json mounts = ck_json_member(&host, "Mounts");
    return judge_mounts(r, &mounts);
}

static ck_err *judge_service(struct request *r)
{
    ck_autojson struct ck_json doc = { 0 };
    CK_TRY(load_body(r, "service", &doc));
    CK_TRY(ck_json_object(&doc, service_keys));
    struct ck_json task = ck_json_member(&doc, "TaskTemplate");
    CK_TRY(ck_json_object(&task, task_keys));
    struct ck_json spec = ck_json_member(&task, "ContainerSpec");
    struct ck_json plugin = ck_json_member(&task, "PluginSpec");
    if (plugin.v || !spec.v)
        return no("a service without containers; plugins are not examined");
    CK_TRY(ck_json_object(&spec, container_keys));
    CK_TRY(judge_image(r, &spec));
    struct ck_json mounts = ck_json_member(&spec, "Mounts");
    return judge_mounts(r, &mounts);
}

/* --- the table -------------------------------------------------------------------------------- */

/* `*` stands for one component or several. What changes nothing (GET, HEAD, OPTIONS) is allowed;
 * what is not here is refused: a later dockerd may have further ways to bring an image in. */
static const struct {
    const char *method, *path;
    ck_err *(*judge)(struct request *r);
    const char *refusal; /* NULL, and no judge: harmless */
} table[] = {
    { "POST", "/images/create", judge_pull, NULL },
    { "POST", "/containers/create", judge_create, NULL },
    { "POST", "/services/create", judge_service, NULL },
    { "POST", "/services/*/update", judge_service, NULL },
    { "POST", "/images/load", NULL, "load brings in an image past the gate; pull it" },
    { "POST", "/images/*/tag", NULL,
      "tag gives an image another name than it was judged by; use the name it was pulled by" },
    { "POST", "/commit", NULL, "commit makes an image that nobody has examined" },
    { "POST", "/build", NULL, "build makes an image that nobody has examined; push it to the "
                              "gate from where it may be built" },
    { "POST", "/session", NULL, "build sessions are refused, as builds are" },
    { "POST", "/grpc", NULL, "build sessions are refused, as builds are" },
    { "POST", "/plugins/pull", NULL, "plugins are not examined" },
    { "POST", "/plugins/create", NULL, "plugins are not examined" },
    { "POST", "/plugins/*/upgrade", NULL, "plugins are not examined" },
    { "POST", "/swarm/join", NULL, "a swarm's managers would start containers here unasked" },
    { "POST", "/auth", NULL, NULL },
    { "POST", "/build/prune", NULL, NULL },
    { "POST", "/build/cancel", NULL, NULL },
    { "POST", "/containers/prune", NULL, NULL },
    { "POST", "/containers/*/attach", NULL, NULL },
    { "POST", "/containers/*/exec", NULL, NULL },
    { "POST", "/containers/*/kill", NULL, NULL },
    { "POST", "/containers/*/pause", NULL, NULL },
    { "POST", "/containers/*/unpause", NULL, NULL },
    { "POST", "/containers/*/rename", NULL, NULL },
    { "POST", "/containers/*/resize", NULL, NULL },
    { "POST", "/containers/*/start", NULL, NULL },
    { "POST", "/containers/*/stop", NULL, NULL },
    { "POST", "/containers/*/restart", NULL, NULL },
    { "POST", "/containers/*/update", NULL, NULL },
    { "POST", "/containers/*/wait", NULL, NULL },
    { "POST", "/containers/*/copy", NULL, NULL },
    { "POST", "/containers/*/checkpoints", NULL, NULL },
    { "DELETE", "/containers/*", NULL, NULL },
    { "PUT", "/containers/*/archive", NULL, NULL },
    { "POST", "/exec/*/start", NULL, NULL },
    { "POST", "/exec/*/resize", NULL, NULL },
    { "POST", "/images/prune", NULL, NULL },
    { "POST", "/images/*/push", NULL, NULL },
    { "DELETE", "/images/*", NULL, NULL },
    { "POST", "/networks/create", NULL, NULL },
    { "POST", "/networks/prune", NULL, NULL },
    { "POST", "/networks/*/connect", NULL, NULL },
    { "POST", "/networks/*/disconnect", NULL, NULL },
    { "DELETE", "/networks/*", NULL, NULL },
    { "POST", "/volumes/create", NULL, NULL },
    { "POST", "/volumes/prune", NULL, NULL },
    { "PUT", "/volumes/*", NULL, NULL },
    { "DELETE", "/volumes/*", NULL, NULL },
    { "POST", "/secrets/create", NULL, NULL },
    { "POST", "/secrets/*/update", NULL, NULL },
    { "DELETE", "/secrets/*", NULL, NULL },
    { "POST", "/configs/create", NULL, NULL },
    { "POST", "/configs/*/update", NULL, NULL },
    { "DELETE", "/configs/*", NULL, NULL },
    { "DELETE", "/services/*", NULL, NULL },
    { "POST", "/swarm/init", NULL, NULL },
    { "POST", "/swarm/leave", NULL, NULL },
    { "POST", "/swarm/update", NULL, NULL },
    { "POST", "/swarm/unlock", NULL, NULL },
    { "POST", "/nodes/*/update", NULL, NULL },
    { "DELETE", "/nodes/*", NULL, NULL },
    { "POST", "/plugins/*/enable", NULL, NULL },
    { "POST", "/plugins/*/disable", NULL, NULL },
    { "POST", "/plugins/*/push", NULL, NULL },
    { "POST", "/plugins/*/set", NULL, NULL },
    { "DELETE", "/plugins/*", NULL, NULL },
};

static bool fits(ck_view path, const char *pattern)
{
    ck_view tail, head = ck_view_split(ck_view_str(pattern), '*', &tail);
    if (ck_view_find(ck_view_str(pattern), '*') == strlen(pattern))
        return ck_view_eq(path, ck_view_str(pattern));
    return path.n > head.n + tail.n && ck_view_starts(path, head) && ck_view_ends(path, tail);
}

static bool is_harmless(ck_view method)
{
    return ck_view_eq(method, CK_V("GET")) || ck_view_eq(method, CK_V("HEAD")) ||
           ck_view_eq(method, CK_V("OPTIONS"));
}

static ck_err *weigh(struct request *r)
{
    if (is_harmless(r->method))
        return NULL;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (!ck_view_eq(r->method, ck_view_str(table[i].method)) ||
            !fits(r->path, table[i].path))
            continue;
        if (table[i].judge)
            return table[i].judge(r);
        return table[i].refusal ? no(table[i].refusal) : NULL;
    }
    return no("a request that the gate does not know");
}

/* --- the envelope ----------------------------------------------------------------------------- */

static ck_err *take_body(const struct ck_json *text, struct ck_arena *a, ck_view *ret)
{
    if (!text->v)
        return NULL;
    if (!json_is_string(text->v))
        return ck_json_refuse(text, CK_ERR_HOSTILE, "must be a string");
    size_t n = json_string_length(text->v);
    if (n == 0)
        return NULL;
    if (!ck_base64_decode(ck_view_of(json_string_value(text->v), n), true, a, ret))
        return ck_json_refuse(text, CK_ERR_HOSTILE, "is no base64");
    return NULL;
}

static ck_err *take_headers(const struct ck_json *headers, struct request *r)
{
    const char *key;
    json_t *value;
    CK_TRY(ck_json_map(headers));
    json_object_foreach(headers->v, key, value) {
        struct ck_json one = { value, headers, key, 0 };
        if (strcasecmp(key, "Content-Length") != 0)
            continue;
        if (r->content_length.n)
            return ck_json_refuse(&one, CK_ERR_HOSTILE, "is there twice");
        CK_TRY(ck_json_string(&one, CK_LIMIT_HTTP_FIELD, r->a, &r->content_length));
    }
    return NULL;
}

static ck_err *open_envelope(const struct ck_json *doc, struct request *r, ck_view *ret_uri)
{
    CK_TRY(ck_json_object(doc, envelope_keys));
    struct ck_json method = ck_json_member(doc, "RequestMethod");
    struct ck_json uri = ck_json_member(doc, "RequestUri");
    struct ck_json body = ck_json_member(doc, "RequestBody");
    struct ck_json headers = ck_json_member(doc, "RequestHeaders");
    CK_TRY(ck_json_string(&method, CK_LIMIT_FIELD, r->a, &r->method));
    CK_TRY(ck_json_string(&uri, CK_LIMIT_STRING, r->a, ret_uri));
    CK_TRY(take_body(&body, r->a, &r->body));
    return take_headers(&headers, r);
}

ck_err *ck_docker_question(ck_view envelope, struct ck_arena *a, struct ck_docker_question *ret)
{
    ck_autojson struct ck_json doc = { 0 };
    struct request r = { .a = a };
    struct ck_docker_question q = { .what = CK_DOCKER_ALLOW };
    ck_view uri;
    CK_TRY(ck_json_load(envelope, "dockerd's request", &doc));
    CK_TRY(open_envelope(&doc, &r, &uri));
    r.words = ck_arena_alloc(a, CK_MAX_ADMISSION_IMAGES + 1, sizeof *r.words);
    ck_err *e = take_address(&r, uri);
    if (!e)
        e = weigh(&r);
    if (e) {
        q.what = CK_DOCKER_REFUSE;
        q.why = ck_view_str(ck_arena_format(a, "%s", ck_err_text(e)));
        ck_err_free(e);
    } else if (r.n_words) {
        q.what = CK_DOCKER_JUDGE;
        q.words = r.words;
        q.n_words = r.n_words;
    }
    *ret = q;
    return NULL;
}

void ck_docker_reply(bool allow, ck_view message, struct ck_buf *out)
{
    ck_buf_format(out, "{\"Allow\":%s", allow ? "true" : "false");
    if (!allow) {
        ck_put_bytes(out, CK_V(",\"Msg\":"));
        ck_buf_json_str(out, message);
    }
    ck_put_u8(out, '}');
}
