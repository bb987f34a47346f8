/* Policy and database in force. Each is read, opened and given up on its own; together they are the
 * rules, which whoever decides holds on to for as long as the decision takes.
 */
#include "gateway/core.h"

#include "advisory/db.h"
#include "base/file.h"
#include "policy/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

/* A policy or database that several rules may share. */
struct shared {
    unsigned users; /* under the keeper's mutex */
    struct ck_policy *policy;
    struct ck_db *db;
};

struct box {
    struct ck_rules rules;
    struct ck_rules_keeper *keeper;
    struct shared *policy, *db;
};

struct ck_rules_keeper {
    pthread_mutex_t mutex;
    pthread_mutex_t looking; /* one at a time looks at the file */
    struct box *now;
    char *db_path;
    bool db_named;
    struct stat db_file; /* st_ino 0: there was none */
};

static void let_go(struct shared *s)
{
    if (!s || --s->users)
        return;
    ck_policy_free(s->policy);
    if (s->db)
        ck_db_close(s->db);
    free(s);
}

struct ck_rules *ck_rules_get(struct ck_gateway *g)
{
    struct ck_rules_keeper *k = g->core->rules;
    pthread_mutex_lock(&k->mutex);
    struct ck_rules *r = &k->now->rules;
    atomic_fetch_add(&r->users, 1);
    pthread_mutex_unlock(&k->mutex);
    return r;
}

void ck_rules_put(struct ck_rules *r)
{
    struct box *b = (struct box *)r; /* its first member */
    if (atomic_fetch_sub(&r->users, 1) != 1)
        return;
    struct ck_rules_keeper *k = b->keeper;
    pthread_mutex_lock(&k->mutex);
    let_go(b->policy);
    let_go(b->db);
    pthread_mutex_unlock(&k->mutex);
    free(b);
}

/* With NULL for what stays as it is. */
static void replace(struct ck_rules_keeper *k, struct shared *policy, struct shared *db)
{
    struct box *b = ck_new(struct box);
    pthread_mutex_lock(&k->mutex);
    struct box *old = k->now;
    if (!policy && old)
        policy = old->policy;
    if (!db && old)
        db = old->db;
    if (!policy)
        abort(); /* the first call has one */
    b->keeper = k;
    b->policy = policy;
    b->db = db;
    b->policy->users++;
    if (b->db)
        b->db->users++;
    b->rules.policy = b->policy->policy;
    b->rules.db = b->db ? b->db->db : NULL;
    atomic_store(&b->rules.users, 1);
    k->now = b;
    pthread_mutex_unlock(&k->mutex);
    if (old)
        ck_rules_put(&old->rules);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* The database where there is one, and which file it is. A default one may be missing. */
static ck_err *open_db(struct ck_rules_keeper *k, struct shared **ret, struct stat *ret_file)
{
    struct stat st = { 0 };
    struct ck_db *db = NULL;
    if (!k->db_path || (stat(k->db_path, &st) != 0 && errno == ENOENT && !k->db_named)) {
        *ret = NULL;
        *ret_file = (struct stat){ 0 };
        return NULL;
    }
    CK_TRY(ck_db_open(k->db_path, &db));
    *ret = ck_new(struct shared);
    (*ret)->db = db;
    *ret_file = st;
    return NULL;
}

ck_err *ck_rules_reload(struct ck_gateway *g)
{
    struct ck_policy *p = NULL;
    CK_TRY(ck_policy_load(g->o->policy, &p));
    struct shared *s = ck_new(struct shared);
    s->policy = p;
    replace(g->core->rules, s, NULL);
    return NULL;
}

static ck_err *look(struct ck_rules_keeper *k, bool *ret_changed)
{
    struct stat st = { 0 };
    struct shared *s = NULL;
    *ret_changed = false;
    if (!k->db_path || stat(k->db_path, &st) != 0 || same_file(&st, &k->db_file))
        return NULL;
    CK_TRY(open_db(k, &s, &st));
    k->db_file = st;
    if (s)
        replace(k, NULL, s);
    *ret_changed = s != NULL;
    return NULL;
}

ck_err *ck_rules_look(struct ck_gateway *g, bool *ret_changed)
{
    struct ck_rules_keeper *k = g->core->rules;
    pthread_mutex_lock(&k->looking);
    ck_err *e = look(k, ret_changed);
    pthread_mutex_unlock(&k->looking);
    return e;
}

ck_err *ck_rules_open(struct ck_gateway *g, struct ck_rules_keeper **ret)
{
    struct ck_rules_keeper *k = ck_new(struct ck_rules_keeper);
    struct shared *policy = ck_new(struct shared), *db = NULL;
    const char *named = g->o->db;
    pthread_mutex_init(&k->mutex, NULL);
    pthread_mutex_init(&k->looking, NULL);
    k->db_named = named != NULL;
    k->db_path = named ? ck_strndup(named, strlen(named))
                       : ck_xdg_path(CK_XDG_DATA, "advisory.db");
    ck_err *e = ck_policy_load(g->o->policy, &policy->policy);
    if (!e)
        e = open_db(k, &db, &k->db_file);
    if (e) {
        ck_policy_free(policy->policy);
        free(policy);
        ck_rules_close(k);
        return e;
    }
    replace(k, policy, db);
    *ret = k;
    return NULL;
}

void ck_rules_close(struct ck_rules_keeper *k)
{
    if (!k)
        return;
    if (k->now)
        ck_rules_put(&k->now->rules);
    pthread_mutex_destroy(&k->mutex);
    pthread_mutex_destroy(&k->looking);
    free(k->db_path);
    free(k);
}
