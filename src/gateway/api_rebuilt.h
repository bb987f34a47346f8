/* Reports that are made anew with the database and the policy in force. The last few are kept, for
 * those who leaf through one: each page is a question of its own. Only the thread of CK_API_SLOW
 * asks here, so that nothing is locked.
 */
#ifndef CK_GATEWAY_API_REBUILT_H
#define CK_GATEWAY_API_REBUILT_H

#include "gateway/api.h"
#include "report/report.h"

enum { CK_API_REPORTS = 8 }; /* API_REPORTS, which is no constant expression */

/* *ret lives until API_REPORTS others were asked for. Status 404: it was not examined yet. */
CK_MUST ck_err *ck_api_rebuilt(struct ck_api *r, const struct ck_store_row *row,
                               const struct ck_report **ret);

#endif
