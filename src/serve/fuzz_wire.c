/* Both ends' view of a peer that sends whatever it likes. What decodes must encode to the same
 * bytes. */
#include "serve/wire.h"

#include <stdlib.h>

static void must_be(const struct ck_buf *b, ck_view packet)
{
    if (!ck_view_eq(ck_buf_view(b), packet))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ck_view packet = ck_view_of(data, size);
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_ask q;
    struct ck_answer w;
    struct ck_wire_listener l;
    struct ck_serve_config c;
    enum ck_wire_type t;
    ck_err *e = ck_wire_type_of(packet, &t);
    ck_err_free(e);
    if (!(e = ck_ask_decode(packet, &a, &q))) {
        ck_ask_encode(&q, &b);
        must_be(&b, packet);
    }
    ck_err_free(e);
    ck_buf_clear(&b);
    if (!(e = ck_answer_decode(packet, &w))) {
        ck_answer_encode(&w, &b);
        must_be(&b, packet);
    }
    ck_err_free(e);
    ck_buf_clear(&b);
    if (!(e = ck_wire_listener_decode(packet, &l))) {
        ck_wire_listener_encode(&l, &b);
        must_be(&b, packet);
    }
    ck_err_free(e);
    ck_err_free(ck_serve_config_decode(packet, &c));
    return 0;
}
