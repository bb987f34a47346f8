#include "gateway/api_out.h"

#include "base/text.h"

static void begin(struct ck_buf *b, const char *key)
{
    uint8_t last = b->n ? b->p[b->n - 1] : '{';
    if (last != '{' && last != '[')
        ck_put_u8(b, ',');
    if (key)
        ck_buf_format(b, "\"%s\":", key);
}

void ck_out_open(struct ck_buf *b, const char *key, char bracket)
{
    begin(b, key);
    ck_put_u8(b, (uint8_t)bracket);
}

void ck_out_close(struct ck_buf *b, char bracket) { ck_put_u8(b, (uint8_t)bracket); }

void ck_out_text(struct ck_buf *b, const char *key, ck_view v)
{
    begin(b, key);
    ck_buf_json_str(b, v);
}

void ck_out_raw(struct ck_buf *b, const char *key, ck_view json)
{
    begin(b, key);
    ck_put_bytes(b, json.n ? json : CK_V("null"));
}

void ck_out_text_or_null(struct ck_buf *b, const char *key, ck_view v)
{
    if (v.n)
        ck_out_text(b, key, v);
    else
        ck_out_raw(b, key, v);
}

void ck_out_texts(struct ck_buf *b, const char *key, const ck_view *v, size_t n)
{
    ck_out_open(b, key, '[');
    for (size_t i = 0; i < n; i++)
        ck_out_text(b, NULL, v[i]);
    ck_out_close(b, ']');
}

void ck_out_word(struct ck_buf *b, const char *key, const char *word)
{
    ck_out_text_or_null(b, key, ck_view_str(word ? word : ""));
}

void ck_out_u64(struct ck_buf *b, const char *key, uint64_t n)
{
    begin(b, key);
    ck_buf_format(b, "%llu", (unsigned long long)n);
}

void ck_out_bool(struct ck_buf *b, const char *key, bool v)
{
    ck_out_raw(b, key, v ? CK_V("true") : CK_V("false"));
}

void ck_out_time(struct ck_buf *b, const char *key, int64_t t)
{
    char text[32] = "";
    if (t)
        ck_format_time(text, t);
    ck_out_word(b, key, text);
}

void ck_out_digest(struct ck_buf *b, const char *key, const struct ck_digest *d)
{
    char text[CK_DIGEST_TEXT];
    ck_out_text(b, key, ck_view_str(ck_digest_text(d, text)));
}
