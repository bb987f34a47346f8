/* A few layers, one over another, unpacked into a directory beside one that must stay as it is. The
 * input is a program: three bytes an entry, which say its type and choose its name and its link's
 * target from the few words below, so that entries meet each other. (Tried: without RESOLVE_BENEATH
 * the way out is found within seconds.) */
#include "base/tree.h"
#include "room/unpack.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 512 };

static void demand(bool ok)
{
    if (!ok)
        __builtin_trap();
}

static const char *const words[] = { "a",  "way",    "canary",       "..",
                                     "b",  ".wh.way", ".wh..wh..opq", "./" };
static const char *const targets[] = { "../out", "a", "way", "../out/canary",
                                       "way/canary", "b/..", "../../out", "/tmp" };
enum { WORDS = 8, ENTRY = 3, LAYERS = 4, PATH = 64 };
_Static_assert(sizeof words / sizeof *words == WORDS, "chosen by three bits");
_Static_assert(sizeof targets / sizeof *targets == WORDS, "chosen by three bits");

/* One word or two. */
static void path_of(uint8_t choice, char out[PATH])
{
    bool two = choice & 0x80;
    snprintf(out, PATH, "%s%s%s", words[choice % WORDS], two ? "/" : "",
             two ? words[choice / WORDS % WORDS] : "");
}

static void put_header(char type, const char *name, const char *link, unsigned mode, unsigned size,
                       struct ck_buf *out)
{
    uint8_t h[BLOCK] = { 0 };
    unsigned sum = 0;
    snprintf((char *)h, PATH, "%s", name);
    snprintf((char *)h + 100, 8, "%07o", mode);
    snprintf((char *)h + 108, 8, "%07o", 0u);
    snprintf((char *)h + 116, 8, "%07o", 0u);
    snprintf((char *)h + 124, 12, "%011o", size);
    snprintf((char *)h + 136, 12, "%011o", 1u);
    h[156] = (uint8_t)type;
    snprintf((char *)h + 157, PATH, "%s", link);
    memcpy(h + 257, "ustar\00000", 8);
    memset(h + 148, ' ', 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += h[i];
    snprintf((char *)h + 148, 8, "%06o", sum);
    ck_put_bytes(out, ck_view_of(h, BLOCK));
}

static void put_entry(const uint8_t op[ENTRY], struct ck_buf *out)
{
    static const char types[] = "005512236";
    static const unsigned modes[] = { 0755, 0, 06755, 01777 };
    char name[PATH], link[PATH] = "", type = types[op[0] % (sizeof types - 1)];
    uint8_t content[BLOCK] = "content";
    path_of(op[1], name);
    if (type == '1' || type == '2')
        snprintf(link, sizeof link, "%s", targets[op[2] % WORDS]);
    put_header(type, name, link, modes[op[0] / 32 % 4], type == '0' ? 7 : 0, out);
    if (type == '0')
        ck_put_bytes(out, ck_view_of(content, BLOCK));
}

static ck_err *no_progress(void *ctx, uint64_t done)
{
    (void)ctx, (void)done;
    return NULL;
}

static ck_err *unpack(struct ck_unpack_tree *t, ck_view tar)
{
    struct ck_job_unpack j = { .blob.length = tar.n };
    ck_hash_of(CK_DIGEST_SHA256, tar, &j.diff_id);
    int fd = memfd_create("layer", MFD_CLOEXEC);
    demand(fd >= 0 && write(fd, tar.p, tar.n) == (ssize_t)tar.n);
    ck_err *e = ck_unpack_layer(t, &j, fd, no_progress, NULL);
    close(fd);
    return e;
}

static ck_err *count(void *ctx, int dir, const char *name)
{
    (void)dir;
    *(unsigned *)ctx += strcmp(name, "canary") == 0 ? 1 : 1000;
    return NULL;
}

static void check_outside(int top)
{
    unsigned found = 0;
    struct stat st;
    int out = openat(top, "out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    demand(out >= 0 && ck_tree_each(out, count, &found) == NULL && found == 1);
    demand(fstatat(out, "canary", &st, 0) == 0 && st.st_size == 0 && st.st_nlink == 1);
    close(out);
}

/* A layer ends with its first byte's top bit; one that is refused does not keep the next from being
 * tried, as no hub would. */
static void unpack_all(struct ck_unpack_tree *t, ck_view program)
{
    ck_autobuf struct ck_buf tar = ck_buf_new(CK_LIMIT_NONE);
    unsigned layers = 0;
    while (program.n >= ENTRY && layers < LAYERS) {
        put_entry(program.p, &tar);
        bool last = program.p[0] & 0x80;
        program = ck_view_from(program, ENTRY);
        if (!last && program.n >= ENTRY)
            continue;
        ck_err_free(unpack(t, ck_buf_view(&tar)));
        ck_buf_clear(&tar);
        layers++;
    }
    ck_err_free(ck_unpack_tree_seal(t));
}

static void run(int top, ck_view program)
{
    demand(mkdirat(top, "in", 0700) == 0 && mkdirat(top, "out", 0700) == 0);
    int canary = openat(top, "out/canary", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    int root = openat(top, "in", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    demand(canary >= 0 && root >= 0);
    struct ck_unpack_tree *t = ck_unpack_tree_new(false);
    ck_unpack_tree_at(t, root);
    unpack_all(t, program);
    ck_unpack_tree_free(t);
    close(root);
    close(canary);
    check_outside(top);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[] = "/tmp/cocket-fuzz-XXXXXX";
    demand(mkdtemp(path) != NULL);
    int top = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    demand(top >= 0);
    run(top, ck_view_of(data, size));
    close(top);
    demand(ck_tree_remove_force(AT_FDCWD, path) == NULL);
    return 0;
}
