// After each `npm install`: what the lock file names is had from whichever registry npm is set to, so no
// address stands in it.
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
for (const entry of Object.values(lock.packages)) {
  delete entry.funding;
  delete entry.resolved;
  delete entry.deprecated;
}
writeFileSync(file, JSON.stringify(lock, null, 2) + '\n');
