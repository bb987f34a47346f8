/* events STORE FIRST N: lets N things happen, "event FIRST" and those after it; for the tests of
 * notifications. */
#include "store/events.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static ck_err *happen(struct ck_store *s, unsigned long first, unsigned long n)
{
    for (unsigned long i = first; i < first + n; i++) {
        ck_autofree char *summary = ck_format("event %lu <!channel> \xc3\xa4\n", i);
        const struct ck_event e = { .time = time(NULL), .kind = CK_V("moved"), .severity = -1,
                                    .name = CK_V("docker.io/library/debian:12"),
                                    .repository = CK_V("docker.io/library/debian"),
                                    .summary = ck_view_str(summary) };
        CK_TRY(ck_store_add_events(s, &e, 1));
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct ck_store *s = NULL;
    if (argc != 4)
        return 2;
    ck_autoerr ck_err *e = ck_store_open(argv[1], &s);
    if (!e)
        e = happen(s, strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10));
    ck_store_close(s);
    if (e)
        fprintf(stderr, "events: %s\n", ck_err_text(e));
    return e ? 1 : 0;
}
