#include "cmd/bars.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { NAME_DIGITS = 12, BAR_MIN = 8, BAR_MAX = 40, LINES_MAX = 8 };

struct ck_bars ck_bars_new(bool quiet)
{
    return (struct ck_bars){ .quiet = quiet, .terminal = isatty(STDERR_FILENO),
                             .started = ck_clock_ms() };
}

static unsigned columns(void)
{
    enum { DEFAULT = 80, NARROWEST = 20, WIDEST = 200 };
    struct winsize ws = { 0 };
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) != 0 || ws.ws_col == 0)
        return DEFAULT;
    return ws.ws_col < NARROWEST ? NARROWEST : ws.ws_col > WIDEST ? WIDEST : ws.ws_col;
}

static const char *short_digest(const struct ck_digest *d, char out[CK_DIGEST_TEXT])
{
    ck_digest_text(d, out);
    char *hex = strchr(out, ':') + 1;
    hex[NAME_DIGITS] = 0;
    return hex;
}

/* --- one line
 * ----------------------------------------------------------------------------------- */

static void put_bar(struct ck_buf *out, uint64_t done, uint64_t size, unsigned width)
{
    unsigned inner = width - 2, full = (unsigned)(size ? done * inner / size : inner);
    ck_put_u8(out, '[');
    for (unsigned i = 0; i < inner; i++)
        ck_put_u8(out, i < full ? '=' : i == full ? '>' : ' ');
    ck_put_u8(out, ']');
}

void ck_bar_line(const struct ck_arrival *v, unsigned columns, struct ck_buf *out)
{
    char text[CK_DIGEST_TEXT];
    ck_autofree char *done = ck_format_bytes(v->done), *size = ck_format_bytes(v->size);
    ck_autofree char *numbers = ck_format("%s of %s", done, size);
    const char *name = short_digest(&v->digest, text);
    size_t used = NAME_DIGITS + 1 + strlen(numbers), at = out->n;
    unsigned room = columns > used + 1 ? (unsigned)(columns - used - 1) : 0;
    ck_buf_format(out, "%s ", name);
    if (room >= BAR_MIN) {
        put_bar(out, v->done, v->size, room > BAR_MAX ? BAR_MAX : room);
        ck_put_u8(out, ' ');
    }
    ck_buf_format(out, "%s", numbers);
    if (out->n - at > columns)
        out->n = at + columns;
}

/* --- all of them
 * -------------------------------------------------------------------------------- */

static void erase(struct ck_bars *b, struct ck_buf *out)
{
    for (; b->lines; b->lines--)
        ck_buf_format(out, "\x1b[1A\x1b[2K");
    ck_buf_format(out, "\r");
}

/* One line for each that has come since the last time. */
static void put_finished(struct ck_bars *b, struct ck_arrivals *a, size_t n, struct ck_buf *out)
{
    char text[CK_DIGEST_TEXT];
    if (n > b->n_finished) {
        b->finished = ck_realloc(b->finished, n, sizeof *b->finished);
        memset(b->finished + b->n_finished, 0, n - b->n_finished);
        b->n_finished = n;
    }
    for (size_t i = 0; i < n; i++) {
        struct ck_arrival v = ck_arrivals_look(a, i);
        if (v.phase != CK_ARRIVAL_STORED || b->finished[i])
            continue;
        ck_autofree char *size = ck_format_bytes(v.size);
        b->finished[i] = true;
        ck_buf_format(out, "%s %s\n", short_digest(&v.digest, text), size);
    }
}

static void put_running(struct ck_bars *b, struct ck_arrivals *a, size_t n, struct ck_buf *out)
{
    size_t waiting = 0;
    unsigned width = columns() - 1; /* the last column makes some terminals wrap */
    for (size_t i = 0; i < n; i++) {
        struct ck_arrival v = ck_arrivals_look(a, i);
        bool runs = v.phase == CK_ARRIVAL_ARRIVING || v.phase == CK_ARRIVAL_VERIFIED;
        if (!runs || b->lines == LINES_MAX) {
            waiting += runs || v.phase == CK_ARRIVAL_WAITING;
            continue;
        }
        ck_bar_line(&v, width, out);
        ck_put_u8(out, '\n');
        b->lines++;
    }
    if (waiting) {
        ck_buf_format(out, "%zu more to come\n", waiting);
        b->lines++;
    }
}

/* Then there will be no later time to show it. */
static bool all_stored(struct ck_arrivals *a, size_t n)
{
    size_t i = 0;
    while (i < n && ck_arrivals_look(a, i).phase == CK_ARRIVAL_STORED)
        i++;
    return i == n;
}

void ck_bars_show(struct ck_bars *b, struct ck_arrivals *a)
{
    enum { PATIENCE_MS = 500, EVERY_MS = 100 };
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    int64_t now = ck_clock_ms();
    size_t n = ck_arrivals_count(a);
    if (b->quiet || (b->terminal && now - b->started < PATIENCE_MS) ||
        (now - b->shown < EVERY_MS && !all_stored(a, n)))
        return;
    b->shown = now;
    if (b->terminal)
        erase(b, &out);
    put_finished(b, a, n, &out);
    if (b->terminal)
        put_running(b, a, n, &out);
    fwrite(out.p, 1, out.n, stderr);
    fflush(stderr);
}

void ck_bars_end(struct ck_bars *b)
{
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    if (b->terminal && b->lines) {
        erase(b, &out);
        fwrite(out.p, 1, out.n, stderr);
        fflush(stderr);
    }
    free(b->finished);
    *b = ck_bars_new(b->quiet);
}
