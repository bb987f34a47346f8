#define FUZZ_RUN ck_detect_rpm_bdb
#include "detect/fuzz_detector.h"
