#include "detect/rpm_header.h"

#include "base/text.h"

enum {
    ENTRY = 16,          /* tag, type, offset, count */
    ENTRIES_MAX = 65535, /* rpm's own HEADER_TAGS_MAX */
    TYPE_INT32 = 4,
    TYPE_STRING = 6,
    TYPE_BIN = 7,
    TYPE_I18NSTRING = 9,
    TAG_REGION_FIRST = 61, /* HEADERIMAGE, HEADERSIGNATURES, HEADERIMMUTABLE */
    TAG_REGION_LAST = 63,
};

enum tag { NAME, VERSION, RELEASE, EPOCH, ARCH, SOURCERPM, MODULE, TAGS };

static const struct {
    uint32_t number;
    uint32_t type;
    const char *name;
} tags[TAGS] = {
    [NAME] = { 1000, TYPE_STRING, "NAME" },
    [VERSION] = { 1001, TYPE_STRING, "VERSION" },
    [RELEASE] = { 1002, TYPE_STRING, "RELEASE" },
    [EPOCH] = { 1003, TYPE_INT32, "EPOCH" },
    [ARCH] = { 1022, TYPE_STRING, "ARCH" },
    [SOURCERPM] = { 1044, TYPE_STRING, "SOURCERPM" },
    [MODULE] = { 5096, TYPE_STRING, "MODULARITYLABEL" },
};

struct header {
    ck_view index, data;
    uint32_t entries;
    ck_view text[TAGS];
    bool given[TAGS];
    uint32_t epoch;
};

struct ck_rpm ck_rpm_new(const char *what, ck_view file, struct ck_buf *out)
{
    return (struct ck_rpm){
        .say = { .out = out, .what = what },
        .text = ck_buf_new(CK_LIMIT_NONE),
        .left = file.n,
    };
}

void ck_rpm_free(struct ck_rpm *r)
{
    ck_buf_free(&r->text);
}

static ck_err *open_header(ck_view blob, struct header *h)
{
    ck_cur c = ck_cur_of(blob);
    uint32_t entries = ck_cur_be32(&c), bytes = ck_cur_be32(&c);
    if (!ck_cur_ok(&c) || entries == 0 || entries > ENTRIES_MAX)
        return ck_err_new(CK_ERR_HOSTILE, "a header of %u index entries (rpm allows 1 to 65535)",
                          entries);
    h->entries = entries;
    h->index = ck_cur_take(&c, (size_t)entries * ENTRY);
    h->data = ck_cur_take(&c, bytes);
    if (!ck_cur_ok(&c))
        return ck_err_new(CK_ERR_HOSTILE,
                          "a header of %u index entries and %u bytes of data in %zu bytes", entries,
                          bytes, blob.n);
    return NULL;
}

/* A header as it was built begins with an entry that tells the region it covers; rpm refuses one
 * whose trailer does not agree. */
static ck_err *check_region(const struct header *h)
{
    ck_cur c = ck_cur_of(h->index);
    uint32_t tag = ck_cur_be32(&c), type = ck_cur_be32(&c);
    uint32_t offset = ck_cur_be32(&c), count = ck_cur_be32(&c);
    if (tag < TAG_REGION_FIRST || tag > TAG_REGION_LAST)
        return NULL;
    ck_cur t = ck_cur_of(h->data);
    ck_cur_seek(&t, offset);
    uint32_t trailer_tag = ck_cur_be32(&t), trailer_type = ck_cur_be32(&t);
    uint32_t back = ck_cur_be32(&t), trailer_count = ck_cur_be32(&t);
    bool ok = ck_cur_ok(&t) && type == TYPE_BIN && count == ENTRY && trailer_type == TYPE_BIN &&
              trailer_count == ENTRY && trailer_tag >= TAG_REGION_FIRST &&
              trailer_tag <= TAG_REGION_LAST;
    uint32_t covered = 0u - back;
    if (!ok || covered % ENTRY || covered / ENTRY > h->entries)
        return ck_err_new(CK_ERR_HOSTILE, "a header whose region trailer does not agree");
    return NULL;
}

static ck_err *read_value(struct header *h, enum tag t, uint32_t type, uint32_t offset,
                          uint32_t count)
{
    bool text = tags[t].type == TYPE_STRING;
    bool type_ok = type == tags[t].type || (text && type == TYPE_I18NSTRING);
    if (!type_ok || count == 0)
        return ck_err_new(CK_ERR_HOSTILE, "the tag %s is of type %u, count %u", tags[t].name, type,
                          count);
    ck_cur c = ck_cur_of(h->data);
    ck_cur_seek(&c, offset);
    if (text)
        h->text[t] = ck_cur_cstr(&c);
    else
        h->epoch = ck_cur_be32(&c);
    if (!ck_cur_ok(&c))
        return ck_err_new(CK_ERR_HOSTILE, "the tag %s at byte %u leaves the %zu bytes of data",
                          tags[t].name, offset, h->data.n);
    h->given[t] = true;
    return NULL;
}

/* Where a tag stands twice, the later one counts: what rpm appended behind the region replaces what
 * is in it. */
static ck_err *read_tags(struct header *h)
{
    ck_cur c = ck_cur_of(h->index);
    for (uint32_t i = 0; i < h->entries; i++) {
        uint32_t number = ck_cur_be32(&c), type = ck_cur_be32(&c);
        uint32_t offset = ck_cur_be32(&c), count = ck_cur_be32(&c);
        for (int t = 0; t < TAGS; t++)
            if (tags[t].number == number)
                CK_TRY(read_value(h, (enum tag)t, type, offset, count));
    }
    return NULL;
}

static bool split_last(ck_view v, uint8_t at, ck_view *ret_head, ck_view *ret_tail)
{
    for (size_t i = v.n; i-- > 0;) {
        if (v.p[i] == at) {
            *ret_head = ck_view_head(v, i);
            *ret_tail = ck_view_from(v, i + 1);
            return ret_head->n && ret_tail->n;
        }
    }
    return false;
}

bool ck_rpm_split_source(ck_view v, ck_view *ret_name, ck_view *ret_version, ck_view *ret_release)
{
    ck_view arch, name, version, release;
    if (!ck_view_ends(v, CK_V(".rpm")))
        return false;
    v.n -= 4;
    if (!split_last(v, '.', &v, &arch) || !split_last(v, '-', &v, &release) ||
        !split_last(v, '-', &name, &version))
        return false;
    *ret_name = name;
    *ret_version = version;
    *ret_release = release;
    return true;
}

/* Appends "[epoch:]version-release" and returns where it begins. */
static size_t put_evr(struct ck_buf *b, const struct header *h, ck_view version, ck_view release)
{
    size_t at = b->n;
    if (h->given[EPOCH])
        ck_buf_format(b, "%u:", h->epoch);
    ck_put_bytes(b, version);
    ck_put_u8(b, '-');
    ck_put_bytes(b, release);
    return at;
}

static ck_err *say_header(struct ck_rpm *r, const struct header *h, const char *place)
{
    struct ck_package p = {
        .type = CK_PACKAGE_RPM,
        .name = h->text[NAME],
        .arch = h->text[ARCH],
        .module = h->text[MODULE],
    };
    ck_view version, release, source = h->text[SOURCERPM];
    bool complete = h->text[VERSION].n && h->text[RELEASE].n;
    bool has_source = ck_rpm_split_source(source, &p.source_name, &version, &release);

    ck_buf_clear(&r->text);
    size_t middle = 0;
    if (complete)
        (void)put_evr(&r->text, h, h->text[VERSION], h->text[RELEASE]);
    middle = r->text.n;
    if (has_source)
        (void)put_evr(&r->text, h, version, release);
    ck_view text = ck_buf_view(&r->text);
    p.version = ck_view_head(text, middle);
    p.source_version = ck_view_from(text, middle);

    if (source.n && !has_source)
        CK_TRY(ck_say_gap(&r->say, "%s: the tag SOURCERPM is not NAME-VERSION-RELEASE.ARCH.rpm",
                          place));
    return ck_say_package(&r->say, &p, place);
}

/* "(none)" is how some tools wrote an absent value. */
static void drop_none(struct header *h)
{
    for (int t = 0; t < TAGS; t++)
        if (ck_view_eq(h->text[t], CK_V("(none)")))
            h->text[t] = CK_V("");
}

static ck_err *parse(ck_view blob, struct header *h)
{
    CK_TRY(open_header(blob, h));
    CK_TRY(check_region(h));
    CK_TRY(read_tags(h));
    drop_none(h);
    return NULL;
}

ck_err *ck_rpm_say_header(struct ck_rpm *r, ck_view blob, const char *place)
{
    struct header h = { 0 };
    if (blob.n > r->left)
        return ck_say_gap(&r->say, "%s: the headers take more bytes than the file has", place);
    r->left -= blob.n;
    ck_err *e = parse(blob, &h);
    if (e)
        return ck_say_err(&r->say, ck_err_wrap(e, "%s", place));
    if (ck_view_eq(h.text[NAME], CK_V("gpg-pubkey")))
        return NULL;
    return say_header(r, &h, place);
}
