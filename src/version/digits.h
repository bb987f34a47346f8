/* What the orders share: characters by ASCII alone (no locale), numbers of any length. */
#ifndef CK_VERSION_DIGITS_H
#define CK_VERSION_DIGITS_H

#include "base/view.h"

static inline bool ck_is_digit(uint8_t c) { return c >= '0' && c <= '9'; }
static inline bool ck_is_lower(uint8_t c) { return c >= 'a' && c <= 'z'; }
static inline bool ck_is_alpha(uint8_t c) { return ck_is_lower(c) || (c >= 'A' && c <= 'Z'); }

/* By value, whatever the length; leading zeros do not count, no digits are 0. */
int ck_digits_cmp(ck_view a, ck_view b);

/* The digits at the front of *v, which is moved behind them. */
ck_view ck_digits_take(ck_view *v);

#endif
