/* What the hub decodes of what rooms say of archives and feeds, and what rooms decode of jobs. */
#include "base/arena.h"
#include "room/feed_codec.h"
#include "room/jobs.h"
#include "room/unpack_jobs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_cur c = ck_cur_of(ck_view_of(data, size));
    uint8_t which = ck_cur_u8(&c);
    ck_view v = ck_cur_take(&c, ck_cur_left(&c));
    struct ck_members members;
    struct ck_release release;
    struct ck_archive_source source;
    struct ck_changelog_entry entry;
    struct ck_job_inspect inspect;
    struct ck_job_archive archive;
    struct ck_job_unpack unpack;
    struct ck_unpacked unpacked;
    struct ck_job_fetch fetch;
    ck_err *e = NULL;
    switch (which % 9) {
    case 0: e = ck_members_decode(v, &a, &members); break;
    case 1: e = ck_release_decode(v, &a, &release); break;
    case 2: e = ck_archive_source_decode(v, &source); break;
    case 3: e = ck_changelog_entry_decode(v, &a, &entry); break;
    case 4: e = ck_job_inspect_decode(v, &a, &inspect); break;
    case 5: e = ck_job_archive_decode(v, &a, &archive); break;
    case 6: e = ck_job_unpack_decode(v, &unpack); break;
    case 8: e = ck_job_fetch_decode(v, &fetch); break;
    case 7: e = ck_unpacked_decode(v, &unpacked); break;
    }
    ck_err_free(e);
    return 0;
}
