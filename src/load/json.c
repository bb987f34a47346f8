#include "load/json.h"

#include "base/text.h"

void ck_json_pair(struct ck_buf *b, const char *before, const char *key, ck_view value)
{
    ck_buf_format(b, "%s\"%s\":", before, key);
    ck_buf_json_str(b, value);
}

static void put_platform(struct ck_buf *b, const struct ck_platform *p)
{
    if (!p->os.n)
        return;
    ck_buf_format(b, ",\"platform\":");
    ck_json_pair(b, "{", "architecture", p->architecture);
    ck_json_pair(b, ",", "os", p->os);
    if (p->os_version.n)
        ck_json_pair(b, ",", "os.version", p->os_version);
    if (p->variant.n)
        ck_json_pair(b, ",", "variant", p->variant);
    ck_buf_format(b, "}");
}

static void put_annotations(struct ck_buf *b, const struct ck_descriptor *d)
{
    if (!d->image_name.n && !d->ref_name.n)
        return;
    ck_buf_format(b, ",\"annotations\":{");
    if (d->image_name.n)
        ck_json_pair(b, "", "io.containerd.image.name", d->image_name);
    if (d->ref_name.n)
        ck_json_pair(b, d->image_name.n ? "," : "", "org.opencontainers.image.ref.name",
                     d->ref_name);
    ck_buf_format(b, "}");
}

static void put_descriptor(struct ck_buf *b, const struct ck_descriptor *d)
{
    char text[CK_DIGEST_TEXT];
    ck_json_pair(b, "{", "mediaType", d->media_type);
    ck_json_pair(b, ",", "digest", ck_view_str(ck_digest_text(&d->digest, text)));
    ck_buf_format(b, ",\"size\":%llu", (unsigned long long)d->size);
    put_platform(b, &d->platform);
    put_annotations(b, d);
    ck_buf_format(b, "}");
}

void ck_json_index(const struct ck_descriptor *v, size_t n, struct ck_buf *b)
{
    ck_buf_format(b, "{\"schemaVersion\":2,");
    ck_json_pair(b, "", "mediaType", CK_V("application/vnd.oci.image.index.v1+json"));
    ck_buf_format(b, ",\"manifests\":[");
    for (size_t i = 0; i < n; i++) {
        ck_buf_format(b, "%s", i ? "," : "");
        put_descriptor(b, &v[i]);
    }
    ck_buf_format(b, "]}");
}
