/* Time that only goes forward, whoever sets the clock; of no use outside this process. */
#ifndef CK_BASE_CLOCK_H
#define CK_BASE_CLOCK_H

#include <stdint.h>

int64_t ck_clock_us(void);
int64_t ck_clock_ms(void);

#endif
