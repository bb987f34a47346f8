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

export const columnsOf = (tags: readonly Tag[]): number =>
  tags.reduce((n, t) => Math.max(n, t.history.length, t.current ? 1 : 0), 0);
