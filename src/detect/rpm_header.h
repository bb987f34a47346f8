/* rpm's package headers as the databases hold them: without magic, index and data (rpm, "Package
 * format", Header). Only the rpm detectors include this.
 */
#ifndef CK_DETECT_RPM_HEADER_H
#define CK_DETECT_RPM_HEADER_H

#include "detect/say.h"

/* One database that is being read. */
struct ck_rpm {
    struct ck_say say;
    struct ck_buf text; /* where versions are put together */
    size_t left;        /* bytes of headers that the file can still hold: what a file says to hold
                           twice costs no second look */
};

struct ck_rpm ck_rpm_new(const char *what, ck_view file, struct ck_buf *out);
void ck_rpm_free(struct ck_rpm *r);
#define ck_autorpm __attribute__((cleanup(ck_rpm_free)))

/* Says the package of one header; a gpg-pubkey entry is none. `place` as in ck_say_package. */
CK_MUST ck_err *ck_rpm_say_header(struct ck_rpm *r, ck_view blob, const char *place);

/* Splits "NAME-VERSION-RELEASE.src.rpm" from the right; false where that is not its form. */
bool ck_rpm_split_source(ck_view sourcerpm, ck_view *ret_name, ck_view *ret_version,
                         ck_view *ret_release);

#endif
