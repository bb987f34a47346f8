/* Tries every forbidden thing from inside every room and must see it refused: killed by SIGSYS, or
 * an error where a call is allowed but landlock or a limit stands in the way. */
#include "base/mem.h"
#include "base/unit.h"
#include "proc/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* An attempt returns true when it got what it must not have. */
static bool try_open(void) { return open("/etc/passwd", O_RDONLY) >= 0; }
static bool try_create(void)
{
    return open("/tmp/cocket-sandbox-test", O_CREAT | O_WRONLY, 0600) >= 0;
}
static bool try_unlink(void) { return unlink("/tmp/cocket-sandbox-test") == 0; }
static bool try_mkdir(void) { return mkdir("/tmp/cocket-sandbox-dir", 0700) == 0; }
static bool try_mkdirat(void) { return mkdirat(AT_FDCWD, "/tmp/cocket-sandbox-dir", 0700) == 0; }
static bool try_symlinkat(void)
{
    return symlinkat("x", AT_FDCWD, "/tmp/cocket-sandbox-link") == 0;
}
static bool try_linkat(void)
{
    return linkat(AT_FDCWD, "/etc/passwd", AT_FDCWD, "/etc/cocket-sandbox-link", 0) == 0;
}
static bool try_unlinkat(void) { return unlinkat(AT_FDCWD, "/tmp/cocket-sandbox-canary", 0) == 0; }
static bool try_truncate(void)
{
    return open("/tmp/cocket-sandbox-canary", O_WRONLY | O_TRUNC | O_CLOEXEC) >= 0;
}
static bool try_mknod(void) { return mknod("/tmp/cocket-sandbox-node", S_IFIFO | 0600, 0) == 0; }
static bool try_chmodat(void)
{
    return fchmodat(AT_FDCWD, "/tmp/cocket-sandbox-canary", 0644, 0) == 0;
}
static bool try_times(void)
{
    return utimensat(AT_FDCWD, "/tmp/cocket-sandbox-canary", NULL, 0) == 0;
}
static bool try_chmod(void) { return chmod("/", 0755) == 0; }
static bool try_kill(void) { return kill(getppid(), 0) == 0; }
static bool try_setuid(void) { return syscall(SYS_setuid, 0) == 0; }
static bool try_memfd(void) { return syscall(SYS_memfd_create, "x", 0) >= 0; }
static bool try_bpf(void) { return syscall(SYS_bpf, 0, NULL, 0) >= 0; }
static bool try_unshare(void) { return syscall(SYS_unshare, 0x10000000) == 0; }
static bool try_mount(void) { return syscall(SYS_mount, "none", "/mnt", "tmpfs", 0, NULL) == 0; }
static bool try_io_uring(void) { return syscall(SYS_io_uring_setup, 1, NULL) >= 0; }
static bool try_ptrace(void) { return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0; }
static bool try_vm_read(void)
{
    return syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0) >= 0;
}

static bool try_connect(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(9),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd >= 0 && (connect(fd, (struct sockaddr *)&a, sizeof a) == 0 || errno == ECONNREFUSED);
}

/* Where nobody listens: to be told so is to have got there. */
static bool try_unix_as(long family)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "/usr/cocket-nobody" };
    int fd = (int)syscall(SYS_socket, family, SOCK_STREAM, 0);
    return fd >= 0 && (connect(fd, (struct sockaddr *)&a, sizeof a) == 0 || errno == ENOENT);
}

/* Whatever the descriptor is: to be told so is to have got there. */
static bool try_listen(void) { return listen(0, 1) == 0 || errno != EPERM; }

static bool try_unix(void) { return try_unix_as(AF_UNIX); }
static bool try_unix_hidden(void) { return try_unix_as(1l << 32 | AF_UNIX); }
static bool try_packet(void) { return socket(AF_PACKET, SOCK_RAW, 0) >= 0; }

static bool try_fork(void)
{
    pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid == 0)
        _exit(0);
    return pid > 0;
}

static bool try_exec(void)
{
    char *argv[] = { (char[]){ "sh" }, NULL };
    execve("/bin/sh", argv, argv + 1);
    return false;
}

static const char *own_path; /* of this program: in no place that a room may execute from */

/* From a place of the file system that gpgv's row does not name. */
static bool try_exec_elsewhere(void)
{
    char *argv[] = { (char[]){ "x" }, NULL };
    execve(own_path, argv, argv + 1);
    return errno != EACCES && errno != EPERM;
}

static bool try_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                0) != MAP_FAILED;
}

static bool try_code_later(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p != MAP_FAILED && mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0;
}

static bool try_memory(void)
{
    return mmap(NULL, 2048ull << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
           MAP_FAILED;
}

enum { NOT_VERIFY = 1 << CK_ROOM_VERIFY, NOT_DAEMON = 1 << CK_ROOM_DAEMON,
       NOT_NETWORK = 1 << CK_ROOM_FETCH | 1 << CK_ROOM_REGISTRY | 1 << CK_ROOM_NOTIFY,
       NOT_SERVE = 1 << CK_ROOM_SERVE };

/* Rooms for which an attempt is no attack are left out by name, and only those. */
static const struct attempt {
    const char *name;
    bool (*run)(void);
    unsigned except;
} attempts[] = {
    { "open a file", try_open, 0 },
    { "create a file", try_create, 0 },
    { "unlink", try_unlink, 0 },
    { "mkdir", try_mkdir, 0 },
    { "mkdirat", try_mkdirat, 0 },
    { "symlinkat", try_symlinkat, 0 },
    { "linkat", try_linkat, 0 },
    { "unlinkat", try_unlinkat, 0 },
    { "truncate", try_truncate, 0 },
    { "mknod", try_mknod, 0 },
    { "chmod by name", try_chmodat, 0 },
    { "times by name", try_times, 0 },
    { "chmod", try_chmod, 0 },
    { "kill the hub", try_kill, 0 },
    { "setuid", try_setuid, 0 },
    { "memfd_create", try_memfd, NOT_SERVE },
    { "bpf", try_bpf, 0 },
    { "unshare", try_unshare, 0 },
    { "mount", try_mount, 0 },
    { "io_uring", try_io_uring, 0 },
    { "ptrace the hub", try_ptrace, 0 },
    { "read the hub's memory", try_vm_read, 0 },
    { "connect", try_connect, NOT_NETWORK },
    { "listen", try_listen, 0 },
    { "talk to an engine", try_unix, NOT_DAEMON },
    { "talk to an engine in disguise", try_unix_hidden, NOT_DAEMON },
    { "open a packet socket", try_packet, 0 },
    { "fork", try_fork, 0 },
    { "exec", try_exec, NOT_VERIFY },
    { "exec elsewhere", try_exec_elsewhere, 0 },
    { "map code", try_code, NOT_VERIFY },
    { "turn data into code", try_code_later, NOT_VERIFY },
    { "exceed memory", try_memory, 0 },
};

enum { GOT_IT = 10, REFUSED = 11, NO_SANDBOX = 12 };

static int in_room(enum ck_room room, bool (*run)(void), const char *argument)
{
    pid_t pid = fork();
    if (pid == 0) {
        ck_err *e = ck_sandbox_enter(room, argument);
        if (!e)
            e = ck_sandbox_seal(room);
        if (e)
            _exit(NO_SANDBOX);
        _exit(run() ? GOT_IT : REFUSED);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return status;
}

static bool refused(int status)
{
    return (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) ||
           (WIFEXITED(status) && WEXITSTATUS(status) == REFUSED);
}

static void every_forbidden_thing_is_refused(void **state)
{
    (void)state;
#ifdef CK_SANITIZED
    print_message("the memory limit is not set in sanitized builds\n");
#endif
    int canary = open("/tmp/cocket-sandbox-canary", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(canary >= 0);
    for (enum ck_room room = CK_ROOM_DOCUMENT; room < CK_ROOM_COUNT_; room++)
        for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
            const struct attempt *a = &attempts[i];
#ifdef CK_SANITIZED
            if (a->run == try_memory)
                continue;
#endif
            if (a->except & 1u << room)
                continue;
            int status = in_room(room, a->run, "/usr/share");
            if (!refused(status))
                print_error("%s room: %s: status %x\n", ck_rights_of(room)->name, a->name, status);
            assert_true(refused(status));
        }
    close(canary);
    assert_int_equal(unlink("/tmp/cocket-sandbox-canary"), 0);
}

static bool read_usr_share(void) { return open("/usr/share", O_RDONLY | O_DIRECTORY) >= 0; }

static const char *writable;

static bool write_below(void)
{
    int dir = open(writable, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = openat(dir, "file", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    return fd >= 0 && fchmod(fd, 0644) == 0 && futimens(fd, NULL) == 0 &&
           mkdirat(dir, "dir", 0700) == 0 && linkat(dir, "file", dir, "dir/again", 0) == 0 &&
           symlinkat("x", dir, "link") == 0 && unlinkat(dir, "link", 0) == 0 &&
           unlinkat(dir, "file", 0) == 0 && unlinkat(dir, "dir/again", 0) == 0 &&
           unlinkat(dir, "dir", AT_REMOVEDIR) == 0;
}

static bool make_node_below(void)
{
    int dir = open(writable, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return mknodat(dir, "fifo", S_IFIFO | 0600, 0) == 0;
}

static int listening; /* before the room begins */

static bool serve_one(void)
{
    int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    return fd >= 0 && send(fd, "x", 1, MSG_NOSIGNAL) == 1 && shutdown(fd, SHUT_WR) == 0;
}

static void make_listening(int *ret_client)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listening, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(listening, 1), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&a, &n), 0);
    *ret_client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(*ret_client, (struct sockaddr *)&a, sizeof a), 0);
}

static bool just_work(void) { free(malloc(1 << 20)); return true; }
static bool exec_true(void)
{
    char *argv[] = { (char[]){ "true" }, NULL };
    execve("/usr/bin/true", argv, argv + 1);
    return false;
}

static void what_the_table_grants_works(void **state)
{
    (void)state;
    for (enum ck_room room = CK_ROOM_DOCUMENT; room < CK_ROOM_COUNT_; room++)
        assert_int_equal(WEXITSTATUS(in_room(room, just_work, NULL)), GOT_IT);
    assert_int_equal(WEXITSTATUS(in_room(CK_ROOM_ROOTFS, read_usr_share, "/usr/share")), GOT_IT);
    assert_true(refused(in_room(CK_ROOM_ROOTFS, read_usr_share, "/etc")));
    char dir[] = "/tmp/cocket-sandbox-XXXXXX";
    assert_non_null(mkdtemp(dir));
    writable = dir;
    assert_int_equal(WEXITSTATUS(in_room(CK_ROOM_UNPACK, write_below, dir)), GOT_IT);
    assert_true(refused(in_room(CK_ROOM_UNPACK, write_below, "/usr/share")));
    assert_true(refused(in_room(CK_ROOM_UNPACK, make_node_below, dir)));
    assert_int_equal(rmdir(dir), 0);
    assert_int_equal(in_room(CK_ROOM_VERIFY, exec_true, NULL), 0);
    assert_int_equal(WEXITSTATUS(in_room(CK_ROOM_REGISTRY, try_connect, NULL)), GOT_IT);
    assert_int_equal(WEXITSTATUS(in_room(CK_ROOM_NOTIFY, try_connect, NULL)), GOT_IT);
    assert_int_equal(WEXITSTATUS(in_room(CK_ROOM_DAEMON, try_unix, NULL)), GOT_IT);
    int client;
    make_listening(&client);
    assert_true(refused(in_room(CK_ROOM_REGISTRY, serve_one, NULL)));
    assert_int_equal(WEXITSTATUS(in_room(CK_ROOM_SERVE, serve_one, NULL)), GOT_IT);
    close(client);
    close(listening);
}

static atomic_bool sealed;

static void *open_when_sealed(void *p)
{
    (void)p;
    while (!atomic_load(&sealed))
        ;
    _exit(open("/etc/passwd", O_RDONLY) >= 0 ? GOT_IT : REFUSED);
}

/* Threads that were started before the filter are under it too. */
static void threads_are_sealed(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        pthread_t t;
        ck_err *e = ck_sandbox_enter(CK_ROOM_INSPECT, NULL);
        if (e || pthread_create(&t, NULL, open_when_sealed, NULL) != 0 ||
            (e = ck_sandbox_seal(CK_ROOM_INSPECT)))
            _exit(NO_SANDBOX);
        atomic_store(&sealed, true);
        pthread_join(t, NULL);
        _exit(GOT_IT);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    assert_true(refused(status));
}

int main(int argc, char **argv)
{
    own_path = argc > 0 ? argv[0] : "";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_forbidden_thing_is_refused),
        cmocka_unit_test(what_the_table_grants_works),
        cmocka_unit_test(threads_are_sealed),
    };
    return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
