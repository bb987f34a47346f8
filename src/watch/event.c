#include "watch/watch_int.h"

const char *ck_watch_phase_name(enum ck_watch_phase p)
{
    static const char *const names[CK_WATCH_PHASE_COUNT_] = {
        [CK_WATCH_FEEDS] = "feeds",       [CK_WATCH_DATABASE] = "database",
        [CK_WATCH_SCANS] = "scans",       [CK_WATCH_MATCHES] = "matching",
        [CK_WATCH_VERDICTS] = "verdicts", [CK_WATCH_TAGS] = "tags",
        [CK_WATCH_BASES] = "bases",
    };
    return names[p];
}

ck_view ck_watch_repository(ck_view name)
{
    size_t at = ck_view_find(name, '@');
    name = ck_view_head(name, at);
    for (size_t i = name.n; i > 0 && name.p[i - 1] != '/'; i--)
        if (name.p[i - 1] == ':')
            return ck_view_head(name, i - 1);
    return name;
}

struct ck_event ck_watch_event(const char *kind, const struct ck_digest *d,
                               const struct ck_standing *st, int64_t now, const char *summary,
                               ck_view data, struct ck_arena *a)
{
    char text[CK_DIGEST_TEXT];
    ck_view image = ck_arena_dup(a, ck_view_str(ck_digest_text(d, text)));
    ck_view name = st && st->n_names ? ck_arena_dup(a, st->names[0]) : CK_V("");
    return (struct ck_event){
        .time = now,
        .kind = ck_view_str(kind),
        .severity = -1,
        .image = image,
        .name = name,
        .repository = ck_watch_repository(name),
        .summary = ck_view_str(ck_arena_format(a, "%.*s: %s", CK_VF(name.n ? name : image),
                                               summary)),
        .data = ck_arena_dup(a, data),
    };
}
