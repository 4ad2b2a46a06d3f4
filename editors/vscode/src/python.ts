/** The interpreter that is selected in the Python extension, when that extension is there. */
import { Disposable, extensions, Uri } from 'vscode';

interface Environments {
    getActiveEnvironmentPath(scope?: Uri): { path: string };
    resolveEnvironment(environment: { path: string }): Promise<{ executable: { uri?: Uri } } | undefined>;
    onDidChangeActiveEnvironmentPath(listener: () => void): Disposable;
}

async function environments(): Promise<Environments | undefined> {
    const extension = extensions.getExtension<{ environments?: Environments }>('ms-python.python');
    if (extension === undefined) {
        return undefined;
    }
    try {
        return (await extension.activate()).environments;
    } catch {
        return undefined; // a broken Python extension is no reason for a broken recipe
    }
}

/** Return the path of the selected interpreter. */
export async function selectedPython(scope?: Uri): Promise<string | undefined> {
    const known = await environments();
    if (known === undefined) {
        return undefined;
    }
    const environment = await known.resolveEnvironment(known.getActiveEnvironmentPath(scope));
    return environment?.executable.uri?.fsPath;
}

/** Call back whenever another interpreter is selected. */
export async function onPythonChange(listener: () => void): Promise<Disposable | undefined> {
    return (await environments())?.onDidChangeActiveEnvironmentPath(listener);
}
