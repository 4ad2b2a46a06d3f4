// Bundle the extension with the licences of what is in it and its README, and with --tests also its in-host tests.
// The editor itself provides the module `vscode`.
import { build } from 'esbuild';
import { readdir, readFile, writeFile } from 'node:fs/promises';

const common = { bundle: true, platform: 'node', target: 'node20', format: 'cjs', external: ['vscode'], logLevel: 'warning' };

const { metafile } = await build({ ...common, entryPoints: ['src/extension.ts'], outfile: 'dist/extension.js', minify: true, legalComments: 'none', metafile: true });
await writeFile('dist/THIRD-PARTY.txt', await licences(Object.keys(metafile.inputs)));
const readme = await readFile('README.md', 'utf8');
await writeFile('dist/README.md', readme.replace(/^!\[.*\n\n/gm, '')); // an editor shows no pictures that lie in a package
if (process.argv.includes('--tests')) {
    await build({ ...common, entryPoints: ['src/test/index.ts'], outfile: 'out/test/index.js', sourcemap: 'inline' });
}

async function licences(inputs) {
    const packages = new Set(inputs.map(path => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[0]).filter(Boolean));
    const texts = [];
    for (const folder of [...packages].sort()) {
        const { name, version, license } = JSON.parse(await readFile(`${folder}/package.json`, 'utf8'));
        const file = (await readdir(folder)).find(entry => /^licen[cs]e/i.test(entry));
        texts.push(`${name} ${version} (${license})\n\n${file ? (await readFile(`${folder}/${file}`, 'utf8')).trim() : ''}`);
    }
    return `Software that is bundled in extension.js\n\n${texts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}
