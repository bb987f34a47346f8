import { rowsOf } from '../logic/survey';
import { toAdvisory } from '../logic/route';
import { Digest, Section } from './frame';
import { Counts } from './marks';
import { Table } from './table';

// The worst images and the most frequent causes.
export function SurveyMore({ result }: { result: unknown }) {
  const { worst, causes } = rowsOf(result);
  return (
    <>
      {worst.length ? (
        <Section title="The worst" id="worst-images">
          <Table caption="The worst images" rows={worst} keyOf={(w, i) => `${w.name} ${i}`} columns={[
            { head: 'Image', row: true, wide: true, cell: (w) => w.digest
              ? <Digest digest={w.digest} label={w.name} /> : <span class="name">{w.name}</span> },
            { head: 'Findings', cell: (w) => <Counts severities={w.severities} /> },
          ]} />
        </Section>
      ) : null}
      {causes.length ? (
        <Section title="Most frequent causes" id="causes">
          <Table caption="Most frequent causes" rows={causes} keyOf={(c, i) => `${c.name} ${i}`} columns={[
            { head: 'Cause', row: true, wide: true, cell: (c) => /^[A-Z]+-/.test(c.name)
              ? <a class="name" href={toAdvisory(c.name)}>{c.name}</a> : <span class="name">{c.name}</span> },
            { head: 'Images', number: true, cell: (c) => c.images.toLocaleString('en') },
          ]} />
        </Section>
      ) : null}
    </>
  );
}
