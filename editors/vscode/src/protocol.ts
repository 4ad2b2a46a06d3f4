/** What this client and the server say to each other beyond the language server protocol. */

export type VerdictKind = 'valid' | 'incomplete' | 'conflicting' | 'undecided' | 'unreadable';

/** Sent as `recipeforge/status` after every analysis, and returned by `forge.verdict`. */
export interface Status {
    uri: string;
    version: number | null;
    verdict: VerdictKind | null;
    errors: number;
    warnings: number;
    infos: number;
    memory_gib: number | null;
    limit_gib: number | null;
}

/** Returned by `forge.estimate`. */
export interface Estimate {
    total_gib: number | null;
    limit_gib: number | null;
    terms: Record<string, number>;
    markdown: string;
}

/** One recipe of `forge.checkWorkspace`. */
export interface Checked {
    uri: string;
    verdict: VerdictKind | null;
    errors: number;
    warnings: number;
}

export const STATUS_NOTIFICATION = 'recipeforge/status';

/** Return a count with its noun. */
export function count(number: number, noun: string): string {
    return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
