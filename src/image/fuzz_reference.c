/* References, names, platforms and digests: all that is parsed from one line of text. */
#include "image/image.h"
#include "image/reference.h"

#include <stdlib.h>

static bool accepts(ck_err *e)
{
    bool yes = !e;
    ck_err_free(e);
    return yes;
}

static void platform(ck_view v, struct ck_arena *a)
{
    struct ck_platform p, again;
    if (!accepts(ck_platform_parse(v, &p)))
        return;
    /* what is normal stays as it is, and matches itself */
    const char *text = ck_platform_text(&p, a);
    if (!accepts(ck_platform_parse(ck_view_str(text), &again)))
        abort();
    if (ck_platform_match(&p, &again) <= 0)
        abort();
}

static void digest(ck_view v)
{
    struct ck_digest d;
    char text[CK_DIGEST_TEXT];
    if (accepts(ck_digest_parse(v, &d)) && !ck_view_eq(v, ck_view_str(ck_digest_text(&d, text))))
        abort();
}

/* What is whole already stays as it is. */
static void name(ck_view v, struct ck_arena *a)
{
    struct ck_name n, again;
    if (!accepts(ck_name_parse(v, a, &n)))
        return;
    const char *text = ck_name_text(&n, a);
    if (!accepts(ck_name_parse(ck_view_str(text), a, &again)) ||
        strcmp(ck_name_text(&again, a), text) != 0)
        abort();
    ck_name_short(&n, a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_view v = ck_view_of(data, size), rest;
    ck_view head = ck_view_split(v, '\n', &rest);
    struct ck_reference r;
    const char *text = (const char *)ck_arena_dup(&a, v).p;
    if (accepts(ck_reference_parse(text, &a, &r)) && !*r.path == ck_transport_has_path(r.transport))
        abort();
    name(v, &a);
    if (ck_reference_same(head, rest) != ck_reference_same(rest, head))
        abort();
    if (ck_reference_is_docker_name(v) && !ck_reference_same(v, v))
        abort();
    ck_reference_is_oci_name(v);
    platform(v, &a);
    digest(v);
    return 0;
}
