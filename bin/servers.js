#!/usr/bin/env node
// `npm run servers`: the real servers that the tests can use, without Docker. See servers/main.ts.
import { runOnOwnNode } from './own-node.js';

process.exitCode = await runOnOwnNode('servers/main.ts', process.argv.slice(2));
