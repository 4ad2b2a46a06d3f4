/** The tests that run inside VS Code's extension host, on the workspace that `tests/editors` made. */
import './opening.test';
import './fixing.test';
import './commands.test';
import './lifecycle.test';
import { runAll } from './harness';

export const run = runAll;
