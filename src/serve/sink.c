/* Bodies that come in: into memory, or into a pipe that may be full. */
#include "serve/http_int.h"

#include <sys/epoll.h>
#include <unistd.h>

bool ck_request_has_body(const struct ck_request *r)
{
    return r->chunked || r->length > 0;
}

void ck_request_receive(struct ck_request *r, const struct ck_sink *sink)
{
    r->sink = sink;
    r->stage = CK_BODY_NEXT;
}

bool ck_request_reserve(struct ck_request *r, size_t n)
{
    atomic_size_t *total = &r->serve->bodies;
    size_t now = atomic_load(total);
    do {
        if (n > CK_MAX_SERVE_BODIES || now > CK_MAX_SERVE_BODIES - n)
            return false;
    } while (!atomic_compare_exchange_weak(total, &now, now + n));
    r->reserved += n;
    return true;
}

void ck_request_close_body(struct ck_request *r)
{
    if (r->body_fd >= 0) {
        epoll_ctl(r->serve->epoll, EPOLL_CTL_DEL, r->body_fd, NULL); /* the hub may have a copy */
        close(r->body_fd);
    }
    r->body_fd = -1;
}

/* --- pipes that are full ---------------------------------------------------------------------- */

/* The mutex decides who resumes: the pipe's event, or the end of the room. */
void ck_request_await_pipe(struct ck_request *r)
{
    struct ck_serve *s = r->serve;
    struct epoll_event ev = { .events = EPOLLOUT | EPOLLONESHOT, .data.ptr = r };
    pthread_mutex_lock(&s->waiting_mutex);
    s->mhd->MHD_suspend_connection(r->conn);
    bool failed = s->closing ||
                  (epoll_ctl(s->epoll, EPOLL_CTL_MOD, r->body_fd, &ev) != 0 &&
                   epoll_ctl(s->epoll, EPOLL_CTL_ADD, r->body_fd, &ev) != 0);
    if (failed) {
        s->mhd->MHD_resume_connection(r->conn);
    } else {
        r->waiting_next = s->waiting;
        s->waiting = r;
    }
    pthread_mutex_unlock(&s->waiting_mutex);
}

void ck_serve_resume(struct ck_serve *s, struct ck_request *r)
{
    pthread_mutex_lock(&s->waiting_mutex);
    struct ck_request **at = &s->waiting;
    while (*at && *at != r)
        at = &(*at)->waiting_next;
    if (*at) {
        *at = r->waiting_next;
        s->mhd->MHD_resume_connection(r->conn);
    }
    pthread_mutex_unlock(&s->waiting_mutex);
}

void ck_serve_resume_all(struct ck_serve *s)
{
    pthread_mutex_lock(&s->waiting_mutex);
    s->closing = true;
    while (s->waiting) {
        struct ck_request *r = s->waiting;
        s->waiting = r->waiting_next;
        s->mhd->MHD_resume_connection(r->conn);
    }
    pthread_mutex_unlock(&s->waiting_mutex);
}
