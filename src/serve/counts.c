#include "serve/counts.h"

#include "base/text.h"

static const char *const labels[CK_LABEL_COUNT_] = {
    [CK_LABEL_MANIFEST] = "manifest",   [CK_LABEL_BLOB] = "blob",
    [CK_LABEL_LISTING] = "listing",     [CK_LABEL_UPLOAD] = "upload",
    [CK_LABEL_TOKEN] = "token",         [CK_LABEL_ADMISSION] = "admission",
    [CK_LABEL_HARBOR] = "harbor",       [CK_LABEL_DOCKER] = "docker",
    [CK_LABEL_API] = "api",             [CK_LABEL_STATUS] = "status",
    [CK_LABEL_OTHER] = "other",
};

static const struct {
    int64_t us;
    const char *text; /* seconds */
} buckets[CK_COUNT_BUCKETS] = {
    { 1000, "0.001" },    { 5000, "0.005" },    { 25000, "0.025" },
    { 100000, "0.1" },    { 500000, "0.5" },    { 1000000, "1" },
    { 5000000, "5" },     { 30000000, "30" },   { 120000000, "120" },
};

void ck_counts_request(struct ck_counts *c, enum ck_label label, unsigned status, int64_t took_us)
{
    size_t i = 0;
    while (i < CK_COUNT_BUCKETS && took_us > buckets[i].us)
        i++;
    ck_count(&c->took[i], 1);
    ck_count(&c->took_us, took_us > 0 ? (uint64_t)took_us : 0);
    ck_count(&c->requests[label][status / 100 < 6 ? status / 100 : 0], 1);
}

static unsigned long long get(const atomic_ullong *c)
{
    return atomic_load_explicit(c, memory_order_relaxed);
}

static void put_head(struct ck_buf *out, const char *name, const char *type, const char *help)
{
    ck_buf_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_one(struct ck_buf *out, const char *name, const char *type, const char *help,
                    unsigned long long value)
{
    put_head(out, name, type, help);
    ck_buf_format(out, "%s %llu\n", name, value);
}

static void put_requests(const struct ck_counts *c, struct ck_buf *out)
{
    put_head(out, "cocket_http_requests_total", "counter", "Requests by route and status class.");
    for (size_t l = 0; l < CK_LABEL_COUNT_; l++)
        for (size_t s = 1; s < 6; s++)
            if (get(&c->requests[l][s]))
                ck_buf_format(out,
                              "cocket_http_requests_total{route=\"%s\",status=\"%zuxx\"} %llu\n",
                              labels[l], s, get(&c->requests[l][s]));
}

static void put_histogram(const struct ck_counts *c, struct ck_buf *out)
{
    unsigned long long sum = 0;
    put_head(out, "cocket_http_request_seconds", "histogram",
             "From the request's first line to its last byte.");
    for (size_t i = 0; i < CK_COUNT_BUCKETS; i++) {
        sum += get(&c->took[i]);
        ck_buf_format(out, "cocket_http_request_seconds_bucket{le=\"%s\"} %llu\n",
                      buckets[i].text, sum);
    }
    sum += get(&c->took[CK_COUNT_BUCKETS]);
    unsigned long long us = get(&c->took_us);
    ck_buf_format(out,
                  "cocket_http_request_seconds_bucket{le=\"+Inf\"} %llu\n"
                  "cocket_http_request_seconds_sum %llu.%06llu\n"
                  "cocket_http_request_seconds_count %llu\n",
                  sum, us / 1000000, us % 1000000, sum);
}

void ck_counts_put(const struct ck_counts *c, size_t connections, size_t kept_entries,
                   size_t kept_bytes, struct ck_buf *out)
{
    long long flight = atomic_load_explicit(&c->in_flight, memory_order_relaxed);
    put_requests(c, out);
    put_histogram(c, out);
    put_one(out, "cocket_http_requests_in_flight", "gauge", "Requests that are not answered yet.",
            flight > 0 ? (unsigned long long)flight : 0);
    put_one(out, "cocket_http_connections", "gauge", "Open connections.", connections);
    put_one(out, "cocket_http_sent_bytes_total", "counter", "Bytes of bodies sent.",
            get(&c->sent));
    put_one(out, "cocket_http_received_bytes_total", "counter", "Bytes of bodies received.",
            get(&c->received));
    put_one(out, "cocket_http_limited_total", "counter", "Requests refused by the rate limit.",
            get(&c->limited));
    put_one(out, "cocket_http_swept_total", "counter",
            "Connections ended because a request did not come.", get(&c->swept));
    put_one(out, "cocket_kept_hits_total", "counter", "Answers given without asking the hub.",
            get(&c->hits));
    put_one(out, "cocket_kept_misses_total", "counter", "Answers the hub was asked for.",
            get(&c->misses));
    put_one(out, "cocket_kept_entries", "gauge", "Answers kept.", kept_entries);
    put_one(out, "cocket_kept_bytes", "gauge", "Memory of kept answers.", kept_bytes);
}
