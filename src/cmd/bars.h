/* A bar for every blob that is on its way: on a terminal rewritten in place, elsewhere one plain
 * line for each that has come. On standard error.
 */
#ifndef CK_CMD_BARS_H
#define CK_CMD_BARS_H

#include "source/arrivals.h"

struct ck_bars {
    bool quiet, terminal;
    int64_t started, shown; /* ms */
    unsigned lines;         /* that are on the screen now */
    bool *finished;         /* by index */
    size_t n_finished;
};

struct ck_bars ck_bars_new(bool quiet);
/* For ck_progress.arrivals and ck_fetch_options.progress. */
void ck_bars_show(struct ck_bars *b, struct ck_arrivals *a);
/* Takes the bars off the screen; the next image begins anew. */
void ck_bars_end(struct ck_bars *b);

/* One line: "0f8a2b1c9d3e [=====>    ] 12.3 of 40.1 MiB", at most `columns` wide; without the bar
 * where there is no room for it. In `out`, for tests. */
void ck_bar_line(const struct ck_arrival *v, unsigned columns, struct ck_buf *out);

#endif
