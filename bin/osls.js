// `npm run package`, `npm run deploy`: the Serverless Framework, on the Node that the project brings.
import { spawnSync } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { install, ownNode, root } from './own-node.js';

install();
const node = ownNode();
const { status } = spawnSync(
  node,
  [join(root, 'node_modules/osls/bin/serverless.js'), ...process.argv.slice(2)],
  {
    cwd: root,
    env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` },
    stdio: 'inherit',
  },
);
process.exitCode = status ?? 1;
