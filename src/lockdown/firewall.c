/* The packet filter: what holds for every client, however it is set up. */
#include "base/text.h"
#include "lockdown/parts.h"

#include <arpa/inet.h>

/* Host and port apart; 443 where there is none. */
static void split(const struct ck_gate *g, struct ck_arena *a, const char **host, const char **port)
{
    ck_view v = ck_view_str(g->host), rest = CK_V("");
    if (v.p[0] == '[') {
        v = ck_view_split(ck_view_from(v, 1), ']', &rest);
        rest = ck_view_from(rest, 1);
    } else {
        v = ck_view_split(v, ':', &rest);
    }
    *host = (const char *)ck_arena_dup(a, v).p;
    *port = rest.n ? (const char *)ck_arena_dup(a, rest).p : "443";
}

static const char *family(const char *host)
{
    struct in6_addr six;
    return inet_pton(AF_INET6, host, &six) == 1 ? "ip6" : "ip";
}

ck_err *ck_settings_firewall(struct ck_settings *s)
{
    static const char body[] =
        "#!/usr/sbin/nft -f\n"
        "# by cocket lockdown. From this machine, and from its containers, registries' ports are\n"
        "# reached at the gate only. nft looks names up once, when this is loaded. Where the gate\n"
        "# itself runs on this machine, as the user cocket, it alone may go out.\n"
        "table inet cocket_lockdown\n"
        "delete table inet cocket_lockdown\n"
        "table inet cocket_lockdown {\n"
        "    chain registries {\n"
        "        %s daddr %s tcp dport %s accept\n"
        "        tcp dport { 443, 5000 } counter reject with tcp reset\n"
        "    }\n"
        "    chain output {\n"
        "        type filter hook output priority filter; policy accept;\n"
        "        oifname \"lo\" accept\n"
        "        # meta skuid \"cocket\" accept\n"
        "        jump registries\n"
        "    }\n"
        "    chain forward {\n"
        "        type filter hook forward priority filter; policy accept;\n"
        "        jump registries\n"
        "    }\n"
        "}\n";
    const char *host, *port;
    split(&s->o->gate, s->a, &host, &port);
    const char *text = ck_arena_format(s->a, body, family(host), host, port);
    CK_TRY(ck_settings_add(s, ck_firewall_conf, ck_view_str(text),
                           "the firewall of this machine; it is not loaded by itself"));
    for (size_t i = 0; i < s->advice.n; i++)
        if (strstr(s->advice.v[i], ck_firewall_conf))
            return NULL;
    ck_settings_advise(s, "Load the firewall: include \"%s\" in /etc/nftables.conf. Whatever else "
                          "this "
                          "machine has to reach at 443 needs a line\n"
                          "# of its own in it. On the network's firewall let the gate's address, "
                          "and no "
                          "other, go to registries (443, 5000).", ck_firewall_conf);
    return NULL;
}

void ck_check_firewall(struct ck_ways *w)
{
    static const char conf[] = "/etc/nftables.conf";
    ck_view text = CK_V("");
    bool loaded = ck_ways_read(w, conf, &text) &&
                  memmem(text.p, text.n, ck_firewall_conf, strlen(ck_firewall_conf));
    for (size_t i = 0; i < w->list.n; i++)
        if (w->list.v[i].where == conf) /* said once */
            return;
    if (!loaded)
        ck_way_note(w, conf, "does not include %s: what obeys no file (ctr, users' own settings, "
                             "builds) is stopped by a firewall only", ck_firewall_conf);
}
