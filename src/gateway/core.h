/* What runs the gate: the serve room, the threads that answer it, the rules in force, the log and
 * the counters. Shared by gateway.c, front.c, dispatch.c, rules.c, note.c, listen.c, health.c.
 */
#ifndef CK_GATEWAY_CORE_H
#define CK_GATEWAY_CORE_H

#include "base/mem.h"
#include "gateway/gateway_int.h"
#include "proc/spawn.h"

#include <pthread.h>
#include <sys/types.h>


/* --- listen.c --------------------------------------------------------------------------------- */

struct ck_listener {
    int fd;
    struct ck_wire_listener kind;
    char *shown;     /* "https://127.0.0.1:5000", "unix:/run/x.sock" */
    char *unlink_it; /* a socket's name that is ours to remove, or NULL */
};
struct ck_listeners {
    struct ck_listener *v;
    size_t n, cap;
};
/* The options' and systemd's (LISTEN_FDS). Class USAGE: no address; plain HTTP off the loopback. */
CK_MUST ck_err *ck_listeners_open(const struct ck_gateway_options *o, struct ck_listeners *ret);
void ck_listeners_close(struct ck_listeners *l);

/* --- rules.c ---------------------------------------------------------------------------------- */

struct ck_rules_keeper;
CK_MUST ck_err *ck_rules_open(struct ck_gateway *g, struct ck_rules_keeper **ret);
void ck_rules_close(struct ck_rules_keeper *k);
/* Reads the policy again; on an error the one in force stays. */
CK_MUST ck_err *ck_rules_reload(struct ck_gateway *g);
/* Opens the database where its file is another one than before. *ret_changed. */
CK_MUST ck_err *ck_rules_look(struct ck_gateway *g, bool *ret_changed);

/* --- note.c ----------------------------------------------------------------------------------- */

struct ck_notes;
struct ck_notes *ck_notes_new(int log_fd, bool text);
void ck_notes_free(struct ck_notes *n);
/* The counters as Prometheus reads them. */
void ck_notes_metrics(struct ck_notes *n, struct ck_buf *out);

/* --- front.c: a serve room and the thread that listens to it ---------------------------------- */

struct ck_front {
    struct ck_gateway *g;
    atomic_uint users; /* the thread, open calls, the gateway */
    atomic_uint open;  /* calls */
    int socket;        /* our end of the wire */
    struct ck_room_proc *room;
    pthread_t thread;
    unsigned number;      /* the first is 1 */
    int64_t started;      /* ms */
    int64_t deadline;     /* of a drain; 0: it does not drain */
    atomic_bool over;     /* its thread has ended */
    atomic_bool at_fault; /* it broke the protocol, or stopped reading */
    struct ck_front *next;
};
/* Starts a room on these sockets; in the main thread, since a room dies with the thread that made
 * it. */
CK_MUST ck_err *ck_front_start(struct ck_gateway *g, const struct ck_serve_config *config,
                               struct ck_front **ret);
void ck_front_word(struct ck_front *f, enum ck_wire_type word);
/* Kills the room, waits for the thread. In the main thread. */
void ck_front_stop(struct ck_front *f);
void ck_front_put(struct ck_front *f); /* a user less */
/* Sends; a room that does not take it is at fault. */
void ck_front_send(struct ck_front *f, ck_view packet, int fd);
/* Why the room has ended, as far as it says. */
ck_err *ck_front_end(struct ck_front *f);

/* --- dispatch.c: calls and those who work on them --------------------------------------------- */

struct ck_dispatch;
struct ck_dispatch *ck_dispatch_new(void);
/* Ends the workers. Calls that somebody keeps may still be answered. */
void ck_dispatch_end(struct ck_dispatch *d);
/* What is queued is dropped. */
void ck_dispatch_free(struct ck_dispatch *d);
/* A packet of the room: decodes and queues it. Takes over `fd`. An error: the room broke the
 * protocol. */
CK_MUST ck_err *ck_dispatch_take(struct ck_front *f, ck_view packet, int fd);
/* How many calls are open, of all rooms. */
unsigned ck_dispatch_open(struct ck_dispatch *d);

/* --- flight.c, pulls.c, watching.c: started and ended by gateway.c ---------------------------- */

CK_MUST ck_err *ck_flights_new(struct ck_gateway *g, struct ck_flights **ret);
/* Answers all who wait, as pending, and begins nothing more. False: something is still under way,
 * which only the end of the process ends. */
CK_MUST bool ck_flights_free(struct ck_flights *f);

struct ck_pulls;
struct ck_pulls *ck_pulls_new(void);
void ck_pulls_free(struct ck_pulls *p);
/* Notes one; views are copied. */
void ck_pulls_add(struct ck_gateway *g, const struct ck_pull *p);
/* What has come together goes into the books. */
void ck_pulls_flush(struct ck_gateway *g);

struct ck_watching;
/* The thread that looks again. *ret stays set on failure: ck_watching_free. */
CK_MUST ck_err *ck_watching_new(struct ck_gateway *g, struct ck_watching **ret);
/* After `ending`. False: something is still under way, which only the end of the process ends. */
CK_MUST bool ck_watching_end(struct ck_watching *w);
void ck_watching_free(struct ck_watching *w);

/* --- surveying.c ------------------------------------------------------------------------------ */

struct ck_surveying;
struct ck_surveying *ck_surveying_new(void);
/* After `ending`. False: something is still under way, which only the end of the process ends. */
CK_MUST bool ck_surveying_end(struct ck_surveying *y);
void ck_surveying_free(struct ck_surveying *y);

/* --- api_lanes.c, api_stream.c: the HTTP API's ------------------------------------------------ */

struct ck_api_lanes *ck_api_lanes_new(void);
/* What waits is answered with 503. */
void ck_api_lanes_free(struct ck_api_lanes *l);
/* The reports that were made last (api_rebuilt.h). Freed when no lane is left, and before the
 * rules. */
struct ck_api_kept *ck_api_kept_new(void);
void ck_api_kept_free(struct ck_api_kept *k);
struct ck_streams *ck_streams_new(void);
/* Those that are open are answered, new ones refused: a gate that drains waits for nobody who
 * listens. */
void ck_streams_end(struct ck_gateway *g);
void ck_streams_free(struct ck_gateway *g);
/* Five times a second, from the clock. */
void ck_streams_tick(struct ck_gateway *g);

/* --- tell.c: started and ended by gateway.c --------------------------------------------------- */

/* Has what changes told to those who want to know, beside the pulls. */
CK_MUST ck_err *ck_tell_start(struct ck_gateway *g);
void ck_tell_stop(struct ck_gateway *g);

/* --- gateway.c -------------------------------------------------------------------------------- */

struct ck_gateway_core {
    struct ck_listeners listeners;
    struct ck_rules_keeper *rules;
    struct ck_notes *notes;
    struct ck_dispatch *dispatch;
    struct ck_pulls *pulls;
    struct ck_api_lanes *api; /* api.h */
    struct ck_api_kept *api_kept;
    struct ck_streams *streams;
    struct ck_notifier *notifier;
    atomic_uint_least64_t waiting; /* notifications, as last counted */
    struct ck_watching *watching;
    struct ck_surveying *surveying;
    char *url;
    struct ck_buf certificate, key;
    pthread_mutex_t mutex;  /* over `fronts`' links for other threads than the main one */
    struct ck_front *front; /* in force, or NULL; others drain: next */
    int wake;               /* eventfd: the main thread has something to look at */
    atomic_bool ending;
    atomic_bool store_ok;   /* the last look at the store went well */
    int64_t db_looked;
    pthread_t clock;
    bool has_clock;
};
void ck_gateway_wake(struct ck_gateway *g);
/* Opens the database where it is another one, and says so. */
void ck_gateway_look_at_db(struct ck_gateway *g);

#endif
