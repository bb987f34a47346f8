/* A registry's state from a random sample of its images: what is drawn, how it is scanned, and what
 * the shares say of all that was not drawn.
 *
 * The population are the names of the registry: each tag of each repository once. It falls into two
 * groups, official names and others, each sampled by itself: without replacement, every name as
 * likely as any other. A share is therefore one of the names of its group, and needs no weights.
 *
 * Whatever is done is in the store (store/surveys.h): a survey that breaks off goes on where it
 * was. Images are scanned through a store of its own beside the other's blobs, which goes with the
 * survey: strangers' images fill no listing and no log, and leave nothing for gc.
 */
#ifndef CK_SURVEY_SURVEY_H
#define CK_SURVEY_SURVEY_H

#include "scan/scan.h"
#include "store/surveys.h"

enum ck_survey_begin {
    CK_SURVEY_GO_ON,   /* goes on with one that broke off, else begins one */
    CK_SURVEY_RESUME,  /* goes on; USAGE where there is none */
    CK_SURVEY_NEW,     /* gives up one that broke off */
};
struct ck_survey_options {
    const char *registry; /* "registry.example:5000"; "docker.io" */
    const char *official; /* repositories that begin so; NULL: "library/", and where that is not
                             docker.io, names of one component */
    uint64_t sample;      /* images; 0: 200; UINT64_MAX: all; at most SURVEY_SAMPLE */
    bool has_seed;        /* else a random one; it is kept, shown and in the result */
    uint64_t seed;
    ck_view list; /* NAME lines, where the registry has no catalogue; "#" begins a comment */
    enum ck_survey_begin begin;
    struct ck_scan_options scan; /* of each image; its `store` is not looked at */
};

/* Called from the thread that runs it, now and then; `done` of `total` of what `what` says
 * ("listing repositories", "scanning"), `name`: what is at hand, unescaped. `stop` true: the survey
 * ends where it is, and may go on later. Each may be NULL. */
struct ck_survey_progress {
    void (*report)(void *ctx, const char *what, ck_view name, uint64_t done, uint64_t total);
    bool (*stop)(void *ctx);
    void *ctx;
};

/* Draws and scans until the last image, and keeps the result (doc/survey.schema.json) with the
 * survey; an event `survey` says so. *ret_number as soon as there is a survey, also where an error
 * comes later; *ret_done false: stopped. One process at a time may run a survey: USAGE. */
CK_MUST ck_err *ck_survey_run(struct ck_store *s, const struct ck_survey_options *o,
                              const struct ck_survey_progress *p, uint64_t *ret_number,
                              bool *ret_done);

/* The survey as it stands, done or not: JSON, or tables for people. UNAVAILABLE: there is no such
 * survey. */
CK_MUST ck_err *ck_survey_json(struct ck_store *s, uint64_t number, struct ck_buf *out);
CK_MUST ck_err *ck_survey_table(struct ck_store *s, uint64_t number, struct ck_buf *out);

#endif
