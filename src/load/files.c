/* oci-archive: and docker-archive: as files. */
#include "base/mem.h"
#include "base/text.h"
#include "load/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* NAME of a docker-archive stands in manifest.json and in index.json alike. */
static ck_err *write_to(const struct ck_cargo *c, const struct ck_load_target *t, int fd)
{
    struct ck_cargo named = *c;
    if (t->kind != CK_LOAD_DOCKER_ARCHIVE)
        return ck_cargo_archive(c, CK_ARCHIVE_OCI, t->name, fd);
    if (!c->image)
        return ck_err_new(CK_ERR_USAGE, "a docker-archive holds the image of one platform; with "
                                        "--all-platforms choose oci-archive:FILE or oci:DIR");
    if (t->name.n)
        named.name = t->name;
    return ck_cargo_archive(&named, CK_ARCHIVE_DOCKER, (ck_view){ 0 }, fd);
}

static ck_err *write_new(const struct ck_cargo *c, const struct ck_load_target *t, int fd,
                         const char *temp)
{
    CK_TRY(write_to(c, t, fd));
    if (fchmod(fd, 0644) != 0 || fsync(fd) != 0)
        return ck_err_errno(CK_ERR_OURS, "%s", temp);
    if (renameat2(AT_FDCWD, temp, AT_FDCWD, t->path, RENAME_NOREPLACE) == 0)
        return NULL;
    return ck_err_errno(errno == EEXIST ? CK_ERR_USAGE : CK_ERR_OURS, "%s", t->path);
}

/* Under another name until it is whole. */
static ck_err *make_file(const struct ck_cargo *c, const struct ck_load_target *t)
{
    ck_autofree char *temp = ck_format("%s.partial-XXXXXX", t->path);
    int fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0)
        return ck_err_errno(CK_ERR_OURS, "%s", temp);
    ck_err *e = write_new(c, t, fd, temp);
    close(fd);
    if (e)
        unlink(temp);
    return e;
}

ck_err *ck_load_archive(const struct ck_cargo *c, const struct ck_load_target *t,
                        const struct ck_load_options *o)
{
    struct stat st;
    (void)o;
    if (stat(t->path, &st) != 0)
        return make_file(c, t);
    if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
        return ck_err_new(CK_ERR_USAGE, "%s is there already; archives are not added to", t->path);
    int fd = open(t->path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return ck_err_errno(CK_ERR_OURS, "%s", t->path);
    ck_err *e = write_to(c, t, fd);
    close(fd);
    return e;
}
