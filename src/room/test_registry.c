/* The registry room against registries that lie, break off, and ask for what is not theirs
 * (tests/registry/server.py). This program is the hub and, executed again, the room.
 */
#include "image/media.h"
#include "room/unit_registry.h"

static struct rig rig;

static struct ck_job_registry wish(enum ck_registry_op op, const char *repository)
{
    return rig_job(&rig, op, repository);
}

static void with_password(struct ck_job_registry *j)
{
    j->endpoint.username = "maria";
    j->endpoint.password = "s:ecret";
}

/* --- what works ------------------------------------------------------------------------------- */

static void a_manifest_and_its_blob_are_fetched(void **state)
{
    (void)state;
    auto_got struct got g = { 0 };
    struct ck_room_proc *room = rig_room(CK_ROOM_REGISTRY);
    struct ck_job_registry j = wish(CK_REGISTRY_MANIFEST, "ok/works");
    assert_ok(rig_ask(room, &j, &g));
    assert_int_equal(g.answer.status, 200);
    assert_view(g.answer.content_type, "application/vnd.oci.image.manifest.v1+json");
    assert_view(g.answer.digest, rig.manifest);
    assert_digest(&g.body, rig.manifest);
    assert_int_equal(g.answer.length, g.body.n);

    j = wish(CK_REGISTRY_BLOB, "ok/works");
    assert_ok(rig_ask(room, &j, &g));
    assert_digest(&g.body, rig.blob);
    assert_int_equal(g.answer.length, RIG_BLOB);
    assert_int_equal(g.answer.resumed_at, 0);
    assert_true(g.progresses >= 2);
    ck_room_stop(room);
    assert_int_equal(rig_saw(&rig, "/v2/ok/works/", "accept-encoding"), 0);
    assert_int_equal(rig_saw(&rig, "/v2/ok/works/", "authorization"), 0);
}

static void accepted_types_are_those_of_manifests(void **state)
{
    (void)state;
    auto_got struct got g = { 0 };
    struct ck_job_registry j = wish(CK_REGISTRY_MANIFEST, "ok/accept");
    assert_ok(rig_shot(&j, &g));
    static const char *const types[] = {
        "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    };
    for (size_t i = 0; i < 4; i++) {
        enum ck_compression none;
        enum ck_media_kind kind = ck_media_find(ck_view_str(types[i]), &none);
        assert_true(kind == CK_MEDIA_MANIFEST || kind == CK_MEDIA_INDEX);
        assert_int_equal(rig_saw(&rig, "/v2/ok/accept/", types[i]), 1);
    }
    assert_int_equal(rig_saw(&rig, "/v2/ok/accept/", "prettyjws"), 0);
}

static void head_is_answered_without_a_body(void **state)
{
    (void)state;
    static const char *const repositories[] = { "ok/head", "no-head/head" };
    for (size_t i = 0; i < 2; i++) {
        auto_got struct got g = { 0 };
        struct ck_job_registry j = wish(CK_REGISTRY_HEAD, repositories[i]);
        assert_ok(rig_shot(&j, &g));
        assert_int_equal(g.answer.status, 200);
        assert_view(g.answer.digest, rig.manifest);
        assert_int_equal(g.body.n, 0);
    }
    assert_int_equal(rig_saw(&rig, "/v2/ok/head/", "\"GET\""), 0);
    assert_int_equal(rig_saw(&rig, "/v2/no-head/", "\"GET\""), 1);
}

static void what_is_not_there_is_an_answer(void **state)
{
    (void)state;
    static const struct {
        const char *repository;
        unsigned status;
        const char *message;
    } rows[] = {
        { "status-404/x", 404, "DENIED: this is a 404" },
        { "status-403/x", 403, "DENIED: this is a 403" },
        { "status-400/x", 400, "DENIED: this is a 400" },
        { "status-401/x", 401, "DENIED: this is a 401" },
        { "never-enough/x", 401, "UNAUTHORIZED: who are you?" },
        { "token-denied/x", 401, "DENIED: not for you" },
        { "endless-error/x", 403, "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        auto_got struct got g = { 0 };
        struct ck_job_registry j = wish(CK_REGISTRY_MANIFEST, rows[i].repository);
        with_password(&j);
        assert_ok(rig_shot(&j, &g));
        assert_int_equal(g.answer.status, rows[i].status);
        assert_view(g.answer.message, rows[i].message);
        assert_int_equal(g.body.n, 0);
    }
}

static void claims_are_passed_on_as_claims(void **state)
{
    (void)state;
    auto_got struct got g = { 0 };
    struct ck_job_registry j = wish(CK_REGISTRY_MANIFEST, "wrong-type/x");
    assert_ok(rig_shot(&j, &g));
    assert_view(g.answer.content_type, "text/html");
    assert_digest(&g.body, rig.manifest);

    j.endpoint.repository = "wrong-claim/x";
    assert_ok(rig_shot(&j, &g));
    assert_true(ck_view_starts(g.answer.digest, CK_V("sha256:000000")));

    j.endpoint.repository = "schema1/x";
    assert_ok(rig_shot(&j, &g));
    assert_view(g.answer.content_type,
                "application/vnd.docker.distribution.manifest.v1+prettyjws");

    j.endpoint.repository = "warning/x";
    assert_ok(rig_shot(&j, &g));
    assert_view(g.answer.warning, "this registry closes in May\nmove on");

    j.endpoint.repository = "gzip/x"; /* as it was sent: no decompressing in here */
    assert_ok(rig_shot(&j, &g));
    assert_memory_equal(g.body.p, "\x1f\x8b", 2);

    j = wish(CK_REGISTRY_BLOB, "wrong-digest/x"); /* for the hub to find */
    assert_ok(rig_shot(&j, &g));
    assert_int_equal(g.body.n, RIG_BLOB);
}

/* --- who asks --------------------------------------------------------------------------------- */

static void basic_is_sent_when_it_is_asked_for(void **state)
{
    (void)state;
    auto_got struct got g = { 0 };
    struct ck_job_registry j = wish(CK_REGISTRY_MANIFEST, "basic/x");
    assert_ok(rig_shot(&j, &g));
    assert_int_equal(g.answer.status, 401); /* nobody */
    with_password(&j);
    struct ck_room_proc *room = rig_room(CK_ROOM_REGISTRY);
    for (int i = 0; i < 2; i++) {
        assert_ok(rig_ask(room, &j, &g));
        assert_int_equal(g.answer.status, 200);
    }
    ck_room_stop(room);
    /* Nobody's one, the challenged one, and from then on with credentials at once. */
    assert_int_equal(rig_saw(&rig, "/v2/basic/x/", "\"GET\""), 4);
    assert_int_equal(rig_saw(&rig, "/v2/basic/x/", "Basic bWFyaWE6czplY3JldA=="), 2);
}

static void tokens_are_fetched_once_and_kept(void **state)
{
    (void)state;
    auto_got struct got g = { 0 };
    struct ck_room_proc *room = rig_room(CK_ROOM_REGISTRY);
    struct ck_job_registry j = wish(CK_REGISTRY_MANIFEST, "bearer/kept");
    with_password(&j);
    for (int i = 0; i < 3; i++) {
        assert_ok(rig_ask(room, &j, &g));
        assert_int_equal(g.answer.status, 200);
    }
    assert_int_equal(rig_saw(&rig, "/token/bearer", "scope=repository%3Abearer%2Fkept%3Apull\""),
                     1);
    assert_int_equal(rig_saw(&rig, "/token/bearer?service=rig&scope", "bearer%2Fkept"), 1);
    assert_int_equal(rig_saw(&rig, "/v2/bearer/kept", "Bearer token-of-bearer"), 3);
    assert_int_equal(rig_saw(&rig, "/v2/bearer/kept", "Basic"), 0);

    j.endpoint.password = "another"; /* another user does not get the first one's token */
    assert_ok(rig_ask(room, &j, &g));
    assert_int_equal(g.answer.status, 401);
    assert_view(g.answer.message, "UNAUTHORIZED: wrong password");
    ck_room_stop(room);
}

static void a_token_that_is_good_no_longer_is_renewed_once(void **state)
{
    (void)state;
    auto_got struct got g = { 0 };
    struct ck_room_proc *room = rig_room(CK_ROOM_REGISTRY);
    struct ck_job_registry j = wish(CK_REGISTRY_MANIFEST, "revoked/x");
    with_password(&j);
    for (int i = 0; i < 2; i++) {
        assert_ok(rig_ask(room, &j, &g));
        assert_int_equal(g.answer.status, 200);
    }
    ck_room_stop(room);
    assert_int_equal(rig_saw(&rig, "/v2/revoked/x", "\"GET\""), 4);
    assert_int_equal(rig_saw(&rig, "/token/bearer", "revoked%2Fx"), 2);
}

static void nobody_and_identity_tokens_get_tokens_too(void **state)
{
    (void)state;
    auto_got struct got g = { 0 };
    struct ck_job_registry j = wish(CK_REGISTRY_MANIFEST, "anonymous/x");
    assert_ok(rig_shot(&j, &g));
    assert_int_equal(g.answer.status, 200);
    assert_int_equal(rig_saw(&rig, "/token/anonymous", "authorization"), 0);

    j.endpoint.repository = "identity/x";
    j.endpoint.identity_token = "identity-of-maria";
    assert_ok(rig_shot(&j, &g));
    assert_int_equal(g.answer.status, 200);
    assert_int_equal(rig_saw(&rig, "/token/identity", "\"POST\""), 1);
    assert_int_equal(rig_saw(&rig, "/token/identity", "grant_type=refresh_token&service=rig"), 1);

    j = wish(CK_REGISTRY_MANIFEST, "token-busy/x"); /* 429 of the token server is waited out */
    with_password(&j);
    assert_ok(rig_shot(&j, &g));
    assert_int_equal(g.answer.status, 200);
}

/* --- what is refused -------------------------------------------------------------------------- */

/* In tables. */
#define M CK_REGISTRY_MANIFEST
#define B CK_REGISTRY_BLOB
#define R CK_REGISTRY_REFERRERS
#define H CK_ERR_HOSTILE
#define L CK_ERR_LIMIT
#define U CK_ERR_UNAVAILABLE

struct refusal {
    const char *repository;
    enum ck_registry_op op;
    bool allow_private, nobody;
    enum ck_err_class cls;
    const char *text;
};

static void refuse(const struct refusal *r)
{
    auto_got struct got g = { 0 };
    struct ck_job_registry j = wish(r->op, r->repository);
    j.allow_private = r->allow_private;
    if (!r->nobody)
        with_password(&j);
    assert_fails(rig_shot(&j, &g), r->cls, r->text);
}

static void credentials_go_to_no_other_realm(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        { "realm-other/a", M, true, false, H, "realm on another site: https://127.0.0.2:" },
        { "realm-other/b", M, false, false, H, "realm on another site: https://127.0.0.2:" },
        { "realm-other/c", M, false, true, H, "leads to the private address 127.0.0.2" },
        { "realm-metadata/a", M, true, false, H, "realm on another site: https://169.254.169.254" },
        { "realm-metadata/b", M, false, true, H, "to the private address 169.254.169.254" },
        { "realm-port/a", M, false, false, H, "leads to the private address 127.0.0.1" },
        { "realm-http/a", M, true, false, H, "a realm without TLS: http://127.0.0.1:" },
        { "realm-http/b", M, true, true, H, "a realm without TLS: http://127.0.0.1:" },
        { "realm-file/a", M, true, false, H, "neither http:// nor https://" },
        { "endless-token/a", M, false, false, L, "(limit TOKEN_ANSWER" },
        { "token-newline/a", M, false, false, H, "cannot stand in a header" },
        { "token-redirect/a", M, true, false, U, "unexpected status 302" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        refuse(&rows[i]);
    assert_int_equal(rig_saw(&rig, "127.0.0.2", "\"host\": \"127.0.0.2\""), 0);
    assert_int_equal(rig_saw(&rig, "\"tls\": false", "/token/"), 0);

    /* Nobody's token may come from anywhere, where that is not a private place. */
    auto_got struct got g = { 0 };
    struct ck_job_registry j = wish(CK_REGISTRY_MANIFEST, "realm-other-anonymous/a");
    j.allow_private = true;
    assert_ok(rig_shot(&j, &g));
    assert_int_equal(g.answer.status, 200);
    assert_int_equal(rig_saw(&rig, "/token/lscr", "authorization"), 0);
    assert_int_equal(rig_saw(&rig, "/token/lscr", "\"host\": \"127.0.0.2\""), 1);
}

static void strangers_have_no_private_registry_asked(void **state)
{
    (void)state;
    auto_got struct got g = { 0 };
    size_t before = rig_saw(&rig, "/v2/stranger/", "");
    struct ck_job_registry j = wish(CK_REGISTRY_MANIFEST, "stranger/a");
    j.endpoint.stranger = true;
    assert_fails(rig_shot(&j, &g), CK_ERR_HOSTILE, "leads to the private address 127.0.0.1");
    assert_int_equal(rig_saw(&rig, "/v2/stranger/", ""), before);
}

static void redirects_are_followed_without_credentials(void **state)
{
    (void)state;
    static const char *const repositories[] = {
        "redirect-same/x", "redirect-found/x", "redirect-other/x", "redirect-scheme-relative/x",
        "redirect-number/x", "redirect-localhost/x",
    };
    for (size_t i = 0; i < sizeof repositories / sizeof repositories[0]; i++) {
        auto_got struct got g = { 0 };
        struct ck_job_registry j = wish(CK_REGISTRY_BLOB, repositories[i]);
        j.allow_private = true;
        with_password(&j);
        assert_ok(rig_shot(&j, &g));
        assert_int_equal(g.answer.status, 200);
        assert_digest(&g.body, rig.blob);
    }
    assert_int_equal(rig_saw(&rig, "/cdn/", "\"host\": \"127.0.0.2\""), 4);
    assert_int_equal(rig_saw(&rig, "/cdn/", "authorization"), 0);
    assert_int_equal(rig_saw(&rig, "\"host\": \"127.0.0.2\"", "authorization"), 0);
    assert_int_equal(rig_saw(&rig, "/v2/redirect-other/x", "Bearer "), 1);
}

static void redirects_do_not_lead_everywhere(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        { "redirect-other/p", B, false, false, H, "leads to the private address 127.0.0.2" },
        { "redirect-number/p", B, false, false, H, "leads to the private address 127.0.0.2" },
        { "redirect-localhost/p", B, false, false, H, "leads to the private address " },
        { "redirect-metadata/p", B, false, false, H, "the private address 169.254.169.254" },
        { "redirect-v6/p", B, false, false, H, "leads to the private address ::ffff:127.0.0.1" },
        { "redirect-port/p", B, true, false, H, "from https to http://127.0.0.1:" },
        { "redirect-to-http/p", B, true, false, H, "from https to http://127.0.0.2:" },
        { "redirect-file/p", B, true, false, H, "neither http:// nor https://" },
        { "redirect-user/p", B, true, false, H, "a user name or password in it" },
        { "redirect-twice/p", B, true, false, H, "two location headers that differ" },
        { "redirect-loop/p", B, true, false, L, "(limit REGISTRY_REDIRECTS: 5" },
        { "redirect-same/p", R, true, false, U,
          "a redirect where none is followed" },
        { "status-304/p", B, true, false, U, "unexpected status 304" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        refuse(&rows[i]);
    assert_int_equal(rig_saw(&rig, "/v2/redirect-loop/p", "\"GET\""), 6);
}

/* A connection of a job that may go there is none for a job that may not. */
static void kept_connections_are_judged_again(void **state)
{
    (void)state;
    auto_got struct got g = { 0 };
    struct ck_room_proc *room = rig_room(CK_ROOM_REGISTRY);
    struct ck_job_registry j = wish(CK_REGISTRY_BLOB, "redirect-found/again");
    j.allow_private = true;
    assert_ok(rig_ask(room, &j, &g));
    j.allow_private = false;
    assert_fails(rig_ask(room, &j, &g), CK_ERR_HOSTILE, "leads to the private address 127.0.0.2");
    ck_room_stop(room);
    assert_int_equal(rig_saw(&rig, "/cdn/", "redirect-found/again"), 0);
}

static void answers_are_capped(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        { "endless/c", M, false, true, L, "(limit DOCUMENT" },
        { "endless/c", B, false, true, H, "the blob is longer than its 3145728 bytes" },
        { "long-length/c", M, false, true, L, "(limit DOCUMENT" },
        { "long-length/c", B, false, true, H, "longer than its 3145728 bytes (1099511627776)" },
        { "longer-1/c", B, false, true, H, "longer than its 3145728 bytes" },
        { "short-length-5000/c", B, false, true, H, "announces 5000 bytes, the descriptor says 3" },
        { "endless-headers/c", M, false, true, L, "(limit REGISTRY_HEADERS" },
        { "endless-continue/c", M, false, true, L, "(limit REGISTRY_HEADERS" },
        { "huge-header-70/c", M, false, true, L, "(limit REGISTRY_HEADER_BYTES" },
        { "huge-header-1000/c", M, false, true, L, "(limit REGISTRY_HEADER_BYTES" },
        { "headers-251/c", M, false, true, L, "(limit REGISTRY_HEADERS" },
        { "range-unasked/c", B, false, true, H, "a part where the whole was asked for" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        refuse(&rows[i]);
    auto_got struct got g = { 0 };
    struct ck_job_registry j = wish(CK_REGISTRY_MANIFEST, "headers-249/c");
    assert_ok(rig_shot(&j, &g)); /* status line, its own four, the empty line: 255 */
}

/* --- what breaks ------------------------------------------------------------------------------ */

static void what_breaks_off_is_resumed(void **state)
{
    (void)state;
    static const struct {
        const char *repository;
        const char *range; /* that was asked for */
    } rows[] = {
        { "cut-1000000/r", "bytes=1000000-" },
        { "cut-0/r", "\"GET\"" },
        { "cut-head-1/r", "\"GET\"" },
        { "cut-always-1100000/r", "bytes=2200000-" },
        { "thrice-500/r", "\"GET\"" },
        { "s429-seconds/r", "\"GET\"" },
        { "s429-date/r", "\"GET\"" },
        { "s429-reset/r", "\"GET\"" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        auto_got struct got g = { 0 };
        struct ck_job_registry j = wish(CK_REGISTRY_BLOB, rows[i].repository);
        j.tries = ck_view_starts(ck_view_str(rows[i].repository), CK_V("thrice")) ? 0 : 2;
        time_t begin = time(NULL);
        assert_ok(rig_shot(&j, &g));
        assert_digest(&g.body, rig.blob);
        assert_int_equal(g.answer.length, RIG_BLOB);
        assert_true(rig_saw(&rig, rows[i].repository, rows[i].range) >= 1);
        if (ck_view_starts(ck_view_str(rows[i].repository), CK_V("s429")))
            assert_true(time(NULL) - begin >= 2);
    }
    /* A document comes whole or not at all. */
    auto_got struct got g = { 0 };
    struct ck_job_registry j = wish(CK_REGISTRY_MANIFEST, "cut-100/document");
    assert_ok(rig_shot(&j, &g));
    assert_digest(&g.body, rig.manifest);
    assert_int_equal(rig_saw(&rig, "cut-100/document", "bytes="), 0);
}

static void what_stays_broken_is_unavailable(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        { "status-503/u", M, false, true, U, "status 503: DENIED: this is a 503 (2 tries)" },
        { "cut-always-1000/u", B, false, true, U, "(2 tries)" },
        { "s429-tomorrow/u", M, false, true, U,
          "you have reached your pull rate limit: the registry wants to be left alone for 86400 "
          "seconds" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        refuse(&rows[i]);
    assert_int_equal(rig_saw(&rig, "/v2/status-503/u", "\"GET\""), 2);
    assert_int_equal(rig_saw(&rig, "/v2/s429-tomorrow/u", "\"GET\""), 1);

    auto_got struct got g = { 0 };
    struct ck_job_registry j = wish(CK_REGISTRY_MANIFEST, "ok/x");
    j.endpoint.host = "127.0.0.1:1";
    assert_fails(rig_shot(&j, &g), U, "(2 tries)");
    j.endpoint.host = "no-such-host.invalid";
    assert_fails(rig_shot(&j, &g), U, "no-such-host.invalid/v2/ok/x/manifests/latest: Could not");
}

static void jobs_go_on_where_others_stopped(void **state)
{
    (void)state;
    static const struct {
        const char *repository;
        uint64_t resumed_at;
    } rows[] = { { "ok/on", 1000 }, { "range-ignored/on", 0 }, { "range-refused/on", 0 } };
    auto_got struct got whole = { 0 };
    struct ck_job_registry j = wish(CK_REGISTRY_BLOB, "ok/on");
    assert_ok(rig_shot(&j, &whole));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        auto_got struct got g = { 0 };
        j.endpoint.repository = rows[i].repository;
        j.offset = 1000;
        assert_ok(rig_shot(&j, &g));
        assert_int_equal(g.answer.resumed_at, rows[i].resumed_at);
        assert_int_equal(g.answer.length, RIG_BLOB - 1000);
        assert_int_equal(g.body.n, RIG_BLOB - 1000);
        assert_memory_equal(g.body.p, whole.body.p + 1000, g.body.n);
    }
    auto_got struct got g = { 0 };
    j.endpoint.repository = "range-wrong-999/on";
    assert_fails(rig_shot(&j, &g), CK_ERR_HOSTILE, "Content-Range begins at 999 instead of 1000");
    j.endpoint.repository = "range-total-1/on";
    assert_fails(rig_shot(&j, &g), CK_ERR_HOSTILE, "longer than its 3145728 bytes (3145729)");
    j.endpoint.repository = "ok/all-there";
    j.offset = RIG_BLOB;
    assert_ok(rig_shot(&j, &g));
    assert_int_equal(g.answer.length, 0);
    assert_int_equal(g.answer.status, 200);
    j.exact = false; /* then the registry's 416 says that it is complete */
    j.max = 2 * RIG_BLOB;
    assert_ok(rig_shot(&j, &g));
    assert_int_equal(g.answer.status, 200);
    assert_int_equal(g.answer.length, 0);
    assert_int_equal(rig_saw(&rig, "ok/all-there", "bytes=3145728-"), 1);
}

static void a_slow_reader_or_registry_is_no_stuck_room(void **state)
{
    (void)state;
    auto_got struct got g = { 0 };
    struct ck_job_registry j = wish(CK_REGISTRY_BLOB, "slow-1024/x");
    assert_ok(rig_shot(&j, &g)); /* 3 MiB at 1 MiB/s */
    assert_true(g.progresses >= 3);
    assert_true(g.progress > 2 << 20);

    j.endpoint.repository = "ok/slow-reader";
    g.delay_ms = 2500;
    assert_ok(rig_shot(&j, &g));
    assert_digest(&g.body, rig.blob);
    assert_true(g.progresses >= 3);

    struct ck_room_options o = { .patience_ms = 1500 };
    struct ck_room_proc *room = NULL;
    assert_ok(ck_room_start(CK_ROOM_REGISTRY, &o, &room));
    j.endpoint.repository = "s429-seconds/patience";
    assert_ok(rig_ask(room, &j, &g)); /* it tells while it waits, too */
    ck_room_stop(room);
}

/* --- referrers -------------------------------------------------------------------------------- */

static void referrers_come_in_pages_of_the_same_registry(void **state)
{
    (void)state;
    auto_got struct got g = { 0 };
    struct ck_job_registry j = wish(CK_REGISTRY_REFERRERS, "paged-3/x");
    for (int page = 0; page < 3; page++) {
        assert_ok(rig_shot(&j, &g));
        ck_autofree char *mark = ck_format("\"page\": \"%d\"", page);
        assert_non_null(memmem(g.body.p, g.body.n, mark, strlen(mark)));
        assert_int_equal(g.answer.next.n != 0, page < 2);
        assert_false(g.answer.filtered);
        j.next = g.answer.next;
    }
    j = wish(CK_REGISTRY_REFERRERS, "page-absolute/x");
    assert_ok(rig_shot(&j, &g));
    assert_true(ck_view_ends(g.answer.next, CK_V("?page=2")));
    j.endpoint.repository = "page-relative/x";
    assert_ok(rig_shot(&j, &g));
    assert_true(ck_view_starts(g.answer.next, CK_V("/v2/page-relative/x/referrers/sha256:")));

    static const struct refusal rows[] = {
        { "page-other/x", R, true, true, H, "next page is on another host: https://127.0.0.2:" },
        { "page-port/x", R, true, true, H, "the next page is on another host: http://127.0.0.1:" },
        { "page-slashes/x", R, true, true, H, "the next page is on another host" },
        { "page-loop/x", R, true, true, H, "the next page is this one" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        refuse(&rows[i]);
}

static void listings_come_as_lines(void **state)
{
    (void)state;
    auto_got struct got g = { 0 };
    struct ck_job_registry j = wish(CK_REGISTRY_TAGS, "paged-2/x");
    assert_ok(rig_shot(&j, &g));
    assert_view(ck_buf_view(&g.body), "tag-0\nlatest\n");
    assert_true(ck_view_ends(g.answer.next, CK_V("page=1")));
    j.endpoint.repository = "names-8/x";
    assert_ok(rig_shot(&j, &g));
    assert_int_equal(g.body.n, 0);
    with_password(&j);
    j.op = CK_REGISTRY_CATALOG;
    assert_ok(rig_shot(&j, &g));
    assert_view(ck_buf_view(&g.body), "library/alpine\nteam/app\n");
    assert_int_equal(rig_saw(&rig, "/token/catalog", "scope=registry%3Acatalog%3A%2A\""), 1);
    j.next = g.answer.next;
    assert_ok(rig_shot(&j, &g));
    assert_view(ck_buf_view(&g.body), "team/db\n");
}

static void attack_listings(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        { "names-0/x", CK_REGISTRY_TAGS, true, true, H, "listing: tags[0]: byte 1" },
        { "names-1/x", CK_REGISTRY_TAGS, true, true, H, "listing: tags[0]: an empty name" },
        { "names-2/x", CK_REGISTRY_TAGS, true, true, H, "duplicate" },
        { "names-4/x", CK_REGISTRY_TAGS, true, true, L, "(limit REGISTRY_NAME" },
        { "names-5/x", CK_REGISTRY_TAGS, true, true, L, "(limit JSON_DEPTH" },
        { "names-7/x", CK_REGISTRY_TAGS, true, true, H, "listing: " },
        { "page-loop/x", CK_REGISTRY_TAGS, true, true, H, "the next page is this one" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        refuse(&rows[i]);
}

static void referrers_fall_back_to_the_tag(void **state)
{
    (void)state;
    auto_got struct got g = { 0 };
    struct ck_job_registry j = wish(CK_REGISTRY_REFERRERS, "no-referrers-1/x");
    assert_ok(rig_shot(&j, &g));
    assert_int_equal(g.answer.status, 200);
    assert_true(g.answer.filtered);
    assert_view(ck_buf_view(&g.body), "{\"fallback\":true}");
    j.endpoint.repository = "no-referrers-0/x";
    assert_ok(rig_shot(&j, &g));
    assert_int_equal(g.answer.status, 404);
    assert_int_equal(g.body.n, 0);
}

/* --- TLS -------------------------------------------------------------------------------------- */

static void certificates_are_verified(void **state)
{
    (void)state;
    auto_got struct got g = { 0 };
    struct ck_job_registry j = wish(CK_REGISTRY_MANIFEST, "ok/tls");
    j.endpoint.ca = CK_V(""); /* the system's alone */
    assert_fails(rig_shot(&j, &g), CK_ERR_UNAVAILABLE, "SSL certificate problem");
    j.endpoint.plain_http = true; /* insecure = true */
    assert_ok(rig_shot(&j, &g));
    assert_int_equal(rig_saw(&rig, "/v2/ok/tls", "\"tls\": true"), 1);

    j = wish(CK_REGISTRY_MANIFEST, "ok/mutual");
    j.endpoint.host = rig.mtls;
    assert_fails(rig_shot(&j, &g), U, "/v2/ok/mutual/"); /* the alert may be read too late */
    assert_int_equal(rig_saw(&rig, "/v2/ok/mutual", "GET"), 0);
    j.endpoint.client_cert = ck_buf_view(&rig.cert);
    j.endpoint.client_key = ck_buf_view(&rig.key);
    assert_ok(rig_shot(&j, &g));
    assert_int_equal(g.answer.status, 200);
}

static void plain_http_only_where_it_is_configured(void **state)
{
    (void)state;
    auto_got struct got g = { 0 };
    struct ck_job_registry j = wish(CK_REGISTRY_MANIFEST, "basic/plain");
    with_password(&j);
    j.endpoint.host = rig.http;
    assert_fails(rig_shot(&j, &g), CK_ERR_UNAVAILABLE, "wrong version number");
    assert_int_equal(rig_saw(&rig, "/v2/basic/plain", "GET"), 0);
    j.endpoint.plain_http = true;
    struct ck_room_proc *room = rig_room(CK_ROOM_REGISTRY);
    for (int i = 0; i < 2; i++) {
        assert_ok(rig_ask(room, &j, &g));
        assert_int_equal(g.answer.status, 200);
    }
    j.op = CK_REGISTRY_BLOB;
    j.reference = ck_view_str(rig.blob);
    j.endpoint.repository = "redirect-port/plain";
    assert_ok(rig_ask(room, &j, &g)); /* to http: its own port, so no other place */
    ck_room_stop(room);
}

/* The environment's proxy is asked, except for what no_proxy names. */
static void proxies_of_the_environment_are_used(void **state)
{
    (void)state;
    auto_got struct got g = { 0 };
    struct ck_job_registry j = wish(CK_REGISTRY_MANIFEST, "ok/proxy");
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    assert_fails(rig_shot(&j, &g), CK_ERR_UNAVAILABLE, "127.0.0.1 port 1");
    static const char *const exceptions[] = { "127.0.0.0/8", "x.org, 127.0.0.1", "*" };
    for (size_t i = 0; i < 3; i++) {
        setenv("no_proxy", exceptions[i], 1);
        assert_ok(rig_shot(&j, &g));
    }
    setenv("no_proxy", "27.0.0.1,example.org", 1);
    assert_fails(rig_shot(&j, &g), CK_ERR_UNAVAILABLE, "127.0.0.1 port 1");
    unsetenv("https_proxy");
    unsetenv("no_proxy");
}

static int start(void **state)
{
    (void)state;
    rig_start(&rig, "server.py");
    rig_read(&rig, "ca.pem", &rig.ca);
    rig_read(&rig, "client.pem", &rig.cert);
    rig_read(&rig, "client.key", &rig.key);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_manifest_and_its_blob_are_fetched),
        cmocka_unit_test(accepted_types_are_those_of_manifests),
        cmocka_unit_test(head_is_answered_without_a_body),
        cmocka_unit_test(what_is_not_there_is_an_answer),
        cmocka_unit_test(claims_are_passed_on_as_claims),
        cmocka_unit_test(basic_is_sent_when_it_is_asked_for),
        cmocka_unit_test(tokens_are_fetched_once_and_kept),
        cmocka_unit_test(a_token_that_is_good_no_longer_is_renewed_once),
        cmocka_unit_test(nobody_and_identity_tokens_get_tokens_too),
        cmocka_unit_test(credentials_go_to_no_other_realm),
        cmocka_unit_test(strangers_have_no_private_registry_asked),
        cmocka_unit_test(redirects_are_followed_without_credentials),
        cmocka_unit_test(redirects_do_not_lead_everywhere),
        cmocka_unit_test(kept_connections_are_judged_again),
        cmocka_unit_test(answers_are_capped),
        cmocka_unit_test(what_breaks_off_is_resumed),
        cmocka_unit_test(what_stays_broken_is_unavailable),
        cmocka_unit_test(jobs_go_on_where_others_stopped),
        cmocka_unit_test(a_slow_reader_or_registry_is_no_stuck_room),
        cmocka_unit_test(referrers_come_in_pages_of_the_same_registry),
        cmocka_unit_test(listings_come_as_lines),
        cmocka_unit_test(attack_listings),
        cmocka_unit_test(referrers_fall_back_to_the_tag),
        cmocka_unit_test(certificates_are_verified),
        cmocka_unit_test(plain_http_only_where_it_is_configured),
        cmocka_unit_test(proxies_of_the_environment_are_used),
    };
    ck_room_main(argc, argv, ck_room_bodies);
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("registry", tests, start, stop);
}
