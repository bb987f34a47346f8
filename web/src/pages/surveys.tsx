import { useState } from 'preact/hooks';
import { address, send, type Page as Rows, type Survey } from '../api';
import type { PageProps } from '../app';
import { useApi, useEvents, useLive, useRole } from '../hooks';
import { groupsOf, sharesOf, type Share } from '../logic/survey';
import { to } from '../logic/route';
import { count, moment, percent } from '../logic/text';
import { Await, Empty, Page, Pager, Section, When, fromOf } from '../parts/frame';
import { SharePlot } from '../parts/plot';
import { Table } from '../parts/table';
import { SurveyMore } from '../parts/survey_more';

function Begin({ done }: { done: () => void }) {
  const [said, setSaid] = useState('');
  const [wrong, setWrong] = useState('');
  const begin = async (form: HTMLFormElement): Promise<void> => {
    const data = new FormData(form);
    setWrong('');
    try {
      await send('POST', 'surveys', { registry: String(data.get('registry') ?? '').trim(),
        sample: Number(data.get('sample')) });
      setSaid('The survey has begun.');
      form.reset();
      done();
    } catch (e) {
      setWrong(e instanceof Error ? e.message : String(e));
    }
  };
  return (
    <form class="form inline" onSubmit={(e) => { e.preventDefault(); void begin(e.currentTarget); }}>
      <label><span>Registry</span>
        <input name="registry" required autocomplete="off" spellcheck={false} placeholder="registry.example:5000" />
      </label>
      <label><span>Images to draw</span>
        <input name="sample" type="number" min="1" max="100000" value="200" required /></label>
      <button type="submit">Begin a survey</button>
      {wrong ? <p class="wrong" role="alert">{wrong}</p> : null}
      <p class="said" role="status">{said}</p>
    </form>
  );
}

function State({ survey }: { survey: Survey }) {
  const { work } = useLive();
  const w = work.find((x) => x.kind === 'survey' && x.what.includes(survey.registry));
  const done = survey.state === 'running' && w ? Math.max(w.done, survey.done) : survey.done;
  return survey.state === 'running' ? (
    <>running: {done} of {survey.total}{' '}
      <progress aria-label={`survey of ${survey.registry}`} max={survey.total || 1} value={done} /></>
  ) : <>{survey.state === 'done' ? 'ended' : 'given up'}, {count(survey.done, 'image')}</>;
}

function List({ place }: PageProps) {
  const from = fromOf(place);
  const n = 50;
  const admin = useRole('admin');
  const loaded = useApi<Rows<Survey>>(address('surveys', { n, from }));
  useEvents((e) => e.kind === 'survey', loaded.again);
  return (
    <Page title="Surveys" lead="The state of a registry, from a random sample of its images.">
      {admin ? <Begin done={loaded.again} /> : null}
      <Await of={loaded}>{(page) => (
        <>
          <Section title="Over time" id="over-time">
            <SharePlot points={sharesOf(page.items.map((s) => ({ ...s, shares: s.result })))} />
          </Section>
          <Section title="All surveys" id="all-surveys">
            <Pager place={place} total={page.total} from={page.from} n={n} shown={page.items.length} what="surveys" />
            {page.items.length ? (
              <Table caption="Surveys" rows={page.items} keyOf={(s) => s.number} columns={[
                { head: 'Survey', row: true, wide: true,
                  cell: (s) => <a class="name" href={to('surveys', String(s.number))}>{s.number}: {s.registry}</a> },
                { head: 'Begun', cell: (s) => moment(s.begun) },
                { head: 'Ended', cell: (s) => moment(s.ended) },
                { head: 'State', cell: (s) => <State survey={s} /> },
              ]} />
            ) : null}
          </Section>
        </>
      )}</Await>
    </Page>
  );
}

const shareText = (s: Share | undefined): string =>
  s ? `${percent(s.share)} (${percent(s.low)} to ${percent(s.high)})` : '–';

function One({ place }: PageProps) {
  const loaded = useApi<Survey>(`surveys/${encodeURIComponent(place.arg)}`);
  useEvents((e) => e.kind === 'survey', loaded.again);
  return (
    <Page title={loaded.data ? `Survey of ${loaded.data.registry}` : `Survey ${place.arg}`}
      lead={<a href={to('surveys')}>Surveys</a>}>
      <Await of={loaded}>{(s) => {
        const groups = groupsOf(s.result);
        return (
          <>
            <p class="sum"><State survey={s} /> <span>begun <When time={s.begun} /></span>
              {s.ended ? <span>ended <When time={s.ended} /></span> : null}</p>
            <Section title="Shares" id="shares" note="With 95 % confidence intervals.">
              {groups.length ? (
                <Table caption="Shares by group" rows={groups} keyOf={(g) => g.name} columns={[
                  { head: 'Group', row: true, cell: (g) => g.name },
                  { head: 'Names', number: true, cell: (g) => g.population.toLocaleString('en') },
                  { head: 'Drawn', number: true, cell: (g) => g.drawn.toLocaleString('en') },
                  { head: 'Assessed', number: true, cell: (g) => g.assessed.toLocaleString('en') },
                  { head: 'With critical', cell: (g) => shareText(g.shares.critical) },
                  { head: 'With high or critical', cell: (g) => shareText(g.shares.high) },
                  { head: 'Free of findings', cell: (g) => shareText(g.shares.clean) },
                  { head: 'Median age', wide: true,
                    cell: (g) => g.age === null ? '–' : count(Math.round(g.age), 'day') },
                ]} />
              ) : <Empty>There is no result yet.</Empty>}
            </Section>
            <SurveyMore result={s.result} />
          </>
        );
      }}</Await>
    </Page>
  );
}

export function Surveys(props: PageProps) {
  return props.place.arg ? <One {...props} /> : <List {...props} />;
}
