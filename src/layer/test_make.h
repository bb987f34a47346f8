/* Archives made byte by byte, for the tests of this folder. */
#ifndef CK_LAYER_TEST_MAKE_H
#define CK_LAYER_TEST_MAKE_H

#include "base/buf.h"
#include "base/unit.h"

struct made {
    const char *name, *link, *size; /* size: the field's bytes where it is no plain number */
    uint64_t n;                     /* the size field */
    char flag;                      /* 0 stands for '0' */
    const char *magic;              /* NULL: ustar; "gnu"; "v7" */
    const char *prefix, *mode, *uid, *mtime, *checksum;
};

static inline void made_sum(uint8_t h[512])
{
    unsigned sum = 0;
    memset(h + 148, ' ', 8);
    for (size_t i = 0; i < 512; i++)
        sum += h[i];
    snprintf((char *)h + 148, 8, "%06o", sum);
}

static inline void made_put(uint8_t *h, size_t at, size_t max, const char *s)
{
    if (s)
        memcpy(h + at, s, strlen(s) < max ? strlen(s) : max);
}

/* Fills a header block. */
static inline void made_header(uint8_t h[512], struct made m)
{
    char size[24]; /* a size that does not fit is cut off by its field */
    memset(h, 0, 512);
    made_put(h, 0, 100, m.name);
    made_put(h, 100, 8, m.mode ? m.mode : "0000644");
    made_put(h, 108, 8, m.uid ? m.uid : "0000000");
    made_put(h, 116, 8, "0000000");
    snprintf(size, sizeof size, "%011llo", (unsigned long long)m.n);
    made_put(h, 124, 12, m.size ? m.size : size);
    made_put(h, 136, 12, m.mtime ? m.mtime : "00000000001");
    h[156] = (uint8_t)(m.flag ? m.flag : '0');
    made_put(h, 157, 100, m.link);
    if (!m.magic)
        memcpy(h + 257, "ustar\00000", 8);
    else if (strcmp(m.magic, "gnu") == 0)
        memcpy(h + 257, "ustar  ", 8);
    made_put(h, 345, 155, m.prefix);
    made_sum(h);
    made_put(h, 148, 8, m.checksum);
}

static inline void made_pad(struct ck_buf *b)
{
    while (b->n % 512)
        ck_put_u8(b, 0);
}

/* Appends an entry; m.n is set to the content's length unless `size` is given. */
static inline void made_entry(struct ck_buf *b, struct made m, ck_view content)
{
    uint8_t h[512];
    if (!m.n)
        m.n = content.n;
    made_header(h, m);
    ck_put_bytes(b, ck_view_of(h, 512));
    ck_put_bytes(b, content);
    made_pad(b);
}

static inline void made_end(struct ck_buf *b)
{
    static const uint8_t zeros[1024];
    ck_put_bytes(b, ck_view_of(zeros, sizeof zeros));
}

/* Appends one record to a pax header's content. */
static inline void made_record(struct ck_buf *b, const char *key, ck_view value)
{
    size_t body = strlen(key) + value.n + 3, n = 0; /* blank, "=", line feed */
    char text[24];
    for (size_t digits = 1; digits < 20; digits++) {
        n = body + digits;
        if ((size_t)snprintf(text, sizeof text, "%zu", n) == digits)
            break;
    }
    ck_buf_format(b, "%zu %s=", n, key);
    ck_put_bytes(b, value);
    ck_put_u8(b, '\n');
}

/* Appends a pax header with one record. */
static inline void made_pax(struct ck_buf *b, char flag, const char *key, const char *value)
{
    struct ck_buf ck_autobuf r = ck_buf_new(CK_LIMIT_NONE);
    made_record(&r, key, ck_view_str(value));
    made_entry(b, (struct made){ .name = "PaxHeaders/x", .flag = flag }, ck_buf_view(&r));
}

#endif
