// purls.mjs MODULES REPORT...: each purl of a report, read by packageurl-js, is the package that stands
// beside it. Prints what is not, one line each; exit status 1 where anything is.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [modules, ...files] = process.argv.slice(2);
const { PackageURL } = createRequire(join(modules, 'package.json'))('packageurl-js');

// What that library does to names besides decoding them: it cuts blanks, and lowers all letters
// where the specification speaks of case. It decodes qualifiers twice.
const shown = (text, type) => (type === 'rpm' ? text : text.toLowerCase()).trim();

function problem(purl, { name, version, type }, distro) {
  const [, epoch, bare] = type === 'rpm' ? /^(?:([^:]*):)?(.*)$/s.exec(version) : [, undefined, version];
  const want = {
    type,
    name: shown(name, type),
    version: bare.trim(),
    epoch,
    namespace: distro?.includes('/') ? undefined : distro?.toLowerCase(),
  };
  let got;
  try {
    const p = PackageURL.fromString(purl.replace(/[?&][a-z]+=[^&]*%25[^&]*/g, (m) => (m[0] === '?' ? '?x=y' : '')));
    const { namespace, version, qualifiers } = p;
    got = { type: p.type, name: shown(p.name, type), version, epoch: qualifiers?.epoch, namespace };
  } catch (e) {
    return e.message;
  }
  const differs = Object.keys(want).filter((k) => (want[k] ?? '') !== (got[k] ?? ''));
  return differs.map((k) => `${k} is ${JSON.stringify(got[k])}, not ${JSON.stringify(want[k])}`).join('; ');
}

let bad = 0;
for (const file of files) {
  const report = JSON.parse(readFileSync(file, 'utf8'));
  for (const p of report.packages) {
    const wrong = problem(p.purl, p, report.distro.id ?? undefined);
    if (!wrong) continue;
    bad = 1;
    console.log(`${file}: ${p.purl}: ${wrong}`);
  }
}
process.exit(bad);
