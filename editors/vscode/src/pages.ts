/** Markdown that the server wrote, shown as a rendered page beside the recipe. */
import { commands, Disposable, EventEmitter, TextDocumentContentProvider, Uri, workspace } from 'vscode';

const SCHEME = 'recipeforge-page';

export class Pages implements TextDocumentContentProvider, Disposable {
    private readonly texts = new Map<string, string>();
    private readonly changed = new EventEmitter<Uri>();
    readonly onDidChange = this.changed.event;
    private readonly registration = workspace.registerTextDocumentContentProvider(SCHEME, this);

    /** Show a page; one of the same name is replaced. */
    async show(name: string, markdown: string): Promise<void> {
        const uri = Uri.from({ scheme: SCHEME, path: `/${name}.md` });
        this.texts.set(uri.path, markdown);
        this.changed.fire(uri);
        await commands.executeCommand('markdown.showPreviewToSide', uri);
    }

    provideTextDocumentContent(uri: Uri): string {
        return this.texts.get(uri.path) ?? 'This page is no longer at hand; ask for it again.';
    }

    dispose(): void {
        this.registration.dispose();
        this.changed.dispose();
    }
}
