#include "layer/tar_parts.h"

/* Where the fields stand (POSIX.1-2017 pax, ustar Interchange Format; GNU tar, Basic Format). */
struct field {
    uint16_t at, n;
};
static const struct field NAME = { 0, 100 }, MODE = { 100, 8 }, UID = { 108, 8 }, GID = { 116, 8 },
                          SIZE = { 124, 12 }, MTIME = { 136, 12 }, CHECKSUM = { 148, 8 },
                          FLAG = { 156, 1 }, LINK = { 157, 100 }, MAGIC = { 257, 8 },
                          MAJOR = { 329, 8 }, MINOR = { 337, 8 }, PREFIX = { 345, 155 },
                          TRAILER = { 508, 4 };
/* Of star's format: what POSIX calls the end of the prefix holds times there. */
static const struct field STAR_PREFIX = { 345, 131 };
/* Of the old GNU format. */
static const struct field SPARSE = { 386, 96 }, SPARSE_MORE = { 482, 1 }, REAL_SIZE = { 483, 12 },
                          EXTENSION = { 0, 504 }, EXTENSION_MORE = { 504, 1 };

static ck_view get(ck_view block, struct field f)
{
    return ck_view_head(ck_view_from(block, f.at), f.n);
}

/* A name ends at the first NUL or fills its field. */
static ck_view get_text(ck_view block, struct field f)
{
    ck_view v = get(block, f);
    return ck_view_head(v, ck_view_find(v, 0));
}

static bool is_filler(uint8_t c) { return c == ' ' || c == 0; }

/* Blanks, octal digits, then nothing but blanks and NULs. */
static bool read_octal(ck_view f, struct ck_tar_number *ret)
{
    size_t i = 0;
    uint64_t value = 0;
    while (i < f.n && f.p[i] == ' ')
        i++;
    size_t first = i;
    for (; i < f.n && f.p[i] >= '0' && f.p[i] <= '7'; i++)
        value = value << 3 | (uint64_t)(f.p[i] - '0'); /* 12 digits are 36 bits */
    ret->blank = i == first;
    ret->value = (int64_t)value;
    while (i < f.n && is_filler(f.p[i]))
        i++;
    return i == f.n;
}

/* GNU's base-256: the top bit marks it, the rest is two's complement, most significant first. */
static bool read_base256(ck_view f, struct ck_tar_number *ret)
{
    uint8_t flip = f.p[0] & 0x40 ? 0xff : 0;
    uint64_t value = 0;
    for (size_t i = 0; i < f.n; i++) {
        uint8_t c = f.p[i] ^ flip;
        if (value >> 55)
            return false;
        value = value << 8 | (i ? c : c & 0x7f);
    }
    ret->blank = false;
    ret->value = flip ? -(int64_t)value - 1 : (int64_t)value;
    return true;
}

static ck_err *read_signed(ck_view block, struct field f, const char *what,
                           struct ck_tar_number *ret)
{
    ck_view v = get(block, f);
    bool ok = v.p[0] & 0x80 ? read_base256(v, ret) : read_octal(v, ret);
    if (!ok)
        return ck_err_new(CK_ERR_HOSTILE, "the %s field is no number: %.*s", what, CK_VF(v));
    return NULL;
}

static ck_err *read_number(ck_view block, struct field f, const char *what,
                           struct ck_tar_number *ret)
{
    struct ck_tar_number n = { 0 };
    CK_TRY(read_signed(block, f, what, &n));
    if (n.value < 0)
        return ck_err_new(CK_ERR_HOSTILE, "the %s field is negative", what);
    *ret = n;
    return NULL;
}

/* Sums of the block with blanks in place of the checksum. Some old writers took bytes as signed. */
static ck_err *check_sum(ck_view block)
{
    struct ck_tar_number given = { 0 };
    CK_TRY(read_number(block, CHECKSUM, "checksum", &given));

    ck_view field = get(block, CHECKSUM);
    int32_t sum = ' ' * CHECKSUM.n, high = 0;
    for (size_t i = 0; i < CK_TAR_BLOCK_SIZE; i++) /* a constant, for vectors */
        sum += block.p[i];
    for (size_t i = 0; i < field.n; i++)
        sum -= field.p[i];
    if (!given.blank && given.value == sum)
        return NULL;
    for (size_t i = 0; i < block.n; i++)
        high += block.p[i] >= 0x80;
    for (size_t i = 0; i < field.n; i++)
        high -= field.p[i] >= 0x80;
    if (!given.blank && given.value == sum - 256 * high)
        return NULL;
    return ck_err_new(CK_ERR_HOSTILE, "the header's checksum is wrong: %lld, not %lld",
                      (long long)given.value, (long long)sum);
}

static ck_err *read_devices(ck_view block, struct ck_tar_header *h)
{
    struct ck_tar_number major = { 0 }, minor = { 0 };
    CK_TRY(read_number(block, MAJOR, "device major", &major));
    CK_TRY(read_number(block, MINOR, "device minor", &minor));
    if (major.value > UINT32_MAX || minor.value > UINT32_MAX)
        return ck_err_new(CK_ERR_HOSTILE, "device number out of range");
    h->dev_major = (uint32_t)major.value;
    h->dev_minor = (uint32_t)minor.value;
    return NULL;
}

/* Only POSIX headers have a prefix; GNU keeps other things there. */
static ck_err *read_prefix(ck_view block, struct ck_tar_header *h)
{
    if (!ck_view_starts(get(block, MAGIC), ck_view_of("ustar\0", 6)))
        return NULL;
    h->prefix = get_text(block, PREFIX);
    bool star = ck_view_eq(get(block, TRAILER), ck_view_of("tar\0", 4));
    if (star && h->prefix.n >= STAR_PREFIX.n)
        return ck_err_new(CK_ERR_HOSTILE, "star header whose prefix runs into its times");
    return NULL;
}

ck_err *ck_tar_header_read(ck_view block, struct ck_tar_header *ret)
{
    struct ck_tar_header h = { .flag = get(block, FLAG).p[0] };
    struct ck_tar_number mode = { 0 }, uid = { 0 }, gid = { 0 }, mtime = { 0 };

    CK_TRY(check_sum(block));
    CK_TRY(read_number(block, MODE, "mode", &mode));
    CK_TRY(read_number(block, UID, "uid", &uid));
    CK_TRY(read_number(block, GID, "gid", &gid));
    CK_TRY(read_number(block, SIZE, "size", &h.size));
    CK_TRY(read_signed(block, MTIME, "mtime", &mtime));
    if (h.flag == '3' || h.flag == '4')
        CK_TRY(read_devices(block, &h));
    CK_TRY(read_prefix(block, &h));
    h.name = get_text(block, NAME);
    h.link = get_text(block, LINK);
    h.mode = (uint32_t)(mode.value & 07777);
    h.uid = (uint64_t)uid.value;
    h.gid = (uint64_t)gid.value;
    h.mtime = mtime.value;
    *ret = h;
    return NULL;
}

bool ck_tar_block_zero(ck_view bytes)
{
    return !bytes.n || (bytes.p[0] == 0 && memcmp(bytes.p, bytes.p + 1, bytes.n - 1) == 0);
}

ck_err *ck_tar_sparse_add(struct ck_tar_sparse *s, uint64_t offset, uint64_t size)
{
    if (s->count == CK_MAX_SPARSE_ENTRIES)
        return ck_err_limit(CK_LIMIT_SPARSE_ENTRIES, "a sparse map of more extents");
    if (offset < s->end || size > CK_MAX_LAYER_TAR || offset > UINT64_MAX - size)
        return ck_err_new(CK_ERR_HOSTILE, "sparse extent %llu overlaps or runs over",
                          (unsigned long long)s->count);
    if (s->keep) {
        ck_put_u64(s->keep, offset);
        ck_put_u64(s->keep, size);
    }
    s->count++;
    s->end = offset + size;
    s->stored += size;
    return NULL;
}

ck_err *ck_tar_sparse_check(const struct ck_tar_sparse *s, uint64_t content)
{
    if (s->end > s->real_size)
        return ck_err_new(CK_ERR_HOSTILE, "a sparse extent ends behind the file's end");
    if (s->stored != content)
        return ck_err_new(CK_ERR_HOSTILE,
                          "sparse extents of %llu bytes, but the archive stores %llu",
                          (unsigned long long)s->stored, (unsigned long long)content);
    return NULL;
}

ck_err *ck_tar_sparse_old(ck_view block, bool extension, struct ck_tar_sparse *s, bool *ret_more)
{
    struct field all = extension ? EXTENSION : SPARSE;
    for (size_t at = 0; at < all.n; at += 24) {
        struct field f_offset = { (uint16_t)(all.at + at), 12 };
        struct field f_size = { (uint16_t)(all.at + at + 12), 12 };
        struct ck_tar_number offset = { 0 }, size = { 0 };
        CK_TRY(read_number(block, f_offset, "sparse offset", &offset));
        CK_TRY(read_number(block, f_size, "sparse size", &size));
        if (offset.blank && size.blank)
            break;
        CK_TRY(ck_tar_sparse_add(s, (uint64_t)offset.value, (uint64_t)size.value));
    }
    if (!extension) {
        struct ck_tar_number real = { 0 };
        CK_TRY(read_number(block, REAL_SIZE, "real size", &real));
        s->real_size = (uint64_t)real.value;
    }
    *ret_more = get(block, extension ? EXTENSION_MORE : SPARSE_MORE).p[0] != 0;
    return NULL;
}
