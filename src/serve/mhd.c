#include "serve/mhd.h"

#include "base/mem.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* A shell's soft limit of 1,024 descriptors is not enough for as many connections. */
static uint64_t raise_descriptors(void)
{
    struct rlimit rl;
    if (getrlimit(RLIMIT_NOFILE, &rl) != 0)
        return 0;
    rl.rlim_cur = rl.rlim_max < CK_MAX_SERVE_DESCRIPTORS ? rl.rlim_max : CK_MAX_SERVE_DESCRIPTORS;
    return setrlimit(RLIMIT_NOFILE, &rl) == 0 ? rl.rlim_cur : 0;
}

ck_err *ck_mhd_load(void **ret_state)
{
    void *lib = dlopen("libmicrohttpd.so.12", RTLD_NOW | RTLD_LOCAL);
    if (!lib)
        return ck_err_new(CK_ERR_OURS, "libmicrohttpd.so.12 cannot be loaded: %s", dlerror());
    signal(SIGPIPE, SIG_IGN); /* uploads go to pipes */
    tzset(); /* reads /etc/localtime, as the first Date header would */
    struct ck_mhd *m = ck_new(struct ck_mhd);
    bool ok = true;
#define X(name) ok = ok && (*(void **)&m->name = dlsym(lib, "" #name));
    CK_MHD_CALLS(X)
#undef X
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    m->cores = cores < 1 ? 1 : cores > 64 ? 64 : (unsigned)cores;
    m->descriptors = raise_descriptors();
    if (!ok || !m->descriptors) {
        free(m);
        return ck_err_new(CK_ERR_OURS, "libmicrohttpd.so.12 does not work");
    }
    *ret_state = m;
    return NULL;
}
