#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/listing.h"
#include "store/store.h"

#include <getopt.h>

static const char page[] = "cocket-ls";

struct args {
    const char *store;
    bool all, json, digests, quiet;
    unsigned width;
    struct ck_arena arena;
};

enum opt { OPT_STORE = 256, OPT_FORMAT, OPT_DIGESTS };
static const struct option options[] = {
    { "all", no_argument, NULL, 'a' },
    { "format", required_argument, NULL, OPT_FORMAT },
    { "digests", no_argument, NULL, OPT_DIGESTS },
    { "quiet", no_argument, NULL, 'q' },
    { "store", required_argument, NULL, OPT_STORE },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static ck_err *take_option(void *ctx, int opt)
{
    struct args *a = ctx;
    switch (opt) {
    case 'a':
        a->all = true;
        break;
    case 'q':
        a->quiet = true;
        break;
    case OPT_DIGESTS:
        a->digests = true;
        break;
    case OPT_STORE:
        a->store = optarg;
        break;
    case OPT_FORMAT:
        return ck_cmd_format(optarg, "table", &a->json);
    }
    return NULL;
}

/* --- table ------------------------------------------------------------------------------------ */

/* "alpine:3.20" where that is what the name would be typed as. */
static const char *shown_digest(struct args *a, const struct ck_digest *d)
{
    enum { SHORT = 12 };
    char text[CK_DIGEST_TEXT];
    ck_view v = ck_view_str(ck_digest_text(d, text));
    if (!a->digests)
        v = ck_view_head(ck_view_from(v, ck_view_find(v, ':') + 1), SHORT);
    return ck_listing_text(&a->arena, v);
}

static const char *shown_size(struct args *a, uint64_t n)
{
    ck_autofree char *text = ck_format_bytes(n);
    return ck_listing_text(&a->arena, ck_view_str(text));
}

static const char *shown_platform(struct args *a, const struct ck_store_entry *e)
{
    ck_view v = e->image.platform;
    if (!v.n && e->image.artifact_type.n)
        v = e->image.artifact_type;
    else if (!v.n)
        v = e->image.index ? CK_V("index") : CK_V("-");
    return ck_listing_text(&a->arena, v);
}

static const char *shown_reason(struct args *a, const struct ck_store_entry *e)
{
    ck_view v = e->complete ? e->reason : CK_V("not whole: its fetch was interrupted");
    return v.n ? ck_listing_text(&a->arena, v) : "-";
}

/* Columns, and the terminal that has room for them. */
enum column { NAME, DIGEST, PLATFORM, SIZE, STATE, REASON, COLUMN_COUNT };
static const struct {
    const char *head;
    unsigned from; /* columns of the terminal */
    bool fixed;    /* is not wrapped */
} columns[COLUMN_COUNT] = {
    [NAME] = { "NAME", 0, false },       [DIGEST] = { "DIGEST", 56, true },
    [PLATFORM] = { "PLATFORM", 72, false }, [SIZE] = { "SIZE", 72, true },
    [STATE] = { "STATE", 0, true },      [REASON] = { "REASON", 0, false },
};

static struct ck_listing new_table(struct args *a, unsigned width)
{
    struct ck_listing t = { .a = &a->arena };
    for (int i = 0; i < COLUMN_COUNT; i++) {
        if (columns[i].from > width)
            continue;
        if (columns[i].fixed)
            t.never |= 1u << t.columns;
        t.heads[t.columns++] = columns[i].head;
    }
    return t;
}

static void add_row(struct args *a, struct ck_listing *t, const char *name,
                    const struct ck_store_entry *named, const struct ck_store_entry *judged)
{
    const char *all[COLUMN_COUNT] = {
        [NAME] = name,
        [DIGEST] = shown_digest(a, &named->image.digest),
        [PLATFORM] = shown_platform(a, judged),
        [SIZE] = shown_size(a, judged->total),
        [STATE] = ck_state_name(judged->state),
        [REASON] = shown_reason(a, judged),
    };
    const char *cells[COLUMN_COUNT];
    size_t n = 0;
    for (int i = 0; i < COLUMN_COUNT; i++)
        if (columns[i].from <= a->width)
            cells[n++] = all[i];
    ck_listing_row(t, cells);
}

/* An index is what its images are, unless somebody has judged it itself. */
static ck_err *add_named(struct args *a, struct ck_store *s, struct ck_listing *t, const char *name,
                         const struct ck_store_entry *e)
{
    struct ck_store_entry full = { 0 }, child;
    size_t shown = 0;
    bool found = false;
    if (e->image.index && !e->who.n && !a->all) {
        CK_TRY(ck_store_get(s, &e->image.digest, &a->arena, &full, &found));
        for (size_t i = 0; i < full.image.n_parts; i++) {
            const struct ck_store_part *p = &full.image.parts[i];
            CK_TRY(ck_store_get(s, &p->digest, &a->arena, &child, &found));
            if (!found || child.image.artifact_type.n)
                continue;
            add_row(a, t, name, e, &child);
            shown++;
        }
    }
    if (shown == 0)
        add_row(a, t, name, e, e);
    return NULL;
}

/* A name that is only the digest again, as the gate has it of a pull by digest, says nothing beside
 * others. */
static bool says_nothing(const struct ck_store_entry *e, size_t name)
{
    bool other = false;
    for (size_t i = 0; i < e->n_names; i++)
        other |= ck_view_find(e->names[i], '@') == e->names[i].n;
    return other && ck_view_find(e->names[name], '@') < e->names[name].n;
}

static ck_err *put_table(struct args *a, struct ck_store *s, const struct ck_store_entry *v,
                         size_t n, struct ck_buf *out)
{
    a->width = ck_cmd_columns();
    struct ck_listing t = new_table(a, a->width);
    ck_err *e = NULL;
    for (size_t i = 0; i < n && !e; i++) {
        if (v[i].n_names == 0)
            e = add_named(a, s, &t, "-", &v[i]);
        for (size_t k = 0; k < v[i].n_names && !e; k++)
            if (!says_nothing(&v[i], k))
                e = add_named(a, s, &t, ck_listing_name(&a->arena, v[i].names[k]), &v[i]);
    }
    if (!e)
        ck_listing_print(&t, a->width, out);
    ck_listing_free(&t);
    return e;
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void put_text(struct ck_buf *b, const char *key, ck_view v)
{
    ck_buf_format(b, ",\n    \"%s\": ", key);
    ck_buf_json_or_null(b, v);
}

static void put_time(struct ck_buf *b, const char *key, int64_t t)
{
    char text[32];
    ck_format_time(text, t);
    put_text(b, key, t ? ck_view_str(text) : CK_V(""));
}

static void put_names(struct ck_buf *b, const struct ck_store_entry *e)
{
    ck_put_bytes(b, CK_V(",\n    \"names\": ["));
    for (size_t i = 0; i < e->n_names; i++) {
        ck_put_bytes(b, i ? CK_V(", ") : CK_V(""));
        ck_buf_json_str(b, e->names[i]);
    }
    ck_put_bytes(b, CK_V("]"));
}

static void put_entry(struct ck_buf *b, const struct ck_store_entry *e)
{
    char text[CK_DIGEST_TEXT];
    ck_buf_format(b, "  {\n    \"digest\": \"%s\"", ck_digest_text(&e->image.digest, text));
    put_names(b, e);
    put_text(b, "mediaType", e->image.media_type);
    ck_buf_format(b, ",\n    \"index\": %s", e->image.index ? "true" : "false");
    put_text(b, "platform", e->image.platform);
    put_text(b, "artifactType", e->image.artifact_type);
    ck_digest_text(&e->image.subject, text);
    put_text(b, "subject", e->image.has_subject ? ck_view_str(text) : CK_V(""));
    ck_buf_format(b, ",\n    \"size\": %llu,\n    \"complete\": %s,\n    \"state\": \"%s\"",
                  (unsigned long long)e->total, e->complete ? "true" : "false",
                  ck_state_name(e->state));
    put_text(b, "reason", e->reason);
    put_text(b, "who", e->who);
    put_text(b, "by", !e->who.n ? CK_V("") : e->by_person ? CK_V("person") : CK_V("scan"));
    put_time(b, "decided", e->decided);
    put_time(b, "added", e->added);
    ck_put_bytes(b, CK_V("\n  }"));
}

static void put_json(struct ck_buf *b, const struct ck_store_entry *v, size_t n)
{
    ck_put_bytes(b, CK_V("["));
    for (size_t i = 0; i < n; i++) {
        ck_put_bytes(b, i ? CK_V(",\n") : CK_V("\n"));
        put_entry(b, &v[i]);
    }
    ck_put_bytes(b, n ? CK_V("\n]\n") : CK_V("]\n"));
}

static void put_quiet(struct ck_buf *b, const struct ck_store_entry *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < v[i].n_names; k++) {
            ck_buf_escape(b, v[i].names[k]);
            ck_put_u8(b, '\n');
        }
}

/* ---------------------------------------------------------------------------------------------- */

static ck_err *ls(struct args *a, struct ck_store *s)
{
    struct ck_store_entry *v = NULL;
    size_t n = 0;
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    CK_TRY(ck_store_list(s, a->all, &a->arena, &v, &n));
    if (a->quiet)
        put_quiet(&out, v, n);
    else if (a->json)
        put_json(&out, v, n);
    else
        CK_TRY(put_table(a, s, v, n, &out));
    return ck_cmd_print(ck_buf_view(&out));
}

int ck_cmd_ls(int argc, char **argv)
{
    struct args a = { 0 };
    struct ck_store *s = NULL;
    int status = ck_cmd_options(argc, argv, page, options, take_option, &a);
    if (status >= 0)
        return status;
    if (optind < argc)
        return ck_cmd_usage(page, "it takes no arguments");
    ck_err *e = ck_store_open(a.store, &s);
    if (!e)
        e = ls(&a, s);
    ck_store_close(s);
    ck_arena_free(&a.arena);
    return e ? ck_cmd_fail(e) : CK_EXIT_OK;
}
