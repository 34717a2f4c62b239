// Builds ../assets from src. The same sources and packages give the same bytes, wherever it runs.
import * as esbuild from 'esbuild';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.resolve(here, '../assets');

// GraphiQL's stylesheet carries two fonts in 34 faces, 350 kB. panel.css names the system's instead.
const withoutFonts = {
  name: 'without-fonts',
  setup(build) {
    build.onLoad({ filter: /\.css$/ }, async ({ path: file }) => ({
      loader: 'css',
      contents: (await fs.promises.readFile(file, 'utf8')).replace(/@font-face\s*\{[^}]*\}/g, ''),
    }));
  },
};

const result = await esbuild.build({
  entryPoints: { app: 'src/entry.ts' },
  outdir: out,
  absWorkingDir: here,
  bundle: true,
  format: 'iife',
  minify: true,
  charset: 'utf8',
  target: ['es2022', 'chrome109', 'firefox115', 'safari16.4'],
  jsx: 'automatic',
  define: { 'process.env.NODE_ENV': '"production"' },
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
  plugins: [withoutFonts],
});

fs.writeFileSync(path.join(out, 'LICENSES.txt'), licenses(result.metafile));

/** The licences of all packages that something in the bundle comes from. */
function licenses(metafile) {
  const allowed = new Set(['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'Apache-2.0']);
  const directories = new Set();
  for (const output of Object.values(metafile.outputs)) {
    for (const [file, { bytesInOutput }] of Object.entries(output.inputs)) {
      const match = file.match(/^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//);
      if (match && bytesInOutput > 0) directories.add(match[1]);
    }
  }
  const parts = ['Third-party software in app.js and app.css\n'];
  const packages = [...directories].map(dir => ({ dir, ...JSON.parse(fs.readFileSync(path.join(here, dir, 'package.json'), 'utf8')) }));
  packages.sort((a, b) => (a.name + a.version < b.name + b.version ? -1 : 1));
  for (const p of packages) {
    if (!allowed.has(p.license)) throw new Error(`${p.name} ${p.version}: the licence ${p.license} is not on the list in build.mjs`);
    parts.push(`${'='.repeat(78)}\n${p.name} ${p.version} (${p.license})\n\n${licenseText(p)}\n`);
  }
  return parts.join('\n');
}

/** The text that a package ships, or the one that licenses/ has for it. */
function licenseText(p) {
  const shipped = fs.readdirSync(path.join(here, p.dir)).find(f => /^licen[cs]e/i.test(f));
  const file = shipped ? path.join(p.dir, shipped) : path.join('licenses', `${p.name.replace('/', '__')}.txt`);
  try {
    return fs.readFileSync(path.join(here, file), 'utf8').replaceAll('\r\n', '\n').trim();
  } catch {
    throw new Error(`${p.name} ${p.version} ships no licence text: add its upstream's as ${file}`);
  }
}
