/* libmicrohttpd, loaded and not linked: GnuTLS behind it would cost every other process of ours its
 * start-up (room/net.h says the same of libcurl).
 */
#ifndef CK_SERVE_MHD_H
#define CK_SERVE_MHD_H

#include "base/err.h"

#include <microhttpd.h>

#define CK_MHD_CALLS(X)                                                         \
    X(MHD_start_daemon) X(MHD_stop_daemon) X(MHD_quiesce_daemon)                \
    X(MHD_get_connection_values_n) X(MHD_lookup_connection_value_n)             \
    X(MHD_get_connection_info) X(MHD_queue_response) X(MHD_suspend_connection)  \
    X(MHD_resume_connection) X(MHD_create_response_from_buffer)                 \
    X(MHD_create_response_from_callback) X(MHD_create_response_from_fd_at_offset64) \
    X(MHD_add_response_header) X(MHD_destroy_response)

struct ck_mhd {
#define X(name) __typeof__(&(name)) name;
    CK_MHD_CALLS(X)
#undef X
    unsigned cores;
    uint64_t descriptors; /* RLIMIT_NOFILE, raised as far as SERVE_DESCRIPTORS */
};

/* The serve room's `load`: *ret_state is a struct ck_mhd. */
CK_MUST ck_err *ck_mhd_load(void **ret_state);

#endif
