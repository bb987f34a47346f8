// SPDX-License-Identifier: GPL-3.0-or-later
// main.mjs [SUITE...]: the suites in an order in which none disturbs the next: what changes something comes last.
import { open, results, world } from './lib.mjs';

const suites = ['login', 'pages', 'looks', 'hostile', 'keyboard', 'actions'];
const wanted = process.argv.slice(2);

if (!world.web || !world.api) {
  console.log(`ok web # skip this cocket was built without ${world.web ? 'the API' : 'the pages'}`);
  process.exit(0);
}
const browser = await open();
try {
  for (const name of wanted.length ? wanted : suites) {
    console.log(`# ${name}`);
    await (await import(`./${name}.mjs`)).default(browser);
  }
} finally {
  await browser.close();
}
process.exitCode = results.failed ? 1 : 0;
