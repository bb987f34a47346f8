/* A view of a literal for static tables, where CK_V is no constant expression. */
#ifndef CK_ADVISORY_FEED_TABLE_H
#define CK_ADVISORY_FEED_TABLE_H

#include "base/view.h"

#define CK_TV(literal) { (const uint8_t *)("" literal), sizeof(literal) - 1 }

#endif
