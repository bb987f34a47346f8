/* The grammars of distribution-spec ("Pulling manifests") that stand in paths of the registry. */
#ifndef CK_SERVE_NAMES_H
#define CK_SERVE_NAMES_H

#include "base/view.h"

bool ck_is_repository(ck_view v); /* at most REGISTRY_NAME bytes */
bool ck_is_tag(ck_view v);
bool ck_is_digest(ck_view v); /* of a registered algorithm */

#endif
