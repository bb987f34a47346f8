#include "serve/names.h"

#include "image/digest.h"

static bool word(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static size_t run(ck_view v, size_t at, uint8_t c)
{
    size_t n = 0;
    while (at + n < v.n && v.p[at + n] == c)
        n++;
    return n;
}

/* "." or "_" or "__" or "-"+ between two words; 0: none of them. */
static size_t separator(ck_view v, size_t at)
{
    static const struct {
        uint8_t c;
        size_t most;
    } kinds[] = { { '.', 1 }, { '_', 2 }, { '-', SIZE_MAX } };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t n = run(v, at, kinds[i].c);
        if (n)
            return n <= kinds[i].most ? n : 0;
    }
    return 0;
}

static bool is_component(ck_view v)
{
    size_t at = 0;
    for (;;) {
        size_t from = at;
        while (at < v.n && word(v.p[at]))
            at++;
        if (at == from)
            return false;
        if (at == v.n)
            return true;
        size_t n = separator(v, at);
        if (!n)
            return false;
        at += n;
    }
}

bool ck_is_repository(ck_view v)
{
    if (!v.n || v.n > CK_MAX_REGISTRY_NAME || v.p[v.n - 1] == '/')
        return false;
    while (v.n)
        if (!is_component(ck_view_split(v, '/', &v)))
            return false;
    return true;
}

bool ck_is_tag(ck_view v)
{
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        bool first = word(c) || (c >= 'A' && c <= 'Z') || c == '_';
        if (!first && (!i || (c != '.' && c != '-')))
            return false;
    }
    return v.n > 0 && v.n <= 128;
}

bool ck_is_digest(ck_view v)
{
    struct ck_digest d;
    ck_err *e = ck_digest_parse(v, &d);
    ck_err_free(e);
    return !e;
}
