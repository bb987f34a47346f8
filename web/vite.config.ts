import { defineConfig } from 'vite';

// One script and one style sheet, under names that change with what is in them; nothing inlined, because the
// policy of the page allows no inline script, style or font.
const gate = process.env['COCKET_GATE'] ?? 'http://127.0.0.1:5000';

export default defineConfig({
  base: '/',
  publicDir: false,
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  build: {
    target: 'es2021',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssCodeSplit: false,
    reportCompressedSize: false,
    sourcemap: false,
  },
  server: {
    proxy: { '/api': { target: gate, changeOrigin: false } },
  },
});
