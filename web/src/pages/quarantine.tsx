import { address, type Page as Rows, type QuarantineRow } from '../api';
import type { PageProps } from '../app';
import { useApi, useEvents, useRole, useSession } from '../hooks';
import { to } from '../logic/route';
import { Await, Page, Pager, Search, When, fromOf } from '../parts/frame';
import { Counts, DecisionMark, Flag } from '../parts/marks';
import { Decide } from '../parts/decide';
import { ImageName } from './images';

function Waiting({ row, mayDecide, again }: { row: QuarantineRow; mayDecide: boolean; again: () => void }) {
  const v = row.verdict;
  return (
    <li class="card">
      <h2><ImageName image={row} /></h2>
      <p class="sum"><DecisionMark decision={v.decision} /> <Counts severities={row.severities} />
        {row.complete === false ? <Flag>assessed in part</Flag> : null}
        <span>added <When time={row.added} /></span></p>
      {v.reasons.length
        ? <ul class="reasons">{v.reasons.map((r, i) => <li key={i}>{r}</li>)}</ul> : <p>{row.reason}</p>}
      {v.persons > 1 ? <p>Released by {v.released_by} of {v.persons} persons.</p> : null}
      {mayDecide ? <Decide digest={row.digest} name={row.name} verdict={v} done={again} /> : null}
    </li>
  );
}

export function Quarantine({ place }: PageProps) {
  const from = fromOf(place);
  const n = 20;
  const { me, known } = useSession();
  const mayDecide = useRole('release');
  const loaded = useApi<Rows<QuarantineRow>>(address('quarantine',
    { n, from, q: place.query.get('q') ?? undefined }));
  useEvents((e) => e.image !== null, loaded.again);
  return (
    <Page title="Quarantine" lead="What waits for a person.">
      <div class="filters"><Search place={place} label="Search what waits" primary /></div>
      {known && !mayDecide ? (
        <p class="note">To release or deny needs the role “release”.{' '}
          {!me || me.anonymous ? <a href={to('login', '', { back: '/ui/quarantine' })}>Sign in</a> : null}</p>
      ) : null}
      <Await of={loaded}>{(page) => (
        <>
          <Pager place={place} total={page.total} from={page.from} n={n} shown={page.items.length} what="images" />
          <ul class="cards">
            {page.items.map((r) =>
              <Waiting key={r.digest} row={r} mayDecide={mayDecide} again={loaded.again} />)}
          </ul>
        </>
      )}</Await>
    </Page>
  );
}
