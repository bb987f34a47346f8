// schema.mjs MODULES FILE...: each FILE against the CycloneDX schema of the version that it names, as the
// CycloneDX library ships it, by ajv with the library's own settings (its validator class wants a newer
// Node than Debian has). Prints what is wrong, one line each; exit status 1 where anything is.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [modules, ...files] = process.argv.slice(2);
const require = createRequire(join(modules, 'package.json'));
const Ajv = require('ajv').default;
const schemas = join(modules, 'node_modules/@cyclonedx/cyclonedx-library/res/schema');

const read = (path) => JSON.parse(readFileSync(path, 'utf8'));
const part = (name) => read(join(schemas, `${name}.SNAPSHOT.schema.json`));

const ajv = new Ajv({ strict: false, allErrors: true, addUsedSchema: false });
require('ajv-formats').default(ajv);
require('ajv-formats-draft2019')(ajv, { formats: ['idn-email'] });
ajv.addFormat('iri-reference', true); // ajv has none
for (const name of ['spdx', 'jsf-0.82', 'cryptography-defs'])
  ajv.addSchema(part(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);

const validators = new Map();
function validator(version) {
  if (!validators.has(version)) validators.set(version, ajv.compile(part(`bom-${version}`)));
  return validators.get(version);
}

let bad = 0;
for (const file of files) {
  const bill = read(file);
  const valid = validator(bill.specVersion);
  if (valid(bill)) continue;
  bad = 1;
  for (const e of valid.errors.slice(0, 5)) console.log(`${file}: ${e.instancePath} ${e.message}`);
}
process.exit(bad);
