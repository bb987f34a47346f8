/* Every size, count and depth that something from outside may reach, with the reason for it.
 * One list: code, messages, SECURITY.md and the tests read it from here.
 *
 * X(name, value, unit, reason)
 */
#ifndef CK_BASE_LIMITS_H
#define CK_BASE_LIMITS_H

#include <stdint.h>

#define CK_KIB 1024ull
#define CK_MIB (1024ull * 1024)
#define CK_GIB (1024ull * 1024 * 1024)

#define CK_LIMITS(X)                                                                             \
    X(DOCUMENT, 4 * CK_MIB, "bytes", "an index, manifest or config; registries refuse more")     \
    X(JSON_DEPTH, 64, "levels", "real documents nest less than 12 levels")                       \
    X(JSON_VALUES, 100000, "values", "of one document; 1,024 platforms have about 20,000")       \
    X(INDEX_NESTING, 3, "levels", "an index in an index in an index; deeper ones are loops")     \
    X(MANIFESTS, 1024, "entries", "platforms and attestations of one index")                     \
    X(LAYERS, 512, "layers", "overlayfs mounts at most 500, docker builds at most 127")          \
    X(HISTORY, 2048, "entries", "history lines of a config, empty layers included")              \
    X(STRING, 64 * CK_KIB, "bytes", "one string of a manifest or config; a long RUN line fits")  \
    X(TAGS, 1024, "tags", "all names that the images of one docker-archive have")                \
    X(REFERENCE, 4096, "bytes", "a reference on the command line or in an archive")              \
    X(PATH, 4096, "bytes", "PATH_MAX")                                                           \
    X(PATH_DEPTH, 256, "components", "deeper trees cannot be reached by most tools")             \
    X(SYMLINKS, 40, "links", "as the kernel's MAXSYMLINKS")                                      \
    X(LAYER_ENTRIES, 400000, "entries", "the largest public layers hold about 250,000 files")    \
    X(LAYER_BLOB, 64 * CK_GIB, "bytes", "one compressed layer")                                  \
    X(LAYER_TAR, 64 * CK_GIB, "bytes", "one layer after decompression")                          \
    X(LAYER_RATIO, 200, "times", "a root file system reaches 10, zeros 1,032 in gzip")           \
    X(RATIO_FLOOR, 1 * CK_GIB, "bytes", "output below which the ratio is not judged")            \
    X(GZIP_MEMBERS, 1000000, "members", "pigz and bgzip write one per 64 KiB or more")           \
    X(ZSTD_WINDOW, 32 * CK_MIB, "bytes", "RFC 8878 asks for 8 MiB; BuildKit's best level has 32")\
    X(XZ_MEMORY, 80 * CK_MIB, "bytes", "xz -9 needs 65 MiB to decompress")                       \
    X(PAX_HEADER, 1 * CK_MIB, "bytes", "one pax header or GNU long name")                        \
    X(PAX_RECORDS, 4096, "records", "records of one pax header")                                 \
    X(SPARSE_ENTRIES, 1024, "extents", "a sparse map; images hardly use them")                   \
    X(FILE_OS_RELEASE, 64 * CK_KIB, "bytes", "an os-release file")                               \
    X(FILE_DPKG, 32 * CK_MIB, "bytes", "a dpkg status file; 5,000 packages are 5 MiB")           \
    X(FILE_APK, 32 * CK_MIB, "bytes", "an apk installed database; lists every file")             \
    X(FILE_RPM, 40 * CK_MIB, "bytes", "an rpm database; a desktop of 2,000 packages fits")       \
    X(PACKAGES, 200000, "packages", "of one image")                                              \
    X(FIELD, 4096, "bytes", "a name, version or other field of a package")                       \
    X(RPM_HEADER, 16 * CK_MIB, "bytes", "one header of an rpm database")                         \
    X(FACTS, 48 * CK_MIB, "bytes", "all that an inspect room says of one layer")                 \
    X(CACHE_ENTRY, 49 * CK_MIB, "bytes", "the facts of a layer with a header")                   \
    X(FRAME, 64 * CK_KIB, "bytes", "one message between rooms")                                  \
    X(ROOM_MEMORY, 64 * CK_MIB, "bytes", "data of one room beyond program and libraries")        \
    X(ROOM_CPU, 1800, "seconds", "64 GiB of layer at 50 MiB/s")                                  \
    X(ROOM_IDLE, 120, "seconds", "a room that says nothing and reads nothing is stuck")          \
    X(ARCHIVE_MEMBERS, 10000, "members", "of an image archive: blobs, links, documents")         \
    X(DOCUMENT_INLINE, 64 * CK_KIB, "bytes", "archive members that are listed with their content")\
    X(WANTED, 20000, "files", "that links lead to and a second pass must read")                  \
    X(STATUS_D_FILES, 20000, "files", "status.d files of a distroless image")                    \
    X(XZ_ROOM_MEMORY, 128 * CK_MIB, "bytes", "the archive room, which may decompress xz")        \
    X(FEED, 2 * CK_GIB, "bytes", "one feed, as downloaded or after decompression")               \
    X(FEED_RECORD, 32 * CK_MIB, "bytes", "one JSON record of a feed")                            \
    X(FEED_RECORDS, 4000000, "records", "of one feed")                                           \
    X(FEED_MEMORY, 1536 * CK_MIB, "bytes", "a feed room; the tracker is one JSON document")      \
    X(ADVISORY_RANGES, 20000, "ranges", "affected ranges of one advisory")                       \
    X(ADVISORY_ALIASES, 4096, "ids", "aliases of one advisory; kernel updates name 1,000 CVEs")  \
    X(ADVISORY_VERSIONS, 400000, "versions", "listed one by one; Debian lists all of a source")  \
    X(ADVISORY_CVSS, 64, "vectors", "CVSS vectors of one advisory; real ones have 1 to 3")       \
    X(JSON_TREE, 512 * CK_MIB, "bytes", "one parsed document or record; 30 MB take some 100 MB") \
    X(RELEASE_FILES, 100000, "files", "of a Release file; Debian main lists 3,000")              \
    X(DEB_TAR, 4 * CK_GIB, "bytes", "of a package's data.tar, read up to the changelog")         \
    X(CHANGELOG_IDS, 100000, "ids", "in one entry; a kernel stable update names some 1,000")     \
    X(CHANGELOG, 32 * CK_MIB, "bytes", "a Debian changelog after decompression")                 \
    X(DEB, 512 * CK_MIB, "bytes", "a binary package read for its changelog")                     \
    X(DATABASE, 4 * CK_GIB, "bytes", "the advisory database")                                    \
    X(IMAGE_SIZE, 128 * CK_GIB, "bytes", "all compressed layers of one image")                   \
    X(REFERRERS, 128, "referrers", "of one image; CVE-2024-29902: an endless list")              \
    X(REFERRER_SIZE, 256 * CK_MIB, "bytes", "the blobs of one referrer; an SBOM has 50 MiB")     \
    X(HTTP_FIELD, 16 * CK_KIB, "bytes", "one header's value or URL; signed redirects take 3 KiB")\
    X(HTTP_PARAMS, 64, "parameters", "challenges, links and their parameters in one header")     \
    X(HTTP_HEADERS, 128 * CK_KIB, "bytes", "all headers of one answer; real ones have 4 KiB")    \
    X(ERROR_BODY, 64 * CK_KIB, "bytes", "what is read of an error's body, to be shown in part")  \
    X(RETRY_AFTER, 600, "seconds", "that a registry may make us wait; then we say so instead")   \
    X(TOKEN_ANSWER, 1 * CK_MIB, "bytes", "what a token server answers; other clients cap it so") \
    X(TOKEN, 64 * CK_KIB, "bytes", "one bearer token; those of cloud registries take 4 KiB")     \
    /* handing an image on */                                                                    \
    X(UNPACK_TREE, 64 * CK_GIB, "bytes", "all files that an image's layers write into a tree")   \
    X(UNPACK_ENTRIES, 2000000, "entries", "of all layers; five times the most of one layer")     \
    X(UNPACK_MEMORY, 160 * CK_MIB, "bytes", "the unpack room: a layer's index, all directories") \
    X(ANSWER, 64 * CK_KIB, "bytes", "what docker, podman or ctr say of an image they loaded")    \
    /* references in files */                                                                    \
    X(LOCK_FILE, 4 * CK_MIB, "bytes", "a Dockerfile, Compose or Kubernetes file; some have 3")   \
    X(LOCK_REFERENCES, 4000, "references", "of one file, or entries of images.lock")             \
    X(LOCK_STAGES, 1000, "stages", "of a Dockerfile; long ones have 30")                         \
    X(LOCK_ARGS, 1000, "arguments", "ARG before the first FROM")                                 \
    X(LOCK_FILES, 1000, "files", "that name one image")                                          \
    X(YAML_DEPTH, 64, "levels", "Kubernetes files nest less than 30 levels")                     \
    X(YAML_NODES, 400000, "nodes", "of one YAML file; 4 MiB of definitions have 150,000")        \
    X(YAML_ANCHORS, 1000, "anchors", "of one YAML document")                                     \
    X(YAML_STEPS, 20000000, "steps", "keys looked at: aliases and merge keys multiply them")     \
    X(REGISTRY_CA, 32 * CK_KIB, "bytes", "certs.d of one host, with key: a job is one frame")    \
    X(REGISTRY_SECRET, 8 * CK_KIB, "bytes", "a password or token of the user; clouds give 3 KiB")\
    X(REGISTRY_NAME, 512, "bytes", "a host, repository or tag in a job")                         \
    X(REGISTRY_NEXT, 4 * CK_KIB, "bytes", "path and query of a further page")                    \
    X(REGISTRY_TOKEN, 1 * CK_MIB, "bytes", "an answer of a token server; real ones have 5 KiB")  \
    X(REGISTRY_ERROR, 64 * CK_KIB, "bytes", "the body of an error, of which one line is shown")  \
    X(REGISTRY_HEADERS, 256, "headers", "of one answer; real ones have some 20")                 \
    X(REGISTRY_HEADER_BYTES, 64 * CK_KIB, "bytes", "all headers of one answer")                  \
    X(REGISTRY_REDIRECTS, 5, "redirects", "registry to store is one")                            \
    X(REGISTRY_WAIT, 300, "seconds", "a longer Retry-After is no reason to sit and wait")        \
    X(REGISTRY_SECONDS, 300, "seconds", "one document or token; 4 MiB at 14 KiB/s")              \
    X(REGISTRY_WARNING, 4 * CK_KIB, "bytes", "of all Warning headers; distribution-spec")        \
    X(DAEMON_MESSAGE, 4 * CK_KIB, "bytes", "what a daemon says of a request that failed")        \
    X(DAEMON_SILENCE, 900, "seconds", "a daemon that unpacks a large image is silent")           \
    X(DAEMON_TARGET, 16 * CK_KIB, "bytes", "a path with its query; names of many images")        \
    X(CONFIG_FILE, 1 * CK_MIB, "bytes", "a file of settings; Debian's short names take 12 KiB")  \
    X(CONFIG_FILES, 1000, "files", "of one drop-in folder, or certificates of one registry")     \
    X(TOML_DEPTH, 16, "levels", "registries.conf nests 3 levels: an array of tables in another") \
    X(TOML_VALUES, 10000, "values", "of one file, tables included; the short names are 200")     \
    X(HELPER_OUTPUT, 64 * CK_KIB, "bytes", "what a credential helper says: a name, a secret")    \
    X(HELPER_SECONDS, 30, "seconds", "a credential helper may ask a keyring, never a person")    \
    /* image verifier */                                                                         \
    X(VERIFIER_STDIN, 64 * CK_KIB, "bytes", "the descriptor that containerd hands a verifier")   \
    X(VERIFIER_ANSWER, 256 * CK_KIB, "bytes", "what the gate says of one image")                 \
    X(VERIFIER_REASONS, 1000, "reasons", "of one image; a policy has some 20 rules")             \
    X(VERIFIER_SECONDS, 9, "seconds", "containerd gives a verifier ten, then calls it failed")   \
    X(ERROR_TEXT, 1024, "bytes", "one link of an error chain")                                   \
    /* the end */

enum ck_limit {
    CK_LIMIT_NONE,
#define X(name, value, unit, reason) CK_LIMIT_##name,
    CK_LIMITS(X)
#undef X
    CK_LIMIT_COUNT_
};

/* The values as constants: CK_MAX_PATH, CK_MAX_LAYERS, ... */
#define X(name, value, unit, reason) static const uint64_t CK_MAX_##name = (value);
CK_LIMITS(X)
#undef X

/* "LAYER_ENTRIES", as in this list; "?" for what is no limit. */
const char *ck_limit_name(enum ck_limit limit);
uint64_t ck_limit_value(enum ck_limit limit);
const char *ck_limit_unit(enum ck_limit limit);
const char *ck_limit_reason(enum ck_limit limit);

#endif
