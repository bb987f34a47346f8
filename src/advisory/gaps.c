/* What could not be judged. "Could not assess" is never the same as "nothing found". */
#include "advisory/match_int.h"

#include "base/text.h"

#define VIEW(...) ck_job_text(j, __VA_ARGS__)

static void gap(struct ck_job *j, ck_view what, ck_view why)
{
    *ck_push(&j->gaps) = (struct ck_gap){ what, why };
}

static void unknown_distribution(struct ck_job *j)
{
    ck_view name = j->distro->name;
    if (name.n)
        gap(j, CK_V("distribution"),
            VIEW("\"%.*s\" is no distribution or release whose advisories are known; its %zu "
                 "packages were not matched", CK_VF(name), j->n_packages));
    else
        gap(j, CK_V("distribution"),
            VIEW("the image does not say which distribution it is; its %zu packages were not "
                 "matched", j->n_packages));
}

/* Whether any feed covers any of the distribution's ecosystems; of this kind, where one is
 * named. */
static bool covered_by(const struct ck_job *j, const char *kind)
{
    for (size_t f = 0; f < ck_db_feeds(j->db); f++) {
        struct ck_db_feed feed;
        ck_autoerr ck_err *e = ck_db_feed(j->db, f, &feed);
        if (e || (kind && !ck_view_eq(feed.kind, ck_view_str(kind))))
            continue;
        for (size_t i = 0; i < j->n_ecosystems; i++)
            if (ck_db_feed_covers(j->db, f, j->ecosystems[i]))
                return true;
    }
    return false;
}

static void coverage(struct ck_job *j)
{
    ck_view ecosystem = j->distro->ecosystem;
    if (!covered_by(j, NULL)) {
        gap(j, CK_V("advisories"),
            VIEW("no feed of the database covers %.*s; nothing can be found", CK_VF(ecosystem)));
        return;
    }
    bool archive_only = covered_by(j, "debian-archive") && !covered_by(j, "debian-tracker") &&
                        !covered_by(j, "osv");
    if (archive_only)
        gap(j, CK_V("unfixed vulnerabilities"),
            VIEW("only the archive of %.*s is known, which names what was fixed; vulnerabilities "
                 "without a fix are not in it (add a debian-tracker or osv feed)",
                 CK_VF(ecosystem)));
}

static void end_of_life(struct ck_job *j)
{
    if (j->distro->end_of_life == 0 || ck_db_built(j->db) <= j->distro->end_of_life)
        return;
    char day[32];
    ck_format_time(day, j->distro->end_of_life);
    gap(j, CK_V("end of life"),
        VIEW("security support of %.*s ended on %.10s; vulnerabilities found since then are not "
             "in its advisories", CK_VF(j->distro->name), day));
}

static void failed_feeds(struct ck_job *j)
{
    for (size_t i = 0; i < ck_db_feeds(j->db); i++) {
        struct ck_db_feed f;
        ck_autoerr ck_err *e = ck_db_feed(j->db, i, &f);
        if (e || f.failure.n == 0)
            continue;
        char day[32];
        ck_format_time(day, f.time);
        gap(j, VIEW("feed %.*s", CK_VF(f.kind)),
            VIEW("%.*s could not be updated and is of %s: %.*s", CK_VF(f.source), day,
                 CK_VF(f.failure)));
    }
}

/* Packages of another kind than the distribution's: copied in, or of an alien package manager. */
static void alien_packages(struct ck_job *j)
{
    size_t count[CK_PACKAGE_TYPE_COUNT_] = { 0 };
    for (size_t i = 0; i < j->n_packages; i++)
        count[j->packages[i].type]++;
    for (int t = 0; t < CK_PACKAGE_TYPE_COUNT_; t++)
        if (count[t] && ck_scheme_of((enum ck_package_type)t) != j->distro->scheme)
            gap(j, VIEW("%s packages", ck_package_type_name((enum ck_package_type)t)),
                VIEW("%zu packages of this kind are none of %.*s and were not matched", count[t],
                     CK_VF(j->distro->name)));
}

void ck_find_gaps(struct ck_job *j)
{
    if (!j->distro->known) {
        unknown_distribution(j);
    } else {
        coverage(j);
        end_of_life(j);
        if (j->distro->by_id_like)
            gap(j, CK_V("derivative"),
                VIEW("%.*s was matched by the advisories of %.*s, from which it is derived; "
                     "packages that it changed may be judged wrongly", CK_VF(j->distro->name),
                     CK_VF(j->distro->ecosystem)));
        if (j->n_packages == 0)
            gap(j, CK_V("packages"), VIEW("no packages of %.*s were found",
                                          CK_VF(j->distro->name)));
        alien_packages(j);
    }
    failed_feeds(j);
}
