// Open VS Code in a way that makes it run the extension's tests in its extension host, and leave with their status.
import { given, withPage } from './browser.mjs';

const remote = path => `vscode-remote://${new URL(given.address).host}${path}`;
const payload = [
    ['extensionDevelopmentPath', remote(given.extension)],
    ['extensionTestsPath', remote(`${given.extension}/out/test/index.js`)],
    ['skipWelcome', 'true'],
];

await withPage({ viewport: { width: 1280, height: 800 } }, async page => {
    const ended = new Promise(resolve => {
        void page.exposeFunction('codeAutomationLog', (kind, args) => console.log(`[${kind}]`, ...[args].flat()));
        void page.exposeFunction('codeAutomationExit', code => resolve(code));
    });
    await page.goto(`${given.address}/?folder=${encodeURIComponent(given.workspace)}&payload=${encodeURIComponent(JSON.stringify(payload))}`);
    const code = await Promise.race([ended, new Promise(resolve => setTimeout(() => resolve('timeout'), given.seconds * 1000))]);
    if (code !== 0) {
        await page.screenshot({ path: given.screenshot });
    }
    console.log(`exit ${code}`);
    process.exitCode = code === 0 ? 0 : 1;
});
process.exit();
