/* Tells the hub what was given out of kept answers (CK_ASK_PULLED). */
#ifndef CK_SERVE_PULLS_H
#define CK_SERVE_PULLS_H

struct ck_serve;
void ck_pulls_report(struct ck_serve *s);

#endif
