#include "base/mem.h"
#include "serve/http_int.h"

#include <stdlib.h>
#include <unistd.h>

/* Ids are a slot's number and how often it was used, so that a late answer finds nobody. */
struct slot {
    struct ck_request *r;
    uint16_t turn;
    bool used;
    uint32_t next_free;
};

struct packet {
    struct packet *next;
    int fd;
    size_t n;
    uint8_t bytes[];
};

struct ck_asks {
    pthread_mutex_t mutex;
    int wire, wake;
    bool closed;
    struct slot *slots;
    size_t n_slots;
    uint32_t free; /* first one; n_slots: none */
    struct packet *first, **last; /* waiting to be sent */
};

struct ck_asks *ck_asks_new(int wire, int wake, size_t most)
{
    struct ck_asks *a = ck_new(struct ck_asks);
    pthread_mutex_init(&a->mutex, NULL);
    a->wire = wire;
    a->wake = wake;
    a->n_slots = most < UINT16_MAX ? most : UINT16_MAX;
    a->slots = ck_calloc(a->n_slots, sizeof *a->slots);
    for (size_t i = 0; i < a->n_slots; i++)
        a->slots[i].next_free = (uint32_t)i + 1;
    a->last = &a->first;
    return a;
}

static void drop_first(struct ck_asks *a)
{
    struct packet *p = a->first;
    a->first = p->next;
    if (!a->first)
        a->last = &a->first;
    if (p->fd >= 0)
        close(p->fd);
    free(p);
}

void ck_asks_free(struct ck_asks *a)
{
    while (a->first)
        drop_first(a);
    pthread_mutex_destroy(&a->mutex);
    free(a->slots);
    free(a);
}

/* --- sending, under the mutex ----------------------------------------------------------------- */

/* Takes over fd. What the wire does not take at once waits for the main thread. */
static void send_or_keep(struct ck_asks *a, ck_view packet, int fd)
{
    bool sent = false;
    if (!a->first) {
        ck_err *e = ck_wire_try_send(a->wire, packet, fd, &sent);
        sent |= e != NULL; /* the hub is gone: the main thread sees its end */
        ck_err_free(e);
    }
    if (sent) {
        if (fd >= 0)
            close(fd);
        return;
    }
    struct packet *p = ck_calloc(1, sizeof *p + packet.n);
    p->fd = fd;
    p->n = packet.n;
    memcpy(p->bytes, packet.p, packet.n);
    *a->last = p;
    a->last = &p->next;
    const uint64_t one = 1;
    if (write(a->wake, &one, sizeof one) < 0)
        return; /* it is awake already */
}

static uint32_t take_slot(struct ck_asks *a, struct ck_request *r)
{
    uint32_t i = a->free;
    if (a->closed || i == a->n_slots)
        return 0;
    a->free = a->slots[i].next_free;
    a->slots[i].r = r;
    a->slots[i].used = true;
    a->slots[i].turn++;
    return (uint32_t)a->slots[i].turn << 16 | (i + 1);
}

static void give_slot_back(struct ck_asks *a, uint32_t i)
{
    a->slots[i].used = false;
    a->slots[i].next_free = a->free;
    a->free = i;
}

uint16_t ck_asks_send(struct ck_request *r, bool suspend)
{
    struct ck_asks *a = r->serve->asks;
    struct ck_buf packet = r->packet;
    int fd = r->packet_fd;
    r->packet = ck_buf_new(CK_LIMIT_NONE);
    r->packet_fd = -1;
    pthread_mutex_lock(&a->mutex);
    uint32_t id = take_slot(a, r);
    if (id) {
        if (suspend)
            r->serve->mhd->MHD_suspend_connection(r->conn);
        for (int i = 0; i < 4; i++) /* behind the type, see wire.c */
            packet.p[1 + i] = (uint8_t)(id >> 8 * i);
        send_or_keep(a, ck_buf_view(&packet), fd);
    }
    pthread_mutex_unlock(&a->mutex);
    if (!id && fd >= 0)
        close(fd);
    ck_buf_free(&packet);
    return id ? 0 : 503;
}

void ck_asks_tell(struct ck_serve *s, struct ck_ask *q, bool answered)
{
    struct ck_asks *a = s->asks;
    ck_autobuf struct ck_buf packet = ck_buf_new(CK_LIMIT_NONE);
    pthread_mutex_lock(&a->mutex);
    q->id = answered ? take_slot(a, NULL) : UINT32_MAX;
    if (q->id) {
        ck_ask_encode(q, &packet);
        send_or_keep(a, ck_buf_view(&packet), -1);
    }
    pthread_mutex_unlock(&a->mutex);
}

ck_err *ck_asks_flush(struct ck_asks *a, bool *ret_more)
{
    ck_err *e = NULL;
    bool sent = true;
    pthread_mutex_lock(&a->mutex);
    while (!e && sent && a->first) {
        struct packet *p = a->first;
        e = ck_wire_try_send(a->wire, ck_view_of(p->bytes, p->n), p->fd, &sent);
        if (e || sent)
            drop_first(a);
    }
    *ret_more = a->first != NULL;
    pthread_mutex_unlock(&a->mutex);
    return e;
}

/* --- answers ---------------------------------------------------------------------------------- */

ck_err *ck_asks_take(struct ck_asks *a, uint32_t id, struct ck_request **ret)
{
    uint32_t i = (id & 0xffff) - 1;
    pthread_mutex_lock(&a->mutex);
    bool known = (id & 0xffff) && i < a->n_slots && a->slots[i].used &&
                 a->slots[i].turn == id >> 16;
    if (known) {
        *ret = a->slots[i].r;
        give_slot_back(a, i);
    }
    pthread_mutex_unlock(&a->mutex);
    return known ? NULL
                 : ck_err_new(CK_ERR_HOSTILE, "the hub answers a question that nobody asked");
}

struct ck_request *ck_asks_close(struct ck_asks *a)
{
    struct ck_request *r = NULL;
    pthread_mutex_lock(&a->mutex);
    a->closed = true;
    for (uint32_t i = 0; i < a->n_slots && !r; i++)
        if (a->slots[i].used) {
            r = a->slots[i].r;
            give_slot_back(a, i);
        }
    pthread_mutex_unlock(&a->mutex);
    return r;
}
