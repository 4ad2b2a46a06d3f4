/** What the server is told of the editor's settings: its own ones, and only those that somebody set. */
import { Uri, workspace } from 'vscode';

export const SECTION = 'recipeforge';

const FOR_THE_SERVER = ['gpu', 'gpus', 'packages', 'select', 'ignore', 'inlayHints', 'codeLens', 'debounceMs'];

/** Return the server's settings as they hold for one document. */
export function serverSettings(scope?: Uri): Record<string, unknown> {
    const all = workspace.getConfiguration(SECTION, scope);
    const told: Record<string, unknown> = {};
    for (const key of FOR_THE_SERVER) {
        const value: unknown = all.get(key);
        if (value !== null && value !== undefined && value !== '') {
            told[key] = value;
        }
    }
    return told;
}

/** Return the command line that the user wrote for the server, or nothing. */
export function explicitCommand(): string[] {
    const words = workspace.getConfiguration(SECTION).get<unknown>('server.command');
    return Array.isArray(words) ? words.filter((word): word is string => typeof word === 'string' && word !== '') : [];
}
