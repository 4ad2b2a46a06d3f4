/** The commands of the palette, and what this client does with the commands of the server's lenses and actions. */
import { commands, Disposable, languages, QuickPickItem, TextDocument, Uri, window, workspace } from 'vscode';
import { starter } from './starter';
import { Pages } from './pages';
import { Checked, count, Estimate, VerdictKind } from './protocol';
import { runRecipe } from './run';
import { Server } from './server';

const SOURCE = 'recipeforge';
const CODE = /^RF\d+$/;
const MARKS: Record<VerdictKind, string> = { valid: '$(pass)', incomplete: '$(circle-outline)', conflicting: '$(error)', undecided: '$(question)', unreadable: '$(bracket-error)' };

/** Register every command; they start the server when they need it. */
export function registerCommands(server: Server, pages: Pages): Disposable {
    interceptLenses(server, pages);
    const registered: Record<string, (argument?: unknown) => unknown> = {
        'recipeforge.checkWorkspace': () => checkWorkspace(server),
        'recipeforge.makeItRun': argument => onRecipe(argument, uri => server.ask('forge.makeItRun', uri.toString())),
        'recipeforge.runRecipe': argument => onRecipe(argument, uri => runRecipe(server, uri)),
        'recipeforge.showEstimate': argument => onRecipe(argument, async uri => showEstimate(pages, await server.ask('forge.estimate', uri.toString()))),
        'recipeforge.showEvidence': argument => showEvidence(server, pages, argument),
        'recipeforge.restartServer': () => server.restart('always'),
        'recipeforge.newRecipe': newRecipe,
        'recipeforge.showMenu': showMenu,
    };
    return Disposable.from(...Object.entries(registered).map(([name, run]) => commands.registerCommand(name, run)));
}

function interceptLenses(server: Server, pages: Pages): void {
    server.interceptors.set('forge.run', args => onRecipe(args[0], uri => runRecipe(server, uri)));
    server.interceptors.set('forge.estimate', async (_args, ask) => showEstimate(pages, (await ask()) as Estimate));
    server.interceptors.set('forge.explain', async (args, ask) => showPage(pages, String(args[0]), (await ask()) as string | null));
    server.interceptors.set('forge.checkWorkspace', async (_args, ask) => showChecked((await ask()) as Checked[]));
}

/** Call with the recipe that is meant: the argument of a lens or a menu, or the document in front. */
async function onRecipe(argument: unknown, act: (uri: Uri) => Promise<unknown>): Promise<unknown> {
    const uri = typeof argument === 'string' ? Uri.parse(argument) : argument instanceof Uri ? argument : activeRecipe()?.uri;
    if (uri === undefined) {
        void window.showInformationMessage('Open a recipe first: a YAML file with the key recipeforge.');
        return undefined;
    }
    return act(uri);
}

function activeRecipe(): TextDocument | undefined {
    const document = window.activeTextEditor?.document;
    return document && ['recipeforge', 'yaml'].includes(document.languageId) ? document : undefined;
}

async function checkWorkspace(server: Server): Promise<void> {
    const checked = await server.ask<Checked[]>('forge.checkWorkspace');
    if (checked) {
        await showChecked(checked);
    }
}

async function showChecked(checked: Checked[]): Promise<void> {
    if (checked.length === 0) {
        void window.showInformationMessage('This workspace has no recipes: no recipe.yaml, no *.recipe.yaml, no YAML file with the key recipeforge.');
        return;
    }
    const items = checked.map(one => ({
        label: `${MARKS[one.verdict ?? 'undecided']} ${workspace.asRelativePath(Uri.parse(one.uri))}`,
        description: [one.verdict, one.errors && count(one.errors, 'error'), one.warnings && count(one.warnings, 'warning')].filter(Boolean).join(', '),
        uri: Uri.parse(one.uri),
    }));
    const bad = checked.filter(one => one.verdict !== 'valid').length;
    const title = bad === 0 ? `${count(checked.length, 'recipe')}, all valid` : `${bad} of ${count(checked.length, 'recipe')} would not run`;
    const chosen = await window.showQuickPick(items, { title, placeHolder: 'Choose a recipe to open' });
    if (chosen) {
        await window.showTextDocument(chosen.uri);
    }
}

async function showEstimate(pages: Pages, estimate: Estimate | null | undefined): Promise<void> {
    if (estimate) {
        await pages.show('Memory', estimate.markdown);
    } else if (estimate === null) {
        void window.showInformationMessage('The memory of this recipe cannot be estimated: it names too little, or cannot be read.');
    }
}

/** Show the page of a rule: of the one that is named, of the finding under the cursor, or of one that is typed. */
async function showEvidence(server: Server, pages: Pages, argument: unknown): Promise<void> {
    const subject = typeof argument === 'string' ? argument : await subjectAtCursor();
    if (subject) {
        const markdown = await server.ask<string | null>('forge.explain', subject);
        if (markdown !== undefined) {
            await showPage(pages, subject, markdown);
        }
    }
}

async function showPage(pages: Pages, subject: string, markdown: string | null): Promise<void> {
    if (markdown === null) {
        void window.showWarningMessage(`recipeforge knows no rule or component ${subject}.`);
    } else {
        await pages.show(subject, markdown);
    }
}

async function subjectAtCursor(): Promise<string | undefined> {
    const editor = window.activeTextEditor;
    const found = editor ? findingsAt(editor.document, editor.selection.active.line) : [];
    if (found.length === 1) {
        return found[0]?.label;
    }
    if (found.length > 1) {
        return (await window.showQuickPick(found, { title: 'Evidence of which finding?' }))?.label;
    }
    return window.showInputBox({ title: 'Show the evidence', prompt: 'A rule (RF4001 or its name) or a component (flash-attention-2)' });
}

function findingsAt(document: TextDocument, line: number): QuickPickItem[] {
    const items = new Map<string, QuickPickItem>();
    for (const diagnostic of languages.getDiagnostics(document.uri).filter(one => one.source === SOURCE)) {
        const code = typeof diagnostic.code === 'object' ? String(diagnostic.code.value) : String(diagnostic.code);
        if (CODE.test(code) && diagnostic.range.start.line <= line && line <= diagnostic.range.end.line) {
            items.set(code, { label: code, description: diagnostic.message.split('\n', 1)[0] ?? '' });
        }
    }
    return [...items.values()];
}

async function newRecipe(): Promise<void> {
    await window.showTextDocument(await workspace.openTextDocument({ language: 'recipeforge', content: starter }));
}

async function showMenu(): Promise<void> {
    const entries = [
        { label: '$(wand) Make it run', description: 'apply the best repair of the whole recipe', command: 'recipeforge.makeItRun' },
        { label: '$(play) Run', description: 'train it in a terminal', command: 'recipeforge.runRecipe' },
        { label: '$(graph) Memory', description: 'the estimate, term by term', command: 'recipeforge.showEstimate' },
        { label: '$(book) Evidence', description: 'of the finding under the cursor', command: 'recipeforge.showEvidence' },
        { label: '$(checklist) Check the workspace', description: 'all its recipes', command: 'recipeforge.checkWorkspace' },
        { label: '$(warning) Problems', description: 'the list of findings', command: 'workbench.actions.view.problems' },
        { label: '$(debug-restart) Restart the server', description: '', command: 'recipeforge.restartServer' },
    ];
    const chosen = await window.showQuickPick(entries, { title: 'recipeforge' });
    if (chosen) {
        await commands.executeCommand(chosen.command);
    }
}
