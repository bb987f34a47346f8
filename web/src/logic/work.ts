import type { Watched, Work } from '../api';
import { count } from './text';

const phases: Record<string, string> = {
  waiting: 'waiting for another process at this store', feeds: 'bringing the feeds up to date',
  database: 'building the database', scans: 'scanning images', matching: 'matching images',
  verdicts: 'judging images', tags: 'asking about tags', bases: 'comparing base images',
};

const titles: Record<Work['kind'], string> = {
  fetch: 'Fetch', scan: 'Scan', survey: 'Survey', watch: 'Looking again',
};

export const titleOf = (w: Work): string =>
  w.kind === 'watch' ? `${titles.watch}: ${phases[w.what] ?? w.what}` : `${titles[w.kind]} ${w.what}`;

export const farOf = (w: Work): string =>
  w.total ? `${w.done.toLocaleString('en')} of ${w.total.toLocaleString('en')}` : '';

// One round and one survey at a time: these keep their place while where they stand changes.
export const keyOf = (w: Work): string => w.kind === 'watch' || w.kind === 'survey' ? w.kind : `${w.kind} ${w.what}`;

// What came of a round, the least expected first.
export function resultOf(w: Watched): string {
  const parts = [
    w.failed ? 'it broke off: the log of the gate says why' : '',
    w.withdrawn ? `${count(w.withdrawn, 'image')} withdrawn` : '',
    `${count(w.matched, 'image')} matched again`,
    `${w.changed.toLocaleString('en')} with other findings`,
    w.tags_asked + w.tags_not_had
      ? `${count(w.tags_asked, 'tag')} asked about, ${w.tags_moved.toLocaleString('en')} moved` : '',
    w.tags_not_had ? `${count(w.tags_not_had, 'tag')} not to be had` : '',
    w.bases ? `${count(w.bases, 'newer base')}` : '',
    w.without_inventory + w.other_version
      ? `${count(w.without_inventory + w.other_version, 'image')} to be scanned again first` : '',
    w.feeds_failed ? `${count(w.feeds_failed, 'feed')} failed` : '',
  ];
  return parts.filter((p) => p !== '').join(', ');
}

// What was said last, and when; rounds -1: nothing was heard yet.
export interface Said { keys: readonly string[]; titles: readonly string[]; at: number; rounds: number }

const pause = 20000; // ms: who listens is not to be talked to all the time

/* What a screen reader says of the work: that something began, that a round goes on to its next part or how far it is
 * after a while, and what came of it. null: nothing new. Fetches and scans are seconds long and many: counted only. */
export function announce(said: Said, work: readonly Work[], watched: Watched | null, now: number):
    { text: string | null; said: Said } {
  const long = work.filter((w) => w.kind === 'watch' || w.kind === 'survey');
  const short = work.length - long.length;
  const rounds = watched?.rounds ?? 0;
  const next: Said = { keys: long.map(keyOf), titles: long.map(titleOf), at: now, rounds };
  if (watched && said.rounds >= 0 && rounds !== said.rounds)
    return { text: `Looked again: ${resultOf(watched)}.`, said: next };
  const begun = long.some((w) => !said.keys.includes(keyOf(w)));
  const moved = long.some((w) => !said.titles.includes(titleOf(w)));
  const rest = now - said.at;
  if (!long.length || !(begun || rest >= pause || (moved && rest >= pause / 4)))
    return { text: null, said: long.length ? { ...said, rounds } : { ...next, at: said.at } };
  const parts = long.map((w) => [titleOf(w), farOf(w)].filter((p) => p !== '').join(', '));
  if (short) parts.push(`${count(short, 'image')} fetched or scanned`);
  return { text: `${parts.join('; ')}.`, said: next };
}
