#define FEED ck_feed_debian_tracker
#include "advisory/feed/fuzz_feed.h"
