/* Text forms of the Debian archive that several of its parsers read. */
#ifndef CK_ADVISORY_FEED_DEBIAN_TEXT_H
#define CK_ADVISORY_FEED_DEBIAN_TEXT_H

#include "base/err.h"
#include "base/view.h"

/* deb822(5): stanzas of "Name: value" with continuation lines, ended by an empty line. */
struct ck_deb822 {
    ck_cur c;
    size_t line; /* of the last field, from 1 */
};
struct ck_deb822_field {
    ck_view name;  /* empty: the stanza (or the text) ends here */
    /* trimmed; with continuation lines the raw text, "\n" and leading blanks included */
    ck_view value;
};
static inline struct ck_deb822 ck_deb822_of(ck_view text)
{
    return (struct ck_deb822){ .c = ck_cur_of(text) };
}
static inline bool ck_deb822_end(const struct ck_deb822 *d) { return ck_cur_end(&d->c); }
CK_MUST ck_err *ck_deb822_next(struct ck_deb822 *d, struct ck_deb822_field *ret);
/* Field names are compared without case (deb822(5)). */
bool ck_deb822_is(const struct ck_deb822_field *f, ck_view name);

/* "Fri, 20 Nov 2026 00:12:41 UTC" and "Mon, 25 Sep 2023 23:12:53 +0200" as seconds since the
 * epoch. */
bool ck_parse_rfc2822(ck_view text, int64_t *ret);

/* A path below the archive's root: relative, printable, without empty, "." or ".." components. */
bool ck_archive_path_ok(ck_view path);

bool ck_parse_sha256(ck_view hex, uint8_t ret[32]);

/* Whether a line heads a changelog entry, "source (version) suite; urgency=...":
 * deb-changelog(5). */
bool ck_changelog_header(ck_view line, ck_view *ret_source, ck_view *ret_version);

#endif
