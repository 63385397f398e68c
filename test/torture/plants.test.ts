/** The known defects fit the code: each changes what is there, once. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../support/processes.ts';
import { plants } from './plants.ts';

test.each(Object.entries(plants))('%s', (_name, { changes }) => {
  for (const { file, find, put } of changes) {
    const source = readFileSync(join(root, file), 'utf8');
    expect(source.split(find), file).toHaveLength(2);
    expect(put).not.toBe(find);
  }
});
