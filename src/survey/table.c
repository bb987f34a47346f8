/* The result for people: the tables of the studies that measured Docker Hub. */
#include "survey/result.h"

#include "base/mem.h"
#include "base/text.h"

enum { WORST = 10, CAUSES = 20, DISTROS = 15, DAY = 86400 };

/* `what` stands in front of the two groups' values. */
static void share_line(struct ck_buf *out, const char *what, const struct ck_share *official,
                       const struct ck_share *others)
{
    const struct ck_share *s[] = { official, others };
    ck_buf_format(out, "  %-22s", what);
    for (size_t i = 0; i < 2; i++) {
        if (s[i]->of)
            ck_buf_format(out, "  %5.1f %% (%.1f to %.1f)%*s", 100 * s[i]->share,
                          100 * s[i]->low, 100 * s[i]->high, i ? 0 : 4, "");
        else
            ck_buf_format(out, "  %-27s", "not known");
    }
    ck_put_u8(out, '\n');
}

static void number_line(struct ck_buf *out, const char *what, uint64_t official, uint64_t others)
{
    ck_buf_format(out, "  %-22s  %5llu %21s  %5llu\n", what, (unsigned long long)official, "",
                  (unsigned long long)others);
}

static void put_groups(struct ck_buf *out, const struct ck_survey_result *r)
{
    const struct ck_survey_shares *a = &r->of[CK_OFFICIAL], *b = &r->of[CK_OTHERS];
    const struct ck_survey_population *p = &r->plan.of[CK_OFFICIAL], *q = &r->plan.of[CK_OTHERS];
    ck_buf_format(out, "  %-22s  %-27s  %s\n", "", "official", "others");
    number_line(out, "repositories", p->repositories, q->repositories);
    if (p->unlisted || q->unlisted)
        number_line(out, "  that gave no tags", p->unlisted, q->unlisted);
    number_line(out, "images (names)", p->names, q->names);
    number_line(out, "drawn", p->drawn, q->drawn);
    if (a->waiting || b->waiting)
        number_line(out, "  not scanned yet", a->waiting, b->waiting);
    number_line(out, "assessed", a->assessed, b->assessed);
    number_line(out, "could not be assessed", a->failed + a->incomplete, b->failed + b->incomplete);
    ck_put_bytes(out, CK_V("\n  Of the assessed ones (95 % confidence intervals of all images)\n"));
    share_line(out, "critical", &a->critical, &b->critical);
    share_line(out, "critical or high", &a->high, &b->high);
    share_line(out, "free of findings", &a->clean, &b->clean);
    if (a->has_age || b->has_age)
        number_line(out, "median age in days", (uint64_t)(a->median_age / DAY),
                    (uint64_t)(b->median_age / DAY));
    ck_put_bytes(out, CK_V("\n  Images by the worst that was found in them\n"));
    for (int s = CK_SEVERITY_COUNT_ - 1; s >= 0; s--)
        number_line(out, ck_severity_name((enum ck_severity)s), a->worst[s], b->worst[s]);
}

static void put_foreign(struct ck_buf *out, ck_view v)
{
    ck_buf_escape(out, v);
}

static void put_worst(struct ck_buf *out, const struct ck_survey_result *r)
{
    if (!r->n_images || ck_survey_clean(&r->images[0].image))
        return;
    ck_buf_format(out, "\nThe worst\n  %8s %8s %8s %8s  %s\n", "critical", "high", "medium", "low",
                  "image");
    for (size_t i = 0; i < r->n_images && i < WORST; i++) {
        const struct ck_survey_image *v = &r->images[i].image;
        if (ck_survey_clean(v))
            break;
        ck_buf_format(out, "  %8u %8u %8u %8u  ", v->severities[CK_SEVERITY_CRITICAL],
                      v->severities[CK_SEVERITY_HIGH], v->severities[CK_SEVERITY_MEDIUM],
                      v->severities[CK_SEVERITY_LOW]);
        put_foreign(out, r->images[i].item->name);
        ck_put_u8(out, '\n');
    }
}

static void put_causes(struct ck_buf *out, const struct ck_survey_result *r)
{
    if (!r->n_causes)
        return;
    ck_buf_format(out, "\nThe most frequent causes\n  %6s  %-8s  %s\n", "images", "severity",
                  "package and vulnerability");
    for (size_t i = 0; i < r->n_causes && i < CAUSES; i++) {
        const struct ck_survey_common *c = &r->causes[i];
        ck_buf_format(out, "  %6llu  %-8s  ", (unsigned long long)c->images,
                      ck_severity_name(c->severity));
        put_foreign(out, c->package);
        ck_put_u8(out, ' ');
        put_foreign(out, c->id);
        ck_put_u8(out, '\n');
    }
}

static void put_distros(struct ck_buf *out, const struct ck_survey_result *r)
{
    if (!r->n_distros)
        return;
    ck_buf_format(out, "\nBy distribution\n  %6s %8s %8s %8s  %s\n", "images", "critical", "+ high",
                  "clean", "distribution");
    for (size_t i = 0; i < r->n_distros && i < DISTROS; i++) {
        const struct ck_survey_distro *d = &r->distros[i];
        ck_buf_format(out, "  %6llu %8llu %8llu %8llu  ", (unsigned long long)d->images,
                      (unsigned long long)d->critical, (unsigned long long)d->high,
                      (unsigned long long)d->clean);
        put_foreign(out, d->name.n ? d->name : CK_V("(none)"));
        ck_put_u8(out, '\n');
    }
}

static void put_unassessed(struct ck_buf *out, const struct ck_survey_result *r)
{
    if (!r->n_unassessed)
        return;
    ck_put_bytes(out, CK_V("\nNot assessed, and in no share\n"));
    for (size_t i = 0; i < r->n_unassessed && i < WORST; i++) {
        ck_put_bytes(out, CK_V("  "));
        put_foreign(out, r->unassessed[i].item->name);
        ck_put_bytes(out, CK_V(": "));
        put_foreign(out, r->unassessed[i].image.why);
        ck_put_u8(out, '\n');
    }
    if (r->n_unassessed > WORST)
        ck_buf_format(out, "  and %zu more\n", r->n_unassessed - WORST);
}

ck_err *ck_survey_table(struct ck_store *s, uint64_t number, struct ck_buf *out)
{
    struct ck_survey_result r;
    char begun[32];
    CK_TRY(ck_survey_result_of(s, number, &r));
    ck_format_time(begun, r.row.begun);
    ck_buf_format(out, "Survey %llu of %.*s, %s, seed %llu%s\n\n", (unsigned long long)number,
                  CK_VF(r.row.registry), begun, (unsigned long long)r.row.seed,
                  r.row.state == CK_SURVEY_DONE ? "" : " (NOT FINISHED)");
    put_groups(out, &r);
    put_worst(out, &r);
    put_causes(out, &r);
    put_distros(out, &r);
    put_unassessed(out, &r);
    ck_survey_result_free(&r);
    return NULL;
}
