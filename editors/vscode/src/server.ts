/** The server's life: found, started, watched, restarted, stopped. One at a time. */
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { CancellationToken, Disposable, EventEmitter, LogOutputChannel, Uri, window, workspace } from 'vscode';
import { CloseAction, ConfigurationParams, ErrorAction, LanguageClient, LanguageClientOptions, RevealOutputChannelOn, State } from 'vscode-languageclient/node';
import { findServer, Found, Missing } from './discovery';
import { offerInstallation } from './missing';
import { STATUS_NOTIFICATION, Status } from './protocol';
import { SECTION, serverSettings } from './settings';

/** How long to wait for what a server that did not start has to say. */
const LAST_WORDS_MS = 200;

/** A server command that this client answers itself, wholly or after the server's answer. */
export type Interceptor = (args: unknown[], ask: () => Promise<unknown>) => Promise<unknown>;

/** Whether to tell a person that there is no server: whenever they asked for it, once when they only opened a recipe. */
export type Telling = 'always' | 'once';

export class Server implements Disposable {
    /** Command → what this client does instead of only showing nothing. */
    readonly interceptors = new Map<string, Interceptor>();
    readonly onStatus = new EventEmitter<Status>();
    readonly onState = new EventEmitter<void>();
    found: Found | undefined;
    private client: LanguageClient | undefined;
    private turn: Promise<void> = Promise.resolve();
    private told = false;
    private lastWords = '';

    constructor(private readonly log: LogOutputChannel) {}

    get running(): boolean {
        return this.client?.state === State.Running;
    }

    /** Start the server if it can be found and does not run. */
    start(telling: Telling): Promise<void> {
        return this.inTurn(() => (this.client === undefined ? this.launch(telling) : Promise.resolve()));
    }

    restart(telling: Telling): Promise<void> {
        return this.inTurn(async () => {
            await this.halt();
            await this.launch(telling);
        });
    }

    /** Do something with the running client. */
    withClient(act: (client: LanguageClient) => void): void {
        if (this.client !== undefined && this.running) {
            act(this.client);
        }
    }

    warn(message: string): void {
        this.log.warn(message);
    }

    /** Hand the server its settings anew. */
    async configure(): Promise<void> {
        if (this.running) {
            await this.client?.sendNotification('workspace/didChangeConfiguration', { settings: { [SECTION]: serverSettings() } });
        }
    }

    stop(): Promise<void> {
        return this.inTurn(() => this.halt());
    }

    /** Run a server command past the interceptors; undefined when there is no server, which is told. */
    async ask<T>(command: string, ...args: unknown[]): Promise<T | undefined> {
        await this.start('always');
        if (this.client === undefined || !this.running) {
            return undefined;
        }
        return this.client.sendRequest<T>('workspace/executeCommand', { command, arguments: args });
    }

    dispose(): void {
        void this.stop();
        this.onStatus.dispose();
        this.onState.dispose();
    }

    private inTurn(step: () => Promise<void>): Promise<void> {
        this.turn = this.turn.then(step, step);
        return this.turn;
    }

    private async launch(telling: Telling): Promise<void> {
        const found = await findServer(window.activeTextEditor?.document.uri);
        if (!('words' in found)) {
            this.log.warn(`no server: ${found.looked.join('; ')}`);
            this.tell(found, telling);
            return;
        }
        this.found = found;
        this.log.info(`server from ${found.origin}: ${found.words.join(' ')}`);
        const [command, ...args] = found.words as [string, ...string[]];
        const client: LanguageClient = new LanguageClient('recipeforge', 'recipeforge', { command, args, options: { cwd: workingFolder() } }, {
            ...this.options(),
            initializationFailedHandler: () => false, // told below, with what can be done about it
            errorHandler: {
                // A server that died fails several writes before its end is noticed; giving up at the third would keep it from being restarted.
                error: () => ({ action: ErrorAction.Continue }),
                closed: () => (started ? restarting.closed() : { action: CloseAction.DoNotRestart, handled: true }),
            },
        });
        const restarting = client.createDefaultErrorHandler();
        let started = false;
        client.onNotification(STATUS_NOTIFICATION, (status: Status) => this.onStatus.fire(status));
        client.onDidChangeState(() => this.onState.fire());
        this.client = client;
        try {
            this.lastWords = '';
            await client.start();
            started = true;
        } catch (error) {
            this.client = undefined;
            this.log.error(`the server did not start: ${String(error)}`);
            await new Promise(resolve => setTimeout(resolve, LAST_WORDS_MS));
            const reason = this.lastWords ? ` and said “${this.lastWords}”` : '';
            this.tell({ looked: [`${found.words.join(' ')} (${found.origin}) did not start${reason}`], python: undefined }, telling);
        }
        this.onState.fire();
    }

    private tell(missing: Missing, telling: Telling): void {
        if (telling === 'always' || !this.told) {
            this.told = true;
            offerInstallation(missing, () => this.restart('always'));
        }
    }

    private async halt(): Promise<void> {
        const client = this.client;
        this.client = undefined;
        if (client?.needsStop()) {
            await client.dispose().catch((error: unknown) => this.log.warn(`the server did not stop in order: ${String(error)}`));
        }
    }

    private options(): LanguageClientOptions {
        const kinds = ['recipeforge', 'yaml'].flatMap(language => ['file', 'untitled'].map(scheme => ({ language, scheme })));
        return {
            documentSelector: kinds,
            outputChannel: this.log,
            revealOutputChannelOn: RevealOutputChannelOn.Never,
            stdioOptions: { stdout: () => undefined, stderr: stream => this.forward(stream) },
            diagnosticCollectionName: 'recipeforge',
            initializationOptions: () => ({ status: true, settings: serverSettings() }),
            markdown: { isTrusted: { enabledCommands: ['forge.openEvidence', 'forge.explain'] }, supportThemeIcons: true },
            middleware: {
                executeCommand: (command, args: unknown[], next) => this.executed(command, args, async () => next(command, args)),
                workspace: {
                    configuration: (params: ConfigurationParams, _token: CancellationToken) =>
                        params.items.map(item => serverSettings(item.scopeUri ? Uri.parse(item.scopeUri) : undefined)),
                },
            },
        };
    }

    /** Write the server's own log into ours, each line at the level that it names. */
    private forward(stream: Readable): void {
        createInterface({ input: stream }).on('line', line => {
            const level = /\b(WARNING|INFO|DEBUG)\b/.exec(line)?.[1];
            if (level === 'WARNING') {
                this.log.warn(line);
            } else if (level !== undefined) {
                this.log.debug(line);
            } else {
                this.log.error(line);
                this.lastWords = line;
            }
        });
    }

    private executed(command: string, args: unknown[], ask: () => Promise<unknown>): Promise<unknown> {
        const interceptor = this.interceptors.get(command);
        return interceptor === undefined ? ask() : interceptor(args, ask);
    }
}

function workingFolder(): string | undefined {
    return workspace.workspaceFolders?.find(folder => folder.uri.scheme === 'file')?.uri.fsPath;
}
