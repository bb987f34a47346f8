/* The inventory of an image: what its package databases list, resolved in the merged tree, and for
 * every package the layer that brought its present version.
 */
#ifndef CK_SCAN_INVENTORY_H
#define CK_SCAN_INVENTORY_H

#include "advisory/match.h"
#include "detect/facts.h"
#include "scan/layers.h"

struct ck_inventory_package {
    struct ck_package p;
    size_t layer; /* lowest layer from which on the database lists this very version */
    ck_view location; /* the file that lists it: "var/lib/dpkg/status" */
};

struct ck_inventory {
    struct ck_arena arena; /* owns arrays; views point into the layers' facts */
    struct ck_os_release os;
    bool has_os;
    struct ck_inventory_package
        *packages; /* by name, version, arch, type, location; no duplicates */
    size_t n;
    struct ck_gap *gaps;
    size_t n_gaps;
};

void ck_inventory_free(struct ck_inventory *inv);

/* First half: which files links lead to that no detector has read yet. wants[layer], arrays in `a`.
 * *ret_any says whether there are any. */
CK_MUST ck_err *ck_inventory_wants(const struct ck_layer_facts *facts, size_t n_layers,
                                   struct ck_arena *a, struct ck_layer_wants *wants, bool *ret_any);

/* Second half, when all that was wanted has been read. Limit PACKAGES. */
CK_MUST ck_err *ck_inventory_build(const struct ck_layer_facts *facts, size_t n_layers,
                                   struct ck_inventory *ret);

#endif
