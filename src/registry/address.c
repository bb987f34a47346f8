#include "registry/protocol.h"

#include <netinet/in.h>
#include <sys/socket.h>

struct range {
    uint8_t bits;
    uint8_t prefix[16];
};

/* What is not globally reachable (IANA's special-purpose registries, RFC 6890). */
static const struct range v4[] = {
    { 8, { 0 } },            /* this network, and the unspecified address */
    { 8, { 10 } },           /* private */
    { 10, { 100, 64 } },     /* carrier-grade NAT */
    { 8, { 127 } },          /* loopback */
    { 16, { 169, 254 } },    /* link-local, and the metadata of clouds */
    { 12, { 172, 16 } },     /* private */
    { 24, { 192, 0, 0 } },   /* protocol assignments */
    { 24, { 192, 0, 2 } },   /* documentation */
    { 24, { 192, 88, 99 } }, /* relays to 6to4 */
    { 16, { 192, 168 } },    /* private */
    { 15, { 198, 18 } },     /* benchmarks */
    { 24, { 198, 51, 100 } }, /* documentation */
    { 24, { 203, 0, 113 } }, /* documentation */
    { 4, { 224 } },          /* multicast */
    { 4, { 240 } },          /* reserved, and broadcast */
};

static const struct range v6[] = {
    { 96, { 0 } },                               /* unspecified, loopback, IPv4-compatible */
    { 48, { 0, 0x64, 0xFF, 0x9B, 0, 1 } },       /* NAT64 of one's own network */
    { 63, { 1 } },                               /* discard */
    { 23, { 0x20, 0x01 } },                      /* protocol assignments, Teredo among them */
    { 32, { 0x20, 0x01, 0x0D, 0xB8 } },          /* documentation */
    { 20, { 0x3F, 0xFF } },                      /* documentation */
    { 16, { 0x5F } },                            /* segments of one's own network */
    { 7, { 0xFC } },                             /* unique-local */
    { 10, { 0xFE, 0x80 } },                      /* link-local */
    { 10, { 0xFE, 0xC0 } },                      /* site-local */
    { 8, { 0xFF } },                             /* multicast */
};

/* Where an IPv4 address stands inside an IPv6 one: behind the prefix. */
static const struct range v4_inside[] = {
    { 96, { [10] = 0xFF, [11] = 0xFF } },        /* ::ffff:0:0/96, mapped */
    { 96, { [8] = 0xFF, [9] = 0xFF } },          /* ::ffff:0:0:0/96, translated */
    { 96, { 0, 0x64, 0xFF, 0x9B } },             /* 64:ff9b::/96, NAT64 */
    { 16, { 0x20, 0x02 } },                      /* 2002::/16, 6to4 */
};

static bool matches(const uint8_t *addr, const struct range *r)
{
    size_t whole = r->bits / 8;
    unsigned rest = r->bits % 8;
    if (memcmp(addr, r->prefix, whole) != 0)
        return false;
    return rest == 0 || ((addr[whole] ^ r->prefix[whole]) >> (8 - rest)) == 0;
}

static bool among(const uint8_t *addr, const struct range *ranges, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (matches(addr, &ranges[i]))
            return true;
    return false;
}

static bool private_v4(const uint8_t addr[4]) { return among(addr, v4, sizeof v4 / sizeof *v4); }

static bool private_v6(const uint8_t addr[16])
{
    for (size_t i = 0; i < sizeof v4_inside / sizeof *v4_inside; i++)
        if (matches(addr, &v4_inside[i]))
            return private_v4(addr + v4_inside[i].bits / 8);
    return among(addr, v6, sizeof v6 / sizeof *v6);
}

bool ck_address_is_private(const struct sockaddr *sa)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    switch (sa->sa_family) {
    case AF_INET:
        memcpy(&in, sa, sizeof in); /* callers' buffers need not be aligned */
        return private_v4((const uint8_t *)&in.sin_addr);
    case AF_INET6:
        memcpy(&in6, sa, sizeof in6);
        return private_v6(in6.sin6_addr.s6_addr);
    default: /* no address of the internet at all */
        return true;
    }
}
