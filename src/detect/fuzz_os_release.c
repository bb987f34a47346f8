#define FUZZ_RUN ck_detect_os_release
#include "detect/fuzz_detector.h"
