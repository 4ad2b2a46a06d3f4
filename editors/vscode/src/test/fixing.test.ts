import * as assert from 'node:assert/strict';
import { CodeAction, commands, EndOfLine, Range, TextDocument, window, workspace, WorkspaceEdit } from 'vscode';
import { api, at, file, open } from './opening.test';
import { codeOf, eventually, ours, test } from './harness';

async function actions(document: TextDocument, text: string): Promise<CodeAction[]> {
    const place = at(document, text);
    return commands.executeCommand<CodeAction[]>('vscode.executeCodeActionProvider', document.uri, new Range(place, place));
}

test('the preferred quick fix makes the recipe valid and keeps its comments', async say => {
    const document = await open('recipe.yaml');
    await eventually('the diagnostic', () => ours(document.uri).length > 0);
    const offered = await actions(document, 'flash-attention-2');
    say(offered.map(action => `${action.title} [${action.kind?.value}]${action.isPreferred ? ' preferred' : ''}`).join('\n'));
    const preferred = offered.filter(action => action.isPreferred);
    assert.equal(preferred.length, 1, 'not exactly one preferred fix');
    assert.match(preferred[0]!.title, /SDPA/);
    assert.ok(offered.some(action => action.title.includes('Ignore RF4001')), 'no action ignores the rule');
    const before = document.getText();
    const began = Date.now();
    assert.ok(await workspace.applyEdit(preferred[0]!.edit!));
    await eventually('no diagnostic', () => ours(document.uri).length === 0);
    say(`edit to cleared diagnostic: ${Date.now() - began} ms`);
    assert.equal(document.getText(), before.replace('flash-attention-2', 'sdpa'));
    await eventually('the verdict', async () => (await api()).status(document.uri)?.verdict === 'valid');
    assert.ok(await document.save());
});

test('ignoring a rule on its line silences it there', async say => {
    const document = await open('ignored.recipe.yaml');
    await eventually('the diagnostic', () => ours(document.uri).length > 0);
    const ignore = (await actions(document, 'flash-attention-2')).find(action => action.title.includes('Ignore RF4001'));
    assert.ok(await workspace.applyEdit(ignore!.edit!));
    await eventually('no diagnostic', () => !ours(document.uri).some(one => codeOf(one) === 'RF4001'));
    say(document.lineAt(at(document, 'flash-attention-2').line).text);
    assert.match(document.getText(), /forge: ignore\[RF4001\]/);
});

test('Make it run repairs the whole recipe in one edit', async say => {
    const document = await open('qlora.recipe.yaml');
    await eventually('several findings', () => ours(document.uri).length > 1);
    say(`before: ${ours(document.uri).map(codeOf).join(' ')}`);
    const before = document.getText();
    await commands.executeCommand('recipeforge.makeItRun');
    await eventually('a valid recipe', async () => (await api()).status(document.uri)?.verdict === 'valid');
    say(document.getText());
    for (const comment of before.match(/#.*/g) ?? []) {
        assert.ok(document.getText().includes(comment), `lost: ${comment}`);
    }
    await commands.executeCommand('undo');
    assert.equal(document.getText(), before, 'one undo does not take all of it back');
});

test('an untitled recipe is judged and fixed', async () => {
    const text = Buffer.from(await workspace.fs.readFile(file('closed.recipe.yaml'))).toString();
    const document = await workspace.openTextDocument({ language: 'recipeforge', content: text });
    await window.showTextDocument(document);
    await eventually('the diagnostic', () => ours(document.uri).length > 0);
    const preferred = (await actions(document, 'flash-attention-2')).find(action => action.isPreferred);
    assert.ok(await workspace.applyEdit(preferred!.edit!));
    await eventually('no diagnostic', () => ours(document.uri).length === 0);
});

test('astral characters and CRLF do not shift what is underlined', async say => {
    const { status } = await api();
    let said = '';
    const plain = Buffer.from(await workspace.fs.readFile(file('closed.recipe.yaml'))).toString();
    const document = await workspace.openTextDocument({ language: 'recipeforge', content: plain.replace('attention: flash', '"attention": flash').replace('name: support-bot', 'name: "🔥𝔣𝔬𝔯𝔤𝔢"') });
    const editor = await window.showTextDocument(document);
    await editor.edit(edit => edit.setEndOfLine(EndOfLine.CRLF));
    const edit = new WorkspaceEdit();
    edit.insert(document.uri, document.positionAt(0), '# 🔥 𝔣\n');
    assert.ok(await workspace.applyEdit(edit));
    const finding = await eventually('the diagnostic', () => {
        const found = ours(document.uri);
        said = found.map(one => `${codeOf(one)} under ${JSON.stringify(document.getText(one.range))}`).join('; ');
        return found.find(one => document.getText(one.range) === 'flash-attention-2');
    }).catch((error: unknown) => {
        throw new Error(`${String(error)}; there was: ${said || 'nothing'}; status ${JSON.stringify(status(document.uri))}, version ${document.version}`);
    });
    say(`${codeOf(finding)} at ${finding.range.start.line + 1}:${finding.range.start.character + 1}`);
});
