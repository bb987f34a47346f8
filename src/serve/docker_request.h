/* Docker's authorization plugin (docs.docker.com, "Access authorization plugin"): what a request to
 * dockerd would do, from the envelope that dockerd sends about it.
 */
#ifndef CK_SERVE_DOCKER_REQUEST_H
#define CK_SERVE_DOCKER_REQUEST_H

#include "base/arena.h"
#include "base/buf.h"

struct ck_docker_question {
    enum ck_docker_answer { CK_DOCKER_ALLOW, CK_DOCKER_JUDGE, CK_DOCKER_REFUSE } what;
    ck_view why;    /* REFUSE: one line, escaped */
    ck_view *words; /* JUDGE: images as they were named, or ids */
    size_t n_words;
};

/* Class HOSTILE, LIMIT: no envelope. What dockerd may read otherwise than it is read here is
 * refused: paths that are not clean, parameters that are there twice, bodies where parameters count
 * and none where a body counts. */
CK_MUST ck_err *ck_docker_question(ck_view envelope, struct ck_arena *a,
                                   struct ck_docker_question *ret);
void ck_docker_reply(bool allow, ck_view message, struct ck_buf *out);

#endif
