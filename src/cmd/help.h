/* What --help prints: the manual pages of doc/ without markup, made by tools/genhelp.py. */
#ifndef CK_CMD_HELP_H
#define CK_CMD_HELP_H

/* The text of a page by its name without the section: "cocket", "cocket-scan", "cocket-db",
 * "cocket-advisory-feeds". Lines of at most 80 columns, ASCII, a newline at the end. Static; NULL
 * where there is no such page. */
const char *ck_help_text(const char *page);

#endif
