#define FEED ck_feed_osv
#include "advisory/feed/fuzz_feed.h"
