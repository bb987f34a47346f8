/* The pattern as a nondeterministic automaton whose states are bits: state i has matched the tokens
 * before token i. A star stays in its state for the bytes that it takes, and its next state is
 * reached without any.
 */
#include "policy/pattern.h"

#include "base/limits.h"

enum { WORD = 64, WORDS = 512 / WORD + 1 }; /* POLICY_PATTERN and the end */

static void set(uint64_t *bits, size_t i) { bits[i / WORD] |= 1ull << (i % WORD); }

static size_t stars_at(ck_view text, size_t at)
{
    size_t n = 0;
    while (at + n < text.n && text.p[at + n] == '*')
        n++;
    return n;
}

static size_t number_classes(struct ck_pattern *p)
{
    size_t n = 1; /* 0: bytes that are not in the pattern */
    for (size_t i = 0; i < p->text.n; i++)
        if (p->classes[p->text.p[i]] == 0 && p->text.p[i] != '*')
            p->classes[p->text.p[i]] = (uint8_t)n++;
    return n;
}

void ck_pattern_compile(ck_view text, struct ck_arena *a, struct ck_pattern *ret)
{
    struct ck_pattern p = { .text = ck_arena_dup(a, text) };
    size_t state = 0;
    p.prefix = ck_view_head(p.text, ck_view_find(p.text, '*'));
    p.stars = p.prefix.n < p.text.n;
    *ret = p;
    if (!p.stars)
        return;
    p.words = text.n / WORD + 1;
    p.classes = ck_arena_alloc(a, 256, 1);
    p.masks = ck_arena_alloc(a, number_classes(&p) * p.words, sizeof *p.masks);
    p.any = ck_arena_alloc(a, p.words, sizeof *p.any);
    p.across = ck_arena_alloc(a, p.words, sizeof *p.across);
    for (size_t i = p.prefix.n; i < text.n; state++) {
        size_t stars = stars_at(text, i);
        if (stars) {
            set(p.any, state);
            if (stars > 1)
                set(p.across, state);
            i += stars;
        } else {
            set(p.masks + p.classes[text.p[i++]] * p.words, state);
        }
    }
    p.end = state;
    *ret = p;
}

/* What is in a state at a star is in the next one too. No two stars stand side by side. */
static void pass_stars(const struct ck_pattern *p, uint64_t *now)
{
    uint64_t carry = 0;
    for (size_t w = 0; w < p->words; w++) {
        uint64_t at_star = now[w] & p->any[w];
        now[w] |= at_star << 1 | carry;
        carry = at_star >> (WORD - 1);
    }
}

static bool step(const struct ck_pattern *p, uint8_t byte, uint64_t *now)
{
    const uint64_t *mask = p->masks + p->classes[byte] * p->words;
    const uint64_t *stay = byte == '/' ? p->across : p->any;
    uint64_t carry = 0, some = 0;
    for (size_t w = 0; w < p->words; w++) {
        uint64_t on = now[w] & mask[w];
        now[w] = (now[w] & stay[w]) | on << 1 | carry;
        carry = on >> (WORD - 1);
        some |= now[w];
    }
    pass_stars(p, now);
    return some || carry;
}

bool ck_pattern_matches(const struct ck_pattern *p, ck_view text)
{
    uint64_t now[WORDS] = { 1 };
    if (!p->stars)
        return ck_view_eq(text, p->text);
    if (!ck_view_starts(text, p->prefix))
        return false;
    pass_stars(p, now);
    for (size_t i = p->prefix.n; i < text.n; i++)
        if (!step(p, text.p[i], now))
            return false;
    return now[p->end / WORD] >> (p->end % WORD) & 1;
}
