/* The targets, one function each. All return when the target has the image whole, under the cargo's
 * name, with the digest that the cargo has; or else with an error.
 */
#ifndef CK_LOAD_TARGET_H
#define CK_LOAD_TARGET_H

#include "load/cargo.h"
#include "load/load.h"

/* A layout is made anew, or added to where cocket has written it: one that says more than cocket
 * would write again is refused (class USAGE). An entry of the same name is replaced. */
CK_MUST ck_err *ck_load_layout(const struct ck_cargo *c, const struct ck_load_target *t,
                               const struct ck_load_options *o);
/* A new file; one that is there is refused (USAGE), unless it is a pipe or device. */
CK_MUST ck_err *ck_load_archive(const struct ck_cargo *c, const struct ck_load_target *t,
                                const struct ck_load_options *o);
/* dockerd at $DOCKER_HOST or /var/run/docker.sock. Where it reports another image than ours, that
 * is removed again if its name was new there; class HOSTILE. */
CK_MUST ck_err *ck_load_docker(const struct ck_cargo *c, const struct ck_load_target *t,
                               const struct ck_load_options *o);
CK_MUST ck_err *ck_load_podman(const struct ck_cargo *c, const struct ck_load_target *t,
                               const struct ck_load_options *o);
CK_MUST ck_err *ck_load_containerd(const struct ck_cargo *c, const struct ck_load_target *t,
                                   const struct ck_load_options *o);

#endif
