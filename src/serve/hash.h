/* A hash for tables whose keys come from clients: seeded, so that nobody aims at one bucket. */
#ifndef CK_SERVE_HASH_H
#define CK_SERVE_HASH_H

#include "base/view.h"

uint64_t ck_hash_seed(void);
uint64_t ck_hash_bytes(uint64_t seed, ck_view v);

#endif
