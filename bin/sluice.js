#!/usr/bin/env node
// The front door: installs what is missing, then runs the command on the Node that the project brings.
import { runOnOwnNode } from './own-node.js';

process.exitCode = await runOnOwnNode('src/cli.ts', process.argv.slice(2));
