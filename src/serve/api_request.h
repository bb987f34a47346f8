/* Requests of the HTTP API (doc/openapi.json) as bytes: what they ask becomes words for the hub,
 * which knows what each may hold. Pure.
 */
#ifndef CK_SERVE_API_REQUEST_H
#define CK_SERVE_API_REQUEST_H

#include "base/arena.h"
#include "base/err.h"
#include "serve/uri.h"

/* "name=text", "name:=12" for numbers, "name:=true", "name[]=text" once for each of a list. */
struct ck_api_words {
    ck_view *v; /* API_WORDS */
    size_t n;
    ck_view text; /* of the member "yaml", which may have many lines; p NULL: there is none */
};
/* With `method` and `path` (below /api/v1/) in front. */
void ck_api_words_begin(struct ck_api_words *w, ck_view method, ck_view path, struct ck_arena *a);
/* Class USAGE or LIMIT. */
CK_MUST ck_err *ck_api_query(const struct ck_params *p, struct ck_arena *a,
                             struct ck_api_words *w);
/* An object of strings (without control characters), whole numbers, booleans and lists of strings.
 * Class USAGE, HOSTILE or LIMIT. */
CK_MUST ck_err *ck_api_body(ck_view json, struct ck_arena *a, struct ck_api_words *w);

/* The value of the one cookie `cocket` in a Cookie header; false: none, several, or none that we
 * made. */
bool ck_api_cookie(ck_view header, ck_view *ret);

/* What a browser and a client say of where a request comes from; p NULL: the header is not there.
 */
struct ck_api_origin {
    ck_view site;      /* Sec-Fetch-Site */
    ck_view origin;    /* Origin */
    ck_view host;      /* Host, with its port */
    ck_view requested; /* X-Requested-With */
    bool authorized;   /* with an Authorization header */
};
/* NULL: it may change something. Else why not. */
const char *ck_api_foreign(const struct ck_api_origin *o);

/* Whether an If-None-Match header names this entity tag (with its quotes). */
bool ck_api_matches(ck_view header, ck_view etag);

#endif
