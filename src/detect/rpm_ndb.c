/* rpm's Packages.db, the "ndb" format of SUSE (rpm's lib/backend/ndb/rpmpkg.c): pages of slots in
 * front, each slot names a blob by its first block of 16 bytes and their count. Little-endian.
 */
#include "detect/detect.h"

#include "detect/rpm_header.h"

#include <stdio.h>
#include <zlib.h>

enum {
    SLOT_PAGE = 4096,
    SLOT = 16,
    HEADER = 32, /* takes the place of the first two slots */
    BLOCK = 16,
    BLOB_HEAD = 16, /* magic, package, generation, length */
    BLOB_TAIL = 12, /* checksum, length, magic */
};

static bool has_magic(ck_cur *c, ck_view magic)
{
    return ck_view_eq(ck_cur_take(c, 4), magic);
}

static uint32_t adler(ck_view v)
{
    return (uint32_t)adler32_z(adler32_z(0, NULL, 0), v.p, v.n);
}

static ck_err *open_file(ck_view file, size_t *ret_slots_end)
{
    ck_cur c = ck_cur_of(file);
    bool magic = has_magic(&c, CK_V("RpmP"));
    uint32_t version = ck_cur_le32(&c);
    ck_cur_skip(&c, 4);
    uint64_t pages = ck_cur_le32(&c);
    if (!ck_cur_ok(&c) || !magic)
        return ck_err_new(CK_ERR_HOSTILE, "the file does not begin with \"RpmP\"");
    if (version != 0)
        return ck_err_new(CK_ERR_HOSTILE, "version %u of the format (0 is known)", version);
    if (pages == 0 || pages > file.n / SLOT_PAGE)
        return ck_err_new(CK_ERR_HOSTILE, "%llu pages of slots in %zu bytes",
                          (unsigned long long)pages, file.n);
    *ret_slots_end = pages * SLOT_PAGE;
    return NULL;
}

/* A blob's head and tail must agree with each other and with its slot (rpm checks the same). */
static ck_err *read_blob(ck_view blob, uint32_t package, ck_view *ret)
{
    ck_cur c = ck_cur_of(blob);
    bool head = has_magic(&c, CK_V("BlbS")) && ck_cur_le32(&c) == package;
    ck_cur_skip(&c, 4); /* generation */
    uint32_t length = ck_cur_le32(&c);
    ck_view data = ck_cur_take(&c, length);
    size_t covered = blob.n < BLOB_TAIL ? 0 : blob.n - BLOB_TAIL;
    if (!head || !ck_cur_ok(&c) || c.at > covered || covered - c.at >= BLOCK)
        return ck_err_new(CK_ERR_HOSTILE, "the blob's head does not agree with its slot");
    ck_cur_seek(&c, covered);
    uint32_t sum = ck_cur_le32(&c);
    if (ck_cur_le32(&c) != length || !has_magic(&c, CK_V("BlbE")))
        return ck_err_new(CK_ERR_HOSTILE, "the blob's tail does not agree with its head");
    if (sum != adler(ck_view_head(blob, covered)))
        return ck_err_new(CK_ERR_HOSTILE, "the blob's Adler-32 checksum is another");
    *ret = data;
    return NULL;
}

struct slot {
    uint32_t package, block, count;
};

/* What the slots name together may not be more than the file: no byte is summed twice. */
static ck_err *blob_of(ck_view file, const struct slot *s, size_t slots_end, uint64_t *left,
                       ck_view *ret)
{
    uint64_t at = (uint64_t)s->block * BLOCK, n = (uint64_t)s->count * BLOCK;
    if (at < slots_end || at > file.n || n > file.n - at)
        return ck_err_new(CK_ERR_HOSTILE, "blocks %u + %u are not in the file", s->block, s->count);
    if (n > *left)
        return ck_err_new(CK_ERR_HOSTILE, "the blobs take more bytes than the file has");
    *left -= n;
    return read_blob(ck_view_head(ck_view_from(file, at), n), s->package, ret);
}

static ck_err *say_slots(struct ck_rpm *rpm, ck_view file, size_t slots_end)
{
    ck_cur c = ck_cur_of(ck_view_head(file, slots_end));
    uint64_t left = file.n;
    ck_cur_skip(&c, HEADER);
    for (size_t number = HEADER / SLOT; !ck_cur_end(&c); number++) {
        char place[48];
        snprintf(place, sizeof place, "slot %zu", number);
        bool magic = has_magic(&c, CK_V("Slot"));
        struct slot s = { .package = ck_cur_le32(&c) };
        s.block = ck_cur_le32(&c);
        s.count = ck_cur_le32(&c);
        if (!magic) {
            CK_TRY(ck_say_gap(&rpm->say, "%s does not begin with \"Slot\"", place));
            continue;
        }
        if (s.package == 0)
            continue; /* free */
        ck_view header;
        ck_err *e = blob_of(file, &s, slots_end, &left, &header);
        if (e)
            CK_TRY(ck_say_err(&rpm->say, ck_err_wrap(e, "%s", place)));
        else
            CK_TRY(ck_rpm_say_header(rpm, header, place));
    }
    return ck_say_end(&rpm->say);
}

ck_err *ck_detect_rpm_ndb(ck_view content, struct ck_buf *out)
{
    ck_autorpm struct ck_rpm rpm = ck_rpm_new("rpm database (ndb)", content, out);
    size_t slots_end = 0;
    ck_err *e = open_file(content, &slots_end);
    if (e)
        return ck_say_err(&rpm.say, e);
    return say_slots(&rpm, content, slots_end);
}
