import { useState } from 'preact/hooks';
import { send, type Policy, type Replay } from '../api';
import type { PageProps } from '../app';
import { useApi, useNow, useRole } from '../hooks';
import { ageOf, count, day, shortDigest } from '../logic/text';
import { Await, Digest, Empty, Page, Section } from '../parts/frame';
import { DecisionMark, Flag } from '../parts/marks';
import { Table } from '../parts/table';

function Expires({ at }: { at: string | null }) {
  const now = useNow();
  if (!at) return <Flag strong>never expires</Flag>;
  const left = (Date.parse(at) - now) / 1000;
  return <>{day(at)} {left < 0 ? <Flag strong>expired</Flag> : <span class="quiet">(in {ageOf(left)})</span>}</>;
}

function Changed({ replay }: { replay: Replay }) {
  const total = replay.changed_total ?? replay.changed.length;
  return (
    <div role="status">
      <p>{count(replay.checked, 'image')} checked, {total === 0 ? 'no verdict changes.'
        : `${count(total, 'verdict')} would change.`}
        {total > replay.changed.length ? ` The first ${replay.changed.length} are shown.` : ''}</p>
      {replay.changed.length ? (
        <Table caption="Verdicts that differ" rows={replay.changed} keyOf={(c) => c.digest} columns={[
          { head: 'Image', row: true, wide: true, cell: (c) => <Digest digest={c.digest} label={c.name ?? ''} /> },
          { head: 'Now', cell: (c) => <DecisionMark decision={c.from} /> },
          { head: 'Then', cell: (c) => <DecisionMark decision={c.to} /> },
          { head: 'Reasons', cell: (c) => <ul class="bare">{c.reasons.map((r, i) => <li key={i}>{r}</li>)}</ul> },
        ]} />
      ) : null}
    </div>
  );
}

function Try({ yaml }: { yaml: string }) {
  const [text, setText] = useState(yaml);
  const [replay, setReplay] = useState<Replay | null>(null);
  const [wrong, setWrong] = useState('');
  const [busy, setBusy] = useState(false);
  const run = async (): Promise<void> => {
    setBusy(true);
    setWrong('');
    setReplay(null);
    try {
      setReplay(await send<Replay>('POST', 'policy/replay', { yaml: text }));
    } catch (e) {
      setWrong(e instanceof Error ? e.message : String(e));
    }
    setBusy(false);
  };
  return (
    <form class="form" onSubmit={(e) => { e.preventDefault(); void run(); }}>
      <label><span>Policy to try (nothing is changed by it)</span>
        <textarea name="yaml" rows={16} spellcheck={false} value={text}
          onInput={(e) => setText(e.currentTarget.value)} /></label>
      <div><button type="submit" class="primary" disabled={busy}>{busy ? 'Replaying …' : 'Replay'}</button></div>
      {wrong ? <p class="wrong" role="alert">{wrong}</p> : null}
      {replay ? <Changed replay={replay} /> : null}
    </form>
  );
}

export function PolicyPage(_: PageProps) {
  const loaded = useApi<Policy>('policy');
  const admin = useRole('admin');
  return (
    <Page title="Policy">
      <Await of={loaded}>{(p) => (
        <>
          <p class="lead">{p.file ? <>From <code class="name">{p.file}</code></> : 'The built-in policy'}{' '}
            <code title={p.digest}>{shortDigest(p.digest)}</code></p>
          <Section title="Rules in force" id="rules">
            {p.rules.length ? (
              <Table caption="Rules in force" rows={p.rules} keyOf={(r, i) => `${r.name} ${i}`} columns={[
                { head: 'Rule', row: true, cell: (r) => r.name },
                { head: 'What it says', wide: true, cell: (r) => <span class="lines">{r.text}</span> },
              ]} />
            ) : <Empty>There are no rules.</Empty>}
          </Section>
          <Section title="Exceptions" id="exceptions">
            {p.exceptions.length ? (
              <Table caption="Exceptions and when they expire" rows={p.exceptions} keyOf={(_x, i) => i} columns={[
                { head: 'Exception', row: true, wide: true, cell: (x) => <span class="lines">{x.text}</span> },
                { head: 'Expires', cell: (x) => <Expires at={x.expires} /> },
              ]} />
            ) : <Empty>There are no exceptions.</Empty>}
          </Section>
          {admin ? <Section title="Try a change" id="replay"><Try yaml={p.yaml} /></Section> : (
            <Section title="As it is written" id="yaml"><pre tabIndex={0}>{p.yaml}</pre></Section>)}
        </>
      )}</Await>
    </Page>
  );
}
