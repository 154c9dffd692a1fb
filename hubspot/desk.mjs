// Bundles the desk's HubSpot side: the page, and the worker that runs the real card.
import { build } from 'esbuild';

const shared = {
  outdir: process.argv[2] ?? 'dist',
  bundle: true,
  minify: true,
  jsx: 'automatic',
  target: 'es2022',
  define: { 'process.env.NODE_ENV': '"production"' },
  logLevel: 'warning',
};
await build({ ...shared, entryPoints: ['desk/page.tsx'], format: 'esm' });
await build({ ...shared, entryPoints: ['desk/worker.ts'], format: 'iife' });
