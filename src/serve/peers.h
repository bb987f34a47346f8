/* The connections there are, each with the moment by which it must have sent what is awaited of it.
 * libmicrohttpd ends connections that are silent; those that send a byte now and then are ended
 * here.
 */
#ifndef CK_SERVE_PEERS_H
#define CK_SERVE_PEERS_H

#include "base/view.h"

#include <netinet/in.h>
#include <stdatomic.h>

struct ck_peer {
    struct ck_peer *prev, *next;
    int fd;
    bool local;
    atomic_llong since;    /* ms: when it began to owe us something */
    atomic_llong deadline; /* ms; 0: nothing is awaited of it */
    char address[INET6_ADDRSTRLEN];
};

struct ck_peers;
struct ck_peers *ck_peers_new(void);
void ck_peers_free(struct ck_peers *p);
struct ck_peer *ck_peers_add(struct ck_peers *p, int fd, const struct sockaddr *address);
void ck_peers_remove(struct ck_peers *p, struct ck_peer *one);
/* Shuts down those whose deadline is over, and those that have owed for `patience` ms. Returns how
 * many. */
size_t ck_peers_sweep(struct ck_peers *p, int64_t now, int64_t patience);
size_t ck_peers_count(struct ck_peers *p);
static inline void ck_peer_owes(struct ck_peer *p, int64_t now, int64_t within)
{
    atomic_store_explicit(&p->since, now, memory_order_relaxed);
    atomic_store_explicit(&p->deadline, now + within, memory_order_relaxed);
}
/* As long as that, however many others there are. */
static inline void ck_peer_lasts(struct ck_peer *p, int64_t now, int64_t within)
{
    ck_peer_owes(p, now, within);
    atomic_store_explicit(&p->since, now + within, memory_order_relaxed);
}
static inline void ck_peer_quit(struct ck_peer *p)
{
    atomic_store_explicit(&p->deadline, 0, memory_order_relaxed);
}

#endif
