#include "detect/env_secret.h"

/* --- characters ------------------------------------------------------------------------------- */

static bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }
static bool is_upper(uint8_t c) { return c >= 'A' && c <= 'Z'; }
static bool is_alnum(uint8_t c) { return is_digit(c) || is_upper(c) || (c >= 'a' && c <= 'z'); }
static bool is_base32(uint8_t c) { return is_upper(c) || (c >= '2' && c <= '7'); }
static bool is_word(uint8_t c) { return is_alnum(c) || c == '_' || c == '-'; }
static bool is_dotted(uint8_t c) { return is_word(c) || c == '.'; }
static uint8_t upper(uint8_t c) { return c >= 'a' && c <= 'z' ? (uint8_t)(c - 'a' + 'A') : c; }

static size_t span(ck_view v, bool (*of)(uint8_t))
{
    size_t n = 0;
    while (n < v.n && of(v.p[n]))
        n++;
    return n;
}

/* Bytewise, but letters of both cases are one. */
static bool same(ck_view v, ck_view upper_case)
{
    if (v.n != upper_case.n)
        return false;
    for (size_t i = 0; i < v.n; i++)
        if (upper(v.p[i]) != upper_case.p[i])
            return false;
    return true;
}

static bool begins(ck_view v, ck_view upper_case)
{
    return v.n >= upper_case.n && same(ck_view_head(v, upper_case.n), upper_case);
}

static bool ends(ck_view v, ck_view upper_case)
{
    return v.n >= upper_case.n && same(ck_view_from(v, v.n - upper_case.n), upper_case);
}

/* --- forms of values -------------------------------------------------------------------------- */

/* Prefix, then `least` to `most` characters of one kind and nothing more of it. */
static const struct {
    const char *prefix;
    bool (*of)(uint8_t);
    size_t least, most;
    const char *what;
} forms[] = {
    { "AKIA", is_base32, 16, 16, "an access key of AWS" },
    { "ASIA", is_base32, 16, 16, "an access key of AWS" },
    { "ghp_", is_alnum, 36, 255, "a token of GitHub" },
    { "gho_", is_alnum, 36, 255, "a token of GitHub" },
    { "ghu_", is_alnum, 36, 255, "a token of GitHub" },
    { "ghs_", is_alnum, 36, 255, "a token of GitHub" },
    { "ghr_", is_alnum, 36, 255, "a token of GitHub" },
    { "github_pat_", is_word, 60, 255, "a token of GitHub" },
    { "glpat-", is_dotted, 20, 255, "a token of GitLab" },
    { "gldt-", is_dotted, 20, 255, "a token of GitLab" },
    { "glrt-", is_dotted, 20, 255, "a token of GitLab" },
    { "glptt-", is_dotted, 20, 255, "a token of GitLab" },
    { "glcbt-", is_dotted, 20, 255, "a token of GitLab" },
    { "xoxb-", is_word, 20, 255, "a token of Slack" },
    { "xoxp-", is_word, 20, 255, "a token of Slack" },
    { "xoxa-", is_word, 20, 255, "a token of Slack" },
    { "xoxr-", is_word, 20, 255, "a token of Slack" },
    { "xoxs-", is_word, 20, 255, "a token of Slack" },
    { "xapp-", is_word, 20, 255, "a token of Slack" },
    { "AIza", is_word, 35, 35, "a key of Google" },
    { "sk_live_", is_alnum, 24, 255, "a key of Stripe" },
    { "rk_live_", is_alnum, 24, 255, "a key of Stripe" },
    { "npm_", is_alnum, 36, 36, "a token of npm" },
    { "pypi-AgEIcHlwaS5vcmc", is_word, 50, 1024, "a token of PyPI" },
    { "dckr_pat_", is_word, 20, 255, "a token of Docker Hub" },
    { "dop_v1_", is_alnum, 64, 64, "a token of DigitalOcean" },
    { "hf_", is_alnum, 34, 40, "a token of Hugging Face" },
    { "SG.", is_dotted, 60, 80, "a key of SendGrid" },
    { "hvs.", is_word, 24, 255, "a token of Vault" },
};

/* The first of the forms that begins here, where no word goes on. */
static const char *form_at(ck_view v)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        ck_view prefix = ck_view_str(forms[i].prefix);
        if (!ck_view_starts(v, prefix))
            continue;
        ck_view rest = ck_view_head(ck_view_from(v, prefix.n), forms[i].most + 1);
        size_t n = span(rest, forms[i].of);
        /* as the manuals write them */
        bool example = ends(ck_view_head(rest, n), CK_V("EXAMPLE"));
        if (n >= forms[i].least && n <= forms[i].most && !example)
            return forms[i].what;
    }
    return NULL;
}

/* Three parts of base64url, of which the first two are JSON objects (RFC 7519). */
static bool is_jwt(ck_view v)
{
    for (int i = 0; i < 3; i++) {
        size_t n = span(v, is_word);
        if (n < 10 || (i < 2 && !ck_view_starts(v, CK_V("eyJ"))))
            return false;
        v = ck_view_from(v, n);
        if (i < 2 && (v.n == 0 || v.p[0] != '.'))
            return false;
        v = ck_view_from(v, 1);
    }
    return true;
}

/* "-----BEGIN RSA PRIVATE KEY", and "-----BEGIN PGP PRIVATE KEY BLOCK" */
static bool is_private_key(ck_view v)
{
    if (!ck_view_starts(v, CK_V("-----BEGIN ")))
        return false;
    ck_view line = ck_view_head(v, 60);
    for (size_t i = 0; i < line.n; i++)
        if (ck_view_starts(ck_view_from(line, i), CK_V("PRIVATE KEY")))
            return true;
    return false;
}

static bool stands_for_another(ck_view v);

/* "://USER:PASSWORD@" (RFC 3986 section 3.2.1), from the colon on. */
static bool has_password(ck_view v)
{
    ck_view password;
    size_t n = 3;
    if (!ck_view_starts(v, CK_V("://")))
        return false;
    size_t at = 0;
    for (; n < v.n && v.p[n] > ' ' && v.p[n] != '/' && v.p[n] != '?' && v.p[n] != '#'; n++)
        if (v.p[n] == '@')
            at = n;
    if (at == 0)
        return false;
    ck_view_split(ck_view_of(v.p + 3, at - 3), ':', &password);
    return password.n && !stands_for_another(password);
}

static const char *form_of(ck_view value)
{
    bool inside = false; /* of a word: a form begins where one begins */
    for (size_t i = 0; i < value.n; i++) {
        ck_view v = ck_view_from(value, i);
        uint8_t c = value.p[i];
        const char *form = NULL;
        if (c == ':' && has_password(v))
            return "a URL with a password";
        if (c == '-' && is_private_key(v))
            return "a private key";
        if (!inside && is_alnum(c))
            form = is_jwt(v) ? "a signed token (JWT)" : form_at(v);
        if (form)
            return form;
        inside = is_word(c);
    }
    return NULL;
}

/* --- names ------------------------------------------------------------------------------------ */

/* The last words of a name. What may also be the end of another word must follow a "_". */
static const struct {
    const char *end;
    bool word;
} endings[] = {
    { "PASSWORD", false },      { "PASSWD", false },      { "PASSPHRASE", false },
    { "PASS", true },           { "SECRET", true },       { "SECRETS", true },
    { "TOKEN", true },          { "CREDENTIAL", true },   { "CREDENTIALS", true },
    { "APIKEY", false },        { "API_KEY", true },      { "SECRET_KEY", true },
    { "SECRET_ACCESS_KEY", true }, { "ACCESS_KEY", true }, { "PRIVATE_KEY", true },
    { "ENCRYPTION_KEY", true }, { "SIGNING_KEY", true },  { "MASTER_KEY", true },
    { "ACCOUNT_KEY", true },    { "AUTH_KEY", true },     { "SECRET_KEY_BASE", true },
};

static bool names_a_secret(ck_view name)
{
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        ck_view end = ck_view_str(endings[i].end);
        if (!ends(name, end))
            continue;
        uint8_t before = name.n > end.n ? name.p[name.n - end.n - 1] : '_';
        if (!endings[i].word || before == '_' || before == '-' || before == '.')
            return true;
    }
    return false;
}

static bool is_one_of(ck_view v, const char *const *words)
{
    for (; *words; words++)
        if (same(v, ck_view_str(*words)))
            return true;
    return false;
}

/* "xxxx", "****", "...." */
static bool is_one_character(ck_view v)
{
    for (size_t i = 1; i < v.n; i++)
        if (v.p[i] != v.p[0])
            return false;
    return v.n > 2 && (v.p[0] == 'x' || v.p[0] == 'X' || !is_alnum(v.p[0]));
}

static bool is_path(ck_view v)
{
    bool begins_so = v.p[0] == '/' || ck_view_starts(v, CK_V("./")) || ck_view_starts(v, CK_V("~"));
    return begins_so && ck_view_find(v, '+') == v.n && ck_view_find(v, '=') == v.n;
}

static bool stands_for_another(ck_view v)
{
    static const char *const words[] = {
        "YES", "NO", "TRUE", "FALSE", "ON", "OFF", "0", "1", "NONE", "NULL", "NIL", "UNDEFINED",
        "UNSET", "EMPTY", "RANDOM", "AUTO", "CHANGEME", "CHANGE_ME", "CHANGE-ME", "CHANGEIT",
        "REPLACEME", "REPLACE_ME", "REPLACE-ME", "PLACEHOLDER", "EXAMPLE", "DUMMY", "REDACTED",
        "TODO", "TBD", NULL,
    };
    if (v.n == 0 || is_one_of(v, words) || is_one_character(v) || is_path(v))
        return true;
    bool quoted = (v.p[0] == '<' && v.p[v.n - 1] == '>') || (v.p[0] == '%' && v.p[v.n - 1] == '%');
    return quoted || v.p[0] == '$' || ck_view_starts(v, CK_V("{{")) || begins(v, CK_V("YOUR_")) ||
           begins(v, CK_V("YOUR-"));
}

static bool is_url(ck_view v)
{
    for (size_t i = 0; i + 2 < v.n; i++)
        if (v.p[i] == ':' && v.p[i + 1] == '/' && v.p[i + 2] == '/')
            return true;
    return false;
}

const char *ck_env_secret(ck_view name, ck_view value)
{
    ck_view v = ck_view_trim(value);
    const char *form = form_of(v);
    if (form)
        return form;
    if (names_a_secret(name) && !stands_for_another(v) && !is_url(v))
        return "a secret, as its name says";
    return NULL;
}
