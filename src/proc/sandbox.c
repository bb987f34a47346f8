#include "proc/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef CK_SANITIZED
static const bool sanitized = true; /* shadow memory and reports need more room and calls */
#else
static const bool sanitized = false;
#endif

/* --- resource limits -------------------------------------------------------------------------- */

/* Soft limit `value`, hard limit `grace` more; what the user has set lower stays. */
static ck_err *cap(int resource, rlim_t value, rlim_t grace, const char *name)
{
    struct rlimit rl;
    if (getrlimit((__rlimit_resource_t)resource, &rl) != 0)
        return ck_err_errno(CK_ERR_OURS, "reading limit %s", name);
    if (value < rl.rlim_cur)
        rl.rlim_cur = value;
    if (value + grace < rl.rlim_max)
        rl.rlim_max = value + grace;
    if (setrlimit((__rlimit_resource_t)resource, &rl) != 0)
        return ck_err_errno(CK_ERR_OURS, "setting limit %s", name);
    return NULL;
}

/* A tree is walked with two descriptors a level, up to PATH_DEPTH. */
static rlim_t descriptors(const struct ck_rights *r)
{
    enum { WALK = 2 * 256 + 64, FILES = 256, FEW = 16 };
    if (r->calls & CK_CALLS_SERVE)
        return CK_MAX_SERVE_DESCRIPTORS;
    return r->calls & CK_CALLS_TREE ? WALK : r->calls & CK_CALLS_FILES ? FILES : FEW;
}

static ck_err *cap_resources(const struct ck_rights *r)
{
    CK_TRY(cap(RLIMIT_CORE, 0, 0, "core"));
    CK_TRY(cap(RLIMIT_FSIZE, r->write ? ck_limit_value(r->write) : 0, 0, "fsize"));
    if (!(r->calls & CK_CALLS_THREADS)) /* counts the whole user's threads; clone is filtered */
        CK_TRY(cap(RLIMIT_NPROC, 0, 0, "nproc"));
    CK_TRY(cap(RLIMIT_MEMLOCK, 0, 0, "memlock"));
    CK_TRY(cap(RLIMIT_NOFILE, descriptors(r), 0, "nofile"));
    /* At the soft limit SIGXCPU comes, which names it; at the hard one SIGKILL. */
    if (r->cpu)
        CK_TRY(cap(RLIMIT_CPU, ck_limit_value(r->cpu), 5, "cpu"));
    if (!sanitized)
        CK_TRY(cap(RLIMIT_DATA, ck_limit_value(r->memory), 0, "data"));
    return NULL;
}

/* --- privileges ------------------------------------------------------------------------------- */

static ck_err *drop_privileges(void)
{
    struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct none[2] = { { 0 } };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return ck_err_errno(CK_ERR_OURS, "no_new_privs");
    if (syscall(SYS_capset, &head, none) != 0)
        return ck_err_errno(CK_ERR_OURS, "dropping capabilities");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return ck_err_errno(CK_ERR_OURS, "dumpable");
    return NULL;
}

/* --- landlock --------------------------------------------------------------------------------- */

/* No devices, sockets or fifos. */
#define FS_WRITE                                                                                 \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                             \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | \
     LANDLOCK_ACCESS_FS_MAKE_SYM)

/* Headers of Debian 12 know ABI 2; later rights are given by number (landlock(7)). */
#define FS_ABI1 ((1ull << 13) - 1)
#define FS_REFER (1ull << 13)
#define FS_TRUNCATE (1ull << 14)
#define FS_IOCTL_DEV (1ull << 15)
#define NET_ALL 3ull
#define SCOPE_ALL 3ull

struct ruleset_attr {
    uint64_t fs, net, scoped;
};

static ck_err *allow_path(int ruleset, const char *path, uint64_t access)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return NULL; /* what is not there needs no right */
    struct landlock_path_beneath_attr rule = { .allowed_access = access, .parent_fd = fd };
    int rc = (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    if (rc != 0 && errno == EINVAL) { /* a file takes no directory rights */
        rule.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE;
        rc = (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    }
    int saved = errno;
    close(fd);
    errno = saved;
    return rc == 0 ? NULL : ck_err_errno(CK_ERR_OURS, "landlock rule for %s", path);
}

/* `later`: those of the rights that came after ABI 1 which this kernel knows. */
static ck_err *allow_paths(int ruleset, const struct ck_rights *r, const char *argument,
                           uint64_t later)
{
    const uint64_t rd = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
    for (const char *const *p = r->read_paths; p && *p; p++)
        CK_TRY(allow_path(ruleset, *p, rd));
    for (const char *const *p = r->exec_paths; p && *p; p++)
        CK_TRY(allow_path(ruleset, *p, rd | LANDLOCK_ACCESS_FS_EXECUTE));
    if (r->write_argument && argument)
        CK_TRY(allow_path(ruleset, argument, rd | FS_WRITE | (later & (FS_REFER | FS_TRUNCATE))));
    else if (r->read_argument && argument)
        CK_TRY(allow_path(ruleset, argument, rd));
    return NULL;
}

static ck_err *enter_landlock(const struct ck_rights *r, const char *argument)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 1)
        return ck_err_errno(CK_ERR_OURS, "landlock is not available in this kernel");

    struct ruleset_attr attr = { .fs = FS_ABI1 };
    size_t size = sizeof attr.fs;
    attr.fs |= (abi >= 2 ? FS_REFER : 0) | (abi >= 3 ? FS_TRUNCATE : 0) |
               (abi >= 5 ? FS_IOCTL_DEV : 0);
    if (abi >= 4 && !(r->calls & CK_CALLS_NETWORK)) {
        attr.net = NET_ALL;
        size = sizeof attr.fs + sizeof attr.net;
    }
    if (abi >= 6) {
        attr.scoped = SCOPE_ALL;
        size = sizeof attr;
    }
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
    if (ruleset < 0)
        return ck_err_errno(CK_ERR_OURS, "landlock ruleset");
    ck_err *e = allow_paths(ruleset, r, argument, attr.fs & ~FS_ABI1);
    if (!e && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
        e = ck_err_errno(CK_ERR_OURS, "landlock");
    close(ruleset);
    return e;
}

/* --- seccomp ---------------------------------------------------------------------------------- */

#define CALL(name) SCMP_SYS(name)
static const int core_calls[] = {
    CALL(read),          CALL(write),        CALL(readv),         CALL(writev),
    CALL(pread64),       CALL(lseek),        CALL(close),         CALL(recvmsg),
    CALL(sendmsg),       CALL(brk),          CALL(munmap),        CALL(mremap),
    CALL(madvise),       CALL(exit),         CALL(exit_group),    CALL(rt_sigreturn),
    CALL(rt_sigprocmask), CALL(rt_sigaction), CALL(clock_gettime), CALL(gettimeofday),
    CALL(getpid),        CALL(gettid),       CALL(tgkill),        CALL(poll),
    CALL(ppoll),         CALL(restart_syscall), CALL(getrandom),  CALL(fstat),
    CALL(dup),           CALL(futex),        CALL(sysinfo), /* glibc's qsort asks for it */
};
/* fstat(3) is this call with an empty path; without CK_CALLS_FILES landlock leaves it no path. */
static const int stat_calls[] = { CALL(newfstatat) };
static const int thread_calls[] = {
    CALL(sched_yield), CALL(set_robust_list), CALL(rseq),
    CALL(clock_nanosleep), CALL(nanosleep), CALL(sched_getaffinity),
};
static const int file_calls[] = {
    CALL(open), CALL(openat), CALL(openat2), CALL(stat), CALL(lstat), CALL(statx),
    CALL(readlink), CALL(readlinkat), CALL(getdents64), CALL(fcntl), CALL(access),
    CALL(faccessat), CALL(faccessat2), CALL(fstatfs), CALL(statfs), CALL(getcwd),
    CALL(fadvise64), CALL(uname),
};
static const int network_calls[] = {
    CALL(connect), CALL(bind), CALL(getsockname), CALL(getpeername),
    CALL(getsockopt), CALL(setsockopt), CALL(sendto), CALL(recvfrom), CALL(sendmmsg),
    CALL(recvmmsg), CALL(shutdown), CALL(socketpair), CALL(pipe2), CALL(pipe), CALL(eventfd2),
    CALL(ioctl), CALL(fcntl), CALL(geteuid), CALL(getuid), CALL(getgid), CALL(getegid),
    CALL(select), CALL(pselect6), CALL(epoll_create1), CALL(epoll_ctl), CALL(epoll_wait),
    CALL(epoll_pwait), CALL(prctl), CALL(ftruncate), CALL(pwrite64),
};
/* Where landlock allows. Modes and times, which landlock does not guard, only on open files: there
 * is no chmod by name, and utimensat takes none (add_times). */
static const int tree_calls[] = {
    CALL(mkdirat), CALL(symlinkat), CALL(linkat), CALL(unlinkat), CALL(ftruncate), CALL(fchmod),
};
/* What libmicrohttpd and GnuTLS do with sockets that others have bound, and pipes of uploads. */
static const int serve_calls[] = {
    CALL(accept4),       CALL(epoll_create1), CALL(epoll_ctl),   CALL(epoll_wait),
    CALL(epoll_pwait),   CALL(sendto),        CALL(recvfrom),    CALL(sendfile),
    CALL(shutdown),      CALL(getpeername),   CALL(getsockname), CALL(getsockopt),
    CALL(eventfd2),      CALL(pipe2),         CALL(fcntl),       CALL(memfd_create),
    CALL(getrusage),
};
static const int exec_calls[] = {
    CALL(execve),      CALL(arch_prctl), CALL(set_tid_address), CALL(set_robust_list),
    CALL(rseq),        CALL(prlimit64),  CALL(getuid),          CALL(geteuid),
    CALL(getgid),      CALL(getegid),    CALL(mprotect),        CALL(umask),
    CALL(sched_yield), CALL(getppid),    CALL(getrusage),       CALL(dup2),
    CALL(dup3),        CALL(ioctl),
};
/* For the sanitizers' own work; the room stays without files and network. */
static const int sanitizer_calls[] = { CALL(sigaltstack), CALL(sched_yield) };
static const int sanitizer_refused[] = { CALL(openat), CALL(readlink),  CALL(open),
                                         CALL(prctl),  CALL(getrlimit), CALL(prlimit64),
                                         CALL(access), CALL(ioctl),     CALL(dup2),
                                         CALL(unlink) };
static const int sanitizer_refused_thread[] = { CALL(clone) };
static const int sanitizer_refused_socket[] = { CALL(socket) };

static int add_all(scmp_filter_ctx f, uint32_t action, const int *calls, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int rc = seccomp_rule_add(f, action, calls[i], 0);
        if (rc < 0 && rc != -EEXIST && rc != -EACCES)
            return rc;
    }
    return 0;
}
#define ADD(f, action, list) add_all(f, action, list, sizeof(list) / sizeof((list)[0]))

/* mmap and mprotect without PROT_EXEC: no room makes code at run time. */
static int add_memory(scmp_filter_ctx f, bool may_map_code)
{
    const struct scmp_arg_cmp no_exec = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
    if (may_map_code)
        return seccomp_rule_add(f, SCMP_ACT_ALLOW, CALL(mmap), 0);
    int rc = seccomp_rule_add_array(f, SCMP_ACT_ALLOW, CALL(mmap), 1, &no_exec);
    return rc ? rc : seccomp_rule_add_array(f, SCMP_ACT_ALLOW, CALL(mprotect), 1, &no_exec);
}

/* Threads, never processes. glibc tries clone3 first, whose flags a filter cannot see. */
static int add_thread_spawn(scmp_filter_ctx f)
{
    const struct scmp_arg_cmp thread = SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD);
    int rc = seccomp_rule_add_array(f, SCMP_ACT_ALLOW, CALL(clone), 1, &thread);
    return rc ? rc : seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), CALL(clone3), 0);
}

/* utimensat without a name, as futimens makes it. */
static int add_times(scmp_filter_ctx f)
{
    const struct scmp_arg_cmp no_name = SCMP_A1(SCMP_CMP_EQ, 0, 0);
    return seccomp_rule_add_array(f, SCMP_ACT_ALLOW, CALL(utimensat), 1, &no_name);
}

/* The kernel looks at the lower half of a family, an EQ or NE of seccomp at all of it. */
static int add_family(scmp_filter_ctx f, uint32_t action, unsigned family)
{
    const struct scmp_arg_cmp is = SCMP_A0(SCMP_CMP_MASKED_EQ, 0xffffffff, family);
    return seccomp_rule_add_array(f, action, CALL(socket), 1, &is);
}

/* Landlock knows no unix sockets by path: without this a room with a network could talk to dockerd.
 * Refused and not killed for it: the resolver looks for nscd. */
static int add_sockets(scmp_filter_ctx f, unsigned calls)
{
    static const unsigned internet[] = { AF_INET, AF_INET6, AF_NETLINK };
    if (calls & CK_CALLS_UNIX)
        return add_family(f, SCMP_ACT_ALLOW, AF_UNIX);
    int rc = add_family(f, SCMP_ACT_ERRNO(EAFNOSUPPORT), AF_UNIX);
    for (size_t i = 0; !rc && i < sizeof internet / sizeof internet[0]; i++)
        rc = add_family(f, SCMP_ACT_ALLOW, internet[i]);
    return rc;
}

/* libmicrohttpd corks a socket that it sends a file through and never says where a piece ends: on
 * the loopback that costs a third of the throughput (bench/gate), elsewhere it saves one segment in
 * ninety. It goes on where it is refused. */
static int add_socket_options(scmp_filter_ctx f)
{
    const struct scmp_arg_cmp tcp = SCMP_A1(SCMP_CMP_EQ, IPPROTO_TCP, 0);
    const struct scmp_arg_cmp not_tcp = SCMP_A1(SCMP_CMP_NE, IPPROTO_TCP, 0);
    const struct scmp_arg_cmp not_cork = SCMP_A2(SCMP_CMP_NE, TCP_CORK, 0);
    const struct scmp_arg_cmp cork[] = { tcp, SCMP_A2(SCMP_CMP_EQ, TCP_CORK, 0) };
    int rc = seccomp_rule_add_array(f, SCMP_ACT_ALLOW, CALL(setsockopt), 1, &not_tcp);
    if (!rc)
        rc = seccomp_rule_add_array(f, SCMP_ACT_ALLOW, CALL(setsockopt), 1, &not_cork);
    if (!rc)
        rc = seccomp_rule_add_array(f, SCMP_ACT_ERRNO(ENOPROTOOPT), CALL(setsockopt), 2, cork);
    return rc;
}

/* The name of a thread, and nothing else of prctl. Opening is refused and not killed for: malloc
 * looks at /proc/sys/vm/overcommit_memory when a heap shrinks that is not the main one. */
static int add_serve(scmp_filter_ctx f)
{
    const struct scmp_arg_cmp name = SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME, 0);
    int rc = ADD(f, SCMP_ACT_ALLOW, serve_calls);
    if (!rc)
        rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(EACCES), CALL(openat), 0);
    if (!rc)
        rc = add_socket_options(f);
    return rc ? rc : seccomp_rule_add_array(f, SCMP_ACT_ALLOW, CALL(prctl), 1, &name);
}

static int add_rules(scmp_filter_ctx f, unsigned calls)
{
    int rc = ADD(f, SCMP_ACT_ALLOW, core_calls);
    if (!rc)
        rc = ADD(f, SCMP_ACT_ALLOW, stat_calls);
    if (!rc)
        rc = add_memory(f, calls & CK_CALLS_EXEC);
    if (!rc && calls & CK_CALLS_THREADS)
        rc = ADD(f, SCMP_ACT_ALLOW, thread_calls);
    if (!rc && calls & CK_CALLS_SPAWN_THREADS)
        rc = add_thread_spawn(f);
    if (!rc && calls & CK_CALLS_FILES)
        rc = ADD(f, SCMP_ACT_ALLOW, file_calls);
    if (!rc && calls & CK_CALLS_TREE)
        rc = ADD(f, SCMP_ACT_ALLOW, tree_calls);
    if (!rc && calls & CK_CALLS_TREE)
        rc = add_times(f);
    if (!rc && calls & (CK_CALLS_NETWORK | CK_CALLS_UNIX))
        rc = ADD(f, SCMP_ACT_ALLOW, network_calls);
    if (!rc && calls & (CK_CALLS_NETWORK | CK_CALLS_UNIX))
        rc = add_sockets(f, calls);
    if (!rc && calls & CK_CALLS_EXEC)
        rc = ADD(f, SCMP_ACT_ALLOW, exec_calls);
    if (!rc && calls & CK_CALLS_SERVE)
        rc = add_serve(f);
    if (!rc && sanitized)
        rc = ADD(f, SCMP_ACT_ALLOW, sanitizer_calls);
    if (!rc && sanitized && !(calls & CK_CALLS_FILES))
        rc = ADD(f, SCMP_ACT_ERRNO(EPERM), sanitizer_refused);
    if (!rc && sanitized && !(calls & (CK_CALLS_FILES | CK_CALLS_SPAWN_THREADS)))
        rc = ADD(f, SCMP_ACT_ERRNO(EPERM), sanitizer_refused_thread);
    if (!rc && sanitized && !(calls & (CK_CALLS_FILES | CK_CALLS_UNIX)))
        rc = ADD(f, SCMP_ACT_ERRNO(EPERM), sanitizer_refused_socket);
    return rc;
}

ck_err *ck_sandbox_seal(enum ck_room room)
{
    const struct ck_rights *r = ck_rights_of(room);
    /* A program of the system's may use calls that this list does not foresee; they are refused to
     * it instead of killing it. */
    uint32_t otherwise = r->calls & CK_CALLS_EXEC ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_KILL_PROCESS;
    scmp_filter_ctx f = seccomp_init(otherwise);
    if (!f)
        return ck_err_new(CK_ERR_OURS, "seccomp is not available");
    int rc = seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1);
    if (!rc)
        rc = add_rules(f, r->calls);
    if (!rc)
        rc = seccomp_load(f);
    seccomp_release(f);
    return rc ? ck_err_new(CK_ERR_OURS, "seccomp filter: %s", strerror(-rc)) : NULL;
}

ck_err *ck_sandbox_enter(enum ck_room room, const char *argument)
{
    const struct ck_rights *r = ck_rights_of(room);
    if (!r)
        return ck_err_new(CK_ERR_OURS, "no such room");
    CK_TRY(drop_privileges());
    CK_TRY(enter_landlock(r, argument));
    return cap_resources(r);
}
