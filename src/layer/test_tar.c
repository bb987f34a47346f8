#include "base/mem.h"
#include "layer/test_heard.h"
#include "layer/test_make.h"

/* Reads the archive whole, bytewise and in odd pieces: all must say the same. */
static void assert_reads(const struct ck_buf *b, const char *text)
{
    static const size_t pieces[] = { SIZE_MAX, 1, 7, 511, 512, 513 };
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        struct heard h = { .only = ck_buf_view(b) };
        assert_ok(read_in_pieces(ck_buf_view(b), pieces[i], &h));
        assert_view(ck_buf_view(&h.text), text);
        assert_int_equal(h.ends, h.entries);
        forget(&h);
    }
}

static void assert_refused(const struct ck_buf *b, enum ck_err_class cls, const char *part)
{
    struct heard h = { 0 };
    assert_fails(read_in_pieces(ck_buf_view(b), SIZE_MAX, &h), cls, part);
    forget(&h);
    assert_fails(read_in_pieces(ck_buf_view(b), 3, &h), cls, part);
    forget(&h);
}

static void reads_plain_entries(void **state)
{
    (void)state;
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    made_entry(&b, (struct made){ .name = "etc/", .flag = '5', .mode = "0000755" }, CK_V(""));
    made_entry(&b, (struct made){ .name = "etc/x", .uid = "0000017" }, CK_V("hello"));
    made_entry(&b, (struct made){ .name = "etc/y", .flag = '2', .link = "x" }, CK_V(""));
    made_entry(&b, (struct made){ .name = "etc/z", .flag = '1', .link = "etc/x" }, CK_V(""));
    made_entry(&b, (struct made){ .name = "name", .prefix = "some/prefix" }, CK_V(""));
    made_end(&b);
    assert_reads(&b, "5 etc/ 0 755 0;0 etc/x 5 644 15;2 etc/y -> x 0 644 0;"
                     "1 etc/z -> etc/x 0 644 0;0 some/prefix/name 0 644 0;");
}

static void an_archive_without_end_blocks_is_whole(void **state)
{
    (void)state;
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    assert_reads(&b, "");
    made_entry(&b, (struct made){ .name = "a" }, CK_V("1"));
    assert_reads(&b, "0 a 1 644 0;");
    made_pad(&b);
    for (int i = 0; i < 700; i++)
        ck_put_u8(&b, 0);
    assert_reads(&b, "0 a 1 644 0;");
}

static void truncated_archives_are_refused_at_every_byte(void **state)
{
    (void)state;
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    made_pax(&b, 'x', "mtime", "1.5");
    made_entry(&b, (struct made){ .name = "a" }, CK_V("123"));
    const size_t whole = b.n - 509; /* the content of 3 bytes is there, its padding may lack */
    for (size_t n = 1; n < whole; n++) {
        struct heard h = { 0 };
        assert_fails(read_in_pieces(ck_view_head(ck_buf_view(&b), n), SIZE_MAX, &h),
                     CK_ERR_HOSTILE, "the archive is truncated");
        forget(&h);
    }
    for (size_t n = whole; n <= b.n; n++) {
        struct heard h = { 0 };
        assert_ok(read_in_pieces(ck_view_head(ck_buf_view(&b), n), SIZE_MAX, &h));
        forget(&h);
    }
}

static void long_names_of_gnu_and_pax(void **state)
{
    (void)state;
    char name[301] = { 0 };
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_buf ck_autobuf want = ck_buf_new(CK_LIMIT_NONE);
    memset(name, 'n', 300);
    struct made longname = { .name = "././@LongLink", .flag = 'L', .magic = "gnu" };
    struct made longlink = { .name = "././@LongLink", .flag = 'K', .magic = "gnu" };
    made_entry(&b, longname, ck_view_of(name, 301));
    made_entry(&b, longlink, ck_view_of(name, 301));
    made_entry(&b, (struct made){ .name = "cut", .flag = '2', .magic = "gnu", .link = "cut" },
               CK_V(""));
    made_pax(&b, 'g', "comment", "ignored");
    made_pax(&b, 'x', "path", name);
    made_entry(&b, (struct made){ .name = "cut" }, CK_V(""));
    made_pax(&b, 'x', "SCHILY.xattr.security.capability", "\1");
    made_entry(&b, (struct made){ .name = "plain" }, CK_V(""));
    ck_buf_format(&want, "2 %s -> %s 0 644 0;0 %s 0 644 0;0 plain 0 644 0;", name, name, name);
    ck_put_u8(&want, 0);
    assert_reads(&b, (const char *)want.p);
}

/* --- numbers, checksums: row 29 --- */

static void refuse_header(struct made m, const char *part)
{
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    made_entry(&b, m, CK_V(""));
    assert_refused(&b, CK_ERR_HOSTILE, part);
}

static void wrong_checksum(void **state)
{
    (void)state;
    refuse_header((struct made){ .name = "a", .checksum = "0000001" }, "checksum is wrong");
    refuse_header((struct made){ .name = "a", .checksum = "        " }, "checksum is wrong");
    refuse_header((struct made){ .name = "a", .checksum = "zzzzzzz" },
                  "checksum field is no number");
}

static void numbers_that_are_none(void **state)
{
    static const char minus_one[] = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff";
    static const char too_large[] = "\x80\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff";
    (void)state;
    refuse_header((struct made){ .name = "a", .size = "0000000008x" }, "size field is no number");
    refuse_header((struct made){ .name = "a", .size = "-0000000001" }, "size field is no number");
    refuse_header((struct made){ .name = "a", .size = "1 2" }, "size field is no number");
    refuse_header((struct made){ .name = "a", .uid = "0x10" }, "uid field is no number");
    refuse_header((struct made){ .name = "a", .size = "           " }, "size field is blank");
    refuse_header((struct made){ .name = "a", .size = minus_one },
                  "size field is negative");
    refuse_header((struct made){ .name = "a", .size = too_large },
                  "size field is no number");
}

static void base256_is_a_number(void **state)
{
    (void)state;
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    uint8_t h[512];
    made_header(h, (struct made){ .name = "a", .magic = "gnu" });
    memset(h + 124, 0, 12);
    h[124] = 0x80;
    h[135] = 3;
    memset(h + 136, 0xff, 12); /* mtime -1 */
    made_sum(h);
    ck_put_bytes(&b, ck_view_of(h, 512));
    ck_put_bytes(&b, CK_V("abc"));
    made_pad(&b);
    assert_reads(&b, "0 a 3 644 0;");
}

static void signed_checksums_of_old_writers(void **state)
{
    (void)state;
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    uint8_t h[512];
    int sum = 0;
    made_header(h, (struct made){ .name = "\xc3\xa4" });
    memset(h + 148, ' ', 8);
    for (size_t i = 0; i < 512; i++)
        sum += (int8_t)h[i];
    snprintf((char *)h + 148, 8, "%06o", (unsigned)sum);
    ck_put_bytes(&b, ck_view_of(h, 512));
    assert_reads(&b, "0 \xc3\xa4 0 644 0;");
}

static void an_entry_of_more_than_a_layer(void **state)
{
    (void)state;
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    uint8_t h[512];
    made_header(h, (struct made){ .name = "a", .size = "777777777777" }); /* 64 GiB - 1 */
    ck_put_bytes(&b, ck_view_of(h, 512));
    struct heard heard = { 0 };
    assert_fails(read_in_pieces(ck_buf_view(&b), SIZE_MAX, &heard), CK_ERR_HOSTILE, "truncated");
    forget(&heard);
    for (int past = 0; past < 2; past++) {
        memset(h + 124, 0, 12);
        h[124] = 0x80;
        h[131] = 0x10; /* 64 GiB */
        h[135] = (uint8_t)past;
        made_sum(h);
        heard = (struct heard){ 0 };
        assert_fails(read_in_pieces(ck_view_of(h, 512), SIZE_MAX, &heard),
                     past ? CK_ERR_LIMIT : CK_ERR_HOSTILE, past ? "LAYER_TAR" : "truncated");
        forget(&heard);
    }
}

/* --- what readers disagree about: rows 28, 30 --- */

static void header_desync(const char *pax, const char *ustar, const char *why)
{
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_buf ck_autobuf hidden = ck_buf_new(CK_LIMIT_NONE);
    made_entry(&hidden, (struct made){ .name = "hidden" }, CK_V("x"));
    made_pax(&b, 'x', "size", pax);
    made_entry(&b, (struct made){ .name = "outer", .size = ustar }, ck_buf_view(&hidden));
    made_end(&b);
    assert_refused(&b, CK_ERR_HOSTILE, why);
}

static void pax_size_that_is_not_the_ustar_size(void **state)
{
    (void)state;
    header_desync("1024", "00000000000", "pax size 1024 and ustar size 0 differ");
    header_desync("0", "00000002000", "pax size 0 and ustar size 1024 differ");
    header_desync("512", "00000002000", "pax size 512 and ustar size 1024 differ");
    header_desync("1024", "           ", "pax size 1024 and ustar size 0 differ");
    header_desync("8589934591", "00000000000", "differ"); /* eleven digits hold it */
    header_desync("8589934592", "00000000001", "differ");
    header_desync("-1", "00000000000", "pax size: bad value -1");
    header_desync("9223372036854775808", "00000000000", "pax size: bad value");
    header_desync("", "00000000000", "pax size: bad value");
}

/* Only the head of such an archive is fed; that the entry is accepted shows in `heard`. */
static void accept_huge(const char *pax, const char *ustar, uint64_t size)
{
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_buf ck_autobuf want = ck_buf_new(CK_LIMIT_NONE);
    struct heard h = { 0 };
    struct ck_tar *t = ck_tar_new(&HEARD_OPS, &h);
    uint8_t block[512];
    made_header(block, (struct made){ .name = "big", .size = ustar });
    if (pax)
        made_pax(&b, 'x', "size", pax);
    ck_put_bytes(&b, ck_view_of(block, 512));
    assert_ok(ck_tar_feed(t, ck_buf_view(&b)));
    ck_buf_format(&want, "0 big %llu 644 0;", (unsigned long long)size);
    assert_true(ck_view_eq(ck_buf_view(&h.text), ck_buf_view(&want)));
    ck_tar_free(t);
    forget(&h);
}

static void sizes_that_ustar_cannot_hold(void **state)
{
    (void)state;
    const uint64_t size = 9663676416; /* 9 GiB: octal 110000000000 */
    accept_huge("9663676416", "00000000000", size); /* GNU tar, python, go */
    accept_huge("9663676416", "77777777777", size); /* saturated */
    accept_huge("9663676416", "10000000000", size); /* the low eleven digits */
    accept_huge("9663676416", "110000000000", size); /* twelve digits, no NUL */
    accept_huge("9663676416", "           ", size);
    accept_huge("8589934592", "00000000000", 8589934592);
    accept_huge(NULL, "110000000000", size);
    accept_huge("1024", "00000002000", 1024);
}

static void content_where_none_can_be(void **state)
{
    (void)state;
    static const char flags[] = "123456";
    for (size_t i = 0; i < sizeof flags - 1; i++) {
        struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
        struct made m = { .name = "a", .flag = flags[i], .link = "b" };
        made_entry(&b, m, CK_V("content"));
        assert_refused(&b, CK_ERR_HOSTILE, "with 7 bytes of content");
    }
}

static void file_whose_name_ends_with_a_slash(void **state)
{
    (void)state;
    refuse_header((struct made){ .name = "a/" }, "a file whose name ends with a slash");
    uint8_t h[512];
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    made_header(h, (struct made){ .name = "old/", .magic = "v7" });
    h[156] = 0;
    made_sum(h);
    ck_put_bytes(&b, ck_view_of(h, 512));
    assert_reads(&b, "5 old/ 0 644 0;");
}

static void unknown_types(void **state)
{
    (void)state;
    static const char flags[] = "89AMNVDXEZ~";
    for (size_t i = 0; i < sizeof flags - 1; i++)
        refuse_header((struct made){ .name = "a", .flag = flags[i] }, "unknown type");
}

static void names_given_twice(void **state)
{
    (void)state;
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    struct made longname = { .name = "L", .flag = 'L', .magic = "gnu" };
    made_entry(&b, longname, CK_V("one"));
    size_t first = b.n;
    made_entry(&b, longname, CK_V("two"));
    assert_refused(&b, CK_ERR_HOSTILE, "a second header of type L");

    b.n = first;
    made_pax(&b, 'x', "path", "two");
    made_entry(&b, (struct made){ .name = "c" }, CK_V(""));
    assert_refused(&b, CK_ERR_HOSTILE, "pax and the GNU names differ");

    b.n = 0;
    made_pax(&b, 'x', "path", "one");
    made_pax(&b, 'x', "path", "two");
    assert_refused(&b, CK_ERR_HOSTILE, "a second header of type x");

    b.n = 0;
    struct ck_buf ck_autobuf r = ck_buf_new(CK_LIMIT_NONE);
    made_record(&r, "path", CK_V("one"));
    made_record(&r, "path", CK_V("two"));
    made_entry(&b, (struct made){ .name = "x", .flag = 'x' }, ck_buf_view(&r));
    assert_refused(&b, CK_ERR_HOSTILE, "pax path is given twice");

    b.n = 0;
    made_pax(&b, 'x', "size", "0");
    made_entry(&b, longname, CK_V("one"));
    assert_refused(&b, CK_ERR_HOSTILE, "behind a pax size");
}

static void bad_names(void **state)
{
    (void)state;
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_buf ck_autobuf r = ck_buf_new(CK_LIMIT_NONE);
    refuse_header((struct made){ .name = "" }, "an entry without a name");
    refuse_header((struct made){ .name = "a", .flag = '2' }, "a link without a target");

    made_record(&r, "path", ck_view_of("a\0b", 3));
    made_entry(&b, (struct made){ .name = "x", .flag = 'x' }, ck_buf_view(&r));
    assert_refused(&b, CK_ERR_HOSTILE, "pax path: bad value");

    b.n = r.n = 0;
    made_entry(&b, (struct made){ .name = "x", .flag = 'L' }, ck_view_of("a\0b", 3));
    assert_refused(&b, CK_ERR_HOSTILE, "a NUL inside a GNU long name");
    b.n = 0;
    made_entry(&b, (struct made){ .name = "x", .flag = 'L' }, ck_view_of("\0", 1));
    assert_refused(&b, CK_ERR_HOSTILE, "an empty GNU long name");
}

static void global_headers(void **state)
{
    (void)state;
    static const char *const keys[] = { "path", "linkpath", "size", "GNU.sparse.name" };
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        b.n = 0;
        made_pax(&b, 'g', keys[i], "1");
        assert_refused(&b, CK_ERR_HOSTILE, "in a global header");
    }
    b.n = 0;
    made_pax(&b, 'x', "path", "p");
    made_pax(&b, 'g', "comment", "c");
    assert_refused(&b, CK_ERR_HOSTILE, "a global header between");
    b.n = 0;
    made_pax(&b, 'g', "mtime", "5");
    made_pax(&b, 'g', "comment", "c");
    made_entry(&b, (struct made){ .name = "a" }, CK_V("x"));
    assert_reads(&b, "0 a 1 644 0;");
}

static void bad_pax_records(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "x",        "5",         "99 a=b\n", "6 a=b\n1", "5 a=b\n", "0 a=b\n",      "7 =bbb\n",
        "6 abc\n",  "-6 a=b\n",  " 6 a=b\n", "6  a=b\n", "2 a=b\n", "11 mtime=x\n",
        "18446744073709551617 a=b\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
        made_entry(&b, (struct made){ .name = "x", .flag = 'x' }, ck_view_str(bad[i]));
        assert_refused(&b, CK_ERR_HOSTILE, "pax ");
    }
}

static void data_behind_the_end(void **state)
{
    (void)state;
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    made_entry(&b, (struct made){ .name = "a" }, CK_V(""));
    made_end(&b);
    made_entry(&b, (struct made){ .name = "hidden" }, CK_V(""));
    assert_refused(&b, CK_ERR_HOSTILE, "data behind the end");
    b.n = 0;
    made_pax(&b, 'x', "path", "p");
    made_end(&b);
    assert_refused(&b, CK_ERR_HOSTILE, "ends between an entry's headers");
}

/* --- sparse files: row 26 --- */

/* GNU 1.0: `n` extents of one byte each, two bytes apart. */
static void made_sparse(struct ck_buf *b, uint64_t n, uint64_t claim)
{
    struct ck_buf ck_autobuf r = ck_buf_new(CK_LIMIT_NONE);
    struct ck_buf ck_autobuf content = ck_buf_new(CK_LIMIT_NONE);
    made_record(&r, "GNU.sparse.major", CK_V("1"));
    made_record(&r, "GNU.sparse.minor", CK_V("0"));
    made_record(&r, "GNU.sparse.name", CK_V("holes"));
    made_record(&r, "GNU.sparse.realsize", CK_V("5000000"));
    made_entry(b, (struct made){ .name = "x", .flag = 'x' }, ck_buf_view(&r));
    ck_buf_format(&content, "%llu\n", (unsigned long long)claim);
    for (uint64_t i = 0; i < n; i++)
        ck_buf_format(&content, "%llu\n1\n", (unsigned long long)(2 * i));
    made_pad(&content);
    for (uint64_t i = 0; i < n; i++)
        ck_put_u8(&content, 'd');
    made_entry(b, (struct made){ .name = "GNUSparseFile.1/holes" }, ck_buf_view(&content));
}

static void sparse_map_at_the_limit_and_one_past(void **state)
{
    (void)state;
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    made_sparse(&b, CK_MAX_SPARSE_ENTRIES, CK_MAX_SPARSE_ENTRIES);
    assert_reads(&b, "0 holes 1024 644 0;");
    b.n = 0;
    made_sparse(&b, CK_MAX_SPARSE_ENTRIES + 1, CK_MAX_SPARSE_ENTRIES + 1);
    assert_refused(&b, CK_ERR_LIMIT, "SPARSE_ENTRIES");
    b.n = 0;
    made_sparse(&b, 1, 900000000000);
    assert_refused(&b, CK_ERR_LIMIT, "a sparse map of 900000000000 extents (limit SPARSE_ENTRIES");
    b.n = 0;
    made_pax(&b, 'x', "GNU.sparse.numblocks", "1025");
    assert_refused(&b, CK_ERR_LIMIT, "SPARSE_ENTRIES");
}

static void sparse_maps_that_lie(void **state)
{
    (void)state;
    static const struct {
        const char *map, *why;
    } lies[] = {
        { "0,4,2,4", "overlaps" },       { "4,2,0,2", "overlaps" },
        { "0,4", "but the archive stores" }, { "0,4,96,4", "behind the file's end" },
        { "0,4,5", "bad value" },        { "9223372036854775807,9223372036854775807", "runs over" },
        { "0,,5,1", "bad value" },
    };
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
        struct ck_buf ck_autobuf r = ck_buf_new(CK_LIMIT_NONE);
        made_record(&r, "GNU.sparse.size", CK_V("99"));
        made_record(&r, "GNU.sparse.map", ck_view_str(lies[i].map));
        made_entry(&b, (struct made){ .name = "x", .flag = 'x' }, ck_buf_view(&r));
        made_entry(&b, (struct made){ .name = "f" }, CK_V("12345678"));
        assert_refused(&b, CK_ERR_HOSTILE, lies[i].why);
    }
}

static void old_gnu_sparse_map_of_many_blocks(void **state)
{
    (void)state;
    for (unsigned past = 0; past < 2; past++) {
        struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
        unsigned total = (unsigned)CK_MAX_SPARSE_ENTRIES + past, made = 4;
        uint8_t h[512];
        made_header(h, (struct made){ .name = "s", .flag = 'S', .magic = "gnu", .n = total });
        for (unsigned i = 0; i < 4; i++)
            snprintf((char *)h + 386 + 24 * i, 25, "%011o %011o", i, 1u);
        h[482] = 1;
        snprintf((char *)h + 483, 12, "%011o", 9999u);
        made_sum(h);
        ck_put_bytes(&b, ck_view_of(h, 512));
        while (made < total) {
            memset(h, 0, 512);
            for (unsigned i = 0; i < 21 && made < total; i++, made++)
                snprintf((char *)h + 24 * i, 25, "%011o %011o", made, 1u);
            h[504] = made < total;
            ck_put_bytes(&b, ck_view_of(h, 512));
        }
        for (unsigned i = 0; i < total; i++)
            ck_put_u8(&b, 'd');
        made_pad(&b);
        if (past)
            assert_refused(&b, CK_ERR_LIMIT, "SPARSE_ENTRIES");
        else
            assert_reads(&b, "0 s 1024 644 0;");
    }
}

/* --- limits: rows 27, 30 --- */

static void pax_header_at_the_limit_and_one_past(void **state)
{
    (void)state;
    for (unsigned past = 0; past < 2; past++) {
        struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
        struct ck_buf ck_autobuf r = ck_buf_new(CK_LIMIT_NONE);
        size_t n = CK_MAX_PAX_HEADER + past;
        ck_buf_format(&r, "%zu comment=", n);
        while (r.n < n - 1)
            ck_put_u8(&r, 'c');
        ck_put_u8(&r, '\n');
        made_entry(&b, (struct made){ .name = "x", .flag = 'x' }, ck_buf_view(&r));
        made_entry(&b, (struct made){ .name = "a" }, CK_V(""));
        if (past)
            assert_refused(&b, CK_ERR_LIMIT, "PAX_HEADER");
        else
            assert_reads(&b, "0 a 0 644 0;");
    }
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    made_entry(&b, (struct made){ .name = "x", .flag = 'x', .size = "10000000000" }, CK_V(""));
    assert_refused(&b, CK_ERR_LIMIT, "a header of type x with 1073741824 bytes");
}

static void pax_records_at_the_limit_and_one_past(void **state)
{
    (void)state;
    for (unsigned past = 0; past < 2; past++) {
        struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
        struct ck_buf ck_autobuf r = ck_buf_new(CK_LIMIT_NONE);
        for (uint64_t i = 0; i < CK_MAX_PAX_RECORDS + past; i++)
            ck_put_bytes(&r, CK_V("6 a=b\n"));
        made_entry(&b, (struct made){ .name = "x", .flag = 'x' }, ck_buf_view(&r));
        made_entry(&b, (struct made){ .name = "a" }, CK_V(""));
        if (past)
            assert_refused(&b, CK_ERR_LIMIT, "PAX_RECORDS");
        else
            assert_reads(&b, "0 a 0 644 0;");
    }
}

static void names_at_the_limit_and_one_past(void **state)
{
    (void)state;
    for (unsigned past = 0; past < 2; past++)
        for (unsigned gnu = 0; gnu < 2; gnu++) {
            struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
            size_t n = CK_MAX_PATH + past;
            ck_autofree char *name = ck_calloc(n + 1, 1);
            struct heard h = { 0 };
            memset(name, 'p', n);
            if (gnu)
                made_entry(&b, (struct made){ .name = "L", .flag = 'L' }, ck_view_of(name, n + 1));
            else
                made_pax(&b, 'x', "path", name);
            made_entry(&b, (struct made){ .name = "a" }, CK_V(""));
            if (past)
                assert_refused(&b, CK_ERR_LIMIT, "PATH");
            else
                assert_ok(read_in_pieces(ck_buf_view(&b), SIZE_MAX, &h));
            assert_int_equal(h.entries, !past);
            forget(&h);
        }
}

static void megabyte_name(void **state)
{
    (void)state;
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    size_t n = CK_MAX_PAX_HEADER;
    ck_autofree char *name = ck_calloc(n, 1);
    memset(name, 'p', n);
    made_entry(&b, (struct made){ .name = "L", .flag = 'L' }, ck_view_of(name, n));
    assert_refused(&b, CK_ERR_LIMIT, "a GNU long name of 1048576 bytes (limit PATH");
}

/* --- callers --- */

static ck_err *refusing(void *ctx, const struct ck_tar_entry *e)
{
    (void)ctx;
    (void)e;
    return ck_err_new(CK_ERR_OURS, "mine");
}

static void a_callbacks_error_comes_back_unchanged(void **state)
{
    (void)state;
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    struct heard h = { 0 };
    struct ck_tar *t = ck_tar_new(&(struct ck_tar_ops){ refusing, on_data, on_end }, &h);
    made_entry(&b, (struct made){ .name = "a" }, CK_V(""));
    ck_err *e = ck_tar_feed(t, ck_buf_view(&b));
    assert_non_null(e);
    assert_string_equal(ck_err_text(e), "mine");
    ck_err_free(e);
    ck_tar_free(t);
}

static void errors_name_the_entry_and_the_byte(void **state)
{
    (void)state;
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    made_entry(&b, (struct made){ .name = "a" }, CK_V("1"));
    made_pax(&b, 'x', "mtime", "1");
    made_entry(&b, (struct made){ .name = "b", .flag = 'Z' }, CK_V(""));
    assert_refused(&b, CK_ERR_HOSTILE, "tar entry 1 at byte 1024: an entry of unknown type Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_plain_entries),
        cmocka_unit_test(an_archive_without_end_blocks_is_whole),
        cmocka_unit_test(truncated_archives_are_refused_at_every_byte),
        cmocka_unit_test(long_names_of_gnu_and_pax),
        cmocka_unit_test(wrong_checksum),
        cmocka_unit_test(numbers_that_are_none),
        cmocka_unit_test(base256_is_a_number),
        cmocka_unit_test(signed_checksums_of_old_writers),
        cmocka_unit_test(an_entry_of_more_than_a_layer),
        cmocka_unit_test(pax_size_that_is_not_the_ustar_size),
        cmocka_unit_test(sizes_that_ustar_cannot_hold),
        cmocka_unit_test(content_where_none_can_be),
        cmocka_unit_test(file_whose_name_ends_with_a_slash),
        cmocka_unit_test(unknown_types),
        cmocka_unit_test(names_given_twice),
        cmocka_unit_test(bad_names),
        cmocka_unit_test(global_headers),
        cmocka_unit_test(bad_pax_records),
        cmocka_unit_test(data_behind_the_end),
        cmocka_unit_test(sparse_map_at_the_limit_and_one_past),
        cmocka_unit_test(sparse_maps_that_lie),
        cmocka_unit_test(old_gnu_sparse_map_of_many_blocks),
        cmocka_unit_test(pax_header_at_the_limit_and_one_past),
        cmocka_unit_test(pax_records_at_the_limit_and_one_past),
        cmocka_unit_test(names_at_the_limit_and_one_past),
        cmocka_unit_test(megabyte_name),
        cmocka_unit_test(a_callbacks_error_comes_back_unchanged),
        cmocka_unit_test(errors_name_the_entry_and_the_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
