/* The HTTP API's document, from doc/openapi.json, and what its answers are told apart by. */
#ifndef CK_SERVE_API_H
#define CK_SERVE_API_H

#include <stddef.h>

#define CK_API_STREAM "text/event-stream"

extern const unsigned char ck_openapi[];
extern const size_t ck_openapi_size;

#endif
