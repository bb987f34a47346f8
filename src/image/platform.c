#include "image/image.h"
#include "image/media.h"

#include "base/text.h"

#include <sys/utsname.h>

/* Other names of the same thing (as containerd's platforms package reads them). */
static const struct {
    const char *arch, *is, *variant;
} aliases[] = {
    { "x86_64", "amd64", NULL },  { "x86-64", "amd64", NULL },   { "i386", "386", NULL },
    { "i486", "386", NULL },      { "i586", "386", NULL },       { "i686", "386", NULL },
    { "aarch64", "arm64", NULL }, { "armhf", "arm", "v7" },      { "armel", "arm", "v6" },
    { "armv5l", "arm", "v5" },    { "armv5tel", "arm", "v5" },   { "armv6l", "arm", "v6" },
    { "armv7l", "arm", "v7" },    { "armv8l", "arm", "v8" },     { "loongarch64", "loong64", NULL },
    { "ppc64el", "ppc64le", NULL },
};

/* The variant that a missing one means, and how a default is written. */
static const struct {
    const char *arch, *variant, *is;
} variants[] = {
    { "arm", "", "v7" },   { "arm", "5", "v5" },   { "arm", "6", "v6" }, { "arm", "7", "v7" },
    { "arm", "8", "v8" },  { "arm64", "8", "" },   { "arm64", "v8", "" }, { "arm64", "v8.0", "" },
    { "amd64", "v1", "" }, { "amd64", "1", "" },
};

static bool is(ck_view v, const char *s) { return ck_view_eq(v, ck_view_str(s)); }

static struct ck_platform normalise(struct ck_platform p)
{
    if (is(p.os, "macos"))
        p.os = CK_V("darwin");
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
        if (!is(p.architecture, aliases[i].arch))
            continue;
        p.architecture = ck_view_str(aliases[i].is);
        if (aliases[i].variant && p.variant.n == 0)
            p.variant = ck_view_str(aliases[i].variant);
        break;
    }
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        if (is(p.architecture, variants[i].arch) && is(p.variant, variants[i].variant)) {
            p.variant = ck_view_str(variants[i].is);
            break;
        }
    }
    return p;
}

static ck_err *no_platform(ck_view text, const char *why)
{
    return ck_err_new(CK_ERR_USAGE, "platform \"%.*s\": %s", CK_VF(text), why);
}

/* "windows(10.0.17763)": the version stands in parentheses behind the os. */
static bool split_version(struct ck_platform *p)
{
    size_t open = ck_view_find(p->os, '(');
    if (open == p->os.n)
        return true;
    ck_view version = ck_view_from(p->os, open + 1);
    p->os = ck_view_head(p->os, open);
    if (version.n < 2 || version.p[version.n - 1] != ')')
        return false;
    p->os_version = ck_view_head(version, version.n - 1);
    return ck_bad_platform_word(p->os_version) == NULL;
}

ck_err *ck_platform_parse(ck_view text, struct ck_platform *ret)
{
    struct ck_platform p = { 0 };
    ck_view rest;
    p.os = ck_view_split(text, '/', &rest);
    size_t slash = ck_view_find(rest, '/');
    bool has_variant = slash < rest.n;
    p.architecture = ck_view_split(rest, '/', &p.variant);
    if (!split_version(&p))
        return no_platform(text, "the version of the os must stand in parentheses");
    if (p.os.n == 0 || p.architecture.n == 0 || (has_variant && p.variant.n == 0))
        return no_platform(text,
                           "must be OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT, as linux/arm64");
    const char *why = ck_bad_platform(&p);
    if (why)
        return no_platform(text, why);
    *ret = normalise(p);
    return NULL;
}

struct ck_platform ck_platform_host(void)
{
    struct ck_platform p = { .os = CK_V("linux") };
    struct utsname u;
    if (uname(&u) != 0)
        return p;
    static const char *const same[] = { "ppc64le", "s390x", "riscv64", "mips64", "amd64", "arm64",
                                        "386" };
    p.architecture = ck_view_str(u.machine);
    p = normalise(p);
    /* The name must not point into u: what normalise did not replace comes from the list. */
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        if (is(p.architecture, same[i])) {
            p.architecture = ck_view_str(same[i]);
            return p;
        }
    }
    if (p.architecture.p == (const uint8_t *)u.machine)
        p.architecture = CK_V("");
    return p;
}

/* "v7" is 70, "v8.1" 81; 0 where the variant is no such number. The empty one is the default. */
static int level(const struct ck_platform *p)
{
    if (p->variant.n == 0)
        return is(p->architecture, "arm64") ? 80 : is(p->architecture, "amd64") ? 10 : 0;
    if (p->variant.p[0] != 'v')
        return 0;
    ck_view minor_text;
    uint64_t major_part, minor_part = 0;
    ck_view v = ck_view_from(p->variant, 1);
    bool has_minor = ck_view_find(v, '.') < v.n;
    if (!ck_view_u64(ck_view_split(v, '.', &minor_text), &major_part) || major_part > 9 ||
        (has_minor && (!ck_view_u64(minor_text, &minor_part) || minor_part > 9)))
        return 0;
    return (int)(major_part * 10 + minor_part);
}

enum { EXACT = 1000, OTHER_VARIANT = 500, OTHER_ARCHITECTURE = 300 };

static int match_variant(const struct ck_platform *want, const struct ck_platform *have)
{
    int w = level(want), h = level(have);
    if (ck_view_eq(want->variant, have->variant))
        return EXACT;
    if (w && h)
        return h <= w ? EXACT - (w - h) : 0;
    /* No order is known (riscv64/rva23u64): a plain one is everybody's, a plain wish takes any. */
    return have->variant.n == 0 || want->variant.n == 0 ? OTHER_VARIANT : 0;
}

int ck_platform_match(const struct ck_platform *want_given, const struct ck_platform *have_given)
{
    struct ck_platform want = normalise(*want_given), have = normalise(*have_given);
    if (want.os.n == 0 || have.architecture.n == 0 || !ck_view_eq(want.os, have.os))
        return 0;
    if (want.os_version.n && have.os_version.n && !ck_view_eq(want.os_version, have.os_version))
        return 0;
    if (ck_view_eq(want.architecture, have.architecture))
        return match_variant(&want, &have);
    /* Processors that run the older instruction set too. */
    if (is(want.architecture, "amd64") && is(have.architecture, "386"))
        return OTHER_ARCHITECTURE;
    if (is(want.architecture, "arm64") && is(have.architecture, "arm") && level(&have) > 0 &&
        level(&have) <= 80)
        return OTHER_ARCHITECTURE - (80 - level(&have));
    return 0;
}

const char *ck_platform_text(const struct ck_platform *p, struct ck_arena *a)
{
    ck_view version = ck_view_head(p->os_version, 128);
    return ck_arena_format(a, "%.*s%s%.*s%s/%.*s%s%.*s", CK_VF(p->os), version.n ? "(" : "",
                           CK_VF(version), version.n ? ")" : "", CK_VF(p->architecture),
                           p->variant.n ? "/" : "", CK_VF(p->variant));
}
