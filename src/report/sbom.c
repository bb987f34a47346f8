#include "report/sbom.h"

#include "base/text.h"
#include "image/reference.h"

static bool is_hex(ck_view v)
{
    for (size_t i = 0; i < v.n; i++)
        if (!v.p[i] || !strchr("0123456789abcdef", v.p[i]))
            return false;
    return true;
}

/* The name that the reference holds; false for archives, directories and digests. Nothing is asked
 * of the file system, as ck_reference_parse would. */
static bool name_of(const struct ck_report *r, struct ck_arena *a, struct ck_name *ret)
{
    ck_view v = r->reference;
    if (ck_view_starts(v, CK_V("store:"))) {
        v = ck_view_from(v, sizeof "store:" - 1);
        if (is_hex(v)) /* a digest's beginning may stand there */
            return false;
    }
    for (int t = 0; t < CK_TRANSPORT_COUNT_; t++) {
        ck_view name = ck_view_str(ck_transport_name((enum ck_transport)t));
        if (t != CK_TRANSPORT_DOCKER && ck_view_starts(v, name) && v.n > name.n &&
            v.p[name.n] == ':')
            return false;
    }
    struct ck_digest none;
    ck_err *e = ck_digest_parse(v, &none);
    if (!e)
        return false;
    ck_err_free(e);
    e = ck_name_parse(v, a, ret);
    ck_err_free(e);
    return !e;
}

bool ck_sbom_digest(const struct ck_report *r, ck_view *ret_algorithm, ck_view *ret_hex)
{
    *ret_algorithm = ck_view_split(r->digest, ':', ret_hex);
    return ret_hex->n > 0;
}

static void qualifier(struct ck_buf *out, const char *name, ck_view value)
{
    if (!value.n)
        return;
    ck_buf_format(out, "%s=", name);
    ck_report_purl_part(out, value);
}

void ck_sbom_image_purl(const struct ck_report *r, struct ck_buf *out)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_name n;
    if (!r->digest.n || !name_of(r, &a, &n))
        return;
    ck_view last = n.path;
    for (size_t slash; (slash = ck_view_find(last, '/')) < last.n;)
        last = ck_view_from(last, slash + 1);
    ck_put_bytes(out, CK_V("pkg:oci/"));
    ck_report_purl_part(out, last);
    ck_put_u8(out, '@');
    ck_report_purl_part(out, r->digest);
    ck_put_u8(out, '?');
    qualifier(out, "arch", r->architecture);
    qualifier(out, r->architecture.n ? "&repository_url" : "repository_url",
              ck_view_str(ck_name_repository(&n, &a)));
    qualifier(out, "&tag", n.tag);
}

void ck_sbom_uuid(ck_view content, char out[37])
{
    enum { UUID = 16 };
    struct ck_digest d;
    char hex[2 * UUID + 1];
    ck_hash_of(CK_DIGEST_SHA256, content, &d);
    d.bytes[6] = (d.bytes[6] & 0x0F) | 0x80; /* version 8: made by a rule of one's own */
    d.bytes[8] = (d.bytes[8] & 0x3F) | 0x80;
    ck_hex(d.bytes, UUID, hex);
    static const size_t parts[] = { 8, 4, 4, 4, 12 };
    const char *from = hex;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (i)
            *out++ = '-';
        memcpy(out, from, parts[i]);
        out += parts[i];
        from += parts[i];
    }
    *out = '\0';
}

ck_err *ck_sbom_document(const struct ck_report *r,
                         void (*head)(struct ck_json_out *j, const struct ck_report *r,
                                      const char *uuid),
                         void (*body)(struct ck_json_out *j, const struct ck_report *r),
                         struct ck_buf *out)
{
    ck_autobuf struct ck_buf text = ck_buf_new(CK_LIMIT_NONE);
    struct ck_json_out j = { .out = &text, .depth = 1, .filled = true };
    char uuid[37];
    CK_TRY(ck_report_check(r));
    body(&j, r);
    ck_sbom_uuid(ck_buf_view(&text), uuid);
    j = (struct ck_json_out){ .out = out };
    ck_jw_begin(&j, '{');
    head(&j, r, uuid);
    ck_put_bytes(out, ck_buf_view(&text));
    ck_jw_end(&j, '}');
    ck_put_u8(out, '\n');
    return NULL;
}
