/** Recipes in files that are called otherwise: a YAML document with a top-level `recipeforge:` key gets the recipes' language. */
import { Disposable, languages, TextDocument, workspace } from 'vscode';

const KEY = /^recipeforge\s*:/m;
const FAR_ENOUGH = 20_000;

/** Say whether a text is a recipe. The key may come late, but not after thousands of lines. */
export function looksLikeRecipe(text: string): boolean {
    return KEY.test(text.slice(0, FAR_ENOUGH));
}

/** Give recipes among the open YAML documents their language, now and as more are opened or saved; each once, so that a person can undo it. */
export function recogniseRecipes(): Disposable {
    const seen = new Set<string>();
    const look = (document: TextDocument): void => {
        const uri = document.uri.toString();
        if (document.languageId === 'yaml' && !seen.has(uri) && looksLikeRecipe(document.getText())) {
            seen.add(uri);
            void languages.setTextDocumentLanguage(document, 'recipeforge');
        }
    };
    workspace.textDocuments.forEach(look);
    return Disposable.from(workspace.onDidOpenTextDocument(look), workspace.onDidSaveTextDocument(look));
}
