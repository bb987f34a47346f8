import type { Page as Rows, Tag } from '../api';
import { address } from '../api';
import type { PageProps } from '../app';
import { useApi, useEvents } from '../hooks';
import { columnsOf } from '../logic/map';
import { to, withQuery } from '../logic/route';
import { Await, Empty, Page, Pager, Search, Section, fromOf } from '../parts/frame';
import { ColourMap, Legend, TagBars } from '../parts/map';

const few = 12;

export function RepositoryPage({ place }: PageProps) {
  const name = place.query.get('name') ?? '';
  const from = fromOf(place);
  const n = 50;
  const most = place.query.get('builds') === 'all' ? Infinity : few;
  const loaded = useApi<Rows<Tag>>(address('tags',
    { repository: name, n, from, q: place.query.get('q') ?? undefined }));
  useEvents((e) => e.repository === name || (e.name?.startsWith(`${name}:`) ?? false), loaded.again);
  return (
    <Page title={name} lead={<><a href={to('repositories')}>Repositories</a>
      {' · '}<a href={to('images', '', { repository: name })}>all images of this repository</a></>}>
      <div class="filters"><Search place={place} label="Search tags" primary /></div>
      <Await of={loaded}>{(page) => (
        <>
          <Pager place={place} total={page.total} from={page.from} n={n} shown={page.items.length} what="tags" />
          {page.items.length ? (
            <>
              <Section title="Tags over time" id="map">
                <Legend />
                <ColourMap repository={name} tags={page.items} most={most} />
                {columnsOf(page.items) > most
                  ? <p><a href={withQuery(place, { builds: 'all', from })}>Show all builds</a></p> : null}
              </Section>
              <Section title="Severities of each tag" id="bars"><TagBars tags={page.items} /></Section>
            </>
          ) : <Empty>No tag of this repository is known here.</Empty>}
        </>
      )}</Await>
    </Page>
  );
}
