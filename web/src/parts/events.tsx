import type { Event } from '../api';
import { toRepository } from '../logic/route';
import { Digest, Empty, When } from './frame';
import { SeverityMark, Flag } from './marks';
import { Table } from './table';

export function Events({ events, caption }: { events: readonly Event[]; caption: string }) {
  if (!events.length) return <Empty>Nothing has changed.</Empty>;
  return (
    <Table caption={caption} rows={events} keyOf={(e) => e.number} columns={[
      { head: 'When', cell: (e) => <When time={e.time} /> },
      { head: 'What', cell: (e) => <Flag>{e.kind}</Flag> },
      { head: 'Worst', cell: (e) => e.severity ? <SeverityMark severity={e.severity} /> : '–' },
      { head: 'Summary', row: true, wide: true, cell: (e) => e.summary },
      { head: 'Image', cell: (e) => e.image ? <Digest digest={e.image} label={e.name ?? ''} />
        : e.repository ? <a class="name" href={toRepository(e.repository)}>{e.repository}</a> : '–' },
    ]} />
  );
}
