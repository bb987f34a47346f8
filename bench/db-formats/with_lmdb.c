/* LMDB: package -> its statements as one value, advisory -> record, id -> advisories. Records are
 * those of record.h without their affected entries; strings are not shared. */
#include "formats.h"

#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void ok(int rc)
{
    if (rc) {
        fprintf(stderr, "lmdb: %s\n", mdb_strerror(rc));
        exit(1);
    }
}

static MDB_val val(ck_view v)
{
    void *p;
    memcpy(&p, &v.p, sizeof p);
    return (MDB_val){ v.n, p };
}

static void key_of(struct ck_buf *b, ck_view ecosystem, enum ck_name_kind kind, ck_view name)
{
    ck_buf_clear(b);
    ck_put_bytes(b, ecosystem);
    ck_put_u8(b, (uint8_t)kind);
    ck_put_bytes(b, name);
}

/* Appends to the value of a key. */
static void append(MDB_txn *t, MDB_dbi d, ck_view key, ck_view more)
{
    MDB_val k = val(key), old;
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    if (mdb_get(t, d, &k, &old) == 0)
        ck_put_bytes(&b, ck_view_of(old.mv_data, old.mv_size));
    ck_put_bytes(&b, more);
    MDB_val v = val(ck_buf_view(&b));
    ok(mdb_put(t, d, &k, &v, 0));
    ck_buf_free(&b);
}

static void put_statement(struct ck_buf *b, uint32_t advisory, const struct ck_affected *af)
{
    ck_put_u32(b, advisory);
    ck_put_u8(b, (uint8_t)af->state);
    ck_put_u16(b, (uint16_t)af->n_ranges);
    for (size_t i = 0; i < af->n_ranges; i++) {
        ck_put_u8(b, (uint8_t)af->ranges[i].end);
        ck_put_u8(b, (uint8_t)af->ranges[i].introduced.n);
        ck_put_bytes(b, ck_view_head(af->ranges[i].introduced, 255));
        ck_put_u8(b, (uint8_t)af->ranges[i].upper.n);
        ck_put_bytes(b, ck_view_head(af->ranges[i].upper, 255));
    }
    ck_put_u16(b, (uint16_t)af->n_versions);
    for (size_t i = 0; i < af->n_versions; i++) {
        ck_put_u8(b, (uint8_t)af->versions[i].n);
        ck_put_bytes(b, ck_view_head(af->versions[i], 255));
    }
}

void lmdb_build(const char *path, const struct records *r)
{
    MDB_env *env;
    MDB_txn *t;
    MDB_dbi packages, advisories, ids;
    remove(path);
    ok(mdb_env_create(&env));
    ok(mdb_env_set_maxdbs(env, 4));
    ok(mdb_env_set_mapsize(env, 2000ull << 20));
    ok(mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOSYNC, 0644));
    ok(mdb_txn_begin(env, NULL, 0, &t));
    ok(mdb_dbi_open(t, "p", MDB_CREATE, &packages));
    ok(mdb_dbi_open(t, "a", MDB_CREATE | MDB_INTEGERKEY, &advisories));
    ok(mdb_dbi_open(t, "i", MDB_CREATE, &ids));
    struct ck_buf key = ck_buf_new(CK_LIMIT_NONE), b = ck_buf_new(CK_LIMIT_NONE);
    for (uint32_t i = 0; i < r->n; i++) {
        struct ck_advisory head = r->v[i];
        head.n_affected = 0;
        head.summary = ck_view_head(head.summary, 100);
        ck_buf_clear(&b);
        ck_advisory_encode(&head, &b);
        MDB_val k = { sizeof i, &i }, v = val(ck_buf_view(&b));
        ok(mdb_put(t, advisories, &k, &v, MDB_APPEND));
        ck_view number = ck_view_of(&i, sizeof i);
        append(t, ids, head.id, number);
        for (size_t k2 = 0; k2 < head.n_aliases; k2++)
            append(t, ids, head.aliases[k2], number);
        for (size_t k2 = 0; k2 < head.n_fixes; k2++)
            append(t, ids, head.fixes[k2], number);
        for (size_t k2 = 0; k2 < r->v[i].n_affected; k2++) {
            const struct ck_affected *af = &r->v[i].affected[k2];
            key_of(&key, af->ecosystem, af->kind, af->name);
            ck_buf_clear(&b);
            put_statement(&b, i, af);
            append(t, packages, ck_buf_view(&key), ck_buf_view(&b));
        }
    }
    ok(mdb_txn_commit(t));
    char raw[600];
    snprintf(raw, sizeof raw, "%s.raw", path);
    remove(raw);
    mdb_env_sync(env, 1);
    int fd = open(raw, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    ok(mdb_env_copyfd2(env, fd, MDB_CP_COMPACT)); /* without free pages */
    close(fd);
    mdb_env_close(env);
    rename(raw, path);
    ck_buf_free(&key);
    ck_buf_free(&b);
}

size_t lmdb_find(const char *path, const struct names *names)
{
    MDB_env *env;
    MDB_txn *t;
    MDB_dbi packages, advisories;
    ok(mdb_env_create(&env));
    ok(mdb_env_set_maxdbs(env, 4));
    ok(mdb_env_open(env, path, MDB_NOSUBDIR | MDB_RDONLY | MDB_NOLOCK, 0644));
    ok(mdb_txn_begin(env, NULL, MDB_RDONLY, &t));
    ok(mdb_dbi_open(t, "p", 0, &packages));
    ok(mdb_dbi_open(t, "a", MDB_INTEGERKEY, &advisories));
    struct ck_buf key = ck_buf_new(CK_LIMIT_NONE);
    size_t n = 0;
    for (size_t i = 0; i < names->n; i++) {
        key_of(&key, names->ecosystems[i], names->kinds[i], names->v[i]);
        MDB_val k = val(ck_buf_view(&key)), v;
        if (mdb_get(t, packages, &k, &v))
            continue;
        ck_cur c = ck_cur_of(ck_view_of(v.mv_data, v.mv_size));
        while (!ck_cur_end(&c)) {
            uint32_t number = ck_cur_le32(&c);
            ck_cur_skip(&c, 1);
            for (unsigned r = ck_cur_le16(&c); r; r--) {
                ck_cur_skip(&c, 1);
                ck_cur_skip(&c, ck_cur_u8(&c));
                ck_cur_skip(&c, ck_cur_u8(&c));
            }
            for (unsigned r = ck_cur_le16(&c); r; r--)
                ck_cur_skip(&c, ck_cur_u8(&c));
            MDB_val ak = { sizeof number, &number }, av;
            ok(mdb_get(t, advisories, &ak, &av));
            struct ck_arena a = { 0 };
            struct ck_advisory adv;
            ck_err *e = ck_advisory_decode(ck_view_of(av.mv_data, av.mv_size), &a, &adv);
            n += !e;
            ck_err_free(e);
            ck_arena_free(&a);
        }
    }
    ck_buf_free(&key);
    mdb_txn_abort(t);
    mdb_env_close(env);
    return n;
}
