// What both browser scripts need: what they were given, a page, and a report.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

export const given = JSON.parse(process.argv[2]);

const QUIET = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];

/** Open a page in headless Chromium; close everything after the work, whatever comes of it. */
export async function withPage(options, work) {
    const { chromium } = createRequire(given.require)('playwright-core');
    const browser = await chromium.launch({ executablePath: given.chromium, args: QUIET });
    try {
        await work(await browser.newPage(options));
    } finally {
        await browser.close();
    }
}

export function report(value) {
    writeFileSync(given.report, JSON.stringify(value, undefined, 1));
}
