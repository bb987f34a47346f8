/* Which images a name or link leads to, through indexes too: what listings ask for. Rows that no
 * longer hold are taken away by triggers (open.c). */
#include "store/store_int.h"

static ck_err *number_repository(struct ck_store *s, ck_view name, int64_t *ret)
{
    return ck_number_of(s, "SELECT number FROM repository WHERE name=?",
                        "INSERT INTO repository(name) VALUES(?)", name, ret);
}

static ck_err *insert_below(struct ck_store *s, ck_view name, ck_view repository,
                            const struct ck_digest *d)
{
    ck_autoquery struct ck_query q = { 0 };
    int64_t number = 0;
    CK_TRY(number_repository(s, repository, &number));
    CK_TRY(ck_query_new(s, "INSERT OR IGNORE INTO place(image, name, repository, via)"
                           " WITH RECURSIVE below(d) AS (VALUES(?1) UNION SELECT part.digest"
                           " FROM below CROSS JOIN part ON part.image=below.d AND part.role=2)"
                           " SELECT listing.number, ?2, ?3, ?1 FROM below CROSS JOIN listing"
                           " ON listing.image=d", &q));
    ck_bind_digest(&q, d);
    ck_bind_text(&q, name);
    ck_bind_int(&q, number);
    return ck_query_run(&q);
}

ck_err *ck_place_named(struct ck_store *s, ck_view name, const struct ck_digest *d)
{
    return insert_below(s, name, ck_repository_of(name), d);
}

ck_err *ck_place_linked(struct ck_store *s, ck_view repository, const struct ck_digest *d)
{
    return insert_below(s, CK_V(""), repository, d);
}

/* What is new has no name itself; indexes that are there already may name it. Their repositories
 * may be new too, where they led to no image until now. */
static ck_err *number_above(struct ck_store *s, const struct ck_digest *d)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "INSERT OR IGNORE INTO repository(name)"
                           " WITH RECURSIVE above(d) AS (VALUES(?1) UNION SELECT part.image"
                           " FROM above CROSS JOIN part ON part.digest=above.d AND part.role=2)"
                           " SELECT seen.repository FROM above CROSS JOIN name ON name.digest=d"
                           " CROSS JOIN seen ON seen.name=name.name AND seen.digest=d"
                           " UNION SELECT link.repository FROM above CROSS JOIN link"
                           " ON link.digest=d", &q));
    ck_bind_digest(&q, d);
    return ck_query_run(&q);
}

ck_err *ck_place_added(struct ck_store *s, const struct ck_digest *d)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(number_above(s, d));
    CK_TRY(ck_query_new(s, "INSERT OR IGNORE INTO place(image, name, repository, via)"
                           " WITH RECURSIVE above(d) AS (VALUES(?1) UNION SELECT part.image"
                           " FROM above CROSS JOIN part ON part.digest=above.d AND part.role=2),"
                           " below(d) AS (VALUES(?1) UNION SELECT part.digest"
                           " FROM below CROSS JOIN part ON part.image=below.d AND part.role=2),"
                           " tops(name, repository, via) AS (SELECT name.name, seen.repository, d"
                           " FROM above CROSS JOIN name ON name.digest=d CROSS JOIN seen"
                           " ON seen.name=name.name AND seen.digest=d"
                           " UNION SELECT '', link.repository, d FROM above CROSS JOIN link"
                           " ON link.digest=d)"
                           " SELECT listing.number, tops.name, repository.number, tops.via"
                           " FROM tops CROSS JOIN repository ON repository.name=tops.repository"
                           " CROSS JOIN below CROSS JOIN listing ON listing.image=below.d", &q));
    ck_bind_digest(&q, d);
    return ck_query_run(&q);
}
