/* An image's report, and the parts of it. */
#include "gateway/api.h"

static ck_err *report(struct ck_api *r)
{
    struct ck_store_row row;
    bool found = false;
    CK_TRY(ck_api_image(r, &row));
    CK_TRY(ck_store_get_report(r->store, &r->digest, &r->out, &found));
    return found ? NULL : ck_api_error(404, "it was not examined yet");
}

const struct ck_api_route ck_api_reports_routes[] = {
    { "GET", "images/{digest}/report", CK_ROLE_PULL, CK_API_SLOW, report, { { 0 } } },
    { .method = NULL },
};
