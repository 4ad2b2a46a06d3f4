/** A test runner for the extension host: tests run in order, each says what it saw, and a report is left for who started the editor. */
import { writeFileSync } from 'node:fs';
import { Diagnostic, languages, Uri } from 'vscode';

interface Result {
    name: string;
    ok: boolean;
    said: string[];
    error?: string;
    ms: number;
}

type Body = (say: (line: string) => void) => Promise<void>;

const tests: [string, Body][] = [];
const TIMEOUT_MS = 30_000;
const NEEDED = 2;

export function test(name: string, body: Body): void {
    tests.push([name, body]);
}

/** Run every test; throw at the end if one failed, which the editor makes its exit status. */
export async function runAll(): Promise<void> {
    const results: Result[] = [];
    for (const [name, body] of tests) {
        results.push(await runOne(name, body));
        const report = process.env['RECIPEFORGE_TEST_REPORT'];
        if (report) {
            writeFileSync(report, JSON.stringify(results, undefined, 1)); // after each: a hang, too, leaves what came before it
        }
        if (results.length === NEEDED && !results.every(result => result.ok)) {
            break; // without a first finding the rest would only wait, each in vain
        }
    }
    const failed = results.filter(result => !result.ok);
    if (results.length === 0 || failed.length > 0) {
        throw new Error(`${failed.length} of ${results.length} failed: ${failed.map(result => result.name).join(', ')}`);
    }
}

async function runOne(name: string, body: Body): Promise<Result> {
    const began = Date.now();
    const said: string[] = [];
    try {
        await within(TIMEOUT_MS, body(line => said.push(line)));
        return { name, ok: true, said, ms: Date.now() - began };
    } catch (error) {
        return { name, ok: false, said, error: error instanceof Error ? (error.stack ?? error.message) : String(error), ms: Date.now() - began };
    }
}

function within(ms: number, work: Promise<void>): Promise<void> {
    return Promise.race([work, new Promise<void>((_, reject) => setTimeout(() => reject(new Error(`took longer than ${ms} ms`)), ms))]);
}

/** Ask again until there is an answer. */
export async function eventually<T>(what: string, ask: () => T | undefined | false | null | Thenable<T | undefined | false | null>, ms = 15_000): Promise<T> {
    const end = Date.now() + ms;
    for (;;) {
        const answer = await ask();
        if (answer !== undefined && answer !== false && answer !== null) {
            return answer;
        }
        if (Date.now() > end) {
            throw new Error(`waited ${ms} ms in vain for ${what}`);
        }
        await pause(20);
    }
}

export function pause(ms: number): Promise<void> {
    return new Promise(resolve => setTimeout(resolve, ms));
}

export function ours(uri: Uri): Diagnostic[] {
    return languages.getDiagnostics(uri).filter(one => one.source === 'recipeforge');
}

export function codeOf(diagnostic: Diagnostic): string {
    return typeof diagnostic.code === 'object' ? String(diagnostic.code.value) : String(diagnostic.code);
}
