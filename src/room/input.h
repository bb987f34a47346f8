/* Reading a job's descriptor. */
#ifndef CK_ROOM_INPUT_H
#define CK_ROOM_INPUT_H

#include "base/buf.h"
#include "room/jobs.h"

struct ck_input {
    int fd;
    struct ck_slice slice;
    uint64_t at; /* bytes read so far */
    /* The file is still arriving: `ticks` is a pipe on which the hub says how far it has come, 64
     * bit each, from the slice's start; when it ends at less than the slice, no more will come. */
    bool arriving;
    int ticks;
    uint64_t there;
};

/* Reads up to n bytes, waiting for them where the file is still arriving; *ret_n is 0 at the end of
 * the slice. A file that ends before its slice does is an error (class HOSTILE: it was cut; class
 * UNAVAILABLE where it stopped arriving). */
CK_MUST ck_err *ck_input_read(struct ck_input *in, uint8_t *p, size_t n, size_t *ret_n);

/* All of a file, from its start; class LIMIT past `out`'s ceiling. */
CK_MUST ck_err *ck_input_all(int fd, struct ck_buf *out);

#endif
