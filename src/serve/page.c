#include "serve/page.h"

#include "base/text.h"
#include "image/json.h"
#include "serve/names.h"
#include "serve/ui.h"

static void put_text(struct ck_buf *out, ck_view v)
{
    static const struct {
        char c;
        const char *as;
    } marks[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" },
                  { '\'', "&#39;" } };
    ck_autobuf struct ck_buf plain = ck_buf_new(CK_LIMIT_NONE);
    ck_buf_escape(&plain, v);
    for (size_t i = 0; i < plain.n; i++) {
        size_t k = 0;
        while (k < sizeof marks / sizeof marks[0] && marks[k].c != (char)plain.p[i])
            k++;
        if (k < sizeof marks / sizeof marks[0])
            ck_put_bytes(out, ck_view_str(marks[k].as));
        else
            ck_put_u8(out, plain.p[i]);
    }
}

static void put_value(struct ck_buf *out, const json_t *v);

static void put_object(struct ck_buf *out, const json_t *v)
{
    ck_put_bytes(out, CK_V("<dl>\n"));
    for (void *at = json_object_iter((json_t *)(uintptr_t)v); at;
         at = json_object_iter_next((json_t *)(uintptr_t)v, at)) {
        ck_put_bytes(out, CK_V("<dt>"));
        put_text(out, ck_view_str(json_object_iter_key(at)));
        ck_put_bytes(out, CK_V("</dt>\n<dd>"));
        put_value(out, json_object_iter_value(at));
        ck_put_bytes(out, CK_V("</dd>\n"));
    }
    ck_put_bytes(out, CK_V("</dl>\n"));
}

static void put_array(struct ck_buf *out, const json_t *v)
{
    ck_put_bytes(out, CK_V("<ul>\n"));
    for (size_t i = 0; i < json_array_size(v); i++) {
        ck_put_bytes(out, CK_V("<li>"));
        put_value(out, json_array_get(v, i));
        ck_put_bytes(out, CK_V("</li>\n"));
    }
    ck_put_bytes(out, CK_V("</ul>\n"));
}

/* Nesting is bounded: ck_json_load holds JSON_DEPTH. */
static void put_value(struct ck_buf *out, const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        put_object(out, v);
        break;
    case JSON_ARRAY:
        put_array(out, v);
        break;
    case JSON_STRING:
        put_text(out, ck_view_of(json_string_value(v), json_string_length(v)));
        break;
    case JSON_INTEGER:
        ck_buf_format(out, "%lld", (long long)json_integer_value(v));
        break;
    case JSON_REAL:
        ck_buf_format(out, "%.2f", json_real_value(v));
        break;
    case JSON_TRUE:
        ck_put_bytes(out, CK_V("yes"));
        break;
    case JSON_FALSE:
        ck_put_bytes(out, CK_V("no"));
        break;
    case JSON_NULL:
        ck_put_bytes(out, CK_V("-"));
        break;
    }
}

/* The image's page of the web UI, where there is one and it is known which image it is. */
static void put_link(struct ck_buf *out, const json_t *v)
{
    const json_t *d = json_object_get(v, "digest");
    ck_view digest = ck_view_of(json_string_value(d), json_string_length(d));
    if (!ck_ui_find(CK_V("/index.html")) || !digest.n || !ck_is_digest(digest))
        return;
    ck_put_bytes(out, CK_V("<p><a href=\"/ui/images/"));
    put_text(out, digest);
    ck_put_bytes(out, CK_V("\">All that is known of this image</a></p>\n"));
}

void ck_page_put(struct ck_buf *out, ck_view what, ck_view json)
{
    ck_autojson struct ck_json doc = { 0 };
    ck_put_bytes(out, CK_V("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                           "<meta name=\"viewport\" content=\"width=device-width\">"
                           "<title>cocket: "));
    put_text(out, what);
    ck_put_bytes(out, CK_V("</title></head><body>\n<h1>"));
    put_text(out, what);
    ck_put_bytes(out, CK_V("</h1>\n"));
    ck_err *e = ck_json_load(json, "explanation", &doc);
    if (!e) {
        put_link(out, doc.v);
        put_value(out, doc.v);
    } else {
        ck_put_bytes(out, CK_V("<pre>"));
        put_text(out, json);
        ck_put_bytes(out, CK_V("</pre>\n"));
    }
    ck_err_free(e);
    ck_put_bytes(out, CK_V("</body></html>\n"));
}
