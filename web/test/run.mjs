// Compiles the tests with Vite's esbuild and runs them with Node's own runner; TAP.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const out = mkdtempSync(join(tmpdir(), 'cocket-web-'));
const tests = readdirSync(here).filter((f) => f.endsWith('.test.ts'));
buildSync({ entryPoints: tests.map((f) => join(here, f)), outdir: out, bundle: true, platform: 'node',
  format: 'esm', outExtension: { '.js': '.mjs' }, logLevel: 'error' });
let failed = false;
for (const f of tests) {
  const run = spawnSync(process.execPath, ['--test-reporter=tap', join(out, f.replace(/\.ts$/, '.mjs'))],
    { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' });
  process.stdout.write(run.stdout);
  failed ||= run.status !== 0;
}
rmSync(out, { recursive: true });
process.exit(failed ? 1 : 0);
