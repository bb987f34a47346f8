import type { Page as Rows, Tag } from '../api';
import { address } from '../api';
import type { PageProps } from '../app';
import { useApi, useEvents } from '../hooks';
import { scaleOf, timesOf } from '../logic/map';
import { to, withQuery } from '../logic/route';
import { Await, Empty, Page, Pager, Search, Section, fromOf } from '../parts/frame';
import { ColourMap, Legend, TagBars } from '../parts/map';

// So many columns stand beside each other, and so many builds of one time in a cell; all of them on demand.
const few = { columns: 12, deep: 2 };
const all = { columns: 60, deep: Infinity };

export function RepositoryPage({ place }: PageProps) {
  const name = place.query.get('name') ?? '';
  const from = fromOf(place);
  const n = 50;
  const most = place.query.get('builds') === 'all' ? all : few;
  const loaded = useApi<Rows<Tag>>(address('tags',
    { repository: name, n, from, q: place.query.get('q') ?? undefined }));
  useEvents((e) => e.repository === name || (e.name?.startsWith(`${name}:`) ?? false), loaded.again);
  return (
    <Page title={name} lead={<><a href={to('repositories')}>Repositories</a>
      {' · '}<a href={to('images', '', { repository: name })}>all images of this repository</a></>}>
      <div class="filters"><Search place={place} label="Search tags" primary /></div>
      <Await of={loaded}>{(page) => {
        const scale = scaleOf(page.items, most.columns);
        const hidden = scale.cut || (most === few &&
          page.items.some((t) => timesOf(t, scale, few.deep).some((x) => x.more > 0)));
        return (
        <>
          <Pager place={place} total={page.total} from={page.from} n={n} shown={page.items.length} what="tags" />
          {page.items.length ? (
            <>
              <Section title="Tags over time" id="map"
                note={`Newest first, by ${scale.unit}. A cell with a date is a build; a band runs for as long as a ` +
                  'tag meant the same one.'}>
                <Legend />
                <ColourMap repository={name} tags={page.items} scale={scale} deep={most.deep} />
                {hidden && most === few
                  ? <p><a href={withQuery(place, { builds: 'all', from })}>Show all builds</a></p> : null}
                {hidden && most === all ? <p class="quiet">Older years are not shown.</p> : null}
              </Section>
              <Section title="Severities of each tag" id="bars"><TagBars tags={page.items} /></Section>
            </>
          ) : <Empty>No tag of this repository is known here.</Empty>}
        </>
        );
      }}</Await>
    </Page>
  );
}
