#include "watch/watch_int.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

/* The kernel gives it up however its process ends. */
ck_err *ck_watch_lock(const struct ck_store *s, int *ret_lock)
{
    ck_autofree char *path = ck_format("%s/watch.lock", ck_store_dir(s));
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return ck_err_errno(CK_ERR_OURS, "%s", path);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        *ret_lock = fd;
        return NULL;
    }
    ck_err *e = errno == EWOULDBLOCK ? NULL : ck_err_errno(CK_ERR_OURS, "locking %s", path);
    close(fd);
    if (!e)
        *ret_lock = -1;
    return e;
}
