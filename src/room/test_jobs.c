#include "base/mem.h"
#include "base/unit.h"
#include "detect/detect.h"
#include "room/feed_codec.h"
#include "room/input.h"
#include "room/jobs.h"
#include "room/ring.h"

#include <sys/mman.h>
#include <unistd.h>

static void jobs_come_back_as_they_were(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_wanted wanted = { CK_V("opt/db/status"), CK_DETECT_DPKG };
    struct ck_job_inspect in = { .blob = { 512, 4096, false },
                                 .compression = CK_COMPRESSION_ZSTD,
                                 .diff_id = { .alg = CK_DIGEST_SHA256, .bytes = { 1, 2, 3 } },
                                 .wanted = &wanted, .n_wanted = 1 },
                          out;
    ck_job_inspect_encode(&in, &b);
    assert_ok(ck_job_inspect_decode(ck_buf_view(&b), &a, &out));
    assert_int_equal(out.blob.offset, 512);
    assert_int_equal(out.blob.length, 4096);
    assert_int_equal(out.compression, CK_COMPRESSION_ZSTD);
    assert_true(ck_digest_eq(&out.diff_id, &in.diff_id));
    assert_view(out.wanted[0].path, "opt/db/status");
    assert_int_equal(out.wanted[0].detector, CK_DETECT_DPKG);

    b.n--; /* one byte short, one byte long */
    assert_fails(ck_job_inspect_decode(ck_buf_view(&b), &a, &out), CK_ERR_HOSTILE, "inspect job");
    b.n++;
    ck_put_u8(&b, 0);
    assert_fails(ck_job_inspect_decode(ck_buf_view(&b), &a, &out), CK_ERR_HOSTILE, "inspect job");
}

static ck_err *fetch_job(ck_view authorization, struct ck_buf *b, struct ck_job_fetch *out)
{
    const struct ck_job_fetch in = { .url = CK_V("https://g/verdict"), .max = 9, .seconds = 7,
                                     .authorization = authorization, .ca = CK_V("PEM\n") };
    ck_buf_clear(b);
    ck_job_fetch_encode(&in, b);
    return ck_job_fetch_decode(ck_buf_view(b), out);
}

static void a_fetch_jobs_credentials_are_one_line(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_job_fetch out;
    assert_ok(fetch_job(CK_V("Bearer x"), &b, &out));
    assert_view(out.authorization, "Bearer x");
    assert_view(out.ca, "PEM\n");
    assert_int_equal(out.seconds, 7);
    assert_ok(fetch_job(CK_V(""), &b, &out));
    assert_fails(fetch_job(CK_V("a\r\nHost: b"), &b, &out), CK_ERR_HOSTILE, "fetch job");
    assert_fails(fetch_job(CK_V("a\0b"), &b, &out), CK_ERR_HOSTILE, "fetch job");
    b.n--;
    assert_fails(ck_job_fetch_decode(ck_buf_view(&b), &out), CK_ERR_HOSTILE, "fetch job");
}

static void member_tables_are_checked(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_member m = { .name = CK_V("manifest.json"), .type = CK_MEMBER_FILE, .offset = 1024,
                           .size = 2, .content = CK_V("[]") };
    struct ck_members t;
    ck_put_u8(&b, 1);
    ck_member_encode(&m, &b);
    ck_member_encode(&m, &b);
    assert_ok(ck_members_decode(ck_buf_view(&b), &a, &t));
    assert_true(t.compressed);
    assert_int_equal(t.n, 2);
    assert_view(t.v[1].content, "[]");
    b.p[1] = 99; /* a type that there is not */
    assert_fails(ck_members_decode(ck_buf_view(&b), &a, &t), CK_ERR_HOSTILE, "member table");
}

static void archive_records_come_back_as_they_were(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_archive_source s = { .name = CK_V("openssl"), .version = CK_V("3.0.16-1"),
                                   .debs = { { CK_V("openssl"), CK_V("pool/o.deb"), 7, { 9 } } },
                                   .n_debs = 1 },
                             s2;
    ck_archive_source_encode(&s, &b);
    assert_ok(ck_archive_source_decode(ck_buf_view(&b), &s2));
    assert_view(s2.debs[0].filename, "pool/o.deb");
    assert_int_equal(s2.debs[0].sha256[0], 9);

    ck_buf_clear(&b);
    ck_view ids[] = { CK_V("CVE-2026-1"), CK_V("CVE-2026-2") };
    struct ck_changelog_entry e = { CK_V("openssl"), CK_V("3.0.16-1"), 5, ids, 2 }, e2;
    ck_changelog_entry_encode(&e, &b);
    assert_ok(ck_changelog_entry_decode(ck_buf_view(&b), &a, &e2));
    assert_view(e2.ids[1], "CVE-2026-2");
    assert_int_equal(e2.date, 5);

    ck_buf_clear(&b);
    ck_put_str(&b, CK_V("x"));
    ck_put_str(&b, CK_V("1"));
    ck_put_u64(&b, 0);
    ck_put_u32(&b, 0xffffffff); /* a count that the bytes cannot hold */
    assert_fails(ck_changelog_entry_decode(ck_buf_view(&b), &a, &e2), CK_ERR_HOSTILE,
                 "changelog entry");
}

/* --- the ring --------------------------------------------------------------------------------- */

enum { NUMBERS = 3 * CK_RING_BUFS * CK_RING_BUF + 77 };

static ck_err *count_up(void *ctx, struct ck_ring *r)
{
    size_t *made = ctx;
    for (size_t i = 0; i < NUMBERS; i++) {
        struct ck_ring_buf *b = ck_ring_writable(r);
        if (!b)
            return NULL;
        b->p[b->n++] = (uint8_t)(i % 251);
        *made = i + 1;
        if (b->n == CK_RING_BUF)
            ck_ring_publish(r);
    }
    return ck_err_new(CK_ERR_HOSTILE, "the end");
}

static void the_ring_keeps_order_and_loses_nothing(void **state)
{
    (void)state;
    struct ck_ring *r = NULL;
    assert_ok(ck_ring_new(&r));
    for (int turn = 0; turn < 2; turn++) { /* a room may do several jobs */
        size_t made = 0, seen = 0;
        const struct ck_ring_buf *b;
        ck_ring_start(r, count_up, &made);
        while ((b = ck_ring_readable(r))) {
            for (size_t i = 0; i < b->n; i++)
                if (b->p[i] != (seen + i) % 251)
                    fail_msg("byte %zu is wrong", seen + i);
            seen += b->n;
            ck_ring_release(r);
        }
        assert_fails(ck_ring_finish(r, false), CK_ERR_HOSTILE, "the end");
        assert_int_equal(seen, NUMBERS);
    }
    size_t made = 0;
    ck_ring_start(r, count_up, &made);
    assert_non_null(ck_ring_readable(r));
    assert_ok(ck_ring_finish(r, true)); /* abandoned: the producer stops */
    assert_true(made < NUMBERS);
}

/* --- input that is still arriving ------------------------------------------------------------- */

static struct ck_input arriving(uint64_t length, int *ret_ticks)
{
    int ends[2], fd = memfd_create("blob", MFD_CLOEXEC);
    assert_true(fd >= 0 && pipe(ends) == 0);
    assert_int_equal(write(fd, "0123456789", 10), 10);
    *ret_ticks = ends[1];
    return (struct ck_input){ .fd = fd, .slice = { .length = length }, .arriving = true,
                              .ticks = ends[0] };
}

static void tick(int fd, uint64_t there)
{
    assert_int_equal(write(fd, &there, sizeof there), sizeof there);
}

static void close_input(const struct ck_input *in, int ticks)
{
    close(in->fd);
    close(in->ticks);
    if (ticks >= 0)
        close(ticks);
}

static void a_blob_is_read_as_far_as_it_has_arrived(void **state)
{
    (void)state;
    uint8_t p[16];
    size_t n = 0;
    int ticks;
    struct ck_input in = arriving(10, &ticks);
    tick(ticks, 1);
    tick(ticks, 4); /* several ticks: the last one counts */
    assert_ok(ck_input_read(&in, p, sizeof p, &n));
    assert_int_equal(n, 4);
    tick(ticks, 10);
    assert_ok(ck_input_read(&in, p, 3, &n));
    assert_ok(ck_input_read(&in, p + 3, sizeof p - 3, &n));
    assert_memory_equal(p, "456789", 6);
    assert_ok(ck_input_read(&in, p, sizeof p, &n)); /* the end asks for no tick */
    assert_int_equal(n, 0);
    close_input(&in, ticks);
}

static void a_blob_that_stops_arriving_is_no_whole_one(void **state)
{
    (void)state;
    uint8_t p[16];
    size_t n = 0;
    int ticks;
    struct ck_input in = arriving(10, &ticks);
    tick(ticks, 4);
    assert_ok(ck_input_read(&in, p, sizeof p, &n));
    close(ticks);
    assert_fails(ck_input_read(&in, p, sizeof p, &n), CK_ERR_UNAVAILABLE, "stopped arriving");
    close_input(&in, -1);

    in = arriving(11, &ticks); /* told of more than there is */
    tick(ticks, 11);
    assert_ok(ck_input_read(&in, p, sizeof p, &n));
    assert_fails(ck_input_read(&in, p, sizeof p, &n), CK_ERR_HOSTILE, "shorter");
    close_input(&in, ticks);

    in = arriving(10, &ticks); /* told nonsense */
    tick(ticks, 11);
    assert_fails(ck_input_read(&in, p, sizeof p, &n), CK_ERR_OURS, "beyond its end");
    close_input(&in, ticks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_come_back_as_they_were),
        cmocka_unit_test(a_fetch_jobs_credentials_are_one_line),
        cmocka_unit_test(member_tables_are_checked),
        cmocka_unit_test(archive_records_come_back_as_they_were),
        cmocka_unit_test(a_blob_is_read_as_far_as_it_has_arrived),
        cmocka_unit_test(a_blob_that_stops_arriving_is_no_whole_one),
        cmocka_unit_test(the_ring_keeps_order_and_loses_nothing),
    };
    return cmocka_run_group_tests_name("jobs", tests, NULL, NULL);
}
