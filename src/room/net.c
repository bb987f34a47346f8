#include "room/net.h"

#include "base/mem.h"
#include "room/input.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

const char ck_net_agent[] = "cocket/" COCKET_VERSION;

static void read_ca(struct ck_buf *out)
{
    const char *own = getenv("SSL_CERT_FILE");
    int fd = open(own ? own : "/etc/ssl/certs/ca-certificates.crt", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return; /* https will then fail with a clear error; http does not need it */
    ck_err_free(ck_input_all(fd, out));
    close(fd);
}

ck_err *ck_net_load(void **ret_state)
{
    void *lib = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!lib)
        return ck_err_new(CK_ERR_OURS, "libcurl.so.4 cannot be loaded: %s", dlerror());
    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes to sockets that the other side has closed */
    struct ck_net *n = ck_new(struct ck_net);
    n->ca = ck_buf_new(CK_LIMIT_DOCUMENT);
    bool ok = true;
#define X(name) ok = ok && (*(void **)&n->name = dlsym(lib, "" #name));
    CK_CURL_CALLS(X)
#undef X
    if (!ok || n->curl_global_init(CURL_GLOBAL_ALL) != 0 || !(n->easy = n->curl_easy_init()))
        return ck_err_new(CK_ERR_OURS, "libcurl.so.4 does not work");
    read_ca(&n->ca);
    *ret_state = n;
    return NULL;
}
