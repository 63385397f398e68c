// `npm run deploy:check`: the stack deployed to a mock of AWS on this machine, used, changed and removed.
import { runOnOwnNode } from './own-node.js';

process.exitCode = await runOnOwnNode('deploy/check/check.ts', process.argv.slice(2));
