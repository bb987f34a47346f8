#define FUZZ_RUN ck_detect_apk
#include "detect/fuzz_detector.h"
