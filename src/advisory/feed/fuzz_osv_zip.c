#define FEED ck_feed_osv_zip
#include "advisory/feed/fuzz_feed.h"
