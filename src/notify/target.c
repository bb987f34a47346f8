/* Where notifications go, as people write it. */
#include "base/mem.h"
#include "base/text.h"
#include "notify/notify_int.h"

#include <stdlib.h>
#include <unistd.h>

static ck_err *bad(const char *what)
{
    return ck_err_new(CK_ERR_USAGE, "%s", what);
}

static bool visible(ck_view v)
{
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] <= ' ' || v.p[i] > '~')
            return false;
    return true;
}

ck_err *ck_web_target_check(ck_view v)
{
    size_t head = ck_view_starts(v, CK_V("https://")) ? 8 : 7;
    ck_view host = ck_view_from(v, head);
    if (!ck_view_starts(v, CK_V("https://")) && !ck_view_starts(v, CK_V("http://")))
        return bad("it is an address that begins with https:// or http://");
    if (v.n > CK_MAX_NOTIFY_URL)
        return ck_err_reclass(ck_err_limit(CK_LIMIT_NOTIFY_URL, "the address"), CK_ERR_USAGE);
    if (!visible(v))
        return bad("the address has blanks or other characters that belong percent-encoded");
    if (host.n == 0 || host.p[0] == '/' || host.p[0] == '?' || host.p[0] == '#')
        return bad("the address names no host");
    return NULL;
}

/* --- mail ------------------------------------------------------------------------------------- */

static int hex(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* "%40" -> "@"; false where it is no such thing, or hides a control character. */
static bool percent_decode(ck_view v, struct ck_arena *a, ck_view *ret)
{
    uint8_t *out = ck_arena_alloc(a, v.n + 1, 1);
    size_t n = 0;
    for (size_t i = 0; i < v.n; i++) {
        out[n] = v.p[i];
        if (v.p[i] == '%') {
            if (v.n - i < 3 || hex(v.p[i + 1]) < 0 || hex(v.p[i + 2]) < 0)
                return false;
            out[n] = (uint8_t)(hex(v.p[i + 1]) << 4 | hex(v.p[i + 2]));
            i += 2;
        }
        if (out[n] < ' ' || out[n] == 0x7F)
            return false;
        n++;
    }
    *ret = ck_view_of(out, n);
    return true;
}

/* What RFC 5321 calls Dot-string and Domain, without quoting: what nobody has to escape. */
static bool is_address(ck_view v)
{
    static const char others[] = "!#$%&'*+-/=?^_`{|}~.";
    ck_view domain, local = ck_view_split(v, '@', &domain);
    if (local.n == 0 || domain.n == 0 || v.n > 254 || local.n + domain.n + 1 != v.n)
        return false;
    for (size_t i = 0; i < v.n; i++) {
        bool alnum = (v.p[i] >= '0' && v.p[i] <= '9') || (v.p[i] >= 'a' && v.p[i] <= 'z') ||
                     (v.p[i] >= 'A' && v.p[i] <= 'Z');
        bool ok = i < local.n ? v.p[i] && strchr(others, v.p[i]) != NULL
                              : v.p[i] == '-' || v.p[i] == '.';
        if (!alnum && !ok && i != local.n)
            return false;
    }
    return local.p[0] != '-'; /* no option of whatever program takes it further */
}

static ck_err *take_to(ck_view list, struct ck_arena *a, struct ck_mail_target *t)
{
    while (list.n) {
        ck_view one = ck_view_split(list, ',', &list);
        if (!is_address(one))
            return ck_err_new(CK_ERR_USAGE, "to=%.*s is no address", CK_VF(one));
        if (t->n_to == CK_MAX_NOTIFY_FIELDS)
            return ck_err_reclass(ck_err_limit(CK_LIMIT_NOTIFY_FIELDS, "recipients"),
                                  CK_ERR_USAGE);
        t->to[t->n_to++] = ck_arena_dup(a, one);
    }
    return NULL;
}

static ck_err *take_starttls(ck_view v, bool *ret_said, struct ck_mail_target *t)
{
    static const char *const words[CK_NOTIFY_TLS_COUNT_] = { "try", "always", "never" };
    for (unsigned i = 0; i < CK_NOTIFY_TLS_COUNT_; i++)
        if (ck_view_eq(v, ck_view_str(words[i]))) {
            t->tls = (enum ck_notify_tls)i;
            *ret_said = true;
            return NULL;
        }
    return bad("starttls= is try, always or never");
}

static ck_err *take_query(ck_view query, struct ck_arena *a, struct ck_mail_target *t,
                          bool *ret_tls)
{
    while (query.n) {
        ck_view value, key, part = ck_view_split(query, '&', &query);
        key = ck_view_split(part, '=', &value);
        if (!percent_decode(value, a, &value))
            return bad("%-encoding that is none, or of a control character");
        if (ck_view_eq(key, CK_V("to")))
            CK_TRY(take_to(value, a, t));
        else if (ck_view_eq(key, CK_V("starttls")))
            CK_TRY(take_starttls(value, ret_tls, t));
        else if (!ck_view_eq(key, CK_V("from")))
            return ck_err_new(CK_ERR_USAGE, "%.*s= is none of to=, from= and starttls=",
                              CK_VF(key));
        else if (!is_address(value))
            return ck_err_new(CK_ERR_USAGE, "from=%.*s is no address", CK_VF(value));
        else
            t->from = value;
    }
    return NULL;
}

/* The name we greet with, and send from: our own. */
static const char *own_host(struct ck_arena *a)
{
    char name[256] = "";
    if (gethostname(name, sizeof name - 1) != 0 || !name[0])
        return "localhost";
    for (size_t i = 0; name[i]; i++)
        if (!((name[i] >= '0' && name[i] <= '9') || (name[i] >= 'a' && name[i] <= 'z') ||
              (name[i] >= 'A' && name[i] <= 'Z') || name[i] == '-' || name[i] == '.'))
            return "localhost";
    return ck_arena_format(a, "%s", name);
}

static ck_err *check_host(ck_view host)
{
    if (host.n == 0 || ck_view_find(host, '@') < host.n || host.p[0] == ':')
        return bad("the address names no host");
    return NULL;
}

ck_err *ck_mail_target_parse(ck_view v, struct ck_arena *a, struct ck_mail_target *ret)
{
    bool secure = ck_view_starts(v, CK_V("smtps://")), tls_said = false;
    ck_view query, user = CK_V(""), host, path, scheme = ck_view_head(v, secure ? 8 : 7);
    struct ck_mail_target t = { .tls = CK_NOTIFY_TLS_TRY };
    if (!secure && !ck_view_starts(v, CK_V("smtp://")))
        return bad("it is an address that begins with smtp:// or smtps://");
    if (v.n > CK_MAX_NOTIFY_URL)
        return ck_err_reclass(ck_err_limit(CK_LIMIT_NOTIFY_URL, "the address"), CK_ERR_USAGE);
    if (!visible(v))
        return bad("the address has blanks or other characters that belong percent-encoded");
    t.to = ck_arena_alloc(a, CK_MAX_NOTIFY_FIELDS, sizeof *t.to);
    host = ck_view_split(ck_view_from(v, scheme.n), '?', &query);
    host = ck_view_split(host, '/', &path);
    if (ck_view_find(host, '@') < host.n)
        user = ck_view_split(host, '@', &host);
    CK_TRY(check_host(host));
    if (path.n)
        return bad("the address has a path");
    if (!percent_decode(user, a, &t.user) || ck_view_find(user, ':') < user.n)
        return bad("a password does not belong into the address: it is the secret");
    CK_TRY(take_query(query, a, &t, &tls_said));
    if (t.n_to == 0)
        return bad("the address says no recipient: ?to=ops@example.org");
    if (!tls_said && t.user.n)
        t.tls = CK_NOTIFY_TLS_ALWAYS; /* a password never goes over the network in the clear */
    const char *own = own_host(a);
    if (t.from.n == 0)
        t.from = ck_view_str(ck_arena_format(a, "cocket@%s", own));
    t.server = ck_view_str(ck_arena_format(a, "%.*s%.*s/%s", CK_VF(scheme), CK_VF(host), own));
    *ret = t;
    return NULL;
}

/* --- all of it -------------------------------------------------------------------------------- */

static ck_err *check_web(const struct ck_subscription *v)
{
    return ck_web_target_check(v->target);
}

static ck_err *check_mail(const struct ck_subscription *v)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_mail_target t;
    CK_TRY(ck_mail_target_parse(v->target, &a, &t));
    return t.user.n || !v->secret.n
               ? NULL
               : bad("there is a password, but the address names no user: smtp://USER@HOST");
}

static ck_err *check_command(const struct ck_subscription *v)
{
    ck_autofree char *path = ck_strndup(v->target.p, v->target.n);
    if (v->target.n == 0 || v->target.p[0] != '/' || v->target.n > CK_MAX_PATH ||
        ck_view_find(v->target, 0) < v->target.n)
        return bad("a command is the absolute path of a program");
    if (access(path, X_OK) != 0)
        return ck_err_errno(CK_ERR_USAGE, "%s", path);
    return v->secret.n ? bad("a command takes no secret") : NULL;
}

static const struct {
    const char *name;
    ck_err *(*check)(const struct ck_subscription *v);
    size_t most; /* events; 0: NOTIFY_DIGEST. A chat cuts what is longer than 40,000 characters */
} ways[CK_WAY_COUNT_] = {
    [CK_WAY_WEBHOOK] = { "webhook", check_web, 0 },
    [CK_WAY_SLACK] = { "slack", check_web, 50 },
    [CK_WAY_SMTP] = { "smtp", check_mail, 0 },
    [CK_WAY_COMMAND] = { "command", check_command, 0 },
};

enum ck_way ck_way_of(ck_view name)
{
    unsigned i = 0;
    while (i < CK_WAY_COUNT_ && !ck_view_eq(name, ck_view_str(ways[i].name)))
        i++;
    return (enum ck_way)i;
}

size_t ck_way_most(enum ck_way way)
{
    return ways[way].most ? ways[way].most : CK_MAX_NOTIFY_DIGEST;
}

static ck_err *check_kinds(ck_view kinds)
{
    while (kinds.n) {
        ck_view kind = ck_view_split(kinds, ',', &kinds);
        size_t i = 0;
        while (ck_notify_kinds[i] && !ck_view_eq(kind, ck_view_str(ck_notify_kinds[i])))
            i++;
        if (!ck_notify_kinds[i])
            return ck_err_new(CK_ERR_USAGE, "\"%.*s\" is no kind of event", CK_VF(kind));
    }
    return NULL;
}

static bool is_name(ck_view v)
{
    for (size_t i = 0; i < v.n; i++)
        if (!((v.p[i] >= 'a' && v.p[i] <= 'z') || (v.p[i] >= '0' && v.p[i] <= '9') ||
              (v.p[i] && strchr("._-", v.p[i]))))
            return false;
    return v.n >= 1 && v.n <= 64;
}

ck_err *ck_notify_check(const struct ck_subscription *v)
{
    enum ck_way way = ck_way_of(v->way);
    if (!is_name(v->name))
        return bad("a subscription's name is 1 to 64 of a-z, 0-9, \".\", \"_\" and \"-\"");
    if (way == CK_WAY_COUNT_)
        return bad("a subscription is a webhook, slack, smtp or a command");
    CK_TRY_WRAP(ways[way].check(v), "%s", ways[way].name);
    if (v->secret.n > CK_MAX_NOTIFY_SECRET || ck_view_find(v->secret, 0) < v->secret.n)
        return ck_err_reclass(ck_err_limit(CK_LIMIT_NOTIFY_SECRET, "the secret"), CK_ERR_USAGE);
    if (v->repository.n > CK_MAX_POLICY_PATTERN || !ck_utf8_valid(v->repository))
        return bad("the pattern of repositories is too long, or no text");
    if (v->digest_seconds < 0)
        return bad("a digest takes no negative time");
    ck_autobuf struct ck_buf unused = ck_buf_new(CK_LIMIT_NONE);
    if (way == CK_WAY_WEBHOOK && v->secret.n)
        CK_TRY(ck_sign(v->secret, CK_V(""), 0, CK_V(""), &unused));
    return check_kinds(v->kinds);
}

const char *ck_notify_shown(const struct ck_subscription *v, struct ck_arena *a)
{
    ck_autofree char *target = ck_strndup(v->target.p, v->target.n);
    ck_autofree char *plain = ck_url_shown(target);
    ck_view p = ck_view_str(plain);
    size_t host = 0;
    if (ck_way_of(v->way) == CK_WAY_SLACK) { /* whoever has the path may write there */
        while (host + 2 < p.n && memcmp(p.p + host, "://", 3) != 0)
            host++;
        host += 3;
        p = ck_view_head(p, host + ck_view_find(ck_view_from(p, host), '/'));
    } else if (ck_way_of(v->way) == CK_WAY_WEBHOOK) {
        p = ck_view_head(p, ck_view_find(p, '?'));
    }
    ck_autofree char *shown = ck_escape(p);
    return ck_arena_format(a, "%s%s", shown, p.n < strlen(plain) ? "/..." : "");
}
