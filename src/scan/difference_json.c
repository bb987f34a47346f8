/* Differences as JSON. */
#include "base/text.h"
#include "detect/facts.h"
#include "scan/difference.h"

const char *ck_finding_event_name(enum ck_finding_event e)
{
    static const char *const names[CK_FINDING_EVENT_COUNT_] = {
        [CK_FINDING_NEW] = "new",
        [CK_FINDING_GONE] = "gone",
        [CK_FINDING_SEVERITY] = "severity",
        [CK_FINDING_FIXABLE] = "fixable",
        [CK_FINDING_EXPLOITED] = "exploited",
        [CK_FINDING_OTHER] = "other",
    };
    return names[e];
}

static void put_text(struct ck_buf *b, const char *key, ck_view v)
{
    ck_buf_format(b, "\"%s\":", key);
    ck_buf_json_str(b, v);
}

/* What may change of a finding. */
static void put_state(struct ck_buf *b, const struct ck_fact_finding *f)
{
    put_text(b, "version", f->version);
    ck_buf_format(b, ",\"severity\":\"%s\",\"fix\":{\"state\":\"%s\",",
                  ck_severity_name(f->severity), ck_fix_state_name(f->fix_state));
    put_text(b, "version", f->fix_version);
    ck_buf_format(b, "},\"kev\":%s", f->kev ? "true" : "false");
}

static void put_finding(struct ck_buf *b, const struct ck_fact_finding *f)
{
    put_text(b, "id", f->id);
    ck_buf_format(b, ",\"aliases\":[");
    for (size_t i = 0; i < f->n_aliases; i++) {
        ck_buf_format(b, "%s", i ? "," : "");
        ck_buf_json_str(b, f->aliases[i]);
    }
    ck_buf_format(b, "],");
    put_text(b, "package", f->package);
    ck_buf_format(b, ",");
    put_state(b, f);
}

static void put_change(struct ck_buf *b, const struct ck_finding_change *c)
{
    bool first = true;
    ck_buf_format(b, "{");
    put_finding(b, c->after ? c->after : c->before);
    if (c->before && c->after) {
        ck_buf_format(b, ",\"before\":{");
        put_state(b, c->before);
        ck_buf_format(b, "},\"what\":[");
        for (int e = 0; e < CK_FINDING_EVENT_COUNT_; e++) {
            if (!(c->what >> e & 1))
                continue;
            ck_buf_format(b, "%s\"%s\"", first ? "" : ",",
                          ck_finding_event_name((enum ck_finding_event)e));
            first = false;
        }
        ck_buf_format(b, "]");
    }
    ck_buf_format(b, "}");
}

/* Those that have any of the bits. */
static void put_changes(struct ck_buf *b, const char *key, const struct ck_finding_changes *c,
                        unsigned what, size_t max)
{
    size_t n = 0;
    ck_buf_format(b, "\"%s\":[", key);
    for (size_t i = 0; i < c->n && n < max; i++) {
        if (!(c->v[i].what & what))
            continue;
        ck_buf_format(b, "%s", n++ ? "," : "");
        put_change(b, &c->v[i]);
    }
    ck_buf_format(b, "]");
}

void ck_changes_json(const struct ck_finding_changes *c, size_t max, struct ck_buf *out)
{
    ck_buf_format(out, "{\"counts\":{");
    for (int e = 0; e < CK_FINDING_EVENT_COUNT_; e++)
        ck_buf_format(out, "%s\"%s\":%zu", e ? "," : "",
                      ck_finding_event_name((enum ck_finding_event)e), c->counts[e]);
    ck_buf_format(out, "}");
    for (int e = 0; e < CK_FINDING_EVENT_COUNT_; e++) {
        ck_buf_format(out, ",");
        put_changes(out, ck_finding_event_name((enum ck_finding_event)e), c, 1u << e, max);
    }
    ck_buf_format(out, "}");
}

/* --- two images ------------------------------------------------------------------------------- */

static void put_package(struct ck_buf *b, const struct ck_package_change *c)
{
    const struct ck_package *p = c->after ? &c->after->p : &c->before->p;
    ck_buf_format(b, "{");
    put_text(b, "name", p->name);
    ck_buf_format(b, ",\"type\":\"%s\",", ck_package_type_name(p->type));
    put_text(b, "arch", p->arch);
    ck_buf_format(b, ",");
    if (c->before && c->after) {
        put_text(b, "before", c->before->p.version);
        ck_buf_format(b, ",");
        put_text(b, "after", c->after->p.version);
    } else {
        put_text(b, "version", p->version);
    }
    ck_buf_format(b, "}");
}

static void put_packages(struct ck_buf *b, const char *key, const struct ck_package_changes *p,
                         bool before, bool after, size_t max)
{
    size_t n = 0;
    ck_buf_format(b, "\"%s\":[", key);
    for (size_t i = 0; i < p->n && n < max; i++) {
        if ((p->v[i].before != NULL) != before || (p->v[i].after != NULL) != after)
            continue;
        ck_buf_format(b, "%s", n++ ? "," : "");
        put_package(b, &p->v[i]);
    }
    ck_buf_format(b, "]");
}

static void put_counts(struct ck_buf *b, size_t added, size_t removed, size_t changed)
{
    ck_buf_format(b, "{\"counts\":{\"added\":%zu,\"removed\":%zu,\"changed\":%zu},", added, removed,
                  changed);
}

void ck_images_json(const struct ck_package_changes *p, const struct ck_finding_changes *f,
                    size_t max, struct ck_buf *out)
{
    const unsigned both = (1u << CK_FINDING_EVENT_COUNT_) - 1 - (1u << CK_FINDING_NEW) -
                          (1u << CK_FINDING_GONE);
    size_t added = f->counts[CK_FINDING_NEW], removed = f->counts[CK_FINDING_GONE];
    ck_buf_format(out, "{\"packages\":");
    put_counts(out, p->added, p->removed, p->changed);
    put_packages(out, "added", p, false, true, max);
    ck_buf_format(out, ",");
    put_packages(out, "removed", p, true, false, max);
    ck_buf_format(out, ",");
    put_packages(out, "changed", p, true, true, max);
    ck_buf_format(out, "},\"findings\":");
    put_counts(out, added, removed, f->n - added - removed);
    put_changes(out, "added", f, 1u << CK_FINDING_NEW, max);
    ck_buf_format(out, ",");
    put_changes(out, "removed", f, 1u << CK_FINDING_GONE, max);
    ck_buf_format(out, ",");
    put_changes(out, "changed", f, both, max);
    ck_buf_format(out, "}}");
}
