/**
 * Findings that did not arrive. The editor asks for them when it thinks that a document is in view, and on a busy machine it can
 * think so too early or too late. The server says after every analysis how many there are: when none of them is shown some time
 * later, or old ones still are, they are asked for again.
 */
import { Disposable, languages, TextDocument, Uri, window } from 'vscode';
import { LanguageClient } from 'vscode-languageclient/node';
import { Status } from './protocol';
import { Server } from './server';

const PATIENCE_MS = 1500;

export function askAgainForLostFindings(server: Server): Disposable {
    return server.onStatus.event(status => {
        setTimeout(() => {
            if (server.running && isLost(status)) {
                server.warn(`the findings of ${status.uri} are not shown; asking for them again`);
                server.withClient(askAgain(Uri.parse(status.uri)));
            }
        }, PATIENCE_MS);
    });
}

/** Whether a document in view, unchanged since, shows nothing of what was found in it, or something although nothing was. */
function isLost(status: Status): boolean {
    const uri = Uri.parse(status.uri);
    const document = inView(uri);
    if (document === undefined || document.version !== status.version) {
        return false;
    }
    const shown = languages.getDiagnostics(uri).some(one => one.source === 'recipeforge');
    return shown !== (status.errors + status.warnings + status.infos > 0);
}

function askAgain(uri: Uri): (client: LanguageClient) => void {
    return client => {
        const document = inView(uri);
        if (document !== undefined) {
            client.getFeature('textDocument/diagnostic').getProvider(document)?.onDidChangeDiagnosticsEmitter.fire();
        }
    };
}

function inView(uri: Uri): TextDocument | undefined {
    return window.visibleTextEditors.map(editor => editor.document).find(document => document.uri.toString() === uri.toString());
}
