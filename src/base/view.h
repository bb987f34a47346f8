/* Views over hostile bytes, and the one cursor that parsers read them with.
 *
 * A cursor cannot be made to read outside its view. Its first failed read sticks: from then on
 * every read returns zero or an empty view and ck_cur_ok() is false. A parser reads a whole
 * structure in the order of its grammar and asks ck_cur_ok() once, before it believes any
 * value of it; a loop asks in every turn.
 */
#ifndef CK_BASE_VIEW_H
#define CK_BASE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct ck_view {
    const uint8_t *p; /* NULL only where n is 0 */
    size_t n;
} ck_view;

static inline ck_view ck_view_of(const void *p, size_t n) { return (ck_view){ p, n }; }
static inline ck_view ck_view_str(const char *s)
{
    return (ck_view){ (const uint8_t *)s, strlen(s) };
}
#define CK_V(literal) ((ck_view){ (const uint8_t *)("" literal), sizeof(literal) - 1 })

/* For printf: "%.*s". Only for text that was checked or is escaped afterwards. */
#define CK_VF_MAX 4096
#define CK_VF(v) (int)((v).n > CK_VF_MAX ? CK_VF_MAX : (v).n), (const char *)(v).p

static inline bool ck_view_eq(ck_view a, ck_view b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
int ck_view_cmp(ck_view a, ck_view b); /* bytewise; a prefix is smaller */
static inline bool ck_view_starts(ck_view v, ck_view prefix)
{
    return v.n >= prefix.n && (prefix.n == 0 || memcmp(v.p, prefix.p, prefix.n) == 0);
}
bool ck_view_ends(ck_view v, ck_view suffix);
ck_view ck_view_trim(ck_view v); /* without blanks and tabs at both ends */

/* The part from `from` (at most n) to the end. */
static inline ck_view ck_view_from(ck_view v, size_t from)
{
    return from >= v.n ? (ck_view){ v.p, 0 } : (ck_view){ v.p + from, v.n - from };
}
/* The first n bytes (at most all). */
static inline ck_view ck_view_head(ck_view v, size_t n)
{
    return (ck_view){ v.p, n < v.n ? n : v.n };
}

/* Position of the first byte c, or v.n. */
size_t ck_view_find(ck_view v, uint8_t c);

/* Splits at the first byte c: head before it, *rest behind it (empty if there is none). */
ck_view ck_view_split(ck_view v, uint8_t c, ck_view *rest);

/* A decimal number that fills the whole view, no sign, no blanks; false if it does not fit. */
bool ck_view_u64(ck_view v, uint64_t *ret);

typedef struct ck_cur {
    ck_view v;
    size_t at;
    bool bad;
} ck_cur;

static inline ck_cur ck_cur_of(ck_view v) { return (ck_cur){ v, 0, false }; }
static inline bool ck_cur_ok(const ck_cur *c) { return !c->bad; }
static inline size_t ck_cur_left(const ck_cur *c) { return c->bad ? 0 : c->v.n - c->at; }
static inline bool ck_cur_end(const ck_cur *c) { return ck_cur_left(c) == 0; }

static inline ck_view ck_cur_take(ck_cur *c, size_t n)
{
    if (c->bad || n > c->v.n - c->at) {
        c->bad = true;
        return (ck_view){ NULL, 0 };
    }
    ck_view out = { c->v.p + c->at, n };
    c->at += n;
    return out;
}
static inline void ck_cur_skip(ck_cur *c, size_t n) { (void)ck_cur_take(c, n); }
/* Moves to an absolute position, which must lie inside the view or at its end. */
static inline void ck_cur_seek(ck_cur *c, size_t at)
{
    if (at > c->v.n)
        c->bad = true;
    else
        c->at = at;
}

/* Matching reads some hundred thousand of these for an image. */
static inline uint8_t ck_cur_u8(ck_cur *c)
{
    ck_view b = ck_cur_take(c, 1);
    return b.n ? b.p[0] : 0;
}
static inline uint32_t ck_cur_le32(ck_cur *c)
{
    ck_view b = ck_cur_take(c, 4);
    return b.n ? (uint32_t)b.p[0] | (uint32_t)b.p[1] << 8 | (uint32_t)b.p[2] << 16 |
                     (uint32_t)b.p[3] << 24
               : 0;
}
uint16_t ck_cur_le16(ck_cur *c);
uint64_t ck_cur_le64(ck_cur *c);
uint16_t ck_cur_be16(ck_cur *c);
uint32_t ck_cur_be32(ck_cur *c);
uint64_t ck_cur_be64(ck_cur *c);

/* A line without its "\n" (the last one may lack it). Empty and bad at the end of the view. */
ck_view ck_cur_line(ck_cur *c);
/* Bytes up to a NUL, which is consumed; bad if there is none. */
ck_view ck_cur_cstr(ck_cur *c);
/* What buf.h's ck_put_str wrote: 32-bit length, bytes. Bad if longer than max. */
static inline ck_view ck_cur_str(ck_cur *c, size_t max)
{
    uint32_t n = ck_cur_le32(c);
    if (n > max)
        c->bad = true;
    return ck_cur_take(c, n);
}

#endif
