/* Text that people read: formatting and the escaping of what comes from outside. */
#ifndef CK_BASE_TEXT_H
#define CK_BASE_TEXT_H

#include "base/buf.h"

/* As asprintf, never NULL. Free with free(). */
char *ck_format(const char *fmt, ...) CK_PRINTF(1, 2);
void ck_buf_format(struct ck_buf *b, const char *fmt, ...) CK_PRINTF(2, 3);
void ck_buf_decimal(struct ck_buf *b, uint64_t x);

/* A copy that is safe on a terminal: control characters (C0, DEL, C1), bidirectional overrides
 * and bytes that are not UTF-8 become \xHH or \u{HEX}. Other UTF-8 stays. Free with free(). */
char *ck_escape(ck_view v);
void ck_buf_escape(struct ck_buf *b, ck_view v);

/* Decodes one UTF-8 character (RFC 3629: no surrogates, shortest form); returns its length
 * in bytes, or 0 where the bytes are not UTF-8 or v is empty. */
size_t ck_utf8_next(ck_view v, uint32_t *ret_codepoint);
bool ck_utf8_valid(ck_view v);
/* Columns that text takes on a terminal; combining characters take none, wide ones two. */
size_t ck_text_width(ck_view utf8);

/* A JSON string with its quotes; bytes that are not UTF-8 become U+FFFD (RFC 8259 section 7). */
void ck_buf_json_str(struct ck_buf *b, ck_view v);
/* The same, or null where there is no text. */
void ck_buf_json_or_null(struct ck_buf *b, ck_view v);

/* A URL as it may be shown: "https://user:secret@host/x" without "user:secret@". free(). */
char *ck_url_shown(const char *url);

/* "1.2 GiB", "17 KiB", "3 B" */
char *ck_format_bytes(uint64_t n);

/* Seconds since the epoch as RFC 3339 in UTC: "2026-08-01T12:00:00Z" (buffer of 32 bytes). */
void ck_format_time(char out[32], int64_t seconds);
/* The reverse; takes a fraction and an offset too. False if it is no RFC 3339 time. */
bool ck_parse_time(ck_view v, int64_t *ret_seconds);

#endif
