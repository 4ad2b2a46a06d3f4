import * as assert from 'node:assert/strict';
import { commands, ConfigurationTarget, ProcessExecution, Task, tasks, window, workspace } from 'vscode';
import { api, file, open } from './opening.test';
import { codeOf, eventually, ours, pause, test } from './harness';

test('every command of the palette is there', async () => {
    const known = await commands.getCommands(true);
    for (const name of ['checkWorkspace', 'makeItRun', 'runRecipe', 'showEvidence', 'showEstimate', 'restartServer', 'newRecipe', 'showMenu']) {
        assert.ok(known.includes(`recipeforge.${name}`), name);
    }
});

test('a new recipe is valid as it comes', async say => {
    await commands.executeCommand('recipeforge.newRecipe');
    const document = window.activeTextEditor!.document;
    const status = await eventually('its verdict', async () => (await api()).status(document.uri));
    say(`${(await api()).statusBarText()}; ${ours(document.uri).map(one => `${codeOf(one)} ${one.message}`).join('; ')}`);
    assert.equal(status.verdict, 'valid');
    assert.equal(ours(document.uri).length, 0);
});

test('checking the workspace finds recipes that are not open', async say => {
    await commands.executeCommand('workbench.action.closeAllEditors');
    let over = false;
    void commands.executeCommand('recipeforge.checkWorkspace').then(() => (over = true));
    await eventually('findings in a closed file', () => ours(file('closed.recipe.yaml')).length > 0);
    say(`closed.recipe.yaml: ${ours(file('closed.recipe.yaml')).map(codeOf).join(' ')}`);
    await eventually('an end of the list of verdicts', async () => {
        await commands.executeCommand('workbench.action.closeQuickOpen');
        return over;
    });
    assert.deepEqual(ours(file('deploy.yaml')), []);
    const document = await open('closed.recipe.yaml');
    await pause(1500); // what was pushed for the closed file, and what is pulled for the open one
    say(`opened: ${ours(document.uri).map(codeOf).join(' ')}`);
    assert.deepEqual(ours(document.uri).map(codeOf), ['RF4001'], 'a file that is opened after the workspace was checked shows its findings twice');
});

test('evidence and memory open as pages', async say => {
    await open('closed.recipe.yaml');
    await commands.executeCommand('recipeforge.showEvidence', 'RF4001');
    await commands.executeCommand('recipeforge.showEstimate');
    const pages = () => window.tabGroups.all.flatMap(group => group.tabs).map(tab => tab.label);
    await eventually('a preview', () => pages().some(label => label.includes('Memory')));
    say(pages().join(', '));
    const page = workspace.textDocuments.filter(one => one.uri.scheme === 'recipeforge-page').map(one => one.getText());
    say(page.join('\n---\n'));
});

test('a run is a task with the command line of the same recipeforge, and a broken recipe is refused', async say => {
    await open('closed.recipe.yaml');
    let task: Task | undefined;
    const started = tasks.onDidStartTask(event => (task = event.execution.task));
    const ended = new Promise<number | undefined>(resolve => tasks.onDidEndTaskProcess(event => resolve(event.exitCode)));
    await commands.executeCommand('recipeforge.runRecipe');
    const code = await ended;
    started.dispose();
    const execution = task?.execution as ProcessExecution;
    say(`${execution.process} ${execution.args.join(' ')} → ${code}`);
    assert.equal(execution.args.at(-2), 'run');
    assert.ok(execution.args.at(-1)?.endsWith('closed.recipe.yaml'));
    assert.equal(code, 1);
});

test('settings reach the server at once: an ignored rule, another GPU', async say => {
    const document = await open('closed.recipe.yaml');
    const settings = workspace.getConfiguration('recipeforge', document.uri);
    await eventually('the diagnostic', () => ours(document.uri).length > 0);
    try {
        await settings.update('ignore', ['RF4001'], ConfigurationTarget.Workspace);
        await eventually('silence', () => ours(document.uri).length === 0);
        await settings.update('ignore', undefined, ConfigurationTarget.Workspace);
        await eventually('the diagnostic again', () => ours(document.uri).length > 0);
        await settings.update('gpu', 'a100-80gb', ConfigurationTarget.Workspace);
        await eventually('silence on an A100', () => ours(document.uri).length === 0);
    } finally {
        await settings.update('ignore', undefined, ConfigurationTarget.Workspace);
        await settings.update('gpu', undefined, ConfigurationTarget.Workspace);
    }
    await eventually('the diagnostic on a T4', () => ours(document.uri).length > 0);
    say('ignored, reported, silent on an A100, reported');
});
