/* Index, manifest and config of an image: the decoders run in the image room on documents of at
 * most DOCUMENT bytes, and the encodings in which their results reach the hub.
 *
 * Refused by name (class hostile): duplicate JSON keys, also keys that differ only in case
 * ("Config", Go readers fold them); a document with both `layers` and `manifests`
 * (CVE-2021-41190); a `mediaType` that contradicts the descriptor's or the document's shape;
 * schemaVersion other than 2 (schema 1 by name); negative, fractional or > 2^53 sizes; digests of
 * bad form; counts past LAYERS, MANIFESTS, HISTORY, CONFIG_VARIABLES, CONFIG_LABELS, CONFIG_PATHS;
 * strings past STRING, CONFIG_VARIABLE, CONFIG_LABEL or with NUL; a number of
 * diff_ids that differs from the number of layers; `urls` are ignored, never followed. Only what
 * the structures below hold is read; other members have no limit of their own but those of the
 * document.
 */
#ifndef CK_IMAGE_IMAGE_H
#define CK_IMAGE_IMAGE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "image/digest.h"
#include "layer/inflate.h"

struct ck_platform {
    ck_view os, architecture, variant, os_version; /* empty where not given */
};
/* "linux/arm64/v8", "windows(10.0.17763)/amd64"; normalised as containerd does (x86_64 -> amd64,
 * aarch64 -> arm64, arm -> arm/v7, arm64/v8 -> arm64). Usage error where it is none. Views into
 * `text` or static. */
CK_MUST ck_err *ck_platform_parse(ck_view text, struct ck_platform *ret);
struct ck_platform ck_platform_host(void);
/* Whether an image for `have` is what a host asking for `want` should run; variants: absent
 * matches the default, arm v7 takes v6 and v5 as a worse match, arm64 takes arm and amd64 takes
 * 386 as the worst. Higher is better, 0 is no match (also where `have` names no platform). Of
 * several equal ones the first counts, as runtimes take it. */
int ck_platform_match(const struct ck_platform *want, const struct ck_platform *have);
const char *ck_platform_text(const struct ck_platform *p, struct ck_arena *a);

struct ck_descriptor {
    ck_view media_type;
    struct ck_digest digest;
    uint64_t size;
    struct ck_platform platform;
    ck_view ref_name;      /* annotation org.opencontainers.image.ref.name */
    ck_view image_name;    /* annotation io.containerd.image.name */
    /* Platform unknown/unknown. The annotation vnd.docker.reference.type alone does not make
     * one: runtimes go by the platform, so a descriptor that has both the annotation and a real
     * platform, or none, is refused. */
    bool attestation;
};

enum ck_document_kind {
    CK_DOC_INDEX,    /* OCI index, Docker manifest list */
    CK_DOC_MANIFEST, /* OCI manifest, Docker schema 2 */
};

struct ck_index_doc {
    ck_view media_type;
    ck_view artifact_type; /* or empty */
    bool has_subject;
    struct ck_descriptor subject; /* what this refers to */
    struct ck_descriptor *manifests;
    size_t n;
};

struct ck_layer_desc {
    struct ck_descriptor d;
    enum ck_compression compression; /* by the media type alone */
};

struct ck_manifest_doc {
    ck_view media_type;
    struct ck_descriptor config;
    struct ck_layer_desc *layers; /* lowest first */
    size_t n;
};

/* A manifest of any use: signature, attestation, SBOM, or an image that has a subject. */
struct ck_artifact_doc {
    ck_view media_type;
    ck_view artifact_type; /* the member artifactType, else the config's media type */
    bool has_subject;
    struct ck_descriptor subject; /* what this refers to */
    struct ck_descriptor config;  /* often the empty one */
    struct ck_descriptor *layers; /* of any media type; none of them need be an image's layer */
    size_t n;
};

struct ck_history {
    ck_view created, created_by, comment;
    bool empty_layer;
};
struct ck_config_pair {
    ck_view key, value;
};
/* What a list of referrers says of one (OCI distribution-spec v1.1, listing referrers). */
struct ck_annotations {
    struct ck_config_pair *v;
    size_t n;
};
struct ck_config_doc {
    struct ck_platform platform;
    ck_view created; /* RFC 3339 as given, or empty */
    struct ck_digest *diff_ids;
    size_t n_diff_ids;
    /* Where the lines that made a layer are not as many as the layers, nobody can say which line
     * made which layer: then n_history is 0 and history_ignored is set. */
    struct ck_history *history;
    size_t n_history;
    bool history_ignored;
    /* What a container of it would be started with. */
    ck_view user;                  /* "" is root */
    struct ck_config_pair *env;    /* in its order; a name may come twice. Never shown: values are
                                      secret as often as not */
    struct ck_config_pair *labels; /* by key */
    ck_view *volumes, *ports;      /* sorted: "/data"; "80/tcp" */
    size_t n_env, n_labels, n_volumes, n_ports;
};

/* docker save's manifest.json: an array of {Config, RepoTags, Layers}. */
struct ck_docker_image {
    ck_view config; /* path inside the archive: normalised, relative, no ".."; so are the layers */
    ck_view *tags;
    size_t n_tags;
    ck_view *layers;
    size_t n_layers;
};
struct ck_docker_doc {
    struct ck_docker_image *images;
    size_t n;
};

/* The bytes behind a descriptor: size and digest must be as it says (OCI image-spec, descriptor,
 * Verification). Call it before any of the decoders sees them. */
CK_MUST ck_err *ck_descriptor_verify(const struct ck_descriptor *d, ck_view bytes);

/* What a top document is, then its decoder. `declared` is the media type of the descriptor that
 * led here, or empty (index.json of a layout). Arrays and strings live in `a`. An index may list
 * things that are neither manifests nor indexes; their media type says so, and
 * ck_image_document_kind refuses it as `declared`. Class unavailable, not hostile: a manifest or
 * media type of an artifact, which may be harmless but is no image. */
CK_MUST ck_err *ck_image_document_kind(ck_view json, ck_view declared, enum ck_document_kind *ret);
CK_MUST ck_err *ck_image_index(ck_view json, ck_view declared, struct ck_arena *a,
                               struct ck_index_doc *ret);
CK_MUST ck_err *ck_image_manifest(ck_view json, ck_view declared, struct ck_arena *a,
                                  struct ck_manifest_doc *ret);
/* Takes every manifest that is built as one (OCI image-spec v1.1, manifest, "Guidelines for
 * Artifact Usage"), whatever the media types of its config and layers. */
CK_MUST ck_err *ck_image_artifact(ck_view json, ck_view declared, struct ck_arena *a,
                                  struct ck_artifact_doc *ret);
/* Whether config and layers are of an image's media types: ck_image_manifest would take it. Else it
 * is an artifact, which is stored and carried about, never scanned or loaded as an image. */
bool ck_artifact_is_image(const struct ck_artifact_doc *d);
/* Those of a manifest or index itself, in the order of their keys. */
CK_MUST ck_err *ck_image_annotations(ck_view json, struct ck_arena *a, struct ck_annotations *ret);
CK_MUST ck_err *ck_image_config(ck_view json, struct ck_arena *a, struct ck_config_doc *ret);
CK_MUST ck_err *ck_image_docker_manifest(ck_view json, struct ck_arena *a,
                                         struct ck_docker_doc *ret);
/* As many layers (of the manifest, or of docker save's entry) as diff_ids: OCI image-spec,
 * config, rootfs. */
CK_MUST ck_err *ck_image_layers_fit(const struct ck_config_doc *c, size_t n_layers);
/* {"imageLayoutVersion":"1.0.0"} of an OCI layout. */
CK_MUST ck_err *ck_image_layout(ck_view json);

/* Encodings for the channel. Decoding checks again whatever the decoders above checked of the
 * value: the room may lie. One value has one encoding. */
void ck_index_doc_encode(const struct ck_index_doc *d, struct ck_buf *out);
CK_MUST ck_err *ck_index_doc_decode(ck_view bytes, struct ck_arena *a, struct ck_index_doc *ret);
void ck_manifest_doc_encode(const struct ck_manifest_doc *d, struct ck_buf *out);
CK_MUST ck_err *ck_manifest_doc_decode(ck_view bytes, struct ck_arena *a,
                                       struct ck_manifest_doc *ret);
void ck_artifact_doc_encode(const struct ck_artifact_doc *d, struct ck_buf *out);
CK_MUST ck_err *ck_artifact_doc_decode(ck_view bytes, struct ck_arena *a,
                                       struct ck_artifact_doc *ret);
void ck_annotations_encode(const struct ck_annotations *d, struct ck_buf *out);
CK_MUST ck_err *ck_annotations_decode(ck_view bytes, struct ck_arena *a,
                                      struct ck_annotations *ret);
void ck_config_doc_encode(const struct ck_config_doc *d, struct ck_buf *out);
CK_MUST ck_err *ck_config_doc_decode(ck_view bytes, struct ck_arena *a, struct ck_config_doc *ret);
void ck_docker_doc_encode(const struct ck_docker_doc *d, struct ck_buf *out);
CK_MUST ck_err *ck_docker_doc_decode(ck_view bytes, struct ck_arena *a, struct ck_docker_doc *ret);

#endif
