// Use VS Code as a person does: open recipes, look, hover, choose a fix from the menu, complete. Take pictures, report what was there.
import { join } from 'node:path';
import { given, report, withPage } from './browser.mjs';

const SLOW = 30_000;
const SIZE = { width: 1120, height: 620 };
const seen = { problems: {} };

await withPage({ viewport: SIZE, deviceScaleFactor: given.scale }, async page => {
    const ui = workbench(page);
    try {
        await ui.start(given.workspace);
        await aBrokenRecipe(ui);
        await itsEvidence(ui);
        await itsFix(ui);
        await memory(ui);
        await otherKernels(ui);
        await severalFindings(ui);
        await whatIsMissing(ui);
        await makeItRun(ui);
        await noServer(ui);
    } catch (error) {
        seen.failure = String(error.stack ?? error);
        await page.screenshot({ path: given.failure });
    }
    report(seen);
});
process.exit();

async function aBrokenRecipe(ui) {
    await ui.open('recipe.yaml');
    await ui.page.waitForSelector('.squiggly-error', { timeout: SLOW });
    seen.squiggles = await ui.squiggled();
    await ui.page.waitForSelector('.codelens-decoration a', { timeout: SLOW });
    seen.lenses = await ui.lenses();
    seen.statusBar = await ui.statusBar(/conflicting/);
    await ui.page.waitForTimeout(1500); // a double would come late
    seen.problems.broken = await ui.problems();
}

async function itsEvidence(ui) {
    await ui.word('flash-attention-2').hover();
    await ui.page.waitForSelector('.monaco-hover:visible a[href^="http"]', { timeout: SLOW });
    await ui.page.waitForTimeout(600);
    const hover = ui.page.locator('.monaco-hover:visible').first();
    seen.hover = await hover.innerText();
    seen.links = await hover.locator('a').evaluateAll(links => links.map(link => link.dataset.href ?? link.href));
    await ui.picture('hover');
    const box = await hover.boundingBox();
    await ui.page.mouse.move(box.x + 120, box.y + box.height / 2, { steps: 12 });
    for (let tries = 0; tries < 20; tries += 1) { // down to the first quote
        const link = await hover.locator('a[href^="http"], a[data-href^="http"]').first().boundingBox();
        if (link && link.y + 90 < box.y + box.height) {
            break;
        }
        await ui.page.mouse.wheel(0, 120);
        await ui.page.waitForTimeout(150);
    }
    await ui.picture('evidence');
    await ui.page.keyboard.press('Escape');
}

async function itsFix(ui) {
    await ui.word('flash-attention-2').click();
    seen.menu = await ui.menu();
    await ui.page.keyboard.press('Enter');
    await ui.page.waitForFunction(() => !document.querySelector('.squiggly-error'), null, { timeout: SLOW });
    seen.fixedStatusBar = await ui.statusBar(/valid/);
    await ui.page.waitForFunction(() => [...document.querySelectorAll('.codelens-decoration a')].some(link => /valid/.test(link.innerText)), null, { timeout: SLOW });
    seen.fixedLenses = await ui.lenses();
    seen.problems.fixed = await ui.problems();
    await ui.page.keyboard.press('Control+s');
    await ui.page.waitForFunction(() => !document.querySelector('.tab.active.dirty'), null, { timeout: SLOW });
}

/** The lens with the estimate opens it, term by term, as a page beside the recipe. */
async function memory(ui) {
    await ui.clickLens('GiB');
    await ui.page.locator('.tab', { hasText: 'Memory' }).waitFor({ timeout: SLOW });
    for (let tries = 0; tries < 50 && !seen.memory; tries += 1) { // a preview is a frame within a frame, there some time after its tab
        await ui.page.waitForTimeout(200);
        const texts = await Promise.all(ui.page.frames().slice(1).map(frame => frame.locator('body').innerText().catch(() => '')));
        seen.memory = texts.find(text => text.includes('GiB'));
    }
    await ui.page.waitForTimeout(500);
    await ui.picture('memory');
    await ui.page.keyboard.press('Control+w');
    await ui.page.locator('.tab', { hasText: 'Memory' }).waitFor({ state: 'detached', timeout: SLOW });
}

/** In place of the kernel that fits: which others do, and why the rest do not. */
async function otherKernels(ui) {
    await ui.word('sdpa').dblclick();
    await ui.page.keyboard.press('Delete');
    seen.kernels = await ui.suggestions(true);
    await ui.page.keyboard.press('Escape');
    await ui.page.keyboard.press('Control+z');
    await ui.page.keyboard.press('Control+s');
}

async function severalFindings(ui) {
    await ui.open('qlora.recipe.yaml');
    await ui.page.waitForSelector('.squiggly-error', { timeout: SLOW });
    await ui.page.waitForSelector('.codelens-decoration a', { timeout: SLOW });
    seen.problems.qlora = await ui.problems();
    await ui.page.setViewportSize({ width: 1120, height: 720 });
    await ui.page.keyboard.press('Control+Shift+m');
    await ui.page.waitForTimeout(500);
    await ui.page.keyboard.press('Control+1'); // back to the editor, so that no row of the list is dark
    await ui.page.waitForTimeout(500);
    await ui.picture('diagnostic');
    await ui.page.keyboard.press('Control+j'); // closes the panel
    await ui.page.setViewportSize(SIZE);
    await ui.word('qlora').click();
    seen.repairs = await ui.menu();
    await ui.picture('menu');
    await ui.page.keyboard.press('Escape');
}

/** The key that a finding asks for, and the value that cures it, with the documentation beside the list. */
async function whatIsMissing(ui) {
    await ui.page.keyboard.press('Control+End');
    await ui.page.keyboard.type('quantization: ');
    await ui.page.keyboard.press('Escape');
    seen.quantizations = await ui.suggestions();
    const documentation = ui.page.locator('.suggest-details');
    if (!(await documentation.isVisible())) {
        await ui.page.keyboard.press('Control+Space'); // a second time shows the documentation
    }
    await documentation.waitFor({ timeout: SLOW });
    await ui.page.waitForTimeout(700);
    seen.documentation = await documentation.innerText();
    await ui.picture('completion');
    await ui.page.keyboard.press('Enter');
}

async function makeItRun(ui) {
    await ui.statusBar(/conflicting, 2 errors/); // the choice above has cured the third
    await ui.clickLens('Make it run');
    seen.madeToRun = await ui.statusBar(/valid/);
    seen.problems.madeToRun = await ui.problems();
}

async function noServer(ui) {
    await ui.start(given.bare);
    await ui.open('recipe.yaml');
    const toast = ui.page.locator('.notifications-toasts .notification-toast', { hasText: 'recipeforge' }).first();
    await toast.waitFor({ timeout: SLOW });
    seen.missing = (await toast.innerText()).replace(/\s+/g, ' ');
    seen.missingStatusBar = await ui.statusBar(/no server/);
}

function workbench(page) {
    return {
        page,
        async start(folder) {
            await page.goto(`${given.address}/?folder=${encodeURIComponent(folder)}`);
            await page.waitForSelector('.explorer-folders-view .monaco-list-row', { timeout: 90_000 });
            await page.keyboard.press('Control+b');
        },
        async open(name) {
            await page.keyboard.press('Control+p');
            await page.locator('.quick-input-widget input').first().fill(name);
            await page.locator('.quick-input-list .monaco-list-row', { hasText: name }).first().waitFor({ timeout: SLOW });
            await page.keyboard.press('Enter');
            await page.locator('.tab.active', { hasText: name }).waitFor({ timeout: SLOW });
        },
        word: text => page.locator('.view-line', { hasText: text }).locator('span', { hasText: text }).last(),
        async squiggled() {
            return page.locator('.squiggly-error').evaluateAll(marks => marks.map(mark => Math.round(mark.getBoundingClientRect().width)));
        },
        lenses: async () => (await page.locator('.codelens-decoration').allInnerTexts()).join(' | '),
        /** Lenses are drawn anew after every answer; `click()` would, besides, scroll the editor under its title. */
        async clickLens(text) {
            for (let tries = 0; tries < 50; tries += 1) {
                const box = await page.locator('.codelens-decoration a', { hasText: text }).first().boundingBox({ timeout: 1000 }).catch(() => null);
                if (box) {
                    await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
                    return;
                }
                await page.waitForTimeout(100);
            }
            throw new Error(`no lens says ${text}`);
        },
        async statusBar(wanted) {
            const item = page.locator('[id="recipeforge.recipeforge.recipeforge.status"], .statusbar-item', { hasText: wanted }).first();
            await item.waitFor({ timeout: SLOW });
            return (await item.innerText()).trim();
        },
        async problems() {
            await page.keyboard.press('Control+Shift+m');
            await page.locator('.markers-panel-container').waitFor({ timeout: SLOW });
            await page.waitForTimeout(500);
            const rows = await page.locator('.markers-panel-container .monaco-list-row').allInnerTexts();
            const texts = rows.map(text => text.replace(/\s+/g, ' ').trim()).filter(text => /RF\d+/.test(text)); // not the files' names, nor related places
            await page.keyboard.press('Control+Shift+m');
            await page.waitForTimeout(200);
            return texts;
        },
        /** Open the menu of fixes where the cursor is; return its lines. */
        async menu() {
            await page.keyboard.press('Control+.');
            await page.waitForSelector('.action-widget', { timeout: SLOW });
            await page.waitForTimeout(400);
            return (await page.locator('.action-widget .monaco-list-row').allInnerTexts()).map(line => line.trim()).filter(Boolean);
        },
        /** Return the lines that are offered; with `further`, those of the next page, too: the list shows a dozen at a time. */
        async suggestions(further = false) {
            await page.keyboard.press('Control+Space');
            await page.waitForSelector('.suggest-widget.visible .monaco-list-row', { timeout: SLOW });
            const found = new Set();
            for (const key of further ? ['', 'PageDown', 'PageDown'] : ['']) {
                if (key) await page.keyboard.press(key);
                await page.waitForTimeout(500);
                const shown = await page.locator('.suggest-widget .monaco-list-row').allInnerTexts();
                shown.forEach(text => found.add(text.replace(/\s+/g, ' ').trim()));
            }
            return [...found];
        },
        picture: name => page.screenshot({ path: join(given.pictures, `${name}.png`) }),
    };
}
