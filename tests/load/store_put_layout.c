/* Puts an image of an OCI layout into a store, as a fetch would, and decides on it:
 *
 *   store_put_layout STORE LAYOUT[:TAG] NAME quarantined|cleared|denied REASON
 *
 * Prints the digest of the manifest. For tests; what fetches is cocket fetch.
 */
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "proc/spawn.h"
#include "room/rooms.h"
#include "source/source.h"
#include "store/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct put {
    struct ck_lease *lease;
    const char *layout;
};

static char *blob_path(const struct put *p, const struct ck_digest *d)
{
    char text[CK_DIGEST_TEXT];
    return ck_format("%s/blobs/%s/%s", p->layout, ck_digest_algorithm_name(d->alg),
                     strchr(ck_digest_text(d, text), ':') + 1);
}

static ck_err *put_document(const struct put *p, const struct ck_digest *d)
{
    ck_autobuf struct ck_buf bytes = ck_buf_new(CK_LIMIT_DOCUMENT);
    ck_autofree char *path = blob_path(p, d);
    CK_TRY(ck_file_read(path, &bytes));
    return ck_store_put(p->lease, d, ck_buf_view(&bytes));
}

static ck_err *copy(int from, int to, struct ck_hash *hash, uint64_t *ret_size)
{
    static uint8_t piece[1 << 20];
    ssize_t n;
    while ((n = read(from, piece, sizeof piece)) > 0) {
        ck_hash_add(hash, ck_view_of(piece, (size_t)n));
        CK_TRY(ck_write_all(to, ck_view_of(piece, (size_t)n)));
        *ret_size += (uint64_t)n;
    }
    return n < 0 ? ck_err_errno(CK_ERR_OURS, "reading") : NULL;
}

static ck_err *put_layer(const struct put *p, const struct ck_digest *d)
{
    struct ck_incoming *in = NULL;
    struct ck_digest got;
    uint64_t size = 0;
    bool there = false;
    ck_autofree char *path = blob_path(p, d);
    CK_TRY(ck_store_has(p->lease, d, NULL, &there));
    if (there)
        return NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ck_err_errno(CK_ERR_UNAVAILABLE, "%s", path);
    CK_TRY(ck_incoming_new(p->lease, d, &in));
    struct ck_hash *hash = ck_hash_new(d->alg);
    ck_err *e = copy(fd, ck_incoming_fd(in), hash, &size);
    ck_hash_finish(hash, &got);
    ck_hash_free(hash);
    close(fd);
    if (!e)
        return ck_incoming_commit(in, &got, size);
    ck_incoming_drop(in, false);
    return e;
}

static ck_err *put_image(const struct put *p, const struct ck_image *im, struct ck_arena *a)
{
    struct ck_store_image entry = {
        .digest = im->digest,
        .media_type = im->media_type,
        .size = im->manifest_size,
        .platform = ck_view_str(ck_platform_text(&im->config.platform, a)),
        .n_parts = im->n_layers + 1,
    };
    entry.parts = ck_arena_alloc(a, entry.n_parts, sizeof *entry.parts);
    entry.parts[0] = (struct ck_store_part){ im->config_digest, im->config_descriptor.size,
                                             im->config_descriptor.media_type, CK_PART_CONFIG };
    CK_TRY(put_document(p, &im->digest));
    CK_TRY(put_document(p, &im->config_digest));
    for (size_t i = 0; i < im->n_layers; i++) {
        const struct ck_image_layer *l = &im->layers[i];
        entry.parts[i + 1] = (struct ck_store_part){ l->digest, l->size, l->media_type,
                                                     CK_PART_LAYER };
        CK_TRY(put_layer(p, &l->digest));
    }
    return ck_store_add_image(p->lease, &entry, true);
}

static ck_err *decide(struct ck_store *st, const struct ck_digest *d, const char *word,
                      const char *reason)
{
    for (enum ck_state_of_image s = CK_QUARANTINED; s < CK_STATE_OF_IMAGE_COUNT_; s++)
        if (strcmp(ck_state_name(s), word) == 0)
            return ck_store_decide(st, d, s, ck_view_str(reason), CK_BY_PERSON, NULL);
    return ck_err_new(CK_ERR_USAGE, "no such state: %s", word);
}

static ck_err *run(char **argv)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_source_options o = { 0 };
    struct ck_reference ref;
    struct ck_source *s = NULL;
    struct ck_store *st = NULL;
    struct put p = { 0 };
    bool moved = false;
    struct ck_digest from;
    char text[CK_DIGEST_TEXT];
    CK_TRY(ck_reference_parse(ck_arena_format(&a, "oci:%s", argv[2]), &a, &ref));
    CK_TRY(ck_source_open(&ref, &o, &s));
    CK_TRY(ck_store_open(argv[1], &st));
    CK_TRY(ck_lease_new(st, &p.lease));
    p.layout = ref.path;
    const struct ck_image *im = ck_source_image(s);
    CK_TRY(put_image(&p, im, &a));
    CK_TRY(ck_store_set_name(p.lease, ck_view_str(argv[3]), &im->digest, &moved, &from));
    CK_TRY(decide(st, &im->digest, argv[4], argv[5]));
    puts(ck_digest_text(&im->digest, text));
    ck_source_close(s);
    ck_lease_end(p.lease);
    ck_store_close(st);
    return NULL;
}

int main(int argc, char **argv)
{
    ck_room_main(argc, argv, ck_room_bodies);
    if (argc != 6) {
        fputs("store_put_layout STORE LAYOUT[:TAG] NAME STATE REASON\n", stderr);
        return 2;
    }
    ck_err *e = run(argv);
    if (!e)
        return 0;
    int status = ck_err_exit_status(e);
    fprintf(stderr, "%s\n", ck_err_text(e));
    ck_err_free(e);
    return status;
}
