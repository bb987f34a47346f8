import { useState } from 'preact/hooks';
import { address, get, type LogRecord, type LogVerification, type Page as Rows } from '../api';
import type { PageProps } from '../app';
import { useApi, useRole, useSession } from '../hooks';
import { count, moment, shortDigest } from '../logic/text';
import { Await, Digest, Page, Pager, Search, fromOf } from '../parts/frame';
import { Flag } from '../parts/marks';
import { Table } from '../parts/table';

function Verify() {
  const [said, setSaid] = useState<LogVerification | null>(null);
  const [wrong, setWrong] = useState('');
  const [busy, setBusy] = useState(false);
  const verify = async (): Promise<void> => {
    setBusy(true);
    setWrong('');
    try {
      setSaid(await get<LogVerification>('log/verify'));
    } catch (e) {
      setSaid(null);
      setWrong(e instanceof Error ? e.message : String(e));
    }
    setBusy(false);
  };
  return (
    <div class="verify">
      <button type="button" onClick={() => { void verify(); }} disabled={busy}>Verify the chain</button>
      <div role="status">
        {said?.ok ? <p class="good">✓ The chain holds: {count(said.records, 'record')}, head{' '}
          <code class="name">{said.head}</code></p> : null}
        {said && !said.ok ? <p class="wrong">✕ The chain is broken: {said.error ?? 'no reason is given'}</p> : null}
        {wrong ? <p class="wrong">{wrong}</p> : null}
      </div>
    </div>
  );
}

export function Log({ place }: PageProps) {
  const from = fromOf(place);
  const n = 50;
  const admin = useRole('admin');
  const { known } = useSession();
  const q = (name: string): string | undefined => place.query.get(name) ?? undefined;
  const loaded = useApi<Rows<LogRecord>>(known ? address(admin ? 'log' : 'decisions', {
    n, from, who: q('who'), digest: q('digest'), event: admin ? q('event') : undefined }) : null);
  return (
    <Page title="Log" lead={admin ? 'Who did what, newest first: a chain of hashes.'
      : 'Decisions of people, newest first. The whole log needs the role “admin”.'}>
      {admin ? <Verify /> : null}
      <div class="filters">
        <Search place={place} name="who" label="Who" primary />
        {admin ? <Search place={place} name="event" label="Event" /> : null}
        <Search place={place} name="digest" label="Digest" />
      </div>
      <Await of={loaded}>{(page) => (
        <>
          <Pager place={place} total={page.total} from={page.from} n={n} shown={page.items.length} what="records" />
          {page.items.length ? (
            <Table caption="Records of the log" rows={page.items} keyOf={(r) => r.number} columns={[
              { head: 'Number', number: true, cell: (r) => r.number },
              { head: 'When', cell: (r) => <time dateTime={r.time}>{moment(r.time)}</time> },
              { head: 'Who', cell: (r) => <span class="name">{r.who}</span> },
              { head: 'Event', row: true, cell: (r) => <Flag>{r.event}</Flag> },
              { head: 'Image', cell: (r) => r.digest ? <Digest digest={r.digest} label={r.name ?? ''} />
                : r.name ? <span class="name">{r.name}</span> : '–' },
              { head: 'Text', wide: true, cell: (r) => r.text },
              { head: 'Hash', cell: (r) => <code title={r.hash}>{shortDigest(r.hash)}</code> },
            ]} />
          ) : null}
        </>
      )}</Await>
    </Page>
  );
}
