/** Runs of recipes, as tasks in a terminal; at the end the ledger's id is said. */
import { execFile } from 'node:child_process';
import * as path from 'node:path';
import { Disposable, ProcessExecution, Task, TaskGroup, TaskPanelKind, TaskProvider, TaskRevealKind, tasks, TaskScope, Uri, window, workspace } from 'vscode';
import { Found, sibling } from './discovery';
import { Server } from './server';

const TYPE = 'recipeforge';
const LEDGER_TIMEOUT_MS = 20_000;

/** The runs that the ledger lists, as `recipeforge runs list --format json` says them. */
interface Ledger {
    runs: { id: string; name: string; state: string }[];
}

/** Save the recipe and run it in a terminal; undefined when it cannot be run from here. */
export async function runRecipe(server: Server, uri: Uri): Promise<void> {
    const document = workspace.textDocuments.find(open => open.uri.toString() === uri.toString());
    if (uri.scheme !== 'file') {
        void window.showWarningMessage('Save the recipe to a file first: a run writes its results beside it.');
        return;
    }
    if (document?.isDirty && !(await document.save())) {
        return;
    }
    await server.start('always');
    if (server.found === undefined) {
        return;
    }
    const before = await lastRun(server.found, folderOf(uri));
    const execution = await tasks.executeTask(taskFor(server.found, uri));
    const listener = tasks.onDidEndTaskProcess(async end => {
        if (end.execution === execution && server.found !== undefined) {
            listener.dispose();
            await sayWhichRun(server.found, uri, before);
        }
    });
}

/** Offer the run of the active recipe among the tasks, and run those that `tasks.json` names. */
export function provideTasks(server: Server): Disposable {
    const provider: TaskProvider = {
        provideTasks: () => {
            const active = window.activeTextEditor?.document;
            return active?.languageId === 'recipeforge' && active.uri.scheme === 'file' && server.found ? [taskFor(server.found, active.uri)] : [];
        },
        resolveTask: task => {
            const recipe: unknown = task.definition['recipe'];
            const folder = typeof task.scope === 'object' ? task.scope.uri : workspace.workspaceFolders?.[0]?.uri;
            if (typeof recipe !== 'string' || folder === undefined || server.found === undefined) {
                return undefined;
            }
            return taskFor(server.found, Uri.joinPath(folder, recipe), task);
        },
    };
    return tasks.registerTaskProvider(TYPE, provider);
}

function taskFor(found: Found, uri: Uri, asked?: Task): Task {
    const file = uri.fsPath;
    const [program, ...args] = sibling(found, 'run', file) as [string, ...string[]];
    const definition = asked?.definition ?? { type: TYPE, recipe: workspace.asRelativePath(uri, false) };
    const scope = workspace.getWorkspaceFolder(uri) ?? TaskScope.Workspace;
    const task = new Task(definition, scope, `run ${path.basename(file)}`, TYPE, new ProcessExecution(program, args, { cwd: folderOf(uri) }));
    task.group = TaskGroup.Test;
    task.presentationOptions = { reveal: TaskRevealKind.Always, panel: TaskPanelKind.Dedicated, clear: true };
    return task;
}

/** The ledger lies in the folder that a run is started in: the workspace's, so that all its recipes share one. */
function folderOf(uri: Uri): string {
    return workspace.getWorkspaceFolder(uri)?.uri.fsPath ?? path.dirname(uri.fsPath);
}

async function sayWhichRun(found: Found, uri: Uri, before: string | undefined): Promise<void> {
    const cwd = folderOf(uri);
    const run = (await ledger(found, cwd))?.runs[0];
    if (run === undefined || run.id === before) {
        return; // refused before it began; the terminal says why
    }
    const look = 'Show the run';
    if ((await window.showInformationMessage(`Run ${run.id} of ${run.name} ${run.state}.`, look)) === look) {
        const [program, ...args] = sibling(found, 'runs', 'show', run.id) as [string, ...string[]];
        const execution = new ProcessExecution(program, args, { cwd });
        await tasks.executeTask(new Task({ type: TYPE }, TaskScope.Workspace, `show ${run.id}`, TYPE, execution));
    }
}

async function lastRun(found: Found, cwd: string): Promise<string | undefined> {
    return (await ledger(found, cwd))?.runs[0]?.id;
}

function ledger(found: Found, cwd: string): Promise<Ledger | undefined> {
    const [program, ...args] = sibling(found, 'runs', 'list', '--limit', '1', '--format', 'json') as [string, ...string[]];
    return new Promise(resolve => {
        execFile(program, args, { cwd, timeout: LEDGER_TIMEOUT_MS }, (error, stdout) => {
            try {
                resolve(error === null ? (JSON.parse(stdout) as Ledger) : undefined);
            } catch {
                resolve(undefined);
            }
        });
    });
}
