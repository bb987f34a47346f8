/* What a detector says of one file: packages, the distribution, or why it could not say.
 * Encoded into the layer index by the inspect room, decoded by the hub, kept in the cache.
 * Raise CK_DETECTORS_VERSION whenever any detector may say something else of the same bytes.
 */
#ifndef CK_DETECT_FACTS_H
#define CK_DETECT_FACTS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/view.h"

#define CK_DETECTORS_VERSION 1

enum ck_package_type { CK_PACKAGE_DEB, CK_PACKAGE_APK, CK_PACKAGE_RPM, CK_PACKAGE_TYPE_COUNT_ };
const char *ck_package_type_name(enum ck_package_type t); /* "deb", "apk", "rpm" */

/* Fields are at most FIELD bytes, valid UTF-8, and never NULL; absent ones are empty. */
struct ck_package {
    enum ck_package_type type;
    ck_view name;
    ck_view version;        /* as the distribution writes it, epoch included where it is not 0 or
                               was given: "1:2.3-4" */
    ck_view arch;
    ck_view source_name;    /* deb Source, apk origin, rpm source package; else = name */
    ck_view source_version; /* deb: of the source; apk: = version; rpm: [epoch:]version-release */
    ck_view module;         /* rpm modularity label, else empty */
    ck_view status;         /* deb: where it is not "install ok installed" */
};

/* os-release(5); the fields that decide. */
struct ck_os_release {
    ck_view id, id_like, version_id, version_codename, name, pretty_name, variant_id, cpe_name;
};

enum ck_fact_kind { CK_FACT_PACKAGE = 1, CK_FACT_OS_RELEASE, CK_FACT_GAP };

struct ck_fact {
    enum ck_fact_kind kind;
    union {
        struct ck_package package;
        struct ck_os_release os;
        ck_view gap; /* one sentence: what of this file could not be read, and why; escaped */
    };
};

/* Appends one fact: ck_fact_size bytes, which must fit (buf.h). */
void ck_fact_encode(const struct ck_fact *f, struct ck_buf *out);
size_t ck_fact_size(const struct ck_fact *f);
/* Reads the next fact; *ret_end at the end of the cursor, then *ret is untouched. Damage is
 * hostile: unknown kinds, fields longer than FIELD or not UTF-8. Views point into the cursor. */
CK_MUST ck_err *ck_fact_decode(ck_cur *c, struct ck_fact *ret, bool *ret_end);

#endif
