/* Asking the hub about images, for the routes that answer "may this run?". */
#ifndef CK_SERVE_ASKING_H
#define CK_SERVE_ASKING_H

#include "serve/http.h"
#include "serve/judged.h"

struct ck_asking {
    const ck_view *words;
    size_t n;
    ck_view namespace_;
    uint64_t wait_ms;
    /* Once, with an entry for each word; or `failed`, one line that says why there is none. Must
     * reply. */
    void (*done)(struct ck_request *r, void *ctx, const struct ck_judged *j, ck_view failed);
    void *ctx;
};
/* Words and ctx must live as long as the request. */
void ck_ask_verdicts(struct ck_request *r, const struct ck_asking *q);

/* What an answer carries, in its body or in a file; lives in the request's arena. */
CK_MUST ck_err *ck_asked_bytes(struct ck_request *r, const struct ck_answer *w,
                                enum ck_limit limit, ck_view *ret);

void ck_verdict_route(struct ck_request *r); /* GET /verdict */

#endif
