/* The first byte chooses: a body, a query, a Cookie header. What becomes words must be fit for the
 * wire. */
#include "base/mem.h"
#include "serve/api_request.h"
#include "serve/wire.h"

#include <stdlib.h>

static void check(const struct ck_api_words *w)
{
    const struct ck_ask q = { .id = 1, .kind = CK_ASK_API, .words = w->v, .n_words = w->n,
                              .fd = -1 };
    if (w->n < 2 || w->n > CK_MAX_API_WORDS || !ck_ask_sound(&q))
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_view rest = ck_view_from(ck_view_of(data, n), 1), found;
    struct ck_api_words w;
    ck_err *e = NULL;
    if (!n)
        return 0;
    ck_api_words_begin(&w, CK_V("POST"), CK_V("login"), &a);
    if (data[0] % 3 == 0) {
        e = ck_api_body(rest, &a, &w);
    } else if (data[0] % 3 == 1) {
        struct ck_params p;
        ck_view copy = ck_arena_dup(&a, rest);
        const char *wrong = ck_form_parse((uint8_t *)(uintptr_t)copy.p, copy.n, &p);
        e = wrong ? NULL : ck_api_query(&p, &a, &w);
    } else if (ck_api_cookie(rest, &found) && (!found.n || found.n > 128)) {
        __builtin_trap();
    }
    if (!e)
        check(&w);
    ck_err_free(e);
    return 0;
}
