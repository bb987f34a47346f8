#include "trust/near_miss.h"

#include "trust/look.h"
#include "trust/moving_tag.h"

static const char *const kind_names[] = {
    [CK_NAME_NEAR_MISS] = "near-miss", [CK_NAME_HOMOGLYPH] = "homoglyph",
    [CK_NAME_LIBRARY] = "library",     [CK_NAME_HOST] = "host",
    [CK_TAG_MOVES] = "moving-tag",     [CK_TAG_MINOR] = "minor-tag",
};

const char *ck_name_warning_name(enum ck_name_warning_kind k) { return kind_names[k]; }

/* --- the list that grows ---------------------------------------------------------------------- */

enum { MOST = 8 };

struct list {
    struct ck_arena *a;
    struct ck_name_warning v[MOST];
    unsigned rank[MOST]; /* smaller is worse */
    size_t n;
};

/* Kinds in the order of how little they can be an accident, then by distance. */
static unsigned rank_of(enum ck_name_warning_kind k, unsigned cost)
{
    static const uint8_t order[] = {
        [CK_NAME_HOMOGLYPH] = 0, [CK_NAME_HOST] = 1, [CK_NAME_LIBRARY] = 2,
        [CK_NAME_NEAR_MISS] = 3, [CK_TAG_MOVES] = 4, [CK_TAG_MINOR] = 5,
    };
    return order[k] * 16u + (cost < 15 ? cost : 15);
}

static bool wanted(const struct list *l, unsigned rank)
{
    return l->n < MOST || rank < l->rank[MOST - 1];
}

static void add(struct list *l, enum ck_name_warning_kind kind, unsigned cost, ck_view like,
                const char *text)
{
    unsigned rank = rank_of(kind, cost);
    if (!wanted(l, rank))
        return;
    size_t at = l->n < MOST ? l->n++ : MOST - 1;
    for (; at && l->rank[at - 1] > rank; at--) {
        l->v[at] = l->v[at - 1];
        l->rank[at] = l->rank[at - 1];
    }
    l->v[at] = (struct ck_name_warning){ kind, ck_arena_dup(l->a, ck_view_str(text)),
                                         ck_arena_dup(l->a, like) };
    l->rank[at] = rank;
}

/* --- one name against one --------------------------------------------------------------------- */

struct subject {
    ck_view text;
    uint64_t set;
    struct ck_look skeleton; /* empty where the text is too long for one */
};

static struct subject subject_of(ck_view text)
{
    struct subject s = { .text = text, .set = ck_edit_set(text) };
    if (!ck_look_skeleton(text, &s.skeleton))
        s.skeleton.n = 0;
    return s;
}

static bool looks_like(const struct subject *s, ck_view other)
{
    return s->skeleton.n && ck_look_has_skeleton(other, &s->skeleton);
}

static struct ck_edit edit_of(const struct subject *s, ck_view other, enum ck_edit_what what)
{
    if (__builtin_popcountll(s->set ^ ck_edit_set(other)) > CK_EDIT_SET)
        return (struct ck_edit){ CK_EDIT_FAR, false, false };
    return ck_edit_between(s->text, other, what);
}

static const char *how_far(struct ck_edit e)
{
    return e.one ? "is one letter away from" : e.swap ? "is, with two letters swapped,"
                                                      : "is a slip of the hand away from";
}

/* Warns where `s` looks like `other` or is near it; `what` says what `other` is. */
static bool compare(struct list *l, const struct subject *s, ck_view other,
                    enum ck_name_warning_kind near, const char *what)
{
    if (ck_view_eq(s->text, other))
        return false;
    if (looks_like(s, other)) {
        add(l, CK_NAME_HOMOGLYPH, 0, other,
            ck_arena_format(l->a, "%.*s looks like %s %.*s but is another name", CK_VF(s->text),
                            what, CK_VF(other)));
        return true;
    }
    struct ck_edit e = edit_of(s, other, near == CK_NAME_HOST ? CK_EDIT_HOST : CK_EDIT_REPOSITORY);
    if (e.cost >= CK_EDIT_FAR || !wanted(l, rank_of(near, e.cost)))
        return false;
    add(l, near, e.cost, other,
        ck_arena_format(l->a, "%.*s %s %s %.*s", CK_VF(s->text), how_far(e), what, CK_VF(other)));
    return true;
}

/* --- the official images ---------------------------------------------------------------------- */

static void against_official(struct list *l, ck_view image)
{
    struct subject s = subject_of(image);
    for (const char *const *o = ck_official_names(); *o; o++)
        compare(l, &s, ck_view_str(*o), CK_NAME_NEAR_MISS, "the official image");
}

static void library(struct list *l, ck_view path, ck_view image, const char *why)
{
    add(l, CK_NAME_LIBRARY, 0, image,
        ck_arena_format(l->a, "%.*s is not the official image %.*s: %s", CK_VF(path), CK_VF(image),
                        why));
}

/* "library-nginx", "librarynginx" */
static bool glued(ck_view name, ck_view *ret_image)
{
    ck_view rest = ck_view_from(name, 7);
    if (!ck_view_starts(name, CK_V("library")))
        return false;
    while (rest.n && (rest.p[0] == '-' || rest.p[0] == '_' || rest.p[0] == '.'))
        rest = ck_view_from(rest, 1);
    *ret_image = rest;
    return ck_name_is_official(rest);
}

static bool near_library(ck_view publisher)
{
    struct subject s = subject_of(publisher);
    return looks_like(&s, CK_V("library")) ||
           edit_of(&s, CK_V("library"), CK_EDIT_REPOSITORY).cost < CK_EDIT_FAR;
}

/* Publishers of Docker Hub that sound as if they were Docker's own. */
static bool sounds_official(ck_view publisher)
{
    static const char *const sounds[] = { "official", "officialimages", "official-images",
                                          "dockerhub", "docker-library", "dockerlibrary",
                                          "docker-official", "dockerofficial", "lib", "libs" };
    for (size_t i = 0; i < sizeof sounds / sizeof *sounds; i++)
        if (ck_view_eq(publisher, ck_view_str(sounds[i])))
            return true;
    return false;
}

/* PUBLISHER/IMAGE of Docker Hub, where the publisher is not "library". */
static void against_library(struct list *l, ck_view path)
{
    ck_view image, glued_image, publisher = ck_view_split(path, '/', &image);
    bool known = ck_name_is_official(image);
    if (near_library(publisher))
        library(l, path, image, "that is library/, spelt otherwise");
    else if (known && sounds_official(publisher))
        library(l, path, image, "anybody may be called so; Docker's own are library/");
    else if (known && ck_view_eq(publisher, image) && !ck_official_twin(publisher))
        library(l, path, image, "it is another image, of a publisher who is called the same");
    else if (ck_view_eq(image, CK_V("library")) && ck_name_is_official(publisher))
        library(l, path, publisher, "library/ and the image are swapped");
    else if (glued(publisher, &glued_image))
        library(l, path, glued_image, "a publisher whose name only begins like library/");
}

static void on_docker_hub(struct list *l, ck_view path)
{
    ck_view image = ck_view_from(path, 8), official;
    if (!ck_view_starts(path, CK_V("library/"))) {
        against_library(l, path);
    } else if (glued(image, &official)) {
        library(l, image, official, "library/ is not part of a name");
    } else if (!ck_name_is_official(image)) {
        against_official(l, image);
    }
}

/* --- hosts ------------------------------------------------------------------------------------ */

static ck_view without_last_label(ck_view host, ck_view *ret_last)
{
    size_t dot = host.n;
    while (dot && host.p[dot - 1] != '.')
        dot--;
    *ret_last = ck_view_from(host, dot);
    return ck_view_head(host, dot ? dot - 1 : 0);
}

/* Names below these belong to no one in public: docker.lan is the owner's own. */
static bool private_domain(ck_view last)
{
    static const char *const own[] = { "lan", "local", "localdomain", "localhost", "home", "corp",
                                       "internal", "intranet", "private", "test", "example",
                                       "invalid", "arpa", "svc" };
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (ck_view_eq(last, ck_view_str(own[i])))
            return true;
    return false;
}

/* "docker.com" for docker.io, "docker.io.example.org" */
static bool another_domain(struct list *l, ck_view host, ck_view known)
{
    ck_view last, known_last;
    ck_view stem = without_last_label(host, &last);
    ck_view known_stem = without_last_label(known, &known_last);
    if (private_domain(last))
        return false;
    if (host.n > known.n && host.p[known.n] == '.' && ck_view_starts(host, known)) {
        add(l, CK_NAME_HOST, 1, known,
            ck_arena_format(l->a, "the registry %.*s begins with %.*s but belongs to %.*s",
                            CK_VF(host), CK_VF(known), CK_VF(ck_view_from(host, known.n + 1))));
        return true;
    }
    if (stem.n == 0 || !ck_view_eq(stem, known_stem))
        return false;
    add(l, CK_NAME_HOST, 1, known,
        ck_arena_format(l->a, "the registry %.*s is not %.*s", CK_VF(host), CK_VF(known)));
    return true;
}

/* In letters of other scripts: what it resembles, read as ASCII, is a known host or near one. */
static void decoded_host(struct list *l, ck_view host, const struct subject *s)
{
    for (const char *const *k = ck_known_hosts(); *k; k++) {
        ck_view known = ck_view_str(*k);
        if (ck_view_eq(s->text, known) || looks_like(s, known) ||
            edit_of(s, known, CK_EDIT_HOST).cost < CK_EDIT_FAR)
            add(l, CK_NAME_HOMOGLYPH, 0, known,
                ck_arena_format(l->a,
                                "the registry %.*s is written with letters of other scripts that "
                                "look like %.*s", CK_VF(host), CK_VF(known)));
    }
}

static bool is_known_host(ck_view host)
{
    for (const char *const *k = ck_known_hosts(); *k; k++)
        if (ck_view_eq(host, ck_view_str(*k)))
            return true;
    return false;
}

static bool numeric(ck_view host)
{
    for (size_t i = 0; i < host.n; i++)
        if (host.p[i] != '.' && (host.p[i] < '0' || host.p[i] > '9'))
            return false;
    return true;
}

static void against_hosts(struct list *l, ck_view host)
{
    struct ck_look plain;
    enum ck_look_host_result r = ck_look_host(host, &plain);
    ck_view v = ck_look_view(&plain);
    if (r == CK_LOOK_BROKEN) {
        add(l, CK_NAME_HOST, 0, CK_V(""),
            ck_arena_format(l->a, "the registry %.*s has a label that is no valid punycode",
                            CK_VF(host)));
        return;
    }
    if (r == CK_LOOK_PLAIN && (is_known_host(v) || ck_view_find(v, '.') == v.n || numeric(v)))
        return;
    struct subject s = subject_of(v);
    if (r == CK_LOOK_DECODED) {
        decoded_host(l, host, &s);
        return;
    }
    for (const char *const *k = ck_known_hosts(); *k; k++)
        if (!another_domain(l, v, ck_view_str(*k)))
            compare(l, &s, ck_view_str(*k), CK_NAME_HOST, "the registry");
}

/* --- all together ----------------------------------------------------------------------------- */

static bool already(const struct list *l, ck_view repository)
{
    const ck_view hub = CK_V("docker.io/library/");
    for (size_t i = 0; i < l->n; i++)
        if (ck_view_eq(l->v[i].like, repository) ||
            (ck_view_starts(repository, hub) &&
             ck_view_eq(l->v[i].like, ck_view_from(repository, hub.n))))
            return true;
    return false;
}

static void against_seen(struct list *l, ck_view repository, const ck_view *seen, size_t n)
{
    struct subject s = subject_of(repository);
    for (size_t i = 0; i < n; i++)
        if (!already(l, seen[i]))
            compare(l, &s, seen[i], CK_NAME_NEAR_MISS, "the repository seen here before,");
}

static void tag(struct list *l, const struct ck_name *n)
{
    static const char *const says[] = {
        [CK_TAG_NAMES_NEWEST] = "names no version: it moves with every release",
        [CK_TAG_MAJOR] = "is a major version: it moves with every minor release",
        [CK_TAG_MINOR_ONLY] = "is a minor version: it moves with every patch release",
    };
    enum ck_tag_moves m = ck_tag_moves(n->tag);
    if (n->has_digest || m == CK_TAG_STAYS)
        return;
    if (!n->tag_given)
        add(l, CK_TAG_MOVES, 0, CK_V(""), "no tag means latest, which moves with every release");
    else
        add(l, m == CK_TAG_MINOR_ONLY ? CK_TAG_MINOR : CK_TAG_MOVES, 0, CK_V(""),
            ck_arena_format(l->a, "the tag %.*s %s", CK_VF(n->tag), says[m]));
}

void ck_name_warnings(const struct ck_name *n, const ck_view *seen, size_t n_seen,
                      struct ck_arena *a, struct ck_name_warning **ret, size_t *ret_n)
{
    struct list l = { .a = a };
    ck_view repository = ck_view_str(
        ck_arena_format(a, "%.*s/%.*s", CK_VF(n->host), CK_VF(n->path)));
    bool known = false;
    for (size_t i = 0; i < n_seen && !known; i++)
        known = ck_view_eq(seen[i], repository);
    bool hub = ck_view_eq(n->host, CK_V("docker.io"));
    known = known || (hub && ck_view_starts(n->path, CK_V("library/")) &&
                      ck_name_is_official(ck_view_from(n->path, 8)));
    if (!known) {
        against_hosts(&l, n->host);
        if (hub)
            on_docker_hub(&l, n->path);
        against_seen(&l, repository, seen, n_seen);
    }
    tag(&l, n);
    *ret = ck_arena_alloc(a, l.n, sizeof **ret);
    if (l.n)
        memcpy(*ret, l.v, l.n * sizeof **ret);
    *ret_n = l.n;
}
