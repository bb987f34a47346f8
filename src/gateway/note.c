/* The structured log and the counters. */
#include "gateway/core.h"

#include "base/file.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { METRICS = 512 };

struct ck_notes {
    pthread_mutex_t mutex;
    int fd;
    bool text;
    struct {
        char *name;
        int64_t value;
    } metrics[METRICS];
    size_t n;
};

struct ck_notes *ck_notes_new(int log_fd, bool text)
{
    struct ck_notes *n = ck_new(struct ck_notes);
    pthread_mutex_init(&n->mutex, NULL);
    n->fd = log_fd;
    n->text = text;
    return n;
}

void ck_notes_free(struct ck_notes *n)
{
    if (!n)
        return;
    for (size_t i = 0; i < n->n; i++)
        free(n->metrics[i].name);
    pthread_mutex_destroy(&n->mutex);
    free(n);
}

/* --- the log ---------------------------------------------------------------------------------- */

static void put_json(struct ck_buf *b, const char *key, const char *value)
{
    ck_buf_format(b, ",\"%s\":", key);
    ck_buf_json_str(b, ck_view_str(value));
}

static void put_text(struct ck_buf *b, const char *key, const char *value)
{
    ck_buf_format(b, " %s=", key);
    ck_buf_json_str(b, ck_view_str(value));
}

void ck_gateway_say(struct ck_gateway *g, const char *event, ...)
{
    struct ck_notes *n = g->core->notes;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    char when[32];
    va_list ap;
    if (n->fd < 0)
        return;
    ck_format_time(when, time(NULL));
    ck_buf_format(&b, n->text ? "%s %s" : "{\"time\":\"%s\",\"event\":\"%s\"", when, event);
    va_start(ap, event);
    for (const char *key; (key = va_arg(ap, const char *));) {
        const char *value = va_arg(ap, const char *);
        (n->text ? put_text : put_json)(&b, key, value ? value : "");
    }
    va_end(ap);
    ck_put_bytes(&b, n->text ? CK_V("\n") : CK_V("}\n"));
    pthread_mutex_lock(&n->mutex); /* lines stay whole, whoever else writes */
    ck_err_free(ck_write_all(n->fd, ck_buf_view(&b)));
    pthread_mutex_unlock(&n->mutex);
}

/* --- the counters ----------------------------------------------------------------------------- */

void ck_gateway_count(struct ck_gateway *g, const char *metric, int64_t add)
{
    struct ck_notes *n = g->core->notes;
    size_t i = 0;
    pthread_mutex_lock(&n->mutex);
    while (i < n->n && strcmp(n->metrics[i].name, metric) != 0)
        i++;
    if (i == n->n && n->n < METRICS) {
        n->metrics[n->n].name = ck_strndup(metric, strlen(metric));
        n->metrics[n->n++].value = 0;
    }
    if (i < n->n)
        n->metrics[i].value += add;
    pthread_mutex_unlock(&n->mutex);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* One family's lines must stand together: sorted by name. */
void ck_notes_metrics(struct ck_notes *n, struct ck_buf *out)
{
    char *family = NULL;
    pthread_mutex_lock(&n->mutex);
    qsort(n->metrics, n->n, sizeof n->metrics[0], by_name);
    for (size_t i = 0; i < n->n; i++) {
        const char *name = n->metrics[i].name;
        size_t length = strcspn(name, "{");
        bool counter = ck_view_ends(ck_view_of(name, length), CK_V("_total"));
        if (!family || strlen(family) != length || strncmp(family, name, length) != 0) {
            free(family);
            family = ck_strndup(name, length);
            ck_buf_format(out, "# TYPE %s %s\n", family, counter ? "counter" : "gauge");
        }
        ck_buf_format(out, "%s %lld\n", name, (long long)n->metrics[i].value);
    }
    pthread_mutex_unlock(&n->mutex);
    free(family);
}
