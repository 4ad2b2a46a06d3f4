import * as assert from 'node:assert/strict';
import { commands, CompletionList, extensions, Hover, MarkdownString, Position, TextDocument, Uri, window, workspace } from 'vscode';
import type { Api } from '../extension';
import { codeOf, eventually, ours, pause, test } from './harness';

export function file(name: string): Uri {
    return Uri.joinPath(workspace.workspaceFolders![0]!.uri, name);
}

export async function open(name: string): Promise<TextDocument> {
    const document = await workspace.openTextDocument(file(name));
    await window.showTextDocument(document);
    return document;
}

export function at(document: TextDocument, text: string): Position {
    const offset = document.getText().indexOf(text);
    assert.ok(offset >= 0, `${text} is not in the document`);
    return document.positionAt(offset + 1);
}

export async function api(): Promise<Api> {
    const extension = extensions.getExtension<Api>('recipeforge.recipeforge');
    assert.ok(extension, 'the extension is not installed');
    return extension.activate();
}

test('other YAML alone starts no server', async say => {
    await open('deploy.yaml');
    const known = await api();
    await pause(1000);
    say(`server: ${known.serverCommand()?.join(' ') ?? 'none'}`);
    assert.equal(known.serverCommand(), undefined);
});

test('a recipe has its own language, and its finding comes exactly once', async say => {
    const document = await open('recipe.yaml');
    assert.equal(document.languageId, 'recipeforge');
    await eventually('the diagnostic', () => ours(document.uri).length > 0);
    await pause(1500); // a double would come late
    const found = ours(document.uri);
    for (const one of found) {
        say(`${codeOf(one)} ${one.range.start.line + 1}:${one.range.start.character + 1} ${one.message}`);
    }
    assert.deepEqual(found.map(codeOf), ['RF4001']);
    const [finding] = found;
    assert.equal(document.getText(finding!.range), 'flash-attention-2');
    assert.ok(typeof finding!.code === 'object' && /^https?:|^file:/.test(finding!.code.target.toString()), 'the code has no link');
    say(`related: ${finding!.relatedInformation?.map(one => `${one.location.range.start.line + 1} ${one.message}`).join('; ')}`);
    assert.ok((finding!.relatedInformation ?? []).length > 0, 'the other participant is not named');
});

test('the server was found without a setting', async say => {
    const command = (await api()).serverCommand();
    say(String(command?.join(' ')));
    assert.equal(command?.at(-1), 'lsp');
});

test('verdict and memory are in the status bar', async say => {
    const known = await api();
    await open('recipe.yaml');
    const status = await eventually('the status', () => known.status(file('recipe.yaml')));
    say(known.statusBarText());
    assert.equal(status.verdict, 'conflicting');
    assert.equal(status.errors, 1);
    assert.match(known.statusBarText(), /conflicting, 1 error/);
});

test('a YAML file with the key becomes a recipe, other YAML is left alone', async say => {
    const recipe = await open('train.yaml');
    await eventually('its language', () => workspace.textDocuments.find(one => one.uri.path.endsWith('train.yaml') && one.languageId === 'recipeforge'));
    await eventually('its diagnostic', () => ours(recipe.uri).length > 0);
    assert.deepEqual(ours(recipe.uri).map(codeOf), ['RF4001']);
    const other = await open('deploy.yaml');
    await pause(1500);
    say(`${other.uri.path.split('/').at(-1)} is ${other.languageId}, with ${ours(other.uri).length} findings`);
    assert.notEqual(other.languageId, 'recipeforge');
    assert.deepEqual(ours(other.uri), []);
});

test('hover shows the quote and its link', async say => {
    const document = await open('recipe.yaml');
    const hovers = await commands.executeCommand<Hover[]>('vscode.executeHoverProvider', document.uri, at(document, 'flash-attention-2'));
    const text = hovers.flatMap(hover => hover.contents).map(part => (part instanceof MarkdownString ? part.value : String(part))).join('\n');
    say(text);
    assert.match(text, /FlashAttention only supports Ampere GPUs or newer/);
    assert.match(text, /\]\(https:\/\/github\.com\/Dao-AILab\/flash-attention/);
});

test('completion offers what fits first and says why the rest does not', async say => {
    const document = await open('recipe.yaml');
    const place = at(document, 'flash-attention-2');
    const list = await commands.executeCommand<CompletionList>('vscode.executeCompletionItemProvider', document.uri, place, undefined, 20);
    const items = [...list.items].sort((a, b) => (a.sortText ?? label(a)).localeCompare(b.sortText ?? label(b)));
    const names = items.map(label);
    say(items.map(item => `${label(item)} — ${item.detail ?? ''}`).join('\n'));
    assert.ok(names.includes('sdpa') && names.includes('flash-attention-3'), `no attention kernels in ${names.join(', ')}`);
    assert.ok(names.indexOf('sdpa') < names.indexOf('flash-attention-3'), 'a blocked kernel comes before one that fits');
});

function label(item: { label: string | { label: string } }): string {
    return typeof item.label === 'string' ? item.label : item.label.label;
}

test('lenses say the verdict and offer to run', async say => {
    const document = await open('recipe.yaml');
    const lenses = await commands.executeCommand<{ command?: { title: string; command: string } }[]>('vscode.executeCodeLensProvider', document.uri, 20);
    const titles = lenses.map(lens => `${lens.command?.title} [${lens.command?.command}]`);
    say(titles.join(' | '));
    assert.match(titles.join('\n'), /conflicting/);
    assert.match(titles.join('\n'), /forge\.makeItRun/);
});
