/* The target of a request and what else is written like it: paths, queries, forms. Pure. */
#ifndef CK_SERVE_URI_H
#define CK_SERVE_URI_H

#include "base/err.h"

struct ck_param {
    ck_view name, value;
};
enum { CK_URI_PARAMS = 48 };
struct ck_params {
    struct ck_param v[CK_URI_PARAMS];
    size_t n;
};

/* Decoding is in place, once: the results point into `raw`. What they return is NULL, or what is
 * wrong, in words. Controls, bytes beyond ASCII in a path, "%2F", "//", "." and ".." are refused;
 * so is a parameter that is there twice, but for `scope` and `tag`. */
const char *ck_uri_parse(uint8_t *raw, size_t n, ck_view *ret_path, struct ck_params *ret);
/* application/x-www-form-urlencoded; replaces *ret. */
const char *ck_form_parse(uint8_t *raw, size_t n, struct ck_params *ret);

/* The first one of that name. */
bool ck_params_find(const struct ck_params *p, const char *name, ck_view *ret);

#endif
