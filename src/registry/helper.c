/* Credential helpers: programs that keep a user's secrets (docker-credential-helpers). */
#include "base/mem.h"
#include "base/program.h"
#include "base/text.h"
#include "registry/config_parts.h"

#include <stdlib.h>

/* It becomes the name of a program. */
static bool is_program(ck_view v)
{
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        bool alnum = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
        if (!alnum && c != '.' && c != '_' && c != '-')
            return false;
    }
    return v.n > 0 && v.n <= 100;
}

/* Helpers print it to stdout and end with status 1. */
static bool says_not_found(const struct ck_buf *out)
{
    static const char text[] = "credentials not found";
    return out->n && memmem(out->p, out->n, text, sizeof text - 1);
}

static ck_err *failed(const char *name, int status, const struct ck_buf *out, const char *tail)
{
    ck_view said = ck_view_trim(*tail ? ck_view_str(tail) : ck_buf_view(out));
    while (said.n && said.p[said.n - 1] == '\n')
        said.n--;
    return ck_err_new(CK_ERR_UNAVAILABLE, "%s get: exit status %d%s%.*s", name, status,
                      said.n ? ": " : "", CK_VF(ck_view_head(said, 300)));
}

ck_err *ck_helper_get(ck_view program, ck_view server, struct ck_arena *a,
                      struct ck_auth_entry *ret, bool *ret_found)
{
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_HELPER_OUTPUT);
    ck_autofree char *tail = NULL;
    int status = 0;
    if (!is_program(program))
        return ck_err_new(CK_ERR_USAGE, "\"%.*s\" is no name of a credential helper",
                          CK_VF(ck_view_head(program, 100)));
    const char *name = ck_arena_format(a, "docker-credential-%.*s", CK_VF(program));
    const char *const argv[] = { name, "get", NULL };
    ck_err *e = ck_program_run(argv, server, &out, (int)CK_MAX_HELPER_SECONDS * 1000, &status,
                               &tail);
    if (!e && status == 0)
        e = ck_helper_answer(ck_buf_view(&out), name, a, ret);
    else if (!e && !says_not_found(&out))
        e = failed(name, status, &out, tail);
    *ret_found = !e && status == 0;
    if (out.n)
        explicit_bzero(out.p, out.n);
    return e;
}
