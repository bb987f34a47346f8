#define FUZZ_RUN ck_detect_rpm_ndb
#include "detect/fuzz_detector.h"
