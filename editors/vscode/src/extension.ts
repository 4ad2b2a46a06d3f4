/** The entry: everything is made here, tied together, and thrown away at the end. */
import { ExtensionContext, Uri, window, workspace } from 'vscode';
import { registerCommands } from './commands';
import { askAgainForLostFindings } from './lostFindings';
import { Pages } from './pages';
import { Status } from './protocol';
import { onPythonChange } from './python';
import { recogniseRecipes } from './recognise';
import { provideTasks } from './run';
import { Server } from './server';
import { SECTION } from './settings';
import { StatusBar } from './statusBar';

/** What other extensions, and the tests, may ask. */
export interface Api {
    /** The last verdict of a document's recipe. */
    status(uri: Uri): Status | undefined;
    /** What the status bar says. */
    statusBarText(): string;
    /** The command line of the running server. */
    serverCommand(): readonly string[] | undefined;
}

export async function activate(context: ExtensionContext): Promise<Api> {
    const log = window.createOutputChannel('recipeforge', { log: true });
    const server = new Server(log);
    const pages = new Pages();
    const bar = new StatusBar(server);
    context.subscriptions.push(log, server, pages, bar, registerCommands(server, pages), provideTasks(server), recogniseRecipes(), askAgainForLostFindings(server));
    context.subscriptions.push(
        workspace.onDidChangeConfiguration(change => {
            if (change.affectsConfiguration('recipeforge.server')) {
                void server.restart('always');
            } else if (change.affectsConfiguration(SECTION)) {
                void server.configure();
            }
        }),
        workspace.onDidGrantWorkspaceTrust(() => void (recipeIsOpen() && server.start('once'))),
        workspace.onDidOpenTextDocument(document => void (document.languageId === 'recipeforge' && server.start('once'))),
    );
    const pythonChanged = () => void ((recipeIsOpen() || server.running) && server.restart('once'));
    void onPythonChange(pythonChanged).then(listener => listener && context.subscriptions.push(listener));
    if (recipeIsOpen()) {
        await server.start('once'); // other YAML alone starts no process
    }
    return {
        status: uri => bar.of(uri),
        statusBarText: () => bar.text,
        serverCommand: () => (server.running ? server.found?.words : undefined),
    };
}

function recipeIsOpen(): boolean {
    return workspace.textDocuments.some(document => document.languageId === 'recipeforge');
}
