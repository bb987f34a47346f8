import type { Feed, Overview, Severity } from '../api';
import type { PageProps } from '../app';
import { useApi, useEvents, useLive, useRounds } from '../hooks';
import { order, words, letters } from '../logic/severity';
import { ageOf, count } from '../logic/text';
import { to } from '../logic/route';
import { sharesOf } from '../logic/survey';
import { Await, Empty, Page, Section, When } from '../parts/frame';
import { Flag, Shape, StateMark } from '../parts/marks';
import { Events } from '../parts/events';
import { SharePlot } from '../parts/plot';
import { Table } from '../parts/table';
import { Looking } from '../parts/work';

function Tiles({ o }: { o: Overview }) {
  return (
    <ul class="tiles">
      {(['cleared', 'quarantined', 'denied'] as const).map((state) => (
        <li key={state} class={`tile tile-${state}`}>
          <a href={to('images', '', { state })}>
            <strong class="big">{o[state].toLocaleString('en')}</strong>
            <StateMark state={state} />
          </a>
        </li>
      ))}
      <li class="tile">
        <a href={to('images')}>
          <strong class="big">{o.images.toLocaleString('en')}</strong><span>images in all</span>
        </a>
      </li>
      <li class="tile">
        <a href={to('quarantine')}>
          <strong class="big">{o.waiting.toLocaleString('en')}</strong><span>wait for a person</span>
        </a>
      </li>
    </ul>
  );
}

function Worst({ o }: { o: Overview }) {
  const most = Math.max(1, o.clean, ...order.map((k) => o.worst[k]));
  const row = (k: Severity | 'clean', n: number) => (
    <tr key={k}>
      <th scope="row"><a href={to('images', '', { severity: k === 'clean' ? undefined : k, order: 'worst' })}>
        <span class={`mark mark-${k}`}><Shape mark={k} /> <span aria-hidden="true">{letters[k]}</span>{' '}
          {words[k]}</span></a></th>
      <td class="number">{n.toLocaleString('en')}</td>
      <td class="bar-cell">
        <svg class="bar" viewBox="0 0 200 12" preserveAspectRatio="none" width="200" height="12" aria-hidden="true"
          focusable="false">
          <rect class="bar-ground" width="200" height="12" />
          <rect class={`fill-${k}`} width={n ? Math.max(2, (n / most) * 200) : 0} height="12" />
        </svg>
      </td>
    </tr>
  );
  return (
    <table class="plain">
      <caption class="sr">Images by their worst finding</caption>
      <thead><tr><th scope="col">Worst finding</th><th scope="col" class="number">Images</th>
        <th scope="col"><span class="sr">As a bar</span></th></tr></thead>
      <tbody>{order.map((k) => row(k, o.worst[k]))}{row('clean', o.clean)}</tbody>
    </table>
  );
}

function Unassessed({ o }: { o: Overview }) {
  const failed = o.feeds.filter((f) => f.failure);
  if (!o.incomplete && !o.unexamined && !failed.length)
    return <Empty>Every image could be assessed, and every feed is in order.</Empty>;
  return (
    <ul class="list">
      {o.unexamined ? (
        <li><Shape mark="unassessed" /> <a href={to('images', '', { state: 'quarantined' })}>
          {count(o.unexamined, 'image')}</a> not yet examined</li>) : null}
      {o.incomplete ? (
        <li><Shape mark="unassessed" /> <a href={to('images', '', { incomplete: 1 })}>
          {count(o.incomplete, 'image')}</a> assessed in part only</li>) : null}
      {failed.map((f) => <li key={f.name}><Shape mark="unassessed" /> feed {f.name}: {f.failure}</li>)}
    </ul>
  );
}

export function Feeds({ feeds }: { feeds: readonly Feed[] }) {
  if (!feeds.length) return <Empty>There is no advisory database yet: cocket db update makes it.</Empty>;
  return (
    <Table caption="Feeds of the advisory database" rows={feeds} keyOf={(f) => f.name} columns={[
      { head: 'Feed', row: true, wide: true, cell: (f) => f.name },
      { head: 'Age', cell: (f) => <span title={f.time}>{ageOf(f.age_seconds)}</span> },
      { head: 'Records', number: true, cell: (f) => f.records.toLocaleString('en') },
      { head: 'State', cell: (f) => f.failure ? <Flag strong>failed: {f.failure}</Flag> : 'in order' },
    ]} />
  );
}

export function OverviewPage(_: PageProps) {
  const loaded = useApi<Overview>('overview');
  const { connected } = useLive();
  useEvents(() => true, loaded.again);
  useRounds(loaded.again);
  return (
    <Page title="Overview" actions={
      <span class="quiet" role="status">{connected ? '● live' : '○ not live'}</span>}>
      <Await of={loaded}>{(o) => (
        <>
          <Tiles o={o} />
          <div class="columns">
            <Section title="Worst finding of each image" id="worst"><Worst o={o} /></Section>
            <Section title="What could not be assessed" id="gaps"><Unassessed o={o} /></Section>
          </div>
          <Section title="Changed since yesterday" id="changed">
            <Looking />
            <Events events={o.events_since_yesterday} caption="What changed since yesterday" />
          </Section>
          <Section title="Surveys over time" id="surveys">
            <SharePlot points={sharesOf(o.surveys)} />
          </Section>
          <Section title="Feeds" id="feeds"
            note={<>Database built: <When time={o.database.built} /></>}>
            <Feeds feeds={o.feeds} />
          </Section>
        </>
      )}</Await>
    </Page>
  );
}
