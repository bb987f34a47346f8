import type { Tag, TagDigest } from '../api';
import { letters, sentence, worstOf, type Mark } from './severity';
import { day } from './text';

export interface Cell { build: TagDigest; mark: Mark; label: string; part: boolean }

// Newest first: what the tag means now, then what it meant before.
export function buildsOf(tag: Tag): TagDigest[] {
  const older = tag.history.filter((h) => !h.current).reverse();
  return tag.current ? [tag.current, ...older] : older;
}

export function cellOf(repository: string, tag: Tag, build: TagDigest): Cell {
  const mark = build.known ? worstOf(build.severities) : 'unassessed';
  const part = build.complete === false;
  const says = [
    `${repository}:${tag.tag}`,
    build.current ? `now, since ${day(build.first)}` : `from ${day(build.first)}`,
    build.known ? sentence(build.severities) : 'no longer stored',
    ...(part ? ['assessed in part only'] : []),
    ...(build.state ? [build.state] : []),
  ];
  return { build, mark, part, label: says.join(', ') };
}

// The number in a cell: how many findings of its worst severity.
export function numberOf(cell: Cell): string {
  const s = cell.build.severities;
  return s && cell.mark !== 'clean' && cell.mark !== 'unassessed' ? String(s[cell.mark]) : '';
}

// What one sees in a cell. The name of its link begins so: whoever steers by voice says what stands there.
export function seenOf(cell: Cell): [string, string] {
  const when = cell.build.known ? day(cell.build.first) : 'gone';
  return [`${letters[cell.mark]} ${numberOf(cell)}`.trim(), cell.part ? `${when} ?` : when];
}

// --- the scale of time ---

// Days where they are few enough to stand beside each other, else months, else years.
export type Unit = 'day' | 'month' | 'year';
const lengths: Record<Unit, number> = { day: 10, month: 7, year: 4 };
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

// `key` begins the dates that lie in it, so that keys sort as time goes; '' is of no date.
export interface Column { key: string; label: string; spoken: string }
export interface Scale { unit: Unit; columns: Column[]; years: { year: string; columns: number }[]; cut: boolean }

const keyOf = (build: TagDigest, unit: Unit): string => build.first ? day(build.first).slice(0, lengths[unit]) : '';

function columnOf(key: string, unit: Unit): Column {
  const [year = '', month = '', date = ''] = key.split('-');
  const name = months[Number(month) - 1] ?? month;
  if (key === '') return { key, label: 'no date', spoken: 'no date' };
  if (unit === 'year') return { key, label: year, spoken: year };
  const label = unit === 'day' ? `${name} ${Number(date)}` : name;
  return { key, label, spoken: `${label}, ${year}` };
}

// The times at which a tag came to mean something else, newest first; at most `most` of them.
export function scaleOf(tags: readonly Tag[], most: number): Scale {
  const builds = tags.flatMap(buildsOf);
  const keys = (unit: Unit): string[] => [...new Set(builds.map((b) => keyOf(b, unit)))].sort().reverse();
  const unit = (['day', 'month', 'year'] as const).find((u) => keys(u).length <= most) ?? 'year';
  const all = keys(unit);
  const columns = all.slice(0, most).map((key) => columnOf(key, unit));
  const years: Scale['years'] = [];
  for (const { key } of columns) {
    const year = key.slice(0, lengths.year) || '–';
    const last = years.at(-1);
    if (last?.year === year) last.columns++;
    else years.push({ year, columns: 1 });
  }
  return { unit, columns, years, cut: all.length > most };
}

// What a tag was in the time of a column: the builds that it came to mean then (newest first; what it means now
// stands in a place of its own), and where there is none, the one that it meant already.
export interface Time { builds: TagDigest[]; more: number; still: TagDigest | null }

export function timesOf(tag: Tag, scale: Scale, deep: number): Time[] {
  const all = buildsOf(tag);
  return scale.columns.map(({ key }) => {
    const begun = all.filter((b) => !b.current && keyOf(b, scale.unit) === key);
    const newest = all[0];
    const ended = newest !== undefined && !newest.current && keyOf(newest, scale.unit) < key;
    const still = begun.length || ended || key === '' ? null
      : all.find((b) => keyOf(b, scale.unit) !== '' && keyOf(b, scale.unit) <= key) ?? null;
    return { builds: begun.slice(0, deep), more: Math.max(0, begun.length - deep), still };
  });
}
