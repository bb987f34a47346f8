/* libcurl, as the rooms with a network use it. It is loaded and not linked: it brings thirty
 * libraries, which would cost every other room and every warm scan 5 ms of start-up.
 */
#ifndef CK_ROOM_NET_H
#define CK_ROOM_NET_H

#include "base/buf.h"

#define CURL_DISABLE_TYPECHECK /* its macros do not know pointers to the functions */
#include <curl/curl.h>

#define CK_CURL_CALLS(X)                                  \
    X(curl_global_init) X(curl_easy_init)                 \
    X(curl_easy_setopt) X(curl_easy_perform)              \
    X(curl_easy_getinfo) X(curl_easy_strerror)            \
    X(curl_easy_reset) X(curl_slist_append)               \
    X(curl_slist_free_all)

struct ck_net {
    CURL *easy; /* kept from job to job: so are its connections */
#define X(name) __typeof__(&(name)) name;
    CK_CURL_CALLS(X)
#undef X
    struct ck_buf ca; /* the CA store, read before the sandbox; empty: libcurl's own */
};

/* A room's `load`: *ret_state is a struct ck_net. */
CK_MUST ck_err *ck_net_load(void **ret_state);

extern const char ck_net_agent[]; /* "cocket/0.1.0" */
enum { CK_NET_CONNECT_SECONDS = 30, CK_NET_STALL_SECONDS = 60, CK_NET_STALL_BYTES = 100 };

#endif
