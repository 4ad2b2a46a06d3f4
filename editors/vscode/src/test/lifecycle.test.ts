import * as assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { commands, ConfigurationTarget, Range, workspace, WorkspaceEdit } from 'vscode';
import { api, open } from './opening.test';
import { codeOf, eventually, ours, pause, test } from './harness';

/** The server's process: the child of this extension host that was started with `lsp`. */
function serverPid(): number | undefined {
    const lines = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)], { encoding: 'utf8' }).split('\n');
    const line = lines.find(one => /recipeforge.* lsp\s*$/.test(one));
    return line === undefined ? undefined : Number.parseInt(line.trim(), 10);
}

test('a server that is killed in the middle of an edit comes back and knows the text', async say => {
    const document = await open('killed.recipe.yaml');
    await eventually('the diagnostic', () => ours(document.uri).length > 0);
    const killed = serverPid();
    assert.ok(killed, 'no server process found');
    const edit = new WorkspaceEdit();
    edit.insert(document.uri, document.positionAt(0), '# typed before the end\n');
    assert.ok(await workspace.applyEdit(edit));
    process.kill(killed, 'SIGKILL');
    const typed = new WorkspaceEdit();
    typed.insert(document.uri, document.positionAt(0), '# typed after it\n');
    assert.ok(await workspace.applyEdit(typed));
    const next = await eventually('another server', () => { const pid = serverPid(); return pid !== killed && pid; });
    const finding = await eventually('the diagnostic on its new line', () => ours(document.uri).find(one => document.getText(one.range) === 'flash-attention-2'));
    const fix = new WorkspaceEdit();
    fix.replace(document.uri, new Range(finding.range.start, finding.range.end), 'sdpa');
    assert.ok(await workspace.applyEdit(fix));
    await eventually('the new server to see the cure', async () => (await api()).status(document.uri)?.verdict === 'valid');
    say(`server ${killed} was killed, ${next} took over`);
});

test('restarting by command leaves each finding once', async say => {
    const document = await open('closed.recipe.yaml');
    const before = serverPid();
    await commands.executeCommand('recipeforge.restartServer');
    const after = await eventually('another process', () => { const pid = serverPid(); return pid !== before && pid; });
    await eventually('the diagnostic', () => ours(document.uri).length > 0);
    await pause(1000);
    say(`server ${before}, then ${after}; ${ours(document.uri).map(codeOf).join(' ')}`);
    assert.deepEqual(ours(document.uri).map(codeOf), ['RF4001']);
});

test('a command line that is no server is told, and the right one works again', async say => {
    const document = await open('closed.recipe.yaml');
    const settings = workspace.getConfiguration('recipeforge');
    try {
        for (const command of [['/nowhere/recipeforge', 'lsp'], ['sh', '-c', 'echo the package pygls is missing >&2; exit 2', 'lsp']]) {
            await settings.update('server.command', command, ConfigurationTarget.Global);
            await eventually(`a status bar that says that ${command[0]} is no server`, async () => (await api()).statusBarText().includes('no server'));
            say(`${command.join(' ')}: ${(await api()).statusBarText()}`);
        }
    } finally {
        await settings.update('server.command', undefined, ConfigurationTarget.Global);
    }
    await eventually('the diagnostic', () => ours(document.uri).length > 0);
    say((await api()).statusBarText());
});
