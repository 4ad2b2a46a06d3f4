/** What to say and do when there is no server: say where was looked, and offer to install it. */
import { commands, ShellExecution, ShellQuotedString, ShellQuoting, Task, tasks, TaskScope, window } from 'vscode';
import { Missing } from './discovery';

const PACKAGE = 'recipeforge[lsp]';
let shown = false;

/** Tell once at a time, with a button that installs; `retry` after that, or when asked. */
export function offerInstallation(missing: Missing, retry: () => Promise<void>): void {
    if (shown) {
        return;
    }
    shown = true;
    const install = 'Install with pip';
    const choose = 'Set the command';
    const again = 'Try again';
    const message = `recipeforge's language server was not found: ${missing.looked.join('; ')}. Install it with: pip install '${PACKAGE}'`;
    void window.showErrorMessage(message, install, choose, again).then(async answer => {
        shown = false;
        if (answer === install) {
            await installWithPip(missing.python ?? (process.platform === 'win32' ? 'python' : 'python3'), retry);
        } else if (answer === choose) {
            await commands.executeCommand('workbench.action.openSettings', 'recipeforge.server.command');
        } else if (answer === again) {
            await retry();
        }
    });
}

async function installWithPip(python: string, retry: () => Promise<void>): Promise<void> {
    const quoted = (value: string): ShellQuotedString => ({ value, quoting: ShellQuoting.Strong });
    const shell = new ShellExecution(quoted(python), ['-m', 'pip', 'install', quoted(PACKAGE)]);
    const task = new Task({ type: 'recipeforge-install' }, TaskScope.Workspace, `install ${PACKAGE}`, 'recipeforge', shell);
    const execution = await tasks.executeTask(task);
    const listener = tasks.onDidEndTaskProcess(async end => {
        if (end.execution === execution) {
            listener.dispose();
            if (end.exitCode === 0) {
                await retry();
            }
        }
    });
}
