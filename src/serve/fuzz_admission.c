/* The first byte chooses the document. Whatever is read is answered three ways; what the answer
 * holds must be JSON again, and an image that was found must stand where its pointer says. */
#include "serve/review.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must_be_json(const struct ck_buf *b)
{
    ck_autojson struct ck_json doc = { 0 };
    ck_err *e = ck_json_load(ck_buf_view(b), "answer", &doc);
    if (e)
        __builtin_trap();
}

static void answer(const struct ck_review *r, struct ck_arena *a, bool image_policy)
{
    struct ck_judged *j = ck_arena_alloc(a, r->n_words + 1, sizeof *j);
    ck_autobuf struct ck_buf one = ck_buf_new(CK_LIMIT_NONE), two = ck_buf_new(CK_LIMIT_NONE);
    for (size_t i = 0; i < r->n_words; i++)
        j[i] = (struct ck_judged){ .image = r->words[i],
                                   .decision = r->words[i].n % 7 ? CK_JUDGED_ALLOW
                                                                 : CK_JUDGED_DENY,
                                   .digest = CK_V("sha256:00"),
                                   .reasons = r->words, .n_reasons = r->n_words };
    if (image_policy) {
        ck_image_review_reply(r, j, a, &one);
    } else {
        ck_review_reply(r, j, a, &one);
        ck_review_mutate(r, j, CK_V("gate.example:5"), a, &two);
        must_be_json(&two);
    }
    must_be_json(&one);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_view rest = ck_view_from(ck_view_of(data, n), 1);
    struct ck_review r;
    struct ck_judged *j;
    uint64_t ms;
    if (!n)
        return 0;
    unsigned which = data[0] % 4;
    ck_err *e = which == 0   ? ck_review_parse(rest, &a, &r)
                : which == 1 ? ck_image_review_parse(rest, &a, &r)
                : which == 2 ? ck_judged_parse(rest, &rest, 1, &a, &j)
                             : NULL;
    if (!e && which < 2)
        answer(&r, &a, which == 1);
    if (which == 3) {
        ck_review_duration(rest, &ms);
        ck_review_is_host(rest, &a);
    }
    ck_err_free(e);
    return 0;
}
