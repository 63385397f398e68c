#!/usr/bin/env node
// `npm run dev`: as `npm start`, with the data kept, and started again whenever the code changes.
import { runOnOwnNode } from './own-node.js';

process.exitCode = await runOnOwnNode('src/local/dev.ts', process.argv.slice(2));
