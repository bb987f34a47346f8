/* The web UI: /, /ui/..., /assets/... They hold nothing of anybody's, so anybody may have them;
 * what they show comes from /api/v1, which asks who it is.
 */
#include "base/mem.h"
#include "base/text.h"
#include "serve/http_int.h"
#include "serve/ui.h"

#include <stdlib.h>
#include <strings.h>
#include <zlib.h>

const struct ck_ui_file *ck_ui_find(ck_view path)
{
    for (const struct ck_ui_file *f = ck_ui_files; f->path; f++)
        if (ck_view_eq(path, ck_view_str(f->path)))
            return f;
    return NULL;
}

#define VIEW(s) { (const uint8_t *)(s), sizeof(s) - 1 }

/* --- what the client takes -------------------------------------------------------------------- */

static bool same(ck_view v, const char *word)
{
    return v.n == strlen(word) && strncasecmp((const char *)v.p, word, v.n) == 0;
}

/* "q=0" and "q=0.000" (RFC 9110, 12.4.2). */
static bool is_refused(ck_view parameters)
{
    ck_view rest = parameters;
    while (rest.n) {
        ck_view p = ck_view_trim(ck_view_split(rest, ';', &rest));
        if (p.n < 3 || strncasecmp((const char *)p.p, "q=0", 3) != 0)
            continue;
        for (size_t i = 3; i < p.n; i++)
            if (p.p[i] != '.' && p.p[i] != '0')
                return false;
        return true;
    }
    return false;
}

static bool takes_gzip(struct ck_request *r)
{
    ck_view accept, rest;
    if (!ck_request_header(r, "Accept-Encoding", &accept))
        return false;
    bool any = false;
    for (rest = accept; rest.n;) {
        ck_view parameters, one = ck_view_split(rest, ',', &rest);
        ck_view coding = ck_view_trim(ck_view_split(one, ';', &parameters));
        if (same(coding, "gzip") || same(coding, "x-gzip"))
            return !is_refused(parameters);
        any |= same(coding, "*") && !is_refused(parameters);
    }
    return any;
}

/* The same for both codings; a weak one is as good. */
static bool has_it(struct ck_request *r, ck_view etag)
{
    ck_view tags, rest;
    if (!ck_request_header(r, "If-None-Match", &tags))
        return false;
    for (rest = tags; rest.n;) {
        ck_view one = ck_view_trim(ck_view_split(rest, ',', &rest));
        if (ck_view_starts(one, CK_V("W/")))
            one = ck_view_from(one, 2);
        if (ck_view_eq(one, etag) || ck_view_eq(one, CK_V("*")))
            return true;
    }
    return false;
}

/* --- replies ---------------------------------------------------------------------------------- */

/* What came out of our own build comes out whole. */
static void inflate_file(const struct ck_ui_file *f, uint8_t *out)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)f->gzip, .avail_in = (uInt)f->n_gzip,
                   .next_out = out, .avail_out = (uInt)f->n };
    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
        exit(CK_EXIT_OOM);
    int end = inflate(&z, Z_FINISH);
    inflateEnd(&z);
    if (end != Z_STREAM_END || z.avail_out)
        abort();
}

static void reply(struct ck_request *r, unsigned status, const char *type, ck_view body,
                  const struct ck_ui_file *f, bool gzip)
{
    const struct ck_reply_header headers[] = {
        { "Content-Security-Policy", VIEW(CK_UI_POLICY) },
        { "Referrer-Policy", VIEW("no-referrer") },
        { "Permissions-Policy",
          VIEW("camera=(), microphone=(), geolocation=(), usb=(), payment=(), clipboard-read=()") },
        { "Cross-Origin-Opener-Policy", VIEW("same-origin") },
        { "Cross-Origin-Resource-Policy", VIEW("same-origin") },
        { "X-Frame-Options", VIEW("DENY") },
        { "Cache-Control", f && f->lasting ? CK_V("public, max-age=31536000, immutable")
                                           : CK_V("no-cache") },
        { "Vary", f ? CK_V("Accept-Encoding") : CK_V("") },
        { "ETag", f ? ck_view_str(f->etag) : CK_V("") },
        { "Content-Encoding", gzip ? CK_V("gzip") : CK_V("") },
    };
    ck_request_reply(r, status, type, body, headers, sizeof headers / sizeof headers[0]);
}

static void give(struct ck_request *r, const struct ck_ui_file *f)
{
    if (has_it(r, ck_view_str(f->etag))) {
        reply(r, 304, NULL, CK_V(""), f, false);
    } else if (takes_gzip(r)) {
        reply(r, 200, f->type, ck_view_of(f->gzip, f->n_gzip), f, true);
    } else {
        uint8_t *plain = ck_arena_alloc(ck_request_arena(r), f->n ? f->n : 1, 1);
        inflate_file(f, plain);
        reply(r, 200, f->type, ck_view_of(plain, f->n), f, false);
    }
}

/* --- routes ----------------------------------------------------------------------------------- */

static const char without[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta name=\"viewport\" content=\"width=device-width\"><title>cocket</title></head><body>\n"
    "<h1>cocket</h1>\n"
    "<p>This gate was built without the web UI (Node and npm were missing, or it was switched off)."
    "</p>\n<p>The API is below <code>/api/v1</code>; what is known of an image stands below "
    "<code>/explain/</code>.</p>\n</body></html>\n";

/* Whatever the page: its script looks at the address. */
static void page(struct ck_request *r)
{
    r->label = CK_LABEL_STATUS;
    const struct ck_ui_file *f = ck_ui_find(CK_V("/index.html"));
    if (f)
        give(r, f);
    else
        reply(r, 200, "text/html; charset=utf-8", ck_view_str(without), NULL, false);
}

static void asset(struct ck_request *r)
{
    r->label = CK_LABEL_STATUS;
    const struct ck_ui_file *f = ck_ui_find(ck_request_path(r));
    if (f)
        give(r, f);
    else
        reply(r, 404, "text/plain; charset=utf-8", CK_V("there is no such file\n"), NULL, false);
}

const struct ck_route ck_web_routes[] = {
    { CK_GET | CK_HEAD | CK_ROUTE_OPEN, "/", true, 0, 0, page },
    { CK_GET | CK_HEAD | CK_ROUTE_OPEN, "/ui", true, 0, 0, page },
    { CK_GET | CK_HEAD | CK_ROUTE_OPEN, "/ui/", false, 0, 0, page },
    { CK_GET | CK_HEAD | CK_ROUTE_OPEN, "/assets/", false, 0, 0, asset },
    { .prefix = NULL },
};
