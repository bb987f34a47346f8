#include "load/tar_write.h"

#include "base/file.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

enum { BLOCK = 512, NAME = 100, SIZE_DIGITS = 11 };
static const uint64_t SIZE_MAX_USTAR = 077777777777; /* eleven octal digits */

/* A number with leading zeros and a NUL behind it. */
static void put_octal(uint8_t *field, size_t digits, uint64_t x)
{
    char text[24];
    snprintf(text, sizeof text, "%0*llo", (int)digits, (unsigned long long)x);
    memcpy(field, text, digits);
}

static void put_checksum(uint8_t h[BLOCK])
{
    unsigned sum = 0;
    memset(h + 148, ' ', 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += h[i];
    put_octal(h + 148, 6, sum);
    h[154] = 0;
}

static ck_err *put_header(const struct ck_tar_out *t, char type, ck_view name, uint64_t size)
{
    uint8_t h[BLOCK] = { 0 };
    memcpy(h, name.p, name.n < NAME ? name.n : NAME);
    put_octal(h + 100, 7, 0644);
    put_octal(h + 108, 7, 0);
    put_octal(h + 116, 7, 0);
    put_octal(h + 124, SIZE_DIGITS, size);
    put_octal(h + 136, 11, 0);
    h[156] = (uint8_t)type;
    memcpy(h + 257, "ustar\00000", 8);
    put_checksum(h);
    return ck_write_all(t->fd, ck_view_of(h, BLOCK));
}

static ck_err *put_zeros(const struct ck_tar_out *t, size_t n)
{
    static const uint8_t zeros[2 * BLOCK];
    return ck_write_all(t->fd, ck_view_of(zeros, n));
}

static unsigned padding(uint64_t size) { return (unsigned)((BLOCK - size % BLOCK) % BLOCK); }

/* "LENGTH KEY=VALUE\n", where LENGTH counts itself. */
static void put_record(struct ck_buf *b, const char *key, ck_view value)
{
    size_t body = strlen(key) + value.n + 3, n = body;
    for (size_t digits = 1, limit = 10; digits < 8; digits++, limit *= 10)
        if ((n = body + digits) < limit)
            break;
    ck_buf_format(b, "%zu %s=", n, key);
    ck_put_bytes(b, value);
    ck_put_u8(b, '\n');
}

static ck_err *put_pax(const struct ck_tar_out *t, ck_view name, uint64_t size)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    char text[24];
    if (name.n > NAME)
        put_record(&b, "path", name);
    if (size > SIZE_MAX_USTAR) {
        snprintf(text, sizeof text, "%llu", (unsigned long long)size);
        put_record(&b, "size", ck_view_str(text));
    }
    if (!b.n)
        return NULL;
    CK_TRY(put_header(t, 'x', CK_V("PaxHeaders/entry"), b.n));
    CK_TRY(ck_write_all(t->fd, ck_buf_view(&b)));
    return put_zeros(t, padding(b.n));
}

ck_err *ck_tar_out_file(struct ck_tar_out *t, ck_view name, uint64_t size)
{
    if (t->left)
        return ck_err_new(CK_ERR_OURS, "a file of an archive lacks %llu bytes",
                          (unsigned long long)t->left);
    CK_TRY(put_pax(t, name, size));
    CK_TRY(put_header(t, '0', name, size > SIZE_MAX_USTAR ? 0 : size));
    t->left = size;
    t->pad = padding(size);
    return NULL;
}

ck_err *ck_tar_out_data(struct ck_tar_out *t, ck_view piece)
{
    if (piece.n > t->left)
        abort();
    CK_TRY(ck_write_all(t->fd, piece));
    t->left -= piece.n;
    return t->left ? NULL : put_zeros(t, t->pad);
}

ck_err *ck_tar_out_put(struct ck_tar_out *t, ck_view name, ck_view content)
{
    CK_TRY(ck_tar_out_file(t, name, content.n));
    return content.n ? ck_tar_out_data(t, content) : NULL;
}

ck_err *ck_tar_out_end(struct ck_tar_out *t)
{
    if (t->left)
        return ck_err_new(CK_ERR_OURS, "a file of an archive lacks %llu bytes",
                          (unsigned long long)t->left);
    return put_zeros(t, (size_t)2 * BLOCK);
}
