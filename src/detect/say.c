#include "detect/say.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

static ck_err *say(struct ck_say *s, const struct ck_fact *f)
{
    size_t n = ck_fact_size(f);
    if (s->out->limit != CK_LIMIT_NONE && n > ck_limit_value(s->out->limit) - s->out->n)
        return ck_err_limit(s->out->limit, "%s: %zu more bytes of facts", s->what, n);
    ck_fact_encode(f, s->out);
    return NULL;
}

static ck_err *say_gap_text(struct ck_say *s, const char *text)
{
    ck_autofree char *whole = ck_format("%s: %s", s->what, text);
    ck_view v = ck_view_str(whole);
    struct ck_fact f = { .kind = CK_FACT_GAP, .gap = ck_view_head(v, CK_MAX_ERROR_TEXT) };
    /* The text is escaped, so that cutting it leaves at most one torn UTF-8 character. */
    while (!ck_utf8_valid(f.gap))
        f.gap.n--;
    return say(s, &f);
}

ck_err *ck_say_gap(struct ck_say *s, const char *fmt, ...)
{
    if (s->gaps++ >= CK_SAY_GAPS)
        return NULL;
    char raw[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    ck_autofree char *text = ck_escape(ck_view_str(raw));
    return say_gap_text(s, text);
}

ck_err *ck_say_err(struct ck_say *s, ck_err *e)
{
    ck_autoerr ck_err *owned = e;
    if (!owned || s->gaps++ >= CK_SAY_GAPS)
        return NULL;
    return say_gap_text(s, ck_err_text(owned));
}

ck_err *ck_say_end(struct ck_say *s)
{
    if (s->gaps <= CK_SAY_GAPS)
        return NULL;
    ck_autofree char *text = ck_format("%zu more places could not be read", s->gaps - CK_SAY_GAPS);
    return say_gap_text(s, text);
}

/* Why a field cannot be said, or NULL. */
static const char *flaw(ck_view v)
{
    if (v.n > CK_MAX_FIELD)
        return "is longer than 4096 bytes";
    return ck_utf8_valid(v) ? NULL : "is not UTF-8";
}

/* Empties a field that cannot be said. */
static ck_err *mend(struct ck_say *s, ck_view *v, const char *place, const char *field)
{
    const char *why = flaw(*v);
    if (!why)
        return NULL;
    *v = CK_V("");
    return ck_say_gap(s, "%s: the %s %s and is left out", place, field, why);
}

static const char *package_flaw(const struct ck_package *p, const char **ret_field)
{
    *ret_field = "name";
    if (p->name.n == 0)
        return "is missing";
    const char *why = flaw(p->name);
    if (why)
        return why;
    *ret_field = "version";
    return p->version.n == 0 ? "is missing" : flaw(p->version);
}

ck_err *ck_say_package(struct ck_say *s, const struct ck_package *p, const char *place)
{
    const char *field, *why = package_flaw(p, &field);
    if (why)
        return ck_say_gap(s, "%s: a package is left out, since its %s %s", place, field, why);
    if (s->packages >= CK_MAX_PACKAGES)
        return ck_err_limit(CK_LIMIT_PACKAGES, "%s: %s", s->what, place);
    s->packages++;

    struct ck_fact f = { .kind = CK_FACT_PACKAGE, .package = *p };
    CK_TRY(mend(s, &f.package.arch, place, "architecture"));
    CK_TRY(mend(s, &f.package.source_name, place, "source name"));
    CK_TRY(mend(s, &f.package.source_version, place, "source version"));
    CK_TRY(mend(s, &f.package.module, place, "module"));
    CK_TRY(mend(s, &f.package.status, place, "status"));
    if (f.package.source_name.n == 0)
        f.package.source_name = p->name;
    if (f.package.source_version.n == 0)
        f.package.source_version = p->version;
    return say(s, &f);
}

ck_err *ck_say_os_release(struct ck_say *s, const struct ck_os_release *os)
{
    struct ck_fact f = { .kind = CK_FACT_OS_RELEASE, .os = *os };
    CK_TRY(mend(s, &f.os.id, "ID", "value"));
    CK_TRY(mend(s, &f.os.id_like, "ID_LIKE", "value"));
    CK_TRY(mend(s, &f.os.version_id, "VERSION_ID", "value"));
    CK_TRY(mend(s, &f.os.version_codename, "VERSION_CODENAME", "value"));
    CK_TRY(mend(s, &f.os.name, "NAME", "value"));
    CK_TRY(mend(s, &f.os.pretty_name, "PRETTY_NAME", "value"));
    CK_TRY(mend(s, &f.os.variant_id, "VARIANT_ID", "value"));
    CK_TRY(mend(s, &f.os.cpe_name, "CPE_NAME", "value"));
    return say(s, &f);
}
