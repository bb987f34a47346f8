/* CVSS base scores from vectors: version 2 (guide, section 3.2.1), 3.0 and 3.1 (specification,
 * section 7.1), 4.0 (specification, section 8).
 *
 * Threat, temporal, environmental and supplemental metrics are checked for their form and then left
 * out: what a vendor publishes for everybody is the base score, and scores of different sources
 * can only be compared where they mean the same.
 */
#include "advisory/record.h"

#include <math.h>

enum { METRICS_MAX = 32 };

/* A metric, the values that it may take, and whether the base score needs it.
 * Values of more than one letter stand in brackets: "X(Clear)(Green)". */
struct metric {
    char name[4];
    const char *values;
    bool base;
};

static const struct metric metrics2[] = {
    { "AV", "LAN", true }, { "AC", "HML", true }, { "Au", "MSN", true }, { "C", "NPC", true },
    { "I", "NPC", true },  { "A", "NPC", true },
    { "E", "UFH(POC)(ND)", false }, { "RL", "WU(OF)(TF)(ND)", false },
    { "RC", "C(UC)(UR)(ND)", false }, { "CDP", "NLH(LM)(MH)(ND)", false },
    { "TD", "NLMH(ND)", false }, { "CR", "LMH(ND)", false }, { "IR", "LMH(ND)", false },
    { "AR", "LMH(ND)", false }, { "", NULL, false },
};

static const struct metric metrics3[] = {
    { "AV", "NALP", true }, { "AC", "LH", true }, { "PR", "NLH", true }, { "UI", "NR", true },
    { "S", "UC", true },    { "C", "NLH", true }, { "I", "NLH", true },  { "A", "NLH", true },
    { "E", "XUPFH", false }, { "RL", "XOTWU", false }, { "RC", "XURC", false },
    { "CR", "XLMH", false }, { "IR", "XLMH", false }, { "AR", "XLMH", false },
    { "MAV", "XNALP", false }, { "MAC", "XLH", false }, { "MPR", "XNLH", false },
    { "MUI", "XNR", false }, { "MS", "XUC", false }, { "MC", "XNLH", false },
    { "MI", "XNLH", false }, { "MA", "XNLH", false }, { "", NULL, false },
};

static const struct metric metrics4[] = {
    { "AV", "NALP", true }, { "AC", "LH", true }, { "AT", "NP", true }, { "PR", "NLH", true },
    { "UI", "NPA", true },  { "VC", "HLN", true }, { "VI", "HLN", true }, { "VA", "HLN", true },
    { "SC", "HLN", true },  { "SI", "HLN", true }, { "SA", "HLN", true },
    { "E", "XAPU", false }, { "CR", "XHML", false }, { "IR", "XHML", false },
    { "AR", "XHML", false }, { "MAV", "XNALP", false }, { "MAC", "XLH", false },
    { "MAT", "XNP", false }, { "MPR", "XNLH", false }, { "MUI", "XNPA", false },
    { "MVC", "XHLN", false }, { "MVI", "XHLN", false }, { "MVA", "XHLN", false },
    { "MSC", "XHLN", false }, { "MSI", "XSHLN", false }, { "MSA", "XSHLN", false },
    { "S", "XNP", false }, { "AU", "XNY", false }, { "R", "XAUI", false }, { "V", "XDC", false },
    { "RE", "XLMH", false }, { "U", "X(Clear)(Green)(Amber)(Red)", false },
    { "", NULL, false },
};

/* Whether `values` allows `v`. */
static bool allows(const char *values, ck_view v)
{
    const char *p = values;
    for (; *p && *p != '('; p++)
        if (v.n == 1 && v.p[0] == (uint8_t)*p)
            return true;
    for (const char *end; *p == '('; p = end + 1) {
        end = strchr(p, ')');
        if (ck_view_eq(v, ck_view_of(p + 1, (size_t)(end - p - 1))))
            return true;
    }
    return false;
}

static bool is_name(const struct metric *m, ck_view name)
{
    return name.n && name.n < sizeof m->name && memcmp(m->name, name.p, name.n) == 0 &&
           m->name[name.n] == 0 && name.p[name.n - 1] != 0;
}

/* The metric of this name, or the end of the table. Nearly all vectors keep to its order, so that
 * it is mostly the one behind the last. */
static size_t find_metric(const struct metric *table, ck_view name, size_t behind)
{
    size_t i = 0;
    if (table[behind].name[0] && is_name(&table[behind], name))
        return behind;
    while (table[i].name[0] && !is_name(&table[i], name))
        i++;
    return i;
}

/* Reads "AV:N/AC:L/..."; value[i] is the first letter of metric i's value, 0 where it is absent.
 * Each metric at most once, all base metrics present; the order is free. */
static bool parse(ck_view v, const struct metric *table, char value[METRICS_MAX])
{
    memset(value, 0, METRICS_MAX);
    for (size_t behind = 0; v.n;) {
        ck_view rest, val;
        ck_view field = ck_view_split(v, '/', &rest);
        if (field.n < v.n && rest.n == 0)
            return false; /* a slash at the end */
        ck_view name = ck_view_split(field, ':', &val);
        size_t i = find_metric(table, name, behind);
        if (!table[i].name[0] || value[i] || !allows(table[i].values, val))
            return false;
        value[i] = (char)val.p[0];
        behind = i + 1;
        v = rest;
    }
    for (size_t i = 0; table[i].name[0]; i++)
        if (table[i].base && !value[i])
            return false;
    return true;
}

/* The weight of letter `c`: weights[i] belongs to letters[i]. */
static double weight(char c, const char *letters, const double *weights)
{
    const char *p = strchr(letters, c);
    return p ? weights[p - letters] : 0;
}
#define WEIGHT(c, letters, ...) weight(c, letters, (const double[]){ __VA_ARGS__ })

static unsigned tenths_nearest(double x)
{
    return x <= 0 ? 0 : (unsigned)floor(x * 10 + 0.5 + 1e-6);
}

static bool score2(ck_view v, unsigned *ret)
{
    char m[METRICS_MAX];
    if (!parse(v, metrics2, m))
        return false;
    double c = WEIGHT(m[3], "NPC", 0, 0.275, 0.660);
    double i = WEIGHT(m[4], "NPC", 0, 0.275, 0.660);
    double a = WEIGHT(m[5], "NPC", 0, 0.275, 0.660);
    double impact = 10.41 * (1 - (1 - c) * (1 - i) * (1 - a));
    double exploitability = 20 * WEIGHT(m[0], "LAN", 0.395, 0.646, 1.0) *
                            WEIGHT(m[1], "HML", 0.35, 0.61, 0.71) *
                            WEIGHT(m[2], "MSN", 0.45, 0.56, 0.704);
    double f = impact == 0 ? 0 : 1.176;
    *ret = tenths_nearest((0.6 * impact + 0.4 * exploitability - 1.5) * f);
    return true;
}

/* CVSS 3.1, appendix A: the smallest tenth that is not less, without floating point accidents.
 * For every base vector that is the 3.0 rounding too. */
static unsigned tenths_up(double x)
{
    long n = lround(x * 100000);
    return (unsigned)(n % 10000 == 0 ? n / 10000 : n / 10000 + 1);
}

static bool score3(ck_view v, unsigned *ret)
{
    char m[METRICS_MAX];
    if (!parse(v, metrics3, m))
        return false;
    bool changed = m[4] == 'C';
    double c = WEIGHT(m[5], "NLH", 0, 0.22, 0.56);
    double i = WEIGHT(m[6], "NLH", 0, 0.22, 0.56);
    double a = WEIGHT(m[7], "NLH", 0, 0.22, 0.56);
    double iss = 1 - (1 - c) * (1 - i) * (1 - a);
    double impact = changed ? 7.52 * (iss - 0.029) - 3.25 * pow(iss - 0.02, 15) : 6.42 * iss;
    double pr = changed ? WEIGHT(m[2], "NLH", 0.85, 0.68, 0.5)
                        : WEIGHT(m[2], "NLH", 0.85, 0.62, 0.27);
    double exploitability = 8.22 * WEIGHT(m[0], "NALP", 0.85, 0.62, 0.55, 0.2) *
                            WEIGHT(m[1], "LH", 0.77, 0.44) * pr * WEIGHT(m[3], "NR", 0.85, 0.62);
    if (impact <= 0) {
        *ret = 0;
        return true;
    }
    double sum = (changed ? 1.08 : 1.0) * (impact + exploitability);
    *ret = tenths_up(sum < 10 ? sum : 10);
    return true;
}

/* --- Version 4.0 ------------------------------------------------------------------------------
 * Section 8.2: a vector belongs to a macro vector EQ1..EQ6, which has a score; the score is then
 * lowered by how far, in each EQ, the vector lies below the highest vector of its macro vector.
 * Base vectors have E:A and CR, IR, AR:H, so that EQ5 is 0 and EQ6 follows from VC, VI, VA. The
 * scores of EQ5 = 0 are all that is needed, except that EQ5 has a next lower macro vector too: its
 * distance is 0, but it counts in the mean.
 */

/* Index of (EQ3, EQ6) in the table: 00, 01, 10, 11, 21. (2, 0) does not exist. */
enum { EQ36_00, EQ36_01, EQ36_10, EQ36_11, EQ36_21, EQ36_COUNT_ };

/* [EQ1][EQ2][EQ3 and EQ6][EQ4 - 1] in tenths. EQ4 = 0 needs a modified metric. */
static const uint8_t macro_score[3][2][EQ36_COUNT_][2] = {
    { { { 100, 93 }, { 96, 90 }, { 93, 88 }, { 92, 80 }, { 79, 69 } },
      { { 95, 92 }, { 91, 81 }, { 92, 84 }, { 82, 70 }, { 71, 63 } } },
    { { { 94, 87 }, { 89, 75 }, { 86, 72 }, { 76, 57 }, { 65, 53 } },
      { { 90, 77 }, { 77, 66 }, { 74, 61 }, { 59, 52 }, { 58, 23 } } },
    { { { 86, 70 }, { 74, 54 }, { 72, 53 }, { 57, 36 }, { 47, 24 } },
      { { 73, 54 }, { 55, 43 }, { 61, 46 }, { 51, 18 }, { 24, 10 } } },
};

/* Steps of severity below the worst value of a metric: the position in its letters. */
static int level(char c, const char *letters)
{
    const char *p = strchr(letters, c);
    return p ? (int)(p - letters) : 0;
}

struct vector4 {
    int av, pr, ui, ac, at, vc, vi, va, sc, si, sa;
};

/* The distance of EQ1 = 1 from the first of its highest vectors that is nowhere below (table
 * 24). */
static int distance1(const struct vector4 *v)
{
    static const int highest[3][3] = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } };
    for (int i = 0; i < 3; i++) {
        const int *h = highest[i];
        if (v->av >= h[0] && v->pr >= h[1] && v->ui >= h[2])
            return v->av - h[0] + v->pr - h[1] + v->ui - h[2];
    }
    return 0;
}

/* One EQ's part of the mean: the score lost to the next lower macro vector, in proportion. */
static double share(int score, int lower, int distance, int depth)
{
    return (score - lower) * ((double)distance / depth);
}

/* EQ1 = 0 and EQ2 = 0 hold one vector each, so that their distance is 0. */
static double lowered4(const struct vector4 *v, int eq1, int eq2, int eq36, int eq4)
{
    const uint8_t(*m)[2] = macro_score[eq1][eq2];
    int score = m[eq36][eq4 - 1];
    int lower36 = m[EQ36_11][eq4 - 1];
    if (eq36 == EQ36_00)
        lower36 = m[EQ36_01][eq4 - 1] > m[EQ36_10][eq4 - 1] ? m[EQ36_01][eq4 - 1]
                                                            : m[EQ36_10][eq4 - 1];
    int impact = v->vc + v->vi + v->va; /* below HHH, LHH or HLH */
    double sum = 0;
    if (eq1 == 1)
        sum += share(score, macro_score[2][eq2][eq36][eq4 - 1], distance1(v), 4);
    if (eq36 == EQ36_00)
        sum += share(score, lower36, impact, 7);
    else if (eq36 == EQ36_10)
        sum += share(score, lower36, impact - 1, 8);
    if (eq4 == 1)
        sum += share(score, m[eq36][1], v->sc + v->si + v->sa, 5);
    /* How many EQs have a next lower macro vector; EQ5 always has. */
    int n = (eq1 < 2) + (eq2 < 1) + (eq36 != EQ36_21) + (eq4 < 2) + 1;
    return (score - sum / n) / 10;
}

static bool score4(ck_view text, unsigned *ret)
{
    char m[METRICS_MAX];
    if (!parse(text, metrics4, m))
        return false;
    struct vector4 v = {
        .av = level(m[0], "NALP"), .ac = level(m[1], "LH"),  .at = level(m[2], "NP"),
        .pr = level(m[3], "NLH"),  .ui = level(m[4], "NPA"), .vc = level(m[5], "HLN"),
        .vi = level(m[6], "HLN"),  .va = level(m[7], "HLN"), .sc = level(m[8], "HLN"),
        .si = level(m[9], "HLN"),  .sa = level(m[10], "HLN"),
    };
    if (v.vc + v.vi + v.va + v.sc + v.si + v.sa == 12) {
        *ret = 0; /* no impact anywhere */
        return true;
    }
    bool some = !v.av || !v.pr || !v.ui, all = !v.av && !v.pr && !v.ui;
    int eq1 = all ? 0 : some && v.av < 3 ? 1 : 2;
    int eq2 = v.ac || v.at;
    int eq36 = !v.vc && !v.vi ? EQ36_00 : !v.vc || !v.vi || !v.va ? EQ36_10 : EQ36_21;
    int eq4 = !v.sc || !v.si || !v.sa ? 1 : 2;
    *ret = tenths_nearest(lowered4(&v, eq1, eq2, eq36, eq4));
    return true;
}

bool ck_cvss_score(ck_view vector, unsigned *ret_tenths)
{
    static const struct {
        const char *prefix;
        bool (*score)(ck_view, unsigned *);
    } versions[] = {
        { "CVSS:4.0/", score4 }, { "CVSS:3.1/", score3 }, { "CVSS:3.0/", score3 },
        { "CVSS2#", score2 },    { "", score2 },
    };
    if (vector.n > 512)
        return false; /* every metric of version 4.0 given is less than 256 bytes */
    if (vector.n > 2 && vector.p[0] == '(' && vector.p[vector.n - 1] == ')')
        vector = ck_view_of(vector.p + 1, vector.n - 2); /* as NVD wrote version 2 */
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        ck_view prefix = ck_view_str(versions[i].prefix);
        if (ck_view_starts(vector, prefix))
            return versions[i].score(ck_view_from(vector, prefix.n), ret_tenths);
    }
    return false;
}

enum ck_severity ck_cvss_severity(unsigned tenths)
{
    if (tenths >= 90)
        return CK_SEVERITY_CRITICAL;
    if (tenths >= 70)
        return CK_SEVERITY_HIGH;
    if (tenths >= 40)
        return CK_SEVERITY_MEDIUM;
    return tenths ? CK_SEVERITY_LOW : CK_SEVERITY_NEGLIGIBLE;
}
