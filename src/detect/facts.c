#include "detect/facts.h"

#include "base/text.h"

static const char *const type_names[CK_PACKAGE_TYPE_COUNT_] = {
    [CK_PACKAGE_DEB] = "deb", [CK_PACKAGE_APK] = "apk", [CK_PACKAGE_RPM] = "rpm",
};

const char *ck_package_type_name(enum ck_package_type t)
{
    return (unsigned)t < CK_PACKAGE_TYPE_COUNT_ ? type_names[t] : "unknown";
}

/* The fields of each kind in the order in which they are encoded. */
struct field {
    const char *name;
    size_t at; /* of the ck_view in struct ck_fact */
};

static const struct field package_fields[] = {
    { "name", offsetof(struct ck_fact, package.name) },
    { "version", offsetof(struct ck_fact, package.version) },
    { "architecture", offsetof(struct ck_fact, package.arch) },
    { "source name", offsetof(struct ck_fact, package.source_name) },
    { "source version", offsetof(struct ck_fact, package.source_version) },
    { "module", offsetof(struct ck_fact, package.module) },
    { "status", offsetof(struct ck_fact, package.status) },
};

static const struct field os_fields[] = {
    { "id", offsetof(struct ck_fact, os.id) },
    { "id_like", offsetof(struct ck_fact, os.id_like) },
    { "version_id", offsetof(struct ck_fact, os.version_id) },
    { "version_codename", offsetof(struct ck_fact, os.version_codename) },
    { "name", offsetof(struct ck_fact, os.name) },
    { "pretty_name", offsetof(struct ck_fact, os.pretty_name) },
    { "variant_id", offsetof(struct ck_fact, os.variant_id) },
    { "cpe_name", offsetof(struct ck_fact, os.cpe_name) },
};

static const struct field gap_fields[] = { { "gap", offsetof(struct ck_fact, gap) } };

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
static const struct {
    const struct field *fields;
    size_t n;
} kinds[] = {
    [CK_FACT_PACKAGE] = { package_fields, COUNT(package_fields) },
    [CK_FACT_OS_RELEASE] = { os_fields, COUNT(os_fields) },
    [CK_FACT_GAP] = { gap_fields, COUNT(gap_fields) },
};

static ck_view *view_at(struct ck_fact *f, size_t at)
{
    return (ck_view *)(void *)((char *)f + at);
}

static ck_view view_of(const struct ck_fact *f, size_t at)
{
    ck_view v;
    memcpy(&v, (const char *)f + at, sizeof v);
    return v;
}

void ck_fact_encode(const struct ck_fact *f, struct ck_buf *out)
{
    ck_put_u8(out, (uint8_t)f->kind);
    if (f->kind == CK_FACT_PACKAGE)
        ck_put_u8(out, (uint8_t)f->package.type);
    for (size_t i = 0; i < kinds[f->kind].n; i++)
        ck_put_str(out, view_of(f, kinds[f->kind].fields[i].at));
}

size_t ck_fact_size(const struct ck_fact *f)
{
    size_t n = f->kind == CK_FACT_PACKAGE ? 2 : 1;
    for (size_t i = 0; i < kinds[f->kind].n; i++)
        n += 4 + view_of(f, kinds[f->kind].fields[i].at).n;
    return n;
}

static ck_err *read_field(ck_cur *c, const struct field *field, struct ck_fact *f)
{
    size_t at = c->at;
    ck_view v = ck_cur_str(c, CK_MAX_FIELD);
    if (!ck_cur_ok(c))
        return ck_err_at(CK_ERR_HOSTILE, at, "facts: %s is cut off or longer than %llu bytes",
                         field->name, (unsigned long long)CK_MAX_FIELD);
    if (!ck_utf8_valid(v))
        return ck_err_at(CK_ERR_HOSTILE, at, "facts: %s is not UTF-8", field->name);
    *view_at(f, field->at) = v;
    return NULL;
}

static ck_err *read_kind(ck_cur *c, struct ck_fact *f)
{
    size_t at = c->at;
    unsigned kind = ck_cur_u8(c);
    if (kind < CK_FACT_PACKAGE || kind > CK_FACT_GAP)
        return ck_err_at(CK_ERR_HOSTILE, at, "facts: there is no kind %u", kind);
    f->kind = (enum ck_fact_kind)kind;
    if (f->kind != CK_FACT_PACKAGE)
        return NULL;
    unsigned type = ck_cur_u8(c);
    if (!ck_cur_ok(c) || type >= CK_PACKAGE_TYPE_COUNT_)
        return ck_err_at(CK_ERR_HOSTILE, at, "facts: there is no package type %u", type);
    f->package.type = (enum ck_package_type)type;
    return NULL;
}

ck_err *ck_fact_decode(ck_cur *c, struct ck_fact *ret, bool *ret_end)
{
    struct ck_fact f = { 0 };
    if (!ck_cur_ok(c))
        return ck_err_new(CK_ERR_HOSTILE, "facts: read on behind an error");
    if (ck_cur_end(c)) {
        *ret_end = true;
        return NULL;
    }
    CK_TRY(read_kind(c, &f));
    for (size_t i = 0; i < kinds[f.kind].n; i++)
        CK_TRY(read_field(c, &kinds[f.kind].fields[i], &f));
    *ret = f;
    *ret_end = false;
    return NULL;
}
