/* head: u8 version, u8 detectors' version, u8 flags; reference, name, digest, os, architecture,
 *       created, platforms; os-release as a fact; layers, gaps, warnings, each with a count
 * item: u8 version, u8 kind, ecosystem; then a package as a fact, or the end of support
 */
#include "scan/inventory_codec.h"

#include "advisory/keys.h"

_Static_assert(CK_INVENTORY_VERSION < 16 && CK_KEYS_VERSION < 16, "both are one byte");
enum {
    ITEM_VERSION = CK_INVENTORY_VERSION << 4 | CK_KEYS_VERSION,
    WARNING_KINDS = CK_TAG_MINOR + 1,
    WARNINGS = 8, /* near_miss.h: at most */
};
enum item_kind { ITEM_PACKAGE, ITEM_DISTRIBUTION, ITEM_KIND_COUNT_ };

/* --- writing ---------------------------------------------------------------------------------- */

/* Texts of the image and their places in the head. */
#define HEAD_TEXTS(X) X(reference) X(name) X(digest) X(os) X(architecture) X(created) X(platforms)

static void put_layers(struct ck_buf *b, const struct ck_seen *s)
{
    ck_put_u32(b, (uint32_t)s->n_layers);
    for (size_t i = 0; i < s->n_layers; i++) {
        const struct ck_report_layer *l = &s->layers[i];
        ck_put_str(b, l->digest);
        ck_put_str(b, l->diff_id);
        ck_put_str(b, l->media_type);
        ck_put_u64(b, l->size);
        ck_put_str(b, l->created_by);
    }
}

static void put_rest(struct ck_buf *b, const struct ck_seen *s)
{
    ck_put_u32(b, (uint32_t)s->n_gaps);
    for (size_t i = 0; i < s->n_gaps; i++) {
        ck_put_str(b, s->gaps[i].what);
        ck_put_str(b, s->gaps[i].why);
    }
    ck_put_u32(b, (uint32_t)s->n_warnings);
    for (size_t i = 0; i < s->n_warnings; i++) {
        ck_put_u8(b, (uint8_t)s->warnings[i].kind);
        ck_put_str(b, s->warnings[i].text);
        ck_put_str(b, s->warnings[i].like);
    }
}

static void put_head(struct ck_buf *b, const struct ck_seen *s)
{
    struct ck_fact os = { .kind = CK_FACT_OS_RELEASE, .os = s->os_release };
    ck_put_u8(b, CK_INVENTORY_VERSION);
    ck_put_u8(b, CK_DETECTORS_VERSION);
    ck_put_u8(b, s->no_sandbox);
#define X(text) ck_put_str(b, s->text);
    HEAD_TEXTS(X)
#undef X
    ck_fact_encode(&os, b);
    put_layers(b, s);
    put_rest(b, s);
}

static void begin_item(struct ck_buf *b, enum item_kind kind, const struct ck_distro *d)
{
    ck_buf_clear(b);
    ck_put_u8(b, ITEM_VERSION);
    ck_put_u8(b, (uint8_t)kind);
    ck_put_str(b, d->ecosystem);
}

static void put_item(struct ck_buf *b, const struct ck_distro *d,
                     const struct ck_report_package *p, struct ck_arena *a,
                     struct ck_store_item *it)
{
    struct ck_fact fact = { .kind = CK_FACT_PACKAGE, .package = p->p };
    struct ck_keys keys;
    begin_item(b, ITEM_PACKAGE, d);
    ck_fact_encode(&fact, b);
    ck_match_keys(d, &p->p, a, &keys);
    *it = (struct ck_store_item){
        .package = ck_arena_dup(a, ck_buf_view(b)), .keys = keys.v, .n_keys = keys.n,
        .layer = p->layer < UINT32_MAX ? (uint32_t)p->layer : UINT32_MAX,
        .location = p->n_locations ? p->locations[0] : CK_V(""),
    };
}

static void put_distribution(struct ck_buf *b, const struct ck_distro *d, struct ck_arena *a,
                             struct ck_store_item *it)
{
    struct ck_keys keys;
    begin_item(b, ITEM_DISTRIBUTION, d);
    ck_put_u64(b, (uint64_t)d->end_of_life);
    ck_distro_keys(d, a, &keys);
    *it = (struct ck_store_item){ .package = ck_arena_dup(a, ck_buf_view(b)), .keys = keys.v,
                                  .n_keys = keys.n, .layer = UINT32_MAX, .location = CK_V("") };
}

void ck_seen_encode(const struct ck_seen *seen, struct ck_arena *a, struct ck_store_inventory *ret)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_store_inventory v = { .n = seen->n_packages };
    struct ck_distro d;
    ck_distro_of(&seen->os_release, a, &d);
    put_head(&b, seen);
    v.head = ck_arena_dup(a, ck_buf_view(&b));
    v.items = ck_arena_alloc(a, seen->n_packages + 1, sizeof *v.items);
    for (size_t i = 0; i < seen->n_packages; i++)
        put_item(&b, &d, &seen->packages[i], a, &v.items[i]);
    if (d.known)
        put_distribution(&b, &d, a, &v.items[v.n++]);
    *ret = v;
}

/* --- reading ---------------------------------------------------------------------------------- */

static ck_err *damaged(const char *what, const ck_cur *c)
{
    return ck_err_at(CK_ERR_OURS, c->at, "a kept inventory is damaged: %s", what);
}

/* A count of things that take at least so many bytes each. */
static size_t get_count(ck_cur *c, size_t least)
{
    size_t n = ck_cur_le32(c);
    if (n > ck_cur_left(c) / least)
        c->bad = true;
    return ck_cur_ok(c) ? n : 0;
}

static ck_err *get_fact(ck_cur *c, enum ck_fact_kind kind, struct ck_fact *ret)
{
    bool end = false;
    ck_err *e = ck_fact_decode(c, ret, &end);
    if (e)
        return ck_err_reclass(e, CK_ERR_OURS);
    return end || ret->kind != kind ? damaged("another fact", c) : NULL;
}

static ck_err *get_layers(ck_cur *c, struct ck_arena *a, struct ck_seen *s)
{
    enum { LEAST = 4 * 4 + 8 };
    s->n_layers = get_count(c, LEAST);
    if (s->n_layers > CK_MAX_LAYERS)
        return damaged("number of layers", c);
    s->layers = ck_arena_alloc(a, s->n_layers, sizeof *s->layers);
    for (size_t i = 0; i < s->n_layers; i++) {
        struct ck_report_layer *l = &s->layers[i];
        l->digest = ck_cur_str(c, CK_MAX_STRING);
        l->diff_id = ck_cur_str(c, CK_MAX_STRING);
        l->media_type = ck_cur_str(c, CK_MAX_STRING);
        l->size = ck_cur_le64(c);
        l->created_by = ck_cur_str(c, CK_MAX_STRING);
    }
    return ck_cur_ok(c) ? NULL : damaged("layers", c);
}

static ck_err *get_rest(ck_cur *c, struct ck_arena *a, struct ck_seen *s)
{
    s->n_gaps = get_count(c, 2 * 4);
    s->gaps = ck_arena_alloc(a, s->n_gaps, sizeof *s->gaps);
    for (size_t i = 0; i < s->n_gaps; i++) {
        s->gaps[i].what = ck_cur_str(c, CK_MAX_STRING);
        s->gaps[i].why = ck_cur_str(c, CK_MAX_STRING);
    }
    s->n_warnings = get_count(c, 1 + 2 * 4);
    if (s->n_warnings > WARNINGS)
        return damaged("number of warnings", c);
    s->warnings = ck_arena_alloc(a, s->n_warnings, sizeof *s->warnings);
    for (size_t i = 0; i < s->n_warnings; i++) {
        uint8_t kind = ck_cur_u8(c);
        if (kind >= WARNING_KINDS)
            return damaged("kind of a warning", c);
        s->warnings[i].kind = (enum ck_name_warning_kind)kind;
        s->warnings[i].text = ck_cur_str(c, CK_MAX_STRING);
        s->warnings[i].like = ck_cur_str(c, CK_MAX_STRING);
    }
    return ck_cur_ok(c) && ck_cur_end(c) ? NULL : damaged("its end", c);
}

static ck_err *get_head(ck_view head, struct ck_arena *a, struct ck_seen *s, bool *ret_stale)
{
    ck_cur c = ck_cur_of(head);
    struct ck_fact os;
    uint8_t version = ck_cur_u8(&c), detectors = ck_cur_u8(&c);
    *ret_stale = version != CK_INVENTORY_VERSION || detectors != CK_DETECTORS_VERSION;
    if (!ck_cur_ok(&c))
        return damaged("cut off", &c);
    if (*ret_stale)
        return NULL;
    uint8_t flags = ck_cur_u8(&c);
    if (flags > 1)
        return damaged("flags", &c);
    s->no_sandbox = flags;
#define X(text) s->text = ck_cur_str(&c, CK_MAX_STRING);
    HEAD_TEXTS(X)
#undef X
    CK_TRY(get_fact(&c, CK_FACT_OS_RELEASE, &os));
    s->os_release = os.os;
    CK_TRY(get_layers(&c, a, s));
    return get_rest(&c, a, s);
}

/* Keys are of an ecosystem: where this program takes the distribution for another one, they lead
 * nowhere. */
static ck_err *get_item(const struct ck_store_item *it, const struct ck_distro *d,
                        struct ck_seen *s, bool *ret_stale)
{
    ck_cur c = ck_cur_of(it->package);
    struct ck_fact fact;
    uint8_t version = ck_cur_u8(&c);
    uint8_t kind = ck_cur_u8(&c);
    ck_view ecosystem = ck_cur_str(&c, CK_MAX_STRING);
    if (ck_cur_ok(&c) && version != ITEM_VERSION) {
        *ret_stale = true;
        return NULL;
    }
    if (!ck_cur_ok(&c) || kind >= ITEM_KIND_COUNT_)
        return damaged("an item", &c);
    *ret_stale = !ck_view_eq(ecosystem, d->ecosystem);
    if (kind == ITEM_DISTRIBUTION) {
        *ret_stale |= (int64_t)ck_cur_le64(&c) != d->end_of_life;
        return ck_cur_ok(&c) && ck_cur_end(&c) ? NULL : damaged("a distribution", &c);
    }
    CK_TRY(get_fact(&c, CK_FACT_PACKAGE, &fact));
    if (!ck_cur_end(&c) || (it->layer != UINT32_MAX && it->layer >= s->n_layers))
        return damaged("a package", &c);
    struct ck_report_package *p = &s->packages[s->n_packages++];
    p->p = fact.package;
    p->layer = it->layer == UINT32_MAX ? SIZE_MAX : it->layer;
    *p->locations = it->location;
    p->n_locations = 1;
    return NULL;
}

ck_err *ck_seen_decode(const struct ck_store_inventory *v, struct ck_arena *a, struct ck_seen *ret,
                       bool *ret_stale)
{
    struct ck_seen s = { 0 };
    struct ck_distro d;
    bool stale = false;
    CK_TRY(get_head(v->head, a, &s, &stale));
    ck_view *locations = ck_arena_alloc(a, v->n, sizeof *locations);
    s.packages = ck_arena_alloc(a, v->n, sizeof *s.packages);
    ck_distro_of(&s.os_release, a, &d);
    for (size_t i = 0; i < v->n && !stale; i++) {
        s.packages[s.n_packages].locations = &locations[i];
        CK_TRY(get_item(&v->items[i], &d, &s, &stale));
    }
    if (!stale)
        *ret = s;
    *ret_stale = stale;
    return NULL;
}
