#include "base/json_write.h"

#include "base/text.h"

static void line(struct ck_json_out *j)
{
    ck_put_u8(j->out, '\n');
    for (unsigned i = 0; i < j->depth; i++)
        ck_put_bytes(j->out, CK_V("  "));
}

void ck_jw_element(struct ck_json_out *j)
{
    if (j->filled)
        ck_put_u8(j->out, ',');
    if (j->depth)
        line(j);
    j->filled = true;
}

void ck_jw_key(struct ck_json_out *j, const char *name)
{
    ck_jw_element(j);
    ck_buf_format(j->out, "\"%s\": ", name);
}

void ck_jw_begin(struct ck_json_out *j, char bracket)
{
    ck_put_u8(j->out, (uint8_t)bracket);
    j->depth++;
    j->filled = false;
}

void ck_jw_end(struct ck_json_out *j, char bracket)
{
    j->depth--;
    if (j->filled)
        line(j);
    ck_put_u8(j->out, (uint8_t)bracket);
    j->filled = true;
}

void ck_jw_object(struct ck_json_out *j, const char *name)
{
    ck_jw_key(j, name);
    ck_jw_begin(j, '{');
}

void ck_jw_array(struct ck_json_out *j, const char *name)
{
    ck_jw_key(j, name);
    ck_jw_begin(j, '[');
}

void ck_jw_string(struct ck_json_out *j, const char *name, ck_view v)
{
    ck_jw_key(j, name);
    ck_buf_json_str(j->out, v);
}

void ck_jw_null(struct ck_json_out *j, const char *name)
{
    ck_jw_key(j, name);
    ck_put_bytes(j->out, CK_V("null"));
}

void ck_jw_optional(struct ck_json_out *j, const char *name, ck_view v)
{
    ck_jw_key(j, name);
    ck_buf_json_or_null(j->out, v);
}

void ck_jw_number(struct ck_json_out *j, const char *name, uint64_t x)
{
    ck_jw_key(j, name);
    ck_buf_format(j->out, "%llu", (unsigned long long)x);
}

void ck_jw_bool(struct ck_json_out *j, const char *name, bool x)
{
    ck_jw_key(j, name);
    ck_put_bytes(j->out, x ? CK_V("true") : CK_V("false"));
}

void ck_jw_time(struct ck_json_out *j, const char *name, int64_t seconds)
{
    char text[32];
    ck_format_time(text, seconds);
    if (seconds)
        ck_jw_string(j, name, ck_view_str(text));
    else
        ck_jw_null(j, name);
}

void ck_jw_strings(struct ck_json_out *j, const char *name, const ck_view *v, size_t n)
{
    ck_jw_array(j, name);
    for (size_t i = 0; i < n; i++) {
        ck_jw_element(j);
        ck_buf_json_str(j->out, v[i]);
    }
    ck_jw_end(j, ']');
}
