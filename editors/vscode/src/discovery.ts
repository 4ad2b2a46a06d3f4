/** Where the server is: the setting, the selected Python interpreter, PATH, a virtual environment in the workspace. */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import * as path from 'node:path';
import { Uri, workspace } from 'vscode';
import { selectedPython } from './python';
import { explicitCommand } from './settings';

/** A command line for the server, and who named it. */
export interface Found {
    readonly words: readonly string[];
    readonly origin: string;
}

/** Every place that was looked at, in order, with what was wrong there. */
export interface Missing {
    readonly looked: readonly string[];
    readonly python: string | undefined;
}

const WINDOWS = process.platform === 'win32';
const PROBE = 'import importlib.util as u, sys; sys.exit(3 if not u.find_spec("recipeforge") else 4 if not u.find_spec("pygls") else 0)';
const PROBE_TIMEOUT_MS = 10_000;

/** Find the server; without a workspace's trust, nothing that lies in the workspace is run. */
export async function findServer(scope?: Uri): Promise<Found | Missing> {
    const explicit = explicitCommand();
    if (explicit.length > 0) {
        return { words: explicit, origin: 'the setting recipeforge.server.command' };
    }
    const looked: string[] = [];
    const python = await selectedPython(scope);
    if (python !== undefined) {
        const problem = await probe(python);
        if (problem === undefined) {
            return { words: [python, '-m', 'recipeforge', 'lsp'], origin: 'the selected Python interpreter' };
        }
        looked.push(`the selected interpreter ${python} ${problem}`);
    }
    const program = await onPath('recipeforge');
    if (program !== undefined) {
        return { words: [program, 'lsp'], origin: 'PATH' };
    }
    looked.push('recipeforge is not on PATH');
    const local = await inVirtualEnvironment();
    if (local !== undefined) {
        return { words: [local, 'lsp'], origin: "the workspace's virtual environment" };
    }
    looked.push(workspace.isTrusted ? 'the workspace has no .venv with it' : 'this workspace is not trusted, so its .venv was not looked at');
    return { looked, python };
}

/** Return the command line of another subcommand of the same recipeforge, such as `run`. */
export function sibling(found: Found, ...subcommand: string[]): string[] {
    const at = found.words.lastIndexOf('lsp');
    return [...(at > 0 ? found.words.slice(0, at) : ['recipeforge']), ...subcommand];
}

function probe(python: string): Promise<string | undefined> {
    return new Promise(resolve => {
        execFile(python, ['-c', PROBE], { timeout: PROBE_TIMEOUT_MS }, error => {
            if (error === null) {
                resolve(undefined);
            } else if (error.code === 4) {
                resolve('has recipeforge without its language server');
            } else {
                resolve(error.code === 3 ? 'has no recipeforge' : 'cannot be run');
            }
        });
    });
}

async function onPath(program: string): Promise<string | undefined> {
    const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter(folder => path.isAbsolute(folder));
    return firstProgram(folders.map(folder => path.join(folder, program)));
}

async function inVirtualEnvironment(): Promise<string | undefined> {
    if (!workspace.isTrusted) {
        return undefined;
    }
    const folders = (workspace.workspaceFolders ?? []).filter(folder => folder.uri.scheme === 'file');
    return firstProgram(folders.map(folder => path.join(folder.uri.fsPath, '.venv', WINDOWS ? 'Scripts' : 'bin', 'recipeforge')));
}

async function firstProgram(candidates: string[]): Promise<string | undefined> {
    for (const candidate of candidates) {
        for (const ending of WINDOWS ? ['.exe', '.cmd'] : ['']) {
            try {
                await access(candidate + ending, constants.X_OK);
                return candidate + ending;
            } catch {
                // not here; the next place
            }
        }
    }
    return undefined;
}
