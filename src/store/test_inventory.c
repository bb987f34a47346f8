/* What images consist of, who holds what, and what is written when they are matched again. */
#include "store/unit_fixture.h"

#include "store/inventory.h"

#define K(...) ((const ck_view[]){ __VA_ARGS__ })

static struct ck_store_item item(const char *package, const ck_view *keys, size_t n_keys,
                                 uint32_t layer, const char *location)
{
    return (struct ck_store_item){ .package = ck_view_str(package), .keys = keys, .n_keys = n_keys,
                                   .layer = layer, .location = ck_view_str(location) };
}

static void put(struct fixture *f, const struct unit_image *u, struct ck_store_item *items,
                size_t n, int64_t matched)
{
    const struct ck_store_inventory v = { .head = CK_V("head"), .items = items, .n = n,
                                          .matched = matched };
    assert_ok(ck_store_put_inventory(f->s, &u->image.digest, &v));
}

static size_t holding(struct fixture *f, const ck_view *keys, size_t n, struct ck_digest **ret)
{
    size_t got = 99;
    assert_ok(ck_store_holding(f->s, keys, n, &f->arena, ret, &got));
    return got;
}

static size_t holds(struct fixture *f, const char *key)
{
    struct ck_digest *d;
    return holding(f, K(ck_view_str(key)), 1, &d);
}

static int64_t ask(struct fixture *f, const char *sql)
{
    ck_autofree char *path = ck_format("%s/state.db", f->dir);
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return n;
}

static void forget(struct fixture *f, const struct unit_image *u)
{
    assert_ok(ck_store_remove(f->s, &u->image.digest, CK_V("")));
    new_lease(f);
}

/* --- inventories ------------------------------------------------------------------------------ */

static void an_inventory_comes_back_as_it_was(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "r/x:1");
    struct ck_store_item items[] = {
        item("zlib 1", K(CK_V("zlib")), 1, 2, "var/lib/dpkg/status"),
        item("app 1", K(CK_V("app")), 1, UINT32_MAX, ""),
        item("zlib 1", K(CK_V("zlib")), 1, UINT32_MAX - 1, "app/package-lock.json"),
        item("", NULL, 0, 0, "var/lib/dpkg/status"),
    };
    struct ck_store_inventory got = { 0 };
    bool found = true;
    assert_ok(ck_store_get_inventory(f->s, &a.image.digest, &f->arena, &got, &found));
    assert_false(found);
    put(f, &a, items, 4, 77);
    assert_ok(ck_store_get_inventory(f->s, &a.image.digest, &f->arena, &got, &found));
    assert_true(found);
    assert_view(got.head, "head");
    assert_int_equal(got.matched, 77);
    assert_int_equal(got.n, 4);
    for (size_t i = 0; i < got.n; i++) {
        assert_true(ck_view_eq(got.items[i].package, items[i].package));
        assert_true(ck_view_eq(got.items[i].location, items[i].location));
        assert_int_equal(got.items[i].layer, items[i].layer);
        assert_int_equal(got.items[i].n_keys, 0);
    }
    put(f, &a, NULL, 0, 78);
    assert_ok(ck_store_get_inventory(f->s, &a.image.digest, &f->arena, &got, &found));
    assert_int_equal(got.n, 0);
    assert_int_equal(got.matched, 78);
    assert_fsck(f, false, "");
    unit_image_free(&a);
}

static void nothing_is_kept_of_what_is_no_image(void **state)
{
    struct fixture *f = *state;
    struct ck_digest d = unit_digest(CK_V("nobody"));
    struct ck_store_item it = item("a", K(CK_V("k")), 1, 0, "");
    const struct ck_store_inventory v = { .items = &it, .n = 1 };
    const struct ck_store_summary sum = { 0 };
    assert_fails(ck_store_put_inventory(f->s, &d, &v), CK_ERR_UNAVAILABLE, "no image");
    assert_fails(ck_store_put_summary(f->s, &d, &sum), CK_ERR_UNAVAILABLE, "no image");
    assert_int_equal(ask(f, "SELECT count(*) FROM package"), 0);
}

static void equal_packages_are_one(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "r/x:1"), b = fetch(f, 2, "r/x:2"), c = fetch(f, 3, "r/x:3");
    struct ck_store_item both[] = { item("zlib 1", K(CK_V("src"), CK_V("zlib")), 2, 0, "s"),
                                    item("tar 1", K(CK_V("tar")), 1, 0, "s") };
    struct ck_store_item other = item("zlib 2", K(CK_V("zlib")), 1, 0, "s");
    struct ck_digest *d;
    put(f, &a, both, 2, 1);
    both[0].keys = K(CK_V("never read"));
    both[0].n_keys = 1;
    put(f, &b, both, 2, 1);
    put(f, &c, &other, 1, 1);
    assert_int_equal(ask(f, "SELECT count(*) FROM package"), 3);
    assert_int_equal(holds(f, "zlib"), 3);
    assert_int_equal(holds(f, "src"), 2);
    assert_int_equal(holds(f, "tar"), 2);
    assert_int_equal(holds(f, "never read"), 0);
    assert_int_equal(holds(f, ""), 0);
    assert_int_equal(holding(f, K(CK_V("tar"), CK_V("zlib"), CK_V("no"), CK_V("tar")), 4, &d), 3);
    assert_true(ck_digest_eq(&d[0], &a.image.digest));
    assert_true(ck_digest_eq(&d[2], &c.image.digest));
    assert_int_equal(holding(f, NULL, 0, &d), 0);
    unit_image_free(&a);
    unit_image_free(&b);
    unit_image_free(&c);
}

static void a_new_inventory_replaces_what_was_held(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "r/x:1"), b = fetch(f, 2, "r/x:2");
    struct ck_store_item first[] = { item("a", K(CK_V("a")), 1, 0, ""),
                                     item("b", K(CK_V("b")), 1, 0, ""),
                                     item("c", K(CK_V("c")), 1, 0, "") };
    struct ck_store_item then[] = { item("d", K(CK_V("d")), 1, 0, ""),
                                    item("b", K(CK_V("b")), 1, 0, ""),
                                    item("d", K(CK_V("d")), 1, 1, "") };
    put(f, &a, first, 3, 1);
    put(f, &b, first, 1, 1);
    put(f, &a, then, 3, 1);
    assert_int_equal(holds(f, "a"), 1); /* of b */
    assert_int_equal(holds(f, "b"), 1);
    assert_int_equal(holds(f, "c"), 0);
    assert_int_equal(holds(f, "d"), 1);
    assert_fsck(f, false, "");
    gc(f, false);
    assert_int_equal(holds(f, "d"), 1);
    assert_int_equal(ask(f, "SELECT count(*) FROM package"), 3);
    assert_int_equal(ask(f, "SELECT count(*) FROM package_key"), 3);
    assert_fsck(f, false, "");
    unit_image_free(&a);
    unit_image_free(&b);
}

static void what_is_removed_holds_nothing(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "r/x:1"), b = fetch(f, 2, "r/x:2");
    struct ck_store_item items[] = { item("a", K(CK_V("a")), 1, 0, ""),
                                     item("b", K(CK_V("b")), 1, 0, "") };
    put(f, &a, items, 2, 1);
    put(f, &b, items, 1, 1);
    forget(f, &a);
    gc(f, false);
    assert_int_equal(holds(f, "a"), 1);
    assert_int_equal(holds(f, "b"), 0);
    assert_int_equal(ask(f, "SELECT count(*) FROM holds"), 1);
    assert_int_equal(ask(f, "SELECT count(*) FROM package"), 1);
    assert_int_equal(ask(f, "SELECT count(*) FROM package_key"), 1);
    assert_int_equal(ask(f, "SELECT count(*) FROM left_items"), 0);
    assert_fsck(f, false, "");
    unit_image_free(&a);
    unit_image_free(&b);
}

static void a_gc_that_was_killed_is_ended_by_the_next(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "r/x:1"), b = fetch(f, 2, "r/x:2");
    struct ck_store_item items[] = { item("a", K(CK_V("a")), 1, 0, ""),
                                     item("b", K(CK_V("b")), 1, 0, "") };
    put(f, &a, items, 2, 1);
    put(f, &b, items, 1, 1);
    /* The rows are gone, and what is behind them is not yet. */
    tamper(f, "PRAGMA foreign_keys=ON; DELETE FROM inventory WHERE number=1");
    assert_int_equal(ask(f, "SELECT count(*) FROM left_items"), 1);
    assert_int_equal(holds(f, "a"), 1);
    assert_int_equal(holds(f, "b"), 0);
    assert_fsck(f, false, "");
    put(f, &a, items + 1, 1, 1); /* under another number */
    gc(f, false);
    assert_int_equal(holds(f, "a"), 1);
    assert_int_equal(holds(f, "b"), 1);
    assert_int_equal(ask(f, "SELECT count(*) FROM holds"), 2);
    assert_int_equal(ask(f, "SELECT count(*) FROM left_items"), 0);
    assert_fsck(f, false, "");
    unit_image_free(&a);
    unit_image_free(&b);
}

static void inventories_stop_at_their_limits(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "r/x:1");
    ck_autofree char *bytes = ck_calloc(CK_MAX_INVENTORY_PACKAGE + 1, 1);
    ck_autofree ck_view *keys = ck_calloc(CK_MAX_INVENTORY_KEYS + 1, sizeof *keys);
    for (size_t i = 0; i <= CK_MAX_INVENTORY_KEYS; i++)
        keys[i] = ck_view_str(ck_arena_format(&f->arena, "key %04zu", i));
    struct ck_store_item it = item("", keys, CK_MAX_INVENTORY_KEYS, 0, "");
    struct ck_store_inventory v = { .items = &it, .n = 1 };
    it.package = ck_view_of(bytes, CK_MAX_INVENTORY_PACKAGE);
    it.location = ck_view_of(bytes, CK_MAX_PATH);
    assert_ok(ck_store_put_inventory(f->s, &a.image.digest, &v));
    assert_int_equal(holds(f, "key 0000"), 1);
    assert_int_equal(holds(f, "key 0255"), 1);
    it.package.n++;
    assert_fails(ck_store_put_inventory(f->s, &a.image.digest, &v), CK_ERR_LIMIT,
                 "INVENTORY_PACKAGE");
    it.package.n = 1;
    it.n_keys++;
    assert_fails(ck_store_put_inventory(f->s, &a.image.digest, &v), CK_ERR_LIMIT,
                 "INVENTORY_KEYS");
    keys[0] = ck_view_of(bytes, CK_MAX_INVENTORY_PACKAGE + 1);
    it.n_keys = 1;
    assert_fails(ck_store_put_inventory(f->s, &a.image.digest, &v), CK_ERR_LIMIT,
                 "INVENTORY_PACKAGE");
    it.n_keys = 0;
    it.location.n++;
    assert_fails(ck_store_put_inventory(f->s, &a.image.digest, &v), CK_ERR_LIMIT, "PATH");
    v.n = CK_MAX_PACKAGES + 2;
    assert_fails(ck_store_put_inventory(f->s, &a.image.digest, &v), CK_ERR_LIMIT, "PACKAGES");
    v.n = 0;
    v.head.n = CK_MAX_INVENTORY_HEAD + 1;
    assert_fails(ck_store_put_inventory(f->s, &a.image.digest, &v), CK_ERR_LIMIT,
                 "INVENTORY_HEAD");
    unit_image_free(&a);
}

/* The index and those that wait for it give the same answer. */
static void many_inventories_are_entered_together(void **state)
{
    struct fixture *f = *state;
    enum { MANY = 512, PACKAGES = 600 };
    struct ck_store_item *items = ck_arena_alloc(&f->arena, PACKAGES, sizeof *items);
    struct unit_image a = fetch(f, 1, "r/x:1");
    ck_autofree char *sql = ck_format(
        "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<%d) INSERT INTO"
        " blob SELECT 'sha256:'||printf('%%064x', i), 1 FROM n; INSERT INTO image(digest,"
        " media_type, size, is_index, platform, artifact_type, complete, state, reason, who,"
        " person, decided, added) SELECT digest,'',1,0,'','',1,0,'','',0,0,1 FROM blob"
        " WHERE size=1", MANY);
    tamper(f, sql);
    for (unsigned i = 0; i < MANY - 1; i++) {
        struct ck_digest d = { .alg = CK_DIGEST_SHA256, .bytes[31] = (uint8_t)(i + 1),
                               .bytes[30] = (uint8_t)((i + 1) >> 8) };
        items[0] = item(i % 2 ? "odd" : "even", K(CK_V("all")), 1, 0, "");
        const struct ck_store_inventory v = { .items = items, .n = 1 };
        assert_ok(ck_store_put_inventory(f->s, &d, &v));
    }
    assert_int_equal(ask(f, "SELECT count(*) FROM holds"), 0);
    assert_int_equal(holds(f, "all"), MANY - 1);
    put(f, &a, items, 1, 1);
    assert_int_equal(ask(f, "SELECT count(*) FROM holds"), MANY);
    assert_int_equal(ask(f, "SELECT count(*) FROM unindexed"), 0);
    assert_int_equal(holds(f, "all"), MANY);
    for (unsigned i = 0; i < PACKAGES; i++)
        items[i] = item(ck_arena_format(&f->arena, "p%u", i), NULL, 0, 0, "");
    put(f, &a, items, PACKAGES, 1);
    put(f, &a, items, PACKAGES, 2); /* the same once more: nothing waits twice */
    assert_int_equal(ask(f, "SELECT count(*) FROM unindexed"), 1);
    assert_int_equal(holds(f, "all"), MANY - 1);
    gc(f, false);
    assert_int_equal(ask(f, "SELECT count(*) FROM unindexed"), 0);
    assert_int_equal(ask(f, "SELECT count(*) FROM holds WHERE inventory>512"), PACKAGES);
    assert_int_equal(holds(f, "all"), 0); /* nothing named those images */
    assert_int_equal(ask(f, "SELECT count(*) FROM holds"), PACKAGES);
    assert_fsck(f, true, "");
    unit_image_free(&a);
}

/* Somebody changed the database: an error, whatever stands there. */
static void attack_damaged_items(void **state)
{
    struct fixture *f = *state;
    static const char *const damaged[] = {
        "X''", "X'00'", "X'02'", "X'01'", "X'0100'", "X'010001020100'", "X'010101610102'",
        "X'01010161ffffffffffffffffffff'", "X'01ffffffffffffffff7f'", "X'01010161010201'",
        "X'0101016101020101'", "X'0101016101028080808020 00'", "X'010101610102010000'",
        "X'0101ffffff7f'", "X'0101016101feffffffffffffffff0100'",
    };
    struct unit_image a = fetch(f, 1, "r/x:1");
    struct ck_store_item it = item("a", K(CK_V("a")), 1, 0, "a");
    struct ck_store_inventory got;
    bool found = false;
    put(f, &a, &it, 1, 1);
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        ck_autofree char *hex = ck_strndup(damaged[i], strlen(damaged[i]));
        char *blank = strchr(hex, ' ');
        if (blank)
            memmove(blank, blank + 1, strlen(blank));
        ck_autofree char *sql = ck_format("UPDATE inventory_bytes SET items=%s", hex);
        tamper(f, sql);
        assert_fails(ck_store_get_inventory(f->s, &a.image.digest, &f->arena, &got, &found),
                     CK_ERR_OURS, "damaged");
    }
    assert_fsck(f, true, "its inventory is damaged");
    tamper(f, "UPDATE inventory_bytes SET items=X'0101016101040100'");
    assert_fails(ck_store_get_inventory(f->s, &a.image.digest, &f->arena, &got, &found),
                 CK_ERR_OURS, "names package 2");
    tamper(f, "UPDATE inventory_bytes SET items=X'0101016101010100'");
    assert_fails(ck_store_get_inventory(f->s, &a.image.digest, &f->arena, &got, &found),
                 CK_ERR_OURS, "names package -1");
    assert_fsck(f, true, "its inventory is damaged");
    unit_image_free(&a);
}

/* --- what is to be looked at ------------------------------------------------------------------ */

static size_t unmatched(struct fixture *f, int64_t built, size_t max)
{
    struct ck_digest *d;
    size_t n = 99;
    assert_ok(ck_store_unmatched(f->s, built, max, &f->arena, &d, &n));
    return n;
}

static void what_was_not_matched_is_known(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "r/x:1"), b = fetch(f, 2, "r/x:2"), c = fetch(f, 3, "r/x:3");
    struct ck_digest *d;
    size_t n = 99;
    put(f, &a, NULL, 0, 0);
    put(f, &b, NULL, 0, 10);
    assert_ok(ck_store_put_facts(f->s, &b.image.digest, CK_V("x"), NULL, 0, CK_V("")));
    assert_ok(ck_store_put_facts(f->s, &c.image.digest, CK_V("x"), NULL, 0, CK_V("")));
    assert_int_equal(unmatched(f, 10, 0), 1);
    assert_int_equal(unmatched(f, 11, 0), 2);
    assert_int_equal(unmatched(f, 11, 1), 1);
    assert_ok(ck_store_without_inventory(f->s, &f->arena, &d, &n));
    assert_int_equal(n, 1);
    assert_true(ck_digest_eq(&d[0], &c.image.digest));
    assert_ok(ck_store_matched_all(f->s, 11, &b.image.digest, 1));
    assert_int_equal(unmatched(f, 11, 0), 1);
    assert_int_equal(unmatched(f, 10, 0), 1);
    assert_ok(ck_store_matched_all(f->s, 11, NULL, 0));
    assert_int_equal(unmatched(f, 11, 0), 0);
    assert_int_equal(unmatched(f, 12, 0), 2);
    unit_image_free(&a);
    unit_image_free(&b);
    unit_image_free(&c);
}

/* --- matched again ---------------------------------------------------------------------------- */

static size_t having(struct fixture *f, const char *id)
{
    struct ck_digest *d;
    size_t n = 99;
    assert_ok(ck_store_having(f->s, ck_view_str(id), &f->arena, &d, &n));
    return n;
}

static ck_err *count_event(void *ctx, const struct ck_event *e)
{
    assert_view(e->kind, "findings");
    ++*(size_t *)ctx;
    return NULL;
}

static size_t events(struct fixture *f)
{
    size_t n = 0;
    assert_ok(ck_store_events(f->s, &(struct ck_event_filter){ 0 }, count_event, &n));
    return n;
}

static void images_are_matched_again_together(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "r/x:1"), b = fetch(f, 2, "r/x:2"), gone = unit_image(9, 10);
    const struct ck_store_summary sum = { .severities = { 0, 0, 0, 0, 1, 2 }, .complete = true };
    const struct ck_event e = { .kind = CK_V("findings"), .time = 5, .severity = 5 };
    ck_autobuf struct ck_buf facts = ck_buf_new(CK_LIMIT_NONE);
    bool found = false;
    uint64_t before = 0, after = 0;
    put(f, &a, NULL, 0, 1);
    put(f, &b, NULL, 0, 1);
    assert_ok(ck_store_put_facts(f->s, &a.image.digest, CK_V("old"), K(CK_V("X-1"), CK_V("X-2")),
                                 2, CK_V("c")));
    assert_int_equal(decide(f, &a.image.digest, CK_CLEARED, CK_BY_SCAN), CK_CLEARED);
    const struct ck_store_rematch v[] = {
        { .image = gone.image.digest, .changed = true, .events = &e, .n_events = 1 },
        { .image = a.image.digest, .changed = true, .facts = CK_V("new"), .chain = CK_V("c"),
          .ids = K(CK_V("X-2"), CK_V("X-3"), CK_V("X-3")), .n_ids = 3, .summary = &sum,
          .decide = true, .state = CK_DENIED, .reason = CK_V("X-3"), .events = &e, .n_events = 1 },
        { .image = b.image.digest, .events = &e, .n_events = 1, .decide = true,
          .state = CK_DENIED, .facts = CK_V("not read") },
    };
    assert_ok(ck_log_last(f->s, &before));
    assert_ok(ck_store_rematched(f->s, 2, v, 3));
    assert_ok(ck_log_last(f->s, &after));
    assert_int_equal(after, before + 2);
    assert_int_equal(having(f, "X-1"), 0);
    assert_int_equal(having(f, "X-2"), 1);
    assert_int_equal(having(f, "X-3"), 1);
    assert_int_equal(get(f, &a.image.digest).state, CK_DENIED);
    assert_view(get(f, &a.image.digest).reason, "X-3");
    assert_int_equal(get(f, &b.image.digest).state, CK_DENIED);
    assert_int_equal(events(f), 2); /* none of what is gone */
    assert_int_equal(unmatched(f, 2, 0), 0);
    assert_ok(ck_store_get_facts(f->s, &a.image.digest, &facts, &found));
    assert_view(ck_buf_view(&facts), "new");
    assert_ok(ck_store_get_facts(f->s, &b.image.digest, &facts, &found));
    assert_false(found);
    const struct ck_store_rematch judged = { .image = b.image.digest, .decide = true,
                                             .state = CK_CLEARED };
    assert_ok(ck_store_rematched(f->s, CK_STORE_NOT_MATCHED, &judged, 1));
    assert_int_equal(get(f, &b.image.digest).state, CK_CLEARED);
    assert_int_equal(unmatched(f, 2, 0), 0);
    assert_int_equal(ask(f, "SELECT examined*critical FROM listing WHERE critical"), 2);
    assert_ok(ck_store_rematched(f->s, 2, v, 3)); /* whoever comes second changes nothing */
    assert_int_equal(events(f), 2);
    assert_fsck(f, false, "");
    unit_image_free(&a);
    unit_image_free(&b);
    unit_image_free(&gone);
}

static void what_a_person_denied_stays_so(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "r/x:1");
    put(f, &a, NULL, 0, 1);
    decide(f, &a.image.digest, CK_DENIED, CK_BY_PERSON);
    const struct ck_store_rematch v = { .image = a.image.digest, .changed = true,
                                        .facts = CK_V("x"), .decide = true, .state = CK_CLEARED };
    assert_ok(ck_store_rematched(f->s, 2, &v, 1));
    assert_int_equal(get(f, &a.image.digest).state, CK_DENIED);
    assert_true(get(f, &a.image.digest).by_person);
    unit_image_free(&a);
}

static void what_fails_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "r/x:1"), c = fetch(f, 2, "r/x:2");
    ck_autofree char *bytes = ck_calloc(CK_MAX_EVENT_DATA + 1, 1);
    put(f, &a, NULL, 0, 1);
    put(f, &c, NULL, 0, 1);
    const struct ck_event good = { .kind = CK_V("findings") };
    const struct ck_event e = { .kind = CK_V("findings"),
                                .data = ck_view_of(bytes, CK_MAX_EVENT_DATA + 1) };
    const struct ck_store_rematch v[] = {
        { .image = a.image.digest, .changed = true, .facts = CK_V("x"), .ids = K(CK_V("X-1")),
          .n_ids = 1, .events = &good, .n_events = 1 },
        { .image = c.image.digest, .changed = true, .facts = CK_V("x"), .events = &e,
          .n_events = 1 },
    };
    assert_fails(ck_store_rematched(f->s, 2, v, 2), CK_ERR_LIMIT, "EVENT_DATA");
    assert_int_equal(having(f, "X-1"), 0);
    assert_int_equal(unmatched(f, 2, 0), 2);
    assert_int_equal(events(f), 0);
    unit_image_free(&a);
    unit_image_free(&c);
}

/* --- notes ------------------------------------------------------------------------------------ */

static void notes_outlive_the_program(void **state)
{
    struct fixture *f = *state;
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    bool found = true;
    assert_ok(ck_store_get_note(f->s, "watch.x", &out, &found));
    assert_false(found);
    assert_ok(ck_store_put_note(f->s, "watch.x", CK_V("one")));
    assert_ok(ck_store_put_note(f->s, "watch.x", CK_V("a\0b")));
    assert_ok(ck_store_put_note(f->s, "watch.y", CK_V("")));
    close_store(f);
    reopen_store(f);
    assert_ok(ck_store_get_note(f->s, "watch.x", &out, &found));
    assert_true(found);
    assert_true(ck_view_eq(ck_buf_view(&out), CK_V("a\0b")));
    assert_ok(ck_store_get_note(f->s, "watch.y", &out, &found));
    assert_true(found);
    assert_int_equal(out.n, 3);
    assert_fails(ck_store_put_note(f->s, "watch.x", ck_view_of(out.p, CK_MAX_NOTE + 1)),
                 CK_ERR_LIMIT, "NOTE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_inventory_comes_back_as_it_was),
        T(nothing_is_kept_of_what_is_no_image),
        T(equal_packages_are_one),
        T(a_new_inventory_replaces_what_was_held),
        T(what_is_removed_holds_nothing),
        T(a_gc_that_was_killed_is_ended_by_the_next),
        T(inventories_stop_at_their_limits),
        T(many_inventories_are_entered_together),
        T(attack_damaged_items),
        T(what_was_not_matched_is_known),
        T(images_are_matched_again_together),
        T(what_a_person_denied_stays_so),
        T(what_fails_changes_nothing),
        T(notes_outlive_the_program),
    };
    return cmocka_run_group_tests_name("store inventory", tests, NULL, NULL);
}
