#include "lock/docker_args.h"

#include "base/mem.h"

enum { NESTED = 8 }; /* ${A:-${B:-${C}}} */

struct expansion {
    const struct ck_docker_args *args;
    uint8_t escape;
    struct ck_buf out;
    unsigned depth;
};

static bool expand_into(struct expansion *x, ck_view v);

static bool put(struct expansion *x, ck_view v)
{
    if (x->out.n + v.n > CK_MAX_REFERENCE)
        return false;
    ck_put_bytes(&x->out, v);
    return true;
}

static size_t name_run(ck_view v)
{
    size_t n = 0;
    while (n < v.n && (v.p[n] == '_' || (v.p[n] >= 'a' && v.p[n] <= 'z') ||
                       (v.p[n] >= 'A' && v.p[n] <= 'Z') ||
                       (n && v.p[n] >= '0' && v.p[n] <= '9')))
        n++;
    return n;
}

/* The last one of its name counts. */
static const struct ck_docker_arg *find(const struct ck_docker_args *args, ck_view name)
{
    for (size_t i = args->n; i > 0; i--)
        if (ck_view_eq(args->v[i - 1].name, name))
            return &args->v[i - 1];
    return NULL;
}

/* Where the "}" is that ends what stands before it; v.n: there is none. */
static size_t closing(ck_view v)
{
    size_t depth = 0;
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] == '{')
            depth++;
        else if (v.p[i] == '}' && depth-- == 0)
            return i;
    }
    return v.n;
}

/* NAME, NAME:-word, NAME-word, NAME:+word, NAME+word. */
static bool braced(struct expansion *x, ck_view v)
{
    size_t n = name_run(v);
    const struct ck_docker_arg *arg = find(x->args, ck_view_head(v, n));
    ck_view word = ck_view_from(v, n);
    bool set = arg && arg->set;
    if (n == 0)
        return false;
    if (word.n == 0)
        return set && put(x, arg->value);
    if (word.p[0] == ':') {
        word = ck_view_from(word, 1);
        set = set && arg->value.n > 0;
    }
    if (word.n == 0 || (word.p[0] != '-' && word.p[0] != '+'))
        return false;
    bool instead = word.p[0] == '+';
    /* an ARG without a default is empty; a platform argument that is not declared has a value
     * that only the builder knows, and counts as unset here as there */
    if (instead)
        return set ? expand_into(x, ck_view_from(word, 1)) : true;
    return set ? put(x, arg->value) : expand_into(x, ck_view_from(word, 1));
}

/* Behind a "$"; *at moves behind the variable. */
static bool variable(struct expansion *x, ck_view v, size_t *at)
{
    ck_view rest = ck_view_from(v, *at);
    if (rest.n && rest.p[0] == '{') {
        rest = ck_view_from(rest, 1);
        size_t n = closing(rest);
        *at += n + 2;
        return n < rest.n && braced(x, ck_view_head(rest, n));
    }
    size_t n = name_run(rest);
    const struct ck_docker_arg *arg = find(x->args, ck_view_head(rest, n));
    *at += n;
    return n && arg && arg->set && put(x, arg->value);
}

static bool expand_into(struct expansion *x, ck_view v)
{
    uint8_t quote = 0;
    if (++x->depth > NESTED)
        return false;
    for (size_t at = 0; at < v.n;) {
        uint8_t c = v.p[at++];
        bool ok = true;
        if (c == x->escape && quote != '\'' && at < v.n)
            ok = put(x, ck_view_head(ck_view_from(v, at++), 1));
        else if (quote ? c == quote : c == '"' || c == '\'')
            quote = quote ? 0 : c;
        else if (c == '$' && quote != '\'')
            ok = variable(x, v, &at);
        else
            ok = put(x, ck_view_of(&c, 1));
        if (!ok)
            return false;
    }
    x->depth--;
    return quote == 0;
}

bool ck_docker_expand(const struct ck_docker_args *args, ck_view word, uint8_t escape,
                      ck_view *ret)
{
    struct expansion x = { .args = args, .escape = escape, .out = ck_buf_new(CK_LIMIT_NONE) };
    bool ok = expand_into(&x, word);
    if (ok)
        *ret = ck_arena_dup(args->a, ck_buf_view(&x.out));
    ck_buf_free(&x.out);
    return ok;
}

ck_err *ck_docker_args_add(struct ck_docker_args *args, ck_view word, uint8_t escape)
{
    struct ck_docker_arg arg = { 0 };
    size_t equals = ck_view_find(word, '=');
    arg.name = ck_arena_dup(args->a, ck_view_head(word, equals));
    if (equals < word.n)
        arg.set = ck_docker_expand(args, ck_view_from(word, equals + 1), escape, &arg.value);
    if (args->n == CK_MAX_LOCK_ARGS)
        return ck_err_limit(CK_LIMIT_LOCK_ARGS, "ARG %.*s",
                            CK_VF(ck_view_head(arg.name, 80)));
    *ck_push(args) = arg;
    return NULL;
}
