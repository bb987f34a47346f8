/* One of several processes at work on a store, for kill.py: store_worker DIR SEED COUNT.
 *
 * Does COUNT random things: brings images in, names and removes them, decides, collects garbage,
 * pushes, keeps the gate's books. What has been acknowledged is said on standard output, a line
 * each, when the call has returned: "image NAME SEED" (it is whole, and has this name), "moving
 * NAME" and "removing NAME" before a call that takes the name from what has it; "linked REPOSITORY
 * SEED" and "unlinking REPOSITORY SEED" in the same way of what was pushed; "pull WHO NUMBER" and
 * "user NAME"; "looking WHO WHAT" before and "looked WHO WHAT" after an inventory, findings and an
 * event were written, "sending WHO KEY" before and "sent WHO KEY" after a delivery was
 * taken away. Each process has names of its own, so that nobody else takes them away; the images
 * are shared. A failure is said on standard error; exit status 3 where it is class OURS (a full
 * disk), else 4.
 */
#include "store/inventory.h"
#include "store/unit_store.h"

#include <stdio.h>

enum { IMAGES = 40, NAMES = 6, OWN = 1000 /* and seed: what this one alone looks at */ };

struct worker {
    struct ck_store *s;
    struct ck_lease *l;
    unsigned seed, state, pulls, looks;
    uint64_t run; /* no two processes have the same */
};

static unsigned dice(struct worker *w, unsigned sides)
{
    w->state = w->state * 1103515245u + 12345u;
    return (w->state >> 16) % sides;
}

static char *own_name(struct worker *w)
{
    return ck_format("registry.example/worker%u:%u", w->seed, dice(w, NAMES));
}

static ck_err *fetch(struct worker *w)
{
    unsigned number = dice(w, IMAGES);
    struct unit_image u = unit_image(number, 200000 + number * 1000);
    ck_autofree char *name = own_name(w);
    printf("moving %s\n", name);
    fflush(stdout);
    ck_err *e = unit_fetch(w->l, &u, ck_view_str(name));
    if (!e) {
        printf("image %s %u\n", name, number);
        fflush(stdout);
    }
    unit_image_free(&u);
    return e;
}

/* Not there: another one has not brought it, or gc was here. */
static ck_err *unless_absent(ck_err *e)
{
    if (!e || ck_err_class(e) != CK_ERR_UNAVAILABLE)
        return e;
    ck_err_free(e);
    return NULL;
}

static ck_err *remove_one(struct worker *w)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_store_entry e;
    ck_autofree char *name = own_name(w);
    ck_err *err = ck_store_find(w->s, ck_view_str(name), &a, &e);
    if (!err) {
        printf("removing %s\n", name);
        fflush(stdout);
        err = ck_store_remove(w->s, &e.image.digest, ck_view_str(name));
    }
    return unless_absent(err);
}

static ck_err *decide(struct worker *w)
{
    struct unit_image u = unit_image(dice(w, IMAGES), 0);
    ck_err *e = ck_store_decide(w->s, &u.image.digest, (enum ck_state_of_image)dice(w, 3),
                                CK_V("dice"), dice(w, 2) ? CK_BY_SCAN : CK_BY_PERSON, NULL);
    unit_image_free(&u);
    return unless_absent(e);
}

static ck_err *collect(struct worker *w)
{
    struct ck_gc_result r;
    return ck_store_gc(w->s, false, &r);
}

/* What is pushed: linked, then tagged. */
static ck_err *push(struct worker *w)
{
    unsigned number = dice(w, IMAGES);
    struct unit_image u = unit_image(number, 200000 + number * 1000);
    struct ck_digest from;
    bool moved;
    ck_autofree char *repository = ck_format(CK_STORE_HOSTED "/hosted/worker%u", w->seed);
    ck_autofree char *name = ck_format("%s:%u", repository, number);
    ck_err *e = unit_fetch(w->l, &u, CK_V(""));
    if (!e)
        e = ck_store_link(w->l, ck_view_str(repository), &u.image.digest);
    if (!e)
        e = ck_store_set_name(w->l, ck_view_str(name), &u.image.digest, &moved, &from);
    if (!e) {
        printf("linked %s %u\n", repository, number);
        fflush(stdout);
    }
    unit_image_free(&u);
    return e;
}

static ck_err *unlink_one(struct worker *w)
{
    unsigned number = dice(w, IMAGES);
    struct unit_image u = unit_image(number, 0);
    bool was;
    ck_autofree char *repository = ck_format(CK_STORE_HOSTED "/hosted/worker%u", w->seed);
    printf("unlinking %s %u\n", repository, number);
    fflush(stdout);
    ck_err *e = ck_store_unlink(w->s, ck_view_str(repository), &u.image.digest, &was);
    unit_image_free(&u);
    return e;
}

static ck_err *keep_books(struct worker *w)
{
    unsigned number = dice(w, IMAGES), persons;
    struct unit_image u = unit_image(number, 0);
    const ck_view ids[] = { CK_V("CVE-2024-1"), CK_V("CVE-2024-2") };
    ck_autofree char *who = ck_format("worker%u", w->seed);
    struct ck_pull p = { .time = (int64_t)w->pulls * 60 + 60, .who = ck_view_str(who),
                         .client = CK_V("192.0.2.1"), .agent = CK_V("worker"), .count = 1,
                         .name = CK_V("registry.example/x:1"), .digest = u.image.digest };
    const struct ck_user user = { .name = ck_view_str(who), .roles = 1 };
    ck_err *e = unless_absent(ck_store_put_facts(w->s, &u.image.digest, CK_V("facts"), ids,
                                                 1 + dice(w, 2), CK_V("sha256:chain")));
    if (!e)
        e = unless_absent(ck_store_approve(w->s, &u.image.digest, who, CK_V("why"), &persons));
    if (!e)
        e = ck_store_put_user(w->s, &user);
    if (!e)
        e = ck_store_add_pulls(w->s, &p, 1);
    if (!e) {
        printf("pull %s %u\nuser %s\n", who, w->pulls++, who);
        fflush(stdout);
    }
    unit_image_free(&u);
    return e;
}

/* --- looking again ---------------------------------------------------------------------------- */

/* An image of its own, which nobody takes away. */
static ck_err *bring_own(struct worker *w, struct unit_image *u)
{
    ck_autofree char *repository = ck_format(CK_STORE_HOSTED "/hosted/watched%u", w->seed);
    CK_TRY(unit_fetch(w->l, u, CK_V("")));
    return ck_store_link(w->l, ck_view_str(repository), &u->image.digest);
}

/* What is in it is what was looked at last, and some packages that others hold too. */
static ck_err *put_inventory(struct worker *w, const struct ck_digest *d, ck_view what)
{
    const ck_view keys[] = { CK_V("key 0"), CK_V("key 1"), CK_V("key 2"), CK_V("key 3") };
    struct ck_store_item items[6] = { { .package = what, .keys = &what, .n_keys = 1 } };
    const struct ck_store_inventory v = { .head = what, .items = items, .matched = w->looks,
                                          .n = 1 + dice(w, 6) };
    for (size_t i = 1; i < v.n; i++) {
        ck_view key = keys[dice(w, 4)];
        items[i] = (struct ck_store_item){ .package = key, .keys = &keys[dice(w, 4)], .n_keys = 1,
                                           .layer = (uint32_t)i, .location = what };
    }
    return ck_store_put_inventory(w->s, d, &v);
}

static ck_err *rematch(struct worker *w, const struct ck_digest *d, ck_view what)
{
    const struct ck_store_summary sum = { .packages = w->looks, .complete = true };
    const struct ck_event e = { .kind = CK_V("findings"), .name = what, .summary = what };
    const ck_view ids[] = { CK_V("CVE-2024-1"), what };
    const struct ck_store_rematch v = { .image = *d, .changed = true, .facts = what, .ids = ids,
                                        .n_ids = 2, .summary = &sum, .decide = true,
                                        .state = CK_CLEARED, .reason = what, .events = &e,
                                        .n_events = 1 };
    return ck_store_rematched(w->s, w->looks, &v, 1);
}

static ck_err *look(struct worker *w)
{
    struct unit_image u = unit_image(OWN + w->seed, 1000);
    ck_autofree char *what = ck_format("look%u.%llu.%u", w->seed, (unsigned long long)w->run,
                                       w->looks++);
    printf("looking %u %s\n", w->seed, what);
    fflush(stdout);
    ck_err *e = bring_own(w, &u);
    if (!e)
        e = put_inventory(w, &u.image.digest, ck_view_str(what));
    if (!e)
        e = rematch(w, &u.image.digest, ck_view_str(what));
    if (!e) {
        printf("looked %u %s\n", w->seed, what);
        fflush(stdout);
    }
    unit_image_free(&u);
    return e;
}

struct numbers {
    uint64_t v[8];
    size_t n;
};

static ck_err *note_number(void *ctx, const struct ck_event *e)
{
    struct numbers *all = ctx;
    all->v[all->n++] = e->number;
    return NULL;
}

/* Others plan for the same subscription, which kill.py has made. */
static ck_err *plan(struct worker *w)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_subscription *sub;
    struct numbers all = { 0 };
    struct ck_delivery d[8] = { { 0 } };
    size_t n = 0;
    bool done;
    CK_TRY(ck_store_subscriptions(w->s, &a, &sub, &n));
    if (n == 0)
        return NULL;
    const struct ck_event_filter f = { .after = sub->cursor, .max = 1 + dice(w, 8) };
    CK_TRY(ck_store_events(w->s, &f, note_number, &all));
    if (all.n == 0)
        return NULL;
    for (size_t i = 0; i < all.n; i++)
        d[i] = (struct ck_delivery){ .events = &all.v[i], .n_events = 1, .due = 1,
                                     .key = ck_view_str(ck_arena_format(&a, "event-%llu",
                                         (unsigned long long)all.v[i])) };
    return ck_store_plan(w->s, sub->id, sub->cursor, all.v[all.n - 1], d, all.n, &done);
}

static ck_err *deliver(struct worker *w)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_delivery *d;
    size_t n = 0;
    int64_t next;
    CK_TRY(ck_store_due(w->s, 100, 8, &a, &d, &n, &next));
    if (n == 0)
        return NULL;
    d += dice(w, (unsigned)n);
    if (dice(w, 2))
        return ck_store_delivered(w->s, d->number, CK_V("busy"), 5, 1 + dice(w, 100));
    printf("sending %u %.*s\n", w->seed, CK_VF(d->key));
    fflush(stdout);
    CK_TRY(ck_store_delivered(w->s, d->number, CK_V(""), 5, 0));
    printf("sent %u %.*s\n", w->seed, CK_VF(d->key));
    fflush(stdout);
    return NULL;
}

static ck_err *renew(struct worker *w)
{
    ck_lease_end(w->l);
    w->l = NULL;
    return ck_lease_new(w->s, &w->l);
}

static ck_err *work(struct worker *w, const char *dir, uint64_t count)
{
    static ck_err *(*const deeds[])(struct worker *) = {
        fetch, fetch, fetch, fetch, remove_one, decide, collect, renew,
        push,  push,  unlink_one, keep_books, look, look, plan, plan, deliver, deliver, deliver,
    };
    CK_TRY(ck_store_open(dir, &w->s));
    CK_TRY(ck_lease_new(w->s, &w->l));
    for (uint64_t i = 0; i < count; i++)
        CK_TRY(deeds[dice(w, sizeof deeds / sizeof *deeds)](w));
    return NULL;
}

int main(int argc, char **argv)
{
    uint64_t seed = 0, count = 0;
    if (argc != 4 || !ck_view_u64(ck_view_str(argv[2]), &seed) ||
        !ck_view_u64(ck_view_str(argv[3]), &count))
        return 2;
    struct worker w = { .seed = (unsigned)(seed % 100), .state = (unsigned)seed,
                        .run = seed };
    ck_err *e = work(&w, argv[1], count);
    int status = !e ? 0 : ck_err_class(e) == CK_ERR_OURS ? 3 : 4;
    if (e)
        fprintf(stderr, "%s\n", ck_err_text(e));
    ck_err_free(e);
    ck_lease_end(w.l);
    ck_store_close(w.s);
    return status;
}
