#include "serve/wire.h"

#include "serve/names.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- what a field may hold -------------------------------------------------------------------- */

enum alphabet {
    LINE,  /* one line of text: no control characters */
    VALUE, /* of a header: printable ASCII */
    WORD,  /* part of a URL: printable, no blank, quote, angle or backslash */
    REPOSITORY,
    REFERENCE, /* a tag or a digest */
};

static bool is_line(ck_view v)
{
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] < ' ' || v.p[i] == 0x7f)
            return false;
    return true;
}

static bool is_value(ck_view v)
{
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] < ' ' || v.p[i] > '~')
            return false;
    return true;
}

static bool is_word(ck_view v)
{
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] <= ' ' || v.p[i] > '~' || strchr("\"<>\\^`{|}", v.p[i]))
            return false;
    return true;
}

static bool is_reference(ck_view v) { return ck_is_tag(v) || ck_is_digest(v); }

static bool (*const checks[])(ck_view) = {
    [LINE] = is_line,
    [VALUE] = is_value,
    [WORD] = is_word,
    [REPOSITORY] = ck_is_repository,
    [REFERENCE] = is_reference,
};

struct field {
    size_t at;
    enum ck_limit limit;
    enum alphabet alphabet;
    bool cut; /* when it is sent, what is too long is cut */
};

#define ASK(name, limit, alphabet) { offsetof(struct ck_ask, name), limit, alphabet, false }
static const struct field ask_fields[] = {
    ASK(client, CK_LIMIT_REGISTRY_NAME, WORD),
    ASK(agent, CK_LIMIT_SERVE_AGENT, LINE),
    ASK(ns, CK_LIMIT_REGISTRY_NAME, WORD),
    ASK(host, CK_LIMIT_REGISTRY_NAME, WORD),
    ASK(repository, CK_LIMIT_REGISTRY_NAME, REPOSITORY),
    ASK(reference, CK_LIMIT_REGISTRY_NAME, REFERENCE),
    ASK(content_type, CK_LIMIT_REGISTRY_NAME, VALUE),
    ASK(artifact_type, CK_LIMIT_REGISTRY_NAME, VALUE),
    ASK(from, CK_LIMIT_REGISTRY_NAME, REPOSITORY),
    ASK(last, CK_LIMIT_REGISTRY_NAME, LINE),
    ASK(namespace_, CK_LIMIT_REGISTRY_NAME, LINE),
    ASK(upload, CK_LIMIT_REGISTRY_NAME, WORD),
};

#define ANSWER(name, limit, alphabet, cut) \
    { offsetof(struct ck_answer, name), limit, alphabet, cut }
static const struct field answer_fields[] = {
    ANSWER(message, CK_LIMIT_SERVE_MESSAGE, LINE, true),
    ANSWER(explain, CK_LIMIT_REGISTRY_NEXT, WORD, false),
    ANSWER(content_type, CK_LIMIT_REGISTRY_NAME, VALUE, false),
    ANSWER(ns, CK_LIMIT_REGISTRY_NAME, WORD, false),
    ANSWER(location, CK_LIMIT_REGISTRY_NEXT, WORD, false),
    ANSWER(upload, CK_LIMIT_REGISTRY_NAME, WORD, false),
    ANSWER(link, CK_LIMIT_REGISTRY_NEXT, LINE, false),
    ANSWER(warning, CK_LIMIT_REGISTRY_WARNING, VALUE, true),
};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static ck_view field_of(const void *object, const struct field *f)
{
    return *(const ck_view *)((const char *)object + f->at);
}

static bool field_sound(ck_view v, const struct field *f)
{
    return v.n <= ck_limit_value(f->limit) && (!v.n || checks[f->alphabet](v));
}

static bool fields_sound(const void *object, const struct field *fields, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!field_sound(field_of(object, &fields[i]), &fields[i]))
            return false;
    return true;
}

static void put_fields(struct ck_buf *out, const void *object, const struct field *fields,
                       size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ck_view v = field_of(object, &fields[i]);
        ck_put_str(out, fields[i].cut ? ck_view_head(v, ck_limit_value(fields[i].limit)) : v);
    }
}

static void get_fields(ck_cur *c, void *object, const struct field *fields, size_t n)
{
    for (size_t i = 0; i < n; i++)
        *(ck_view *)((char *)object + fields[i].at) =
            ck_cur_str(c, ck_limit_value(fields[i].limit));
}

static ck_err *malformed(const char *what)
{
    return ck_err_new(CK_ERR_HOSTILE, "malformed packet of the serve room's wire: %s", what);
}

/* Bits of a byte, the first one lowest. */
static uint8_t flags(bool a, bool b, bool c)
{
    return (uint8_t)(a | b << 1 | c << 2);
}

/* --- questions -------------------------------------------------------------------------------- */

bool ck_ask_sound(const struct ck_ask *q)
{
    if (!q->id || (unsigned)q->kind >= CK_ASK_KIND_COUNT_ || q->n_words > CK_WIRE_WORDS ||
        !fields_sound(q, ask_fields, COUNT(ask_fields)))
        return false;
    for (size_t i = 0; i < q->n_words; i++)
        if (q->words[i].n > CK_MAX_HTTP_FIELD || !is_line(q->words[i]))
            return false;
    return true;
}

void ck_ask_encode(const struct ck_ask *q, struct ck_buf *out)
{
    ck_put_u8(out, CK_WIRE_ASK);
    ck_put_u32(out, q->id);
    ck_put_u8(out, (uint8_t)q->kind);
    ck_put_u64(out, q->session);
    ck_put_u8(out, flags(q->head, q->has_n, q->has_range));
    ck_put_u64(out, q->n);
    ck_put_u64(out, q->first);
    ck_put_u64(out, q->length);
    put_fields(out, q, ask_fields, COUNT(ask_fields));
    ck_put_u16(out, (uint16_t)q->n_words);
    for (size_t i = 0; i < q->n_words; i++)
        ck_put_str(out, q->words[i]);
}

static void get_words(ck_cur *c, struct ck_arena *a, struct ck_ask *q)
{
    q->n_words = ck_cur_le16(c);
    if (!ck_cur_ok(c) || q->n_words > CK_WIRE_WORDS)
        return;
    q->words = ck_arena_alloc(a, q->n_words + 1, sizeof *q->words);
    for (size_t i = 0; i < q->n_words; i++)
        q->words[i] = ck_cur_str(c, CK_MAX_HTTP_FIELD);
}

ck_err *ck_ask_decode(ck_view packet, struct ck_arena *a, struct ck_ask *ret)
{
    ck_cur c = ck_cur_of(packet);
    uint8_t type = ck_cur_u8(&c);
    struct ck_ask q = { .fd = -1, .id = ck_cur_le32(&c) };
    q.kind = (enum ck_ask_kind)ck_cur_u8(&c);
    q.session = ck_cur_le64(&c);
    uint8_t bits = ck_cur_u8(&c);
    q.head = bits & 1;
    q.has_n = bits & 2;
    q.has_range = bits & 4;
    q.n = ck_cur_le64(&c);
    q.first = ck_cur_le64(&c);
    q.length = ck_cur_le64(&c);
    get_fields(&c, &q, ask_fields, COUNT(ask_fields));
    get_words(&c, a, &q);
    if (!ck_cur_ok(&c) || !ck_cur_end(&c) || type != CK_WIRE_ASK || bits > 7 || !ck_ask_sound(&q))
        return malformed("a question");
    *ret = q;
    return NULL;
}

/* --- answers ---------------------------------------------------------------------------------- */

static const char *const oci_errors[CK_OCI_ERROR_COUNT_] = {
    [CK_OCI_NONE] = "",
    [CK_OCI_BLOB_UNKNOWN] = "BLOB_UNKNOWN",
    [CK_OCI_BLOB_UPLOAD_INVALID] = "BLOB_UPLOAD_INVALID",
    [CK_OCI_BLOB_UPLOAD_UNKNOWN] = "BLOB_UPLOAD_UNKNOWN",
    [CK_OCI_DIGEST_INVALID] = "DIGEST_INVALID",
    [CK_OCI_MANIFEST_BLOB_UNKNOWN] = "MANIFEST_BLOB_UNKNOWN",
    [CK_OCI_MANIFEST_INVALID] = "MANIFEST_INVALID",
    [CK_OCI_MANIFEST_UNKNOWN] = "MANIFEST_UNKNOWN",
    [CK_OCI_NAME_INVALID] = "NAME_INVALID",
    [CK_OCI_NAME_UNKNOWN] = "NAME_UNKNOWN",
    [CK_OCI_SIZE_INVALID] = "SIZE_INVALID",
    [CK_OCI_UNAUTHORIZED] = "UNAUTHORIZED",
    [CK_OCI_DENIED] = "DENIED",
    [CK_OCI_UNSUPPORTED] = "UNSUPPORTED",
    [CK_OCI_TOOMANYREQUESTS] = "TOOMANYREQUESTS",
    [CK_OCI_UNKNOWN] = "UNKNOWN",
};

const char *ck_oci_error_name(enum ck_oci_error e)
{
    return (unsigned)e < CK_OCI_ERROR_COUNT_ ? oci_errors[e] : "UNKNOWN";
}

static bool digest_sound(const struct ck_digest *d)
{
    if ((unsigned)d->alg >= CK_DIGEST_ALGORITHM_COUNT_)
        return false;
    for (size_t i = ck_digest_size(d->alg); i < sizeof d->bytes; i++)
        if (d->bytes[i])
            return false;
    return true;
}

static void put_digest(struct ck_buf *out, bool has, const struct ck_digest *d)
{
    const struct ck_digest none = { 0 };
    d = has ? d : &none;
    ck_put_u8(out, (uint8_t)d->alg);
    ck_put_bytes(out, ck_view_of(d->bytes, sizeof d->bytes));
}

/* Where there is none it must say so with zeros. */
static struct ck_digest get_digest(ck_cur *c, bool has)
{
    const struct ck_digest none = { 0 };
    struct ck_digest d = { .alg = (enum ck_digest_algorithm)ck_cur_u8(c) };
    ck_view bytes = ck_cur_take(c, sizeof d.bytes);
    if (ck_cur_ok(c))
        memcpy(d.bytes, bytes.p, bytes.n);
    if (!has && (d.alg != none.alg || memcmp(d.bytes, none.bytes, sizeof none.bytes) != 0))
        c->bad = true;
    return d;
}

static bool answer_sound(const struct ck_answer *w)
{
    return w->id && w->status >= 100 && w->status <= 599 &&
           (unsigned)w->code < CK_OCI_ERROR_COUNT_ && w->roles <= 15 &&
           w->body.n <= CK_WIRE_BODY && (!w->explain.n || w->explain.p[0] == '/') &&
           digest_sound(&w->digest) && digest_sound(&w->subject) &&
           fields_sound(w, answer_fields, COUNT(answer_fields));
}

void ck_answer_encode(const struct ck_answer *w, struct ck_buf *out)
{
    ck_put_u8(out, CK_WIRE_ANSWER);
    ck_put_u32(out, w->id);
    ck_put_u16(out, w->status);
    ck_put_u8(out, (uint8_t)w->code);
    ck_put_u8(out, flags(w->has_digest, w->has_subject, w->filtered));
    put_digest(out, w->has_digest, &w->digest);
    put_digest(out, w->has_subject, &w->subject);
    ck_put_u64(out, w->size);
    ck_put_u64(out, w->offset);
    ck_put_u32(out, w->retry_after);
    ck_put_u32(out, w->keep_ms);
    ck_put_u64(out, w->session);
    ck_put_u32(out, w->roles);
    put_fields(out, w, answer_fields, COUNT(answer_fields));
    ck_put_str(out, w->body);
}

ck_err *ck_answer_decode(ck_view packet, struct ck_answer *ret)
{
    ck_cur c = ck_cur_of(packet);
    uint8_t type = ck_cur_u8(&c);
    struct ck_answer w = { .fd = -1, .id = ck_cur_le32(&c) };
    w.status = ck_cur_le16(&c);
    w.code = (enum ck_oci_error)ck_cur_u8(&c);
    uint8_t bits = ck_cur_u8(&c);
    w.has_digest = bits & 1;
    w.has_subject = bits & 2;
    w.filtered = bits & 4;
    w.digest = get_digest(&c, w.has_digest);
    w.subject = get_digest(&c, w.has_subject);
    w.size = ck_cur_le64(&c);
    w.offset = ck_cur_le64(&c);
    w.retry_after = ck_cur_le32(&c);
    w.keep_ms = ck_cur_le32(&c);
    w.session = ck_cur_le64(&c);
    w.roles = ck_cur_le32(&c);
    get_fields(&c, &w, answer_fields, COUNT(answer_fields));
    w.body = ck_cur_str(&c, CK_WIRE_BODY);
    if (!ck_cur_ok(&c) || !ck_cur_end(&c) || type != CK_WIRE_ANSWER || bits > 7 ||
        !answer_sound(&w))
        return malformed("an answer");
    *ret = w;
    return NULL;
}

/* --- the rest --------------------------------------------------------------------------------- */

void ck_wire_listener_encode(const struct ck_wire_listener *l, struct ck_buf *out)
{
    ck_put_u8(out, CK_WIRE_LISTENER);
    ck_put_u8(out, flags(l->tls, l->local, false));
    ck_put_u8(out, (uint8_t)l->routes);
}

ck_err *ck_wire_listener_decode(ck_view packet, struct ck_wire_listener *ret)
{
    ck_cur c = ck_cur_of(packet);
    uint8_t type = ck_cur_u8(&c), bits = ck_cur_u8(&c), routes = ck_cur_u8(&c);
    if (!ck_cur_ok(&c) || !ck_cur_end(&c) || type != CK_WIRE_LISTENER || bits > 3 ||
        routes >= CK_ROUTES_COUNT_)
        return malformed("a listener");
    *ret = (struct ck_wire_listener){ .tls = bits & 1, .local = bits & 2,
                                      .routes = (enum ck_wire_routes)routes };
    return NULL;
}

void ck_wire_word_encode(enum ck_wire_type t, struct ck_buf *out)
{
    ck_put_u8(out, (uint8_t)t);
}

ck_err *ck_wire_type_of(ck_view packet, enum ck_wire_type *ret)
{
    if (!packet.n || packet.p[0] >= CK_WIRE_TYPE_COUNT_)
        return malformed("an unknown type");
    enum ck_wire_type t = (enum ck_wire_type)packet.p[0];
    bool bare = t == CK_WIRE_OPEN || t == CK_WIRE_FORGET || t == CK_WIRE_DRAIN;
    if (bare != (packet.n == 1))
        return malformed("a length");
    *ret = t;
    return NULL;
}

void ck_serve_config_encode(const struct ck_serve_config *c, struct ck_buf *out)
{
    ck_put_str(out, c->certificate);
    ck_put_str(out, c->key);
    ck_put_str(out, c->url);
    ck_put_str(out, c->service);
    ck_put_u8(out, flags(c->anonymous_pull, c->head_deny_405, false));
    ck_put_u32(out, c->threads);
    ck_put_u32(out, c->connections);
    ck_put_u32(out, c->connections_per_client);
    ck_put_u32(out, c->requests_per_second);
    ck_put_u32(out, c->idle_seconds);
    ck_put_u32(out, c->drain_seconds);
}

ck_err *ck_serve_config_decode(ck_view bytes, struct ck_serve_config *ret)
{
    ck_cur cur = ck_cur_of(bytes);
    struct ck_serve_config c = { .certificate = ck_cur_str(&cur, CK_MAX_REGISTRY_CA) };
    c.key = ck_cur_str(&cur, CK_MAX_REGISTRY_CA);
    c.url = ck_cur_str(&cur, CK_MAX_REGISTRY_NAME);
    c.service = ck_cur_str(&cur, CK_MAX_REGISTRY_NAME);
    uint8_t bits = ck_cur_u8(&cur);
    c.anonymous_pull = bits & 1;
    c.head_deny_405 = bits & 2;
    c.threads = ck_cur_le32(&cur);
    c.connections = ck_cur_le32(&cur);
    c.connections_per_client = ck_cur_le32(&cur);
    c.requests_per_second = ck_cur_le32(&cur);
    c.idle_seconds = ck_cur_le32(&cur);
    c.drain_seconds = ck_cur_le32(&cur);
    if (!ck_cur_ok(&cur) || !ck_cur_end(&cur) || bits > 3 || !is_word(c.url) ||
        !is_word(c.service))
        return ck_err_new(CK_ERR_HOSTILE, "malformed message: serve job");
    *ret = c;
    return NULL;
}

/* --- sending and receiving -------------------------------------------------------------------- */

union control {
    char space[CMSG_SPACE(sizeof(int) * 2)];
    struct cmsghdr align;
};

static ssize_t send_packet(int socket, ck_view packet, int fd, int how)
{
    union control control = { { 0 } };
    struct iovec iov = { (void *)(uintptr_t)packet.p, packet.n };
    struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
    if (fd >= 0) {
        mh.msg_control = control.space;
        mh.msg_controllen = CMSG_SPACE(sizeof fd);
        struct cmsghdr *cm = CMSG_FIRSTHDR(&mh);
        cm->cmsg_level = SOL_SOCKET;
        cm->cmsg_type = SCM_RIGHTS;
        cm->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(cm), &fd, sizeof fd);
    }
    ssize_t n;
    do
        n = sendmsg(socket, &mh, MSG_NOSIGNAL | how);
    while (n < 0 && errno == EINTR);
    return n;
}

ck_err *ck_wire_try_send(int socket, ck_view packet, int fd, bool *ret_sent)
{
    if (packet.n > CK_WIRE_PACKET)
        return ck_err_new(CK_ERR_LIMIT, "a packet of %zu bytes for the serve room's wire",
                          packet.n);
    ssize_t n = send_packet(socket, packet, fd, MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN && errno != ENOBUFS)
        return ck_err_errno(CK_ERR_OURS, "sending on the serve room's wire");
    *ret_sent = n >= 0;
    return NULL;
}

ck_err *ck_wire_send(int socket, ck_view packet, int fd)
{
    for (;;) {
        bool sent = false;
        CK_TRY(ck_wire_try_send(socket, packet, fd, &sent));
        if (sent)
            return NULL;
        struct pollfd p = { .fd = socket, .events = POLLOUT };
        if (poll(&p, 1, -1) < 0 && errno != EINTR)
            return ck_err_errno(CK_ERR_OURS, "waiting for the serve room's wire");
    }
}

/* The one descriptor that came along, or -1; false where there is more than one. */
static bool detach(struct msghdr *mh, int *ret_fd)
{
    bool ok = !(mh->msg_flags & (MSG_CTRUNC | MSG_TRUNC));
    *ret_fd = -1;
    for (struct cmsghdr *cm = CMSG_FIRSTHDR(mh); cm; cm = CMSG_NXTHDR(mh, cm)) {
        if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
            continue;
        size_t n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(cm) + i * sizeof fd, sizeof fd);
            if (*ret_fd < 0) {
                *ret_fd = fd;
            } else {
                close(fd);
                ok = false;
            }
        }
    }
    if (!ok && *ret_fd >= 0) {
        close(*ret_fd);
        *ret_fd = -1;
    }
    return ok;
}

ck_err *ck_wire_receive(int socket, uint8_t *frame, ck_view *ret, int *ret_fd, bool *ret_end)
{
    union control control = { { 0 } };
    struct iovec iov = { frame, CK_WIRE_PACKET };
    struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space,
                         .msg_controllen = sizeof control.space };
    ssize_t n;
    do
        n = recvmsg(socket, &mh, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno != ECONNRESET)
        return ck_err_errno(CK_ERR_OURS, "receiving on the serve room's wire");
    if (n <= 0) {
        *ret_end = true;
        return NULL;
    }
    int fd;
    if (!detach(&mh, &fd))
        return malformed("too long, or too many descriptors");
    *ret = ck_view_of(frame, (size_t)n);
    *ret_fd = fd;
    *ret_end = false;
    return NULL;
}
