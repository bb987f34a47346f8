import type { Page as Rows, Repository } from '../api';
import { address } from '../api';
import type { PageProps } from '../app';
import { useApi, useEvents } from '../hooks';
import { toRepository } from '../logic/route';
import { Await, Page, Pager, Search, When, fromOf } from '../parts/frame';
import { Counts, StateMark } from '../parts/marks';
import { Table } from '../parts/table';
import { RepositoryPage } from './repository';

function States({ states }: { states: Repository['states'] }) {
  const there = (['cleared', 'quarantined', 'denied'] as const).filter((s) => states[s] > 0);
  return there.length ? (
    <span class="counts">{there.map((s) => <span key={s}><StateMark state={s} /> {states[s]}</span>)}</span>
  ) : <span>–</span>;
}

function List({ place }: PageProps) {
  const from = fromOf(place);
  const n = 50;
  const loaded = useApi<Rows<Repository>>(address('repositories', { n, from, q: place.query.get('q') ?? undefined }));
  useEvents((e) => e.image !== null, loaded.again);
  return (
    <Page title="Repositories">
      <div class="filters"><Search place={place} label="Search repositories" primary /></div>
      <Await of={loaded}>{(page) => (
        <>
          <Pager place={place} total={page.total} from={page.from} n={n} shown={page.items.length}
            what="repositories" />
          {page.items.length ? (
            <Table caption="Repositories" rows={page.items} keyOf={(r) => r.name} columns={[
              { head: 'Repository', row: true, wide: true,
                cell: (r) => <a class="name" href={toRepository(r.name)}>{r.name}</a> },
              { head: 'Images', number: true, cell: (r) => r.images.toLocaleString('en') },
              { head: 'Tags', number: true, cell: (r) => r.tags.toLocaleString('en') },
              { head: 'States', cell: (r) => <States states={r.states} /> },
              { head: 'Worst image', cell: (r) => <Counts severities={r.worst} /> },
              { head: 'Last change', cell: (r) => <When time={r.last} /> },
            ]} />
          ) : null}
        </>
      )}</Await>
    </Page>
  );
}

export function Repositories(props: PageProps) {
  return props.place.query.get('name') ? <RepositoryPage {...props} /> : <List {...props} />;
}
