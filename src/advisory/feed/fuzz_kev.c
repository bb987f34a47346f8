#define FEED ck_feed_kev
#include "advisory/feed/fuzz_feed.h"
