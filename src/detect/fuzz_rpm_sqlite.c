#define FUZZ_RUN ck_detect_rpm_sqlite
#include "detect/fuzz_detector.h"
