#include "registry/protocol.h"
#include "registry/words.h"

/* The parameters that are wanted, and where they go. */
struct param {
    const char *name;
    ck_view *value;
    bool seen;
};
enum { PARAMS = 4 };

struct parser {
    ck_cur c;
    struct ck_arena *a;
    struct ck_challenge now, *best; /* being read; the best so far */
    struct param params[PARAMS];
    uint64_t count;
};

static ck_err *count_one(struct parser *p)
{
    if (++p->count > CK_MAX_HTTP_PARAMS)
        return ck_err_limit(CK_LIMIT_HTTP_PARAMS, "more at byte %zu", p->c.at);
    return NULL;
}

static void begin(struct parser *p, ck_view scheme)
{
    p->now = (struct ck_challenge){ .scheme = CK_CHALLENGE_NONE };
    if (ck_words_same(scheme, CK_V("bearer")))
        p->now.scheme = CK_CHALLENGE_BEARER;
    else if (ck_words_same(scheme, CK_V("basic")))
        p->now.scheme = CK_CHALLENGE_BASIC;
    const struct param params[PARAMS] = { { "realm", &p->now.realm, false },
                                          { "service", &p->now.service, false },
                                          { "scope", &p->now.scope, false },
                                          { "error", &p->now.error, false } };
    memcpy(p->params, params, sizeof params);
}

static ck_err *end(struct parser *p)
{
    if (p->now.scheme == CK_CHALLENGE_BEARER && p->now.realm.n == 0)
        return ck_err_new(CK_ERR_HOSTILE, "a Bearer challenge without realm");
    if (p->now.scheme > p->best->scheme)
        *p->best = p->now;
    return NULL;
}

/* Which of two realms a client would ask is not to be found out by trying. */
static ck_err *take_param(struct parser *p, ck_view name)
{
    ck_view value;
    size_t at = p->c.at;
    CK_TRY(count_one(p));
    ck_cur_skip(&p->c, 1); /* '=' */
    CK_TRY(ck_words_value(&p->c, p->a, &value));
    for (size_t i = 0; i < PARAMS; i++) {
        if (!ck_words_same(name, ck_view_str(p->params[i].name)))
            continue;
        if (p->params[i].seen)
            return ck_err_at(CK_ERR_HOSTILE, at, "\"%s\" twice in one challenge",
                             p->params[i].name);
        p->params[i].seen = true;
        *p->params[i].value = value;
    }
    return NULL;
}

/* Credentials in one word, as "Negotiate" has: letters, digits, -._~+/ and "=" at the end, up to
 * the next comma. A parameter's name is followed by "=" and more. */
static bool skip_token68(ck_cur *c)
{
    ck_cur at = *c;
    size_t n = ck_words_token(&at).n;
    while (ck_words_at(&at, '/') || ck_words_at(&at, '+')) {
        ck_cur_skip(&at, 1);
        n += 1 + ck_words_token(&at).n;
    }
    while (ck_words_at(&at, '='))
        ck_cur_skip(&at, 1);
    ck_words_blanks(&at);
    if (n == 0 || !(ck_cur_end(&at) || ck_words_at(&at, ',')))
        return false;
    *c = at;
    return true;
}

static bool is_param(struct parser *p)
{
    ck_words_blanks(&p->c);
    return ck_words_at(&p->c, '=');
}

/* Behind the name of a scheme: nothing, one word, or the first parameter. */
static ck_err *scheme(struct parser *p, ck_view name, bool blank)
{
    CK_TRY(count_one(p));
    begin(p, name);
    if (ck_cur_end(&p->c) || ck_words_at(&p->c, ',') || !blank || skip_token68(&p->c))
        return NULL;
    ck_view first = ck_words_token(&p->c);
    if (first.n == 0 || !is_param(p))
        return ck_err_at(CK_ERR_HOSTILE, p->c.at, "no parameter of a challenge");
    return take_param(p, first);
}

static ck_err *element(struct parser *p, bool *in_challenge)
{
    ck_view word = ck_words_token(&p->c);
    if (word.n == 0)
        return ck_err_at(CK_ERR_HOSTILE, p->c.at, "no challenge");
    size_t behind = p->c.at;
    if (is_param(p)) {
        if (!*in_challenge)
            return ck_err_at(CK_ERR_HOSTILE, p->c.at, "a parameter before any scheme");
        CK_TRY(take_param(p, word));
    } else {
        CK_TRY(end(p));
        CK_TRY(scheme(p, word, p->c.at > behind));
        *in_challenge = true;
    }
    ck_words_blanks(&p->c);
    if (!ck_cur_end(&p->c) && !ck_words_at(&p->c, ','))
        return ck_err_at(CK_ERR_HOSTILE, p->c.at, "a challenge that goes on without a comma");
    ck_words_commas(&p->c);
    return NULL;
}

static ck_err *parse(ck_view header, struct ck_arena *a, struct ck_challenge *ret)
{
    struct parser p = { .c = ck_cur_of(header), .a = a, .best = ret };
    bool in_challenge = false;
    CK_TRY(ck_words_check(header));
    begin(&p, CK_V(""));
    ck_words_commas(&p.c);
    while (!ck_cur_end(&p.c))
        CK_TRY(element(&p, &in_challenge));
    return end(&p);
}

ck_err *ck_challenge_parse(ck_view header, struct ck_arena *a, struct ck_challenge *ret)
{
    struct ck_challenge best = { .scheme = CK_CHALLENGE_NONE };
    CK_TRY_WRAP(parse(ck_arena_dup(a, header), a, &best), "WWW-Authenticate");
    *ret = best;
    return NULL;
}
