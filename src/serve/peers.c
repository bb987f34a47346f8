#include "serve/peers.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

struct ck_peers {
    pthread_mutex_t mutex;
    struct ck_peer *first;
    size_t n;
};

struct ck_peers *ck_peers_new(void)
{
    struct ck_peers *p = ck_new(struct ck_peers);
    pthread_mutex_init(&p->mutex, NULL);
    return p;
}

void ck_peers_free(struct ck_peers *p)
{
    pthread_mutex_destroy(&p->mutex);
    free(p);
}

/* An IPv4 client of an IPv6 socket is the same client. */
static void address_text(const struct sockaddr *address, char out[INET6_ADDRSTRLEN])
{
    struct sockaddr_in6 six;
    struct sockaddr_in four;
    if (address && address->sa_family == AF_INET) {
        memcpy(&four, address, sizeof four);
        inet_ntop(AF_INET, &four.sin_addr, out, INET6_ADDRSTRLEN);
    } else if (address && address->sa_family == AF_INET6) {
        memcpy(&six, address, sizeof six);
        if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr))
            inet_ntop(AF_INET, &six.sin6_addr.s6_addr[12], out, INET6_ADDRSTRLEN);
        else
            inet_ntop(AF_INET6, &six.sin6_addr, out, INET6_ADDRSTRLEN);
    }
}

struct ck_peer *ck_peers_add(struct ck_peers *p, int fd, const struct sockaddr *address)
{
    struct ck_peer *one = ck_new(struct ck_peer);
    one->fd = fd;
    one->local = address && address->sa_family == AF_UNIX;
    address_text(address, one->address);
    pthread_mutex_lock(&p->mutex);
    one->next = p->first;
    if (p->first)
        p->first->prev = one;
    p->first = one;
    p->n++;
    pthread_mutex_unlock(&p->mutex);
    return one;
}

void ck_peers_remove(struct ck_peers *p, struct ck_peer *one)
{
    pthread_mutex_lock(&p->mutex);
    if (one->prev)
        one->prev->next = one->next;
    else
        p->first = one->next;
    if (one->next)
        one->next->prev = one->prev;
    p->n--;
    pthread_mutex_unlock(&p->mutex);
    free(one);
}

/* The descriptor is open as long as its peer is in the list: libmicrohttpd closes it after it has
 * told us. */
size_t ck_peers_sweep(struct ck_peers *p, int64_t now, int64_t patience)
{
    size_t n = 0;
    pthread_mutex_lock(&p->mutex);
    for (struct ck_peer *one = p->first; one; one = one->next) {
        int64_t deadline = atomic_load_explicit(&one->deadline, memory_order_relaxed);
        int64_t since = atomic_load_explicit(&one->since, memory_order_relaxed);
        if (!deadline || (now < deadline && now - since < patience))
            continue;
        shutdown(one->fd, SHUT_RDWR);
        ck_peer_quit(one);
        n++;
    }
    pthread_mutex_unlock(&p->mutex);
    return n;
}

size_t ck_peers_count(struct ck_peers *p)
{
    pthread_mutex_lock(&p->mutex);
    size_t n = p->n;
    pthread_mutex_unlock(&p->mutex);
    return n;
}
