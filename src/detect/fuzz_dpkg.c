#define FUZZ_RUN ck_detect_dpkg
#include "detect/fuzz_detector.h"
