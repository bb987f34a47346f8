#define FEED ck_feed_alpine_secdb
#include "advisory/feed/fuzz_feed.h"
