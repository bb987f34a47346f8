/* GET /verdict?image=NAME[@DIGEST][&namespace=NS]: one image, for programs on the node. */
#include "serve/asking.h"

#include "base/text.h"

enum { OK = 200, BAD_REQUEST = 400, UNAVAILABLE = 503 };

static void put_lines(struct ck_buf *out, const char *key, const ck_view *v, size_t n)
{
    ck_buf_format(out, ",\"%s\":[", key);
    for (size_t i = 0; i < n; i++) {
        ck_put_bytes(out, i ? CK_V(",") : CK_V(""));
        ck_buf_json_str(out, v[i]);
    }
    ck_put_u8(out, ']');
}

static void put_verdict(struct ck_buf *out, const struct ck_judged *j)
{
    ck_put_bytes(out, CK_V("{\"image\":"));
    ck_buf_json_str(out, j->image);
    ck_buf_format(out, ",\"decision\":\"%s\",\"digest\":", ck_judgement_name(j->decision));
    ck_buf_json_str(out, j->digest);
    put_lines(out, "reasons", j->reasons, j->n_reasons);
    put_lines(out, "warnings", j->warnings, j->n_warnings);
    ck_put_bytes(out, CK_V("}\n"));
}

static void say(struct ck_request *r, unsigned status, ck_view why)
{
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    ck_put_bytes(&out, CK_V("{\"error\":"));
    ck_buf_json_str(&out, why);
    ck_put_bytes(&out, CK_V("}\n"));
    ck_request_reply(r, status, "application/json", ck_buf_view(&out), NULL, 0);
}

static void judged(struct ck_request *r, void *ctx, const struct ck_judged *j, ck_view failed)
{
    (void)ctx;
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    if (failed.n) {
        say(r, UNAVAILABLE, failed);
        return;
    }
    put_verdict(&out, j);
    ck_request_reply(r, OK, "application/json", ck_buf_view(&out), NULL, 0);
}

void ck_verdict_route(struct ck_request *r)
{
    enum { WAIT = 8000 }; /* below the ten seconds that containerd gives an image verifier */
    ck_view image = { 0 }, namespace_ = { 0 };
    ck_request_query(r, "namespace", &namespace_);
    if (!ck_request_query(r, "image", &image) || !image.n) {
        say(r, BAD_REQUEST, CK_V("image: which one?"));
    } else if (image.n > CK_MAX_ADMISSION_IMAGE || namespace_.n > CK_MAX_FIELD) {
        say(r, BAD_REQUEST, CK_V("image: no name is so long"));
    } else {
        const struct ck_asking q = { &image, 1, namespace_, WAIT, judged, NULL };
        ck_ask_verdicts(r, &q);
    }
}
