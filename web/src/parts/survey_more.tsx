import { restOf } from '../logic/survey';
import { toAdvisory } from '../logic/route';
import { Section } from './frame';
import { Counts, SeverityMark } from './marks';
import { Table } from './table';

// The worst images, the most frequent causes, the distributions, and what could not be assessed. Images of a survey
// are not in the store: they have no page.
export function SurveyMore({ result }: { result: unknown }) {
  const { worst, causes, distributions, unassessed } = restOf(result);
  return (
    <>
      {worst.length ? (
        <Section title="The worst" id="worst-images">
          <Table caption="The worst images" rows={worst} keyOf={(w, i) => `${w.name} ${i}`} columns={[
            { head: 'Image', row: true, wide: true, cell: (w) => <span class="name">{w.name}</span> },
            { head: 'Distribution', cell: (w) => w.distribution || 'not known' },
            { head: 'Findings', cell: (w) => <Counts severities={w.severities} /> },
          ]} />
        </Section>
      ) : null}
      {causes.length ? (
        <Section title="Most frequent causes" id="causes">
          <Table caption="Most frequent causes" rows={causes} keyOf={(c, i) => `${c.id} ${i}`} columns={[
            { head: 'Severity', cell: (c) => <SeverityMark severity={c.severity} /> },
            { head: 'Weakness', row: true, cell: (c) => <a class="name" href={toAdvisory(c.id)}>{c.id}</a> },
            { head: 'Package', wide: true, cell: (c) => <span class="name">{c.package}</span> },
            { head: 'Images', number: true, cell: (c) => c.images.toLocaleString('en') },
          ]} />
        </Section>
      ) : null}
      {distributions.length ? (
        <Section title="Distributions" id="distributions">
          <Table caption="Images by distribution" rows={distributions} keyOf={(d) => d.name} columns={[
            { head: 'Distribution', row: true, wide: true, cell: (d) => d.name },
            { head: 'Images', number: true, cell: (d) => d.images.toLocaleString('en') },
            { head: 'With critical', number: true, cell: (d) => d.critical.toLocaleString('en') },
            { head: 'With high or critical', number: true, cell: (d) => d.high.toLocaleString('en') },
            { head: 'Free of findings', number: true, cell: (d) => d.clean.toLocaleString('en') },
          ]} />
        </Section>
      ) : null}
      {unassessed.length ? (
        <Section title="What could not be assessed" id="unassessed">
          <Table caption="What could not be assessed" rows={unassessed} keyOf={(u, i) => `${u.name} ${i}`} columns={[
            { head: 'Image', row: true, cell: (u) => <span class="name">{u.name}</span> },
            { head: 'Why', wide: true, cell: (u) => u.why },
          ]} />
        </Section>
      ) : null}
    </>
  );
}
