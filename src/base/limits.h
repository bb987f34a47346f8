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
    /* pushes */                                                                                 \
    X(UPLOADS, 256, "uploads", "open at a time; docker pushes five layers at once")              \
    X(USER_UPLOADS, 64, "uploads", "of one user; a build farm shares a robot")                   \
    X(UPLOAD_IDLE, 900, "seconds", "an upload that nobody goes on with")                         \
    X(CLAIMS, 65536, "blobs", "pushed and in no manifest yet; 127 layers of 500 images")         \
    X(CLAIM_SECONDS, 21600, "seconds", "that a pushed blob waits for its manifest")              \
    X(PUSH_TAGS, 16, "tags", "that one manifest is pushed with; the specification asks for 10")  \
    /* the gate's books */                                                                       \
    X(REPOSITORY_IMAGES, 1024, "images", "of one repository that share a blob; each is judged")  \
    X(PULLS, 4000000, "lines", "who pulled what; some 2 GiB. The oldest go")                     \
    X(CREDENTIALS, 4 * CK_KIB, "bytes", "an Authorization header of the gate's own users")       \
    X(PASSWORD, 1024, "bytes", "of a user; a sentence of two hundred words fits")                \
    X(PASSWORD_CHECKS, 64, "logins", "that wait for their turn; one takes 30 ms and 19 MiB")     \
    X(SESSIONS, 4096, "sessions", "logins and tokens in use; the longest unused goes")           \
    X(GATE_TOKENS, 8192, "tokens", "of logins, for five minutes each; the oldest go")            \
    X(USER_TOKENS, 1024, "tokens", "of one user at the same time; the oldest go")                \
    X(LOGIN_FAILURES, 10, "failures", "of one client within a minute; then it has to wait")      \
    X(LOGIN_CLIENTS, 4096, "clients", "whose failures of the last minute are remembered")        \
    X(USER_NAME, 64, "bytes", "of a user or robot of the gate")                                  \
    /* the gate's hub */                                                                         \
    X(GATE_CALLS, 8192, "calls", "open questions of the serve room; more than its connections")  \
    X(GATE_FLIGHTS, 256, "images", "fetched and scanned or waiting for it; more are told to wait")\
    X(GATE_WAITERS, 4096, "clients", "that wait for one image to be fetched and scanned")        \
    X(GATE_PULLS, 20000, "pulls", "noted in memory until they are written down, each second")    \
    /* what a container of an image would be started with */                                     \
    X(CONFIG_VARIABLES, 4096, "variables", "of the environment; real images have less than 60")  \
    X(CONFIG_VARIABLE, 128 * CK_KIB, "bytes", "name and value; execve takes no longer ones")     \
    X(CONFIG_LABELS, 4096, "labels", "of an image; the most seen are some 60")                   \
    X(CONFIG_LABEL, 1 * CK_MIB, "bytes", "buildpacks write all that they put in into one label") \
    X(CONFIG_PATHS, 1024, "entries", "volumes, or exposed ports; real images have less than 10") \
    /* policies, and what they ask of an image */                                                \
    X(FACTS_OF_IMAGE, 64 * CK_MIB, "bytes", "what a policy asks of it; 20,000 findings are 3")   \
    X(FACT_FINDINGS, 200000, "findings", "of one image; the worst public ones have 20,000")      \
    X(FACT_ALIASES, 4096, "ids", "of one finding; as ADVISORY_ALIASES")                          \
    X(FACT_GAPS, 20000, "gaps", "of one assessment; more are counted in the last one")           \
    X(FACT_PAIRS, 100000, "entries", "labels, volumes, ports or variables; as JSON_VALUES")      \
    X(POLICY, 4 * CK_MIB, "bytes", "a policy or its cases; 10,000 exceptions are 2 MiB")         \
    X(POLICY_RULES, 1000, "rules", "of one policy; deciding takes rules times findings")         \
    X(POLICY_EXCEPTIONS, 10000, "exceptions", "of one policy, which people keep up to date")     \
    X(POLICY_LIST, 1000, "entries", "of one list of a policy")                                   \
    X(POLICY_PATTERN, 512, "bytes", "a pattern; a name with tag has at most 384")                \
    X(POLICY_TEXT, 1000, "bytes", "any other text of a policy; reasons are one line")            \
    X(POLICY_PERSONS, 10, "people", "who must release an image; more never come together")       \
    X(POLICY_CASES, 10000, "cases", "of one file of cases")                                      \
    X(ERROR_TEXT, 1024, "bytes", "one link of an error chain")                                   \
    /* those who ask whether it may run */                                                       \
    X(ADMISSION_BODY, 3 * CK_MIB, "bytes", "an AdmissionReview; etcd holds objects of 1.5 MiB")  \
    X(ADMISSION_IMAGES, 256, "images", "different ones of one object; a pod has some 10")        \
    X(ADMISSION_ENTRIES, 4096, "entries", "containers or volumes of one pod")                    \
    X(ADMISSION_IMAGE, 512, "bytes", "an image's name: 255, a tag of 128 and a digest fit")      \
    X(ADMISSION_NAMES, 48 * CK_KIB, "bytes", "all names of one question: it is one packet")      \
    X(ADMISSION_TEXT, 4096, "bytes", "what a person is told; API servers cut warnings there")    \
    X(DOCKER_AUTHZ, 8 * CK_MIB, "bytes", "4 MiB of body in base64, and the headers")             \
    X(DOCKER_BODY, 1 * CK_MIB, "bytes", "of a container or service that is made")                \
    X(DOCKER_QUERY, 16 * CK_KIB, "bytes", "a request's path and query")                          \
    X(HARBOR_REQUEST, 64 * CK_KIB, "bytes", "a scan request of Harbor, credentials included")    \
    X(HARBOR_SCANS, 64, "scans", "that Harbor asked for and that wait or run")                   \
    X(HARBOR_REPORTS, 256, "reports", "kept for Harbor, which fetches each once")                \
    X(HARBOR_KEPT, 64 * CK_MIB, "bytes", "all reports kept for Harbor, but for the last")        \
    X(HARBOR_REPORT, 32 * CK_MIB, "bytes", "one report; 10,000 findings take some 8 MiB")        \
    /* the serve room */                                                                         \
    X(SERVE_MEMORY, 256 * CK_MIB, "bytes", "4,096 connections with 32 KiB each, and what is kept")\
    X(SERVE_DESCRIPTORS, 16384, "descriptors", "two a connection, and those of kept blobs")      \
    X(SERVE_MESSAGE, 2 * CK_KIB, "bytes", "what a refused person is told in one line")           \
    X(SERVE_AGENT, 256, "bytes", "of a User-Agent, as far as it is handed on")                   \
    X(SERVE_HEAD, 32 * CK_KIB, "bytes", "a connection's memory: head of a request, its answer")  \
    X(SERVE_CONNECTIONS, 4096, "connections", "at one time; the kernel keeps more waiting")      \
    X(SERVE_BUCKETS, 8192, "addresses", "whose requests are counted; the idlest makes room")     \
    X(SERVE_SESSIONS, 1024, "sessions", "kept by the hash of their credentials")                 \
    X(SERVE_KEPT, 16 * CK_MIB, "bytes", "manifests kept ready; some 2,000 of 8 KiB")             \
    X(SERVE_KEPT_BLOBS, 512, "blobs", "kept open")                                               \
    X(SERVE_BODIES, 32 * CK_MIB, "bytes", "bodies in memory at one time; eight of 4 MiB")        \
    X(SERVE_DISCARD, 8 * CK_MIB, "bytes", "of a refused body, read so that its sender listens")  \
    /* those who are told */                                                                     \
    X(NOTIFY_BODY, 2 * CK_MIB, "bytes", "one notification; a digest of 200 events takes 200 KiB")\
    X(NOTIFY_DETAILS, 64 * CK_KIB, "bytes", "of one event; 1,000 new findings take 40 KiB")      \
    X(NOTIFY_ANSWER, 2 * CK_KIB, "bytes", "of a receiver's answer, of which a line is kept")     \
    X(NOTIFY_URL, 4 * CK_KIB, "bytes", "where notifications go; hooks of chats take 200")        \
    X(NOTIFY_FIELD, 1 * CK_KIB, "bytes", "a header's line, an address, a name to log in with")   \
    X(NOTIFY_FIELDS, 32, "fields", "headers of a request or recipients of a mail")               \
    X(NOTIFY_SECRET, 1 * CK_KIB, "bytes", "of a signature (32 bytes in Base64) or a login")      \
    X(NOTIFY_SECONDS, 60, "seconds", "one try; what hangs longer answers no more")               \
    X(NOTIFY_ROOMS, 16, "rooms", "subscriptions that are served at the same time")               \
    X(NOTIFY_DIGEST, 200, "events", "of one delivery; more make several")                        \
    X(NOTIFY_WAIT, 21600, "seconds", "that a receiver's Retry-After may ask for")                \
    /* the HTTP API */                                                                           \
    X(API_BODY, 2 * CK_MIB, "bytes", "of a request; a policy of API_TEXT, escaped")              \
    X(API_LOGIN, 16 * CK_KIB, "bytes", "of a login; user and password take 2 KiB at most")       \
    X(API_TEXT, 1 * CK_MIB, "bytes", "a policy to be tried; 2,000 exceptions are 400 KiB")       \
    X(API_WORDS, 64, "words", "parameters or members of one request; the most known are 10")     \
    X(API_WORD, 4096, "bytes", "one parameter or member, with its name; reasons have 1,000")     \
    X(API_ANSWER, 24 * CK_MIB, "bytes", "one answer; a report of 20,000 findings takes 16")      \
    X(API_PAGE, 200, "items", "of one page; what a person reads has some 50")                    \
    X(API_FROM, 10000000, "items", "passed over before a page; no list is longer")               \
    X(API_STREAMS, 256, "streams", "kept open; each holds a connection for some 15 s")           \
    X(API_WAITING, 64, "calls", "of slow work that wait; more are told to come back")            \
    X(API_REPORTS, 8, "reports", "made anew and kept; a person leafs through one or two")        \
    X(API_REPLAYED, 1000, "images", "named by a replay; more are counted")                       \
    /* surveys */                                                                                \
    X(LISTED_NAMES, 200000, "names", "repositories of a registry, or tags of one; npm-like tags")\
    X(LISTED_PAGES, 4096, "pages", "of one listing; registries give 100 to 1,000 names each")    \
    X(SURVEY_NAMES, 4000000, "names", "the tags of all repositories, 100 bytes each")            \
    X(SURVEY_CAUSES, 20000, "causes", "kept of one image, package and id; 400 are usual")        \
    X(SURVEY_SAMPLE, 100000, "images", "drawn by one survey; 1,000 make it exact to 3 %")        \
    X(SURVEY_SCRATCH, 8 * CK_GIB, "bytes", "of blobs that a survey keeps while it goes on")      \
    X(SURVEY_ERROR, 512, "bytes", "why an image could not be scanned, as far as it is kept")     \
    /* looking again */                                                                          \
    X(EVENT_FINDINGS, 64, "findings", "of each kind in one event; what is more is counted")      \
    X(EVENT_REASONS, 64, "reasons", "of a verdict in one event; what is more is counted")        \
    X(EVENT_PULLERS, 64, "people", "named in one event; what is more is counted")                \
    X(WATCH_TAGS, 2000, "tags", "asked about in one round; the oldest first, so all have a turn")\
    X(WATCH_NAMES, 16, "names", "of one image under which it is judged again")                   \
    /* what is stored to look again */                                                           \
    X(INVENTORY_PACKAGE, 64 * CK_KIB, "bytes", "a package, or a key of it; 16 fields of 4 KiB")  \
    X(INVENTORY_KEYS, 256, "keys", "of one package; names of its source and its own are some 4") \
    X(INVENTORY_HEAD, 64 * CK_MIB, "bytes", "what else a report says of an image; gaps, history")\
    X(EVENTS, 1000000, "events", "kept; some 500 MiB. The oldest go")                            \
    X(EVENT_DATA, 1 * CK_MIB, "bytes", "what an event says; 4,000 findings with their packages") \
    X(SUBSCRIPTIONS, 1000, "subscriptions", "each is asked about each event")                    \
    X(SUBSCRIPTION_NAME, 64, "bytes", "the name of a subscription, which people type")           \
    X(SUBSCRIPTION_TEXT, 4 * CK_KIB, "bytes", "a URL, secret, list of kinds or pattern")         \
    X(DELIVERY_EVENTS, 10000, "events", "in one digest; nobody reads more")                      \
    X(DELIVERY_KEY, 256, "bytes", "an idempotency key, which goes into a header")                \
    X(DELIVERIES_DUE, 10000, "deliveries", "handed out at once to be sent")                      \
    X(DELIVERIES_GIVEN_UP, 10000, "deliveries", "given up, kept to be seen; the oldest go")      \
    X(PAGE_ROWS, 200, "rows", "of one page of a listing; a screen shows some 50")                \
    X(PAGE_SEARCH, 512, "bytes", "that are searched for; a name with tag has at most 384")       \
    X(TAG_HISTORY, 100, "digests", "that one tag has meant; the newest are shown")               \
    X(SURVEY_ITEMS, 100000, "images", "of one sample; intervals of 1 % need some 10,000")        \
    X(SURVEY_RESULT, 1 * CK_MIB, "bytes", "what came of one image, or of a survey")              \
    X(NOTE, 64 * CK_MIB, "bytes", "fingerprints of all that a database says are some 10")        \
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
