/* What the hub asks of its rooms: the payloads of JOB messages. Encoding and decoding stand
 * together here; the results are what the named modules encode.
 */
#ifndef CK_ROOM_JOBS_H
#define CK_ROOM_JOBS_H

#include "base/arena.h"
#include "base/buf.h"
#include "image/digest.h"
#include "layer/inflate.h"

/* A part of a descriptor. A pipe has offset 0 and is read to its end. */
struct ck_slice {
    uint64_t offset, length;
    bool pipe;
};

/* document room: decodes one JSON document. Result: image/image.h's encoding of it. */
enum ck_document {
    CK_DOCUMENT_LAYOUT,   /* empty result */
    CK_DOCUMENT_KIND,     /* one byte: enum ck_document_kind */
    CK_DOCUMENT_ANNOTATIONS, /* of the document itself */
    CK_DOCUMENT_INDEX,
    CK_DOCUMENT_MANIFEST,
    CK_DOCUMENT_ARTIFACT, /* a manifest of any use */
    CK_DOCUMENT_CONFIG,
    CK_DOCUMENT_DOCKER,   /* docker save's manifest.json */
    CK_DOCUMENT_ENGINE_IMAGE, /* image/engine.h: what a daemon says of an image */
    CK_DOCUMENT_ENGINE_ERROR, /* the error among a daemon's messages, or nothing */
    CK_DOCUMENT_COUNT_
};
struct ck_job_document {
    enum ck_document what;
    ck_view declared; /* media type of the descriptor that led here, or empty */
};
void ck_job_document_encode(const struct ck_job_document *j, struct ck_buf *out);
CK_MUST ck_err *ck_job_document_decode(ck_view job, struct ck_job_document *ret);

/* inspect room: one layer. Result: layer/index.h's bytes. With a second descriptor the blob is
 * still arriving (room/input.h). */
struct ck_wanted {
    ck_view path;     /* normalised, in this layer */
    uint8_t detector; /* enum ck_detector_id */
};
struct ck_job_inspect {
    struct ck_slice blob;
    enum ck_compression compression;
    struct ck_digest diff_id; /* must come out */
    struct ck_wanted *wanted; /* beyond what detectors ask for by path */
    size_t n_wanted;
};
void ck_job_inspect_encode(const struct ck_job_inspect *j, struct ck_buf *out);
CK_MUST ck_err *ck_job_inspect_decode(ck_view job, struct ck_arena *a, struct ck_job_inspect *ret);

/* archive room: the outer file of docker-archive and oci-archive. LIST: result is the member table.
 * COPY (with an out descriptor): writes the contents of members, in the order of the archive, one
 * behind the other; the result is empty. */
enum ck_archive_op { CK_ARCHIVE_LIST, CK_ARCHIVE_COPY, CK_ARCHIVE_OP_COUNT_ };
struct ck_job_archive {
    enum ck_archive_op op;
    struct ck_slice *members; /* COPY: as in the table, ascending */
    size_t n;
};
void ck_job_archive_encode(const struct ck_job_archive *j, struct ck_buf *out);
CK_MUST ck_err *ck_job_archive_decode(ck_view job, struct ck_arena *a, struct ck_job_archive *ret);

enum ck_member_type { CK_MEMBER_FILE, CK_MEMBER_LINK, CK_MEMBER_TYPE_COUNT_ };
struct ck_member {
    ck_view name; /* normalised */
    enum ck_member_type type;
    ck_view link;    /* normalised target, from the archive's root */
    uint64_t offset; /* of its content in the uncompressed archive */
    uint64_t size;
    ck_view content; /* of small members (DOCUMENT_INLINE); else empty */
};
struct ck_members {
    bool compressed; /* the archive as a whole: offsets are not the file's */
    struct ck_member *v;
    size_t n;
};
void ck_member_encode(const struct ck_member *m, struct ck_buf *out);
/* The whole result of LIST: one byte `compressed`, then members. */
CK_MUST ck_err *ck_members_decode(ck_view bytes, struct ck_arena *a, struct ck_members *ret);

/* feed room: one file of a feed. Result: a sequence of [length 32 bit, bytes]; see `kind`. */
enum ck_feed_file {
    CK_FEED_OSV_JSON,      /* advisories (advisory/record.h) */
    CK_FEED_OSV_ZIP,
    CK_FEED_ALPINE_SECDB,
    CK_FEED_DEBIAN_TRACKER,
    CK_FEED_KEV,
    CK_FEED_DEBIAN_RELEASE,   /* one release (below) */
    CK_FEED_DEBIAN_PACKAGES,  /* archive sources (below) */
    CK_FEED_DEBIAN_CHANGELOG, /* changelog entries of a .deb (below); none: it has no changelog */
    CK_FEED_FILE_COUNT_
};
struct ck_job_feed {
    enum ck_feed_file kind;
    enum ck_compression compression; /* of the file as a whole, by its name */
    ck_view package;                 /* CHANGELOG: the binary package */
};
void ck_job_feed_encode(const struct ck_job_feed *j, struct ck_buf *out);
CK_MUST ck_err *ck_job_feed_decode(ck_view job, struct ck_job_feed *ret);

/* fetch room: one HTTP(S) GET into the out descriptor. The result is the HTTP status, 16 bit; an
 * answer that is no success writes nothing. */
struct ck_job_fetch {
    ck_view url;
    uint64_t max; /* bytes */
    /* For a server of one's own; redirects are not followed where one of these is given. */
    ck_view authorization; /* the header's value, or empty */
    ck_view ca;            /* PEM: it alone vouches for the server; empty: the system's CAs */
    uint32_t seconds;      /* for all of it; 0: no end as long as bytes come */
};
void ck_job_fetch_encode(const struct ck_job_fetch *j, struct ck_buf *out);
CK_MUST ck_err *ck_job_fetch_decode(ck_view job, struct ck_job_fetch *ret);

#endif
