/** The status bar: verdict and memory of the recipe in front. */
import { Disposable, MarkdownString, StatusBarAlignment, TextDocument, Uri, window, workspace } from 'vscode';
import { count, Status, VerdictKind } from './protocol';
import { Server } from './server';

const ICONS: Record<VerdictKind, string> = {
    valid: 'pass',
    incomplete: 'circle-outline',
    conflicting: 'error',
    undecided: 'question',
    unreadable: 'bracket-error',
};

export class StatusBar implements Disposable {
    private readonly item = window.createStatusBarItem('recipeforge.status', StatusBarAlignment.Left, 90);
    private readonly known = new Map<string, Status>();
    private readonly listeners: Disposable;

    constructor(private readonly server: Server) {
        this.item.name = 'recipeforge';
        this.item.command = 'recipeforge.showMenu';
        this.listeners = Disposable.from(
            server.onStatus.event(status => this.take(status)),
            server.onState.event(() => this.draw()),
            window.onDidChangeActiveTextEditor(() => this.draw()),
            window.onDidChangeVisibleTextEditors(() => this.draw()),
            workspace.onDidCloseTextDocument(document => this.known.delete(document.uri.toString())),
        );
        this.draw();
    }

    /** Return what is known of a document's recipe. */
    of(uri: Uri): Status | undefined {
        return this.known.get(uri.toString());
    }

    get text(): string {
        return this.item.text;
    }

    dispose(): void {
        this.listeners.dispose();
        this.item.dispose();
    }

    private take(status: Status): void {
        this.known.set(Uri.parse(status.uri).toString(), status); // servers and editors escape URIs differently
        this.draw();
    }

    private draw(): void {
        const document = recipeInFront();
        const status = document && this.of(document.uri);
        if (document === undefined || (status === undefined && document.languageId !== 'recipeforge')) {
            this.item.hide();
            return;
        }
        this.write(document, status);
        this.item.show();
    }

    private write(document: TextDocument, status: Status | undefined): void {
        const verdict = status?.verdict;
        if (!this.server.running) {
            this.item.text = '$(circle-slash) recipe: no server';
            this.item.tooltip = 'recipeforge is not running';
        } else if (status === undefined || !verdict) {
            this.item.text = '$(loading~spin) recipe';
            this.item.tooltip = 'recipeforge has not judged this recipe yet';
        } else {
            this.item.text = `$(${ICONS[verdict] ?? 'question'}) ${summary(status)}`;
            this.item.tooltip = tooltip(document, status);
        }
    }
}

/** The document in front; while a page is, which is no text, the recipe that stands beside it. */
function recipeInFront(): TextDocument | undefined {
    const front = window.activeTextEditor ?? window.visibleTextEditors.find(editor => editor.document.languageId === 'recipeforge');
    return front?.document;
}

/** Return verdict and memory in a few words: `conflicting, 2 errors · 9.3 of 16 GiB`. */
export function summary(status: Status): string {
    const found = status.errors > 0 ? `, ${count(status.errors, 'error')}` : status.warnings > 0 ? `, ${count(status.warnings, 'warning')}` : '';
    const memory = gib(status);
    return `${status.verdict}${found}${memory ? ` · ${memory}` : ''}`;
}

function gib({ memory_gib: memory, limit_gib: limit }: Status): string {
    if (memory === null) {
        return '';
    }
    return limit === null ? `≈ ${short(memory)} GiB` : `≈ ${short(memory)} of ${short(limit)} GiB`;
}

function short(number: number): string {
    return number >= 100 || Number.isInteger(number) ? number.toFixed(0) : number.toFixed(1);
}

function tooltip(document: TextDocument, status: Status): MarkdownString {
    const name = workspace.asRelativePath(document.uri);
    const found = [count(status.errors, 'error'), count(status.warnings, 'warning'), count(status.infos, 'note')].join(', ');
    const lines = [`**${name}** is ${status.verdict}: ${found}.`];
    if (status.memory_gib !== null) {
        lines.push(`Estimated peak memory: ${gib(status)}.`);
    }
    const offers = [status.errors > 0 ? '[Make it run](command:recipeforge.makeItRun)' : '[Run](command:recipeforge.runRecipe)', '[All commands](command:recipeforge.showMenu)'];
    const text = new MarkdownString([...lines, offers.join(' · ')].join('\n\n'), true);
    text.isTrusted = { enabledCommands: ['recipeforge.makeItRun', 'recipeforge.runRecipe', 'recipeforge.showMenu'] };
    return text;
}
