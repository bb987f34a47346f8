/* What the hub asks of the unpack room, and what it answers. Both jobs get the tree's root as
 * `out`. Jobs of one room build one tree: layers, lowest first, then the seal. The result of both
 * is struct ck_unpacked, of all so far.
 */
#ifndef CK_ROOM_UNPACK_JOBS_H
#define CK_ROOM_UNPACK_JOBS_H

#include "room/jobs.h"

enum ck_unpack_op {
    CK_UNPACK_LAYER, /* `in` is the blob */
    CK_UNPACK_SEAL,  /* `in` is not read */
    CK_UNPACK_OP_COUNT_
};

struct ck_job_unpack {
    enum ck_unpack_op op;
    bool setuid; /* of the first job, for the whole tree */
    struct ck_slice blob;
    enum ck_compression compression;
    struct ck_digest diff_id; /* must come out before anything is written */
};
void ck_job_unpack_encode(const struct ck_job_unpack *j, struct ck_buf *out);
CK_MUST ck_err *ck_job_unpack_decode(ck_view job, struct ck_job_unpack *ret);

struct ck_unpacked {
    uint64_t entries;      /* written, replaced ones too */
    uint64_t bytes;        /* of files, holes included */
    uint64_t skipped;      /* devices, fifos, and links to them */
    uint64_t stripped;     /* files and directories that lost set-id bits */
    uint64_t capabilities; /* files that lost their capabilities */
};
void ck_unpacked_encode(const struct ck_unpacked *u, struct ck_buf *out);
CK_MUST ck_err *ck_unpacked_decode(ck_view bytes, struct ck_unpacked *ret);

#endif
