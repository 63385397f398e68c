/** Three fields make its key. Another program writes it too, and it is given a version whoever made it. */
import * as z from 'zod/mini';
import { defineEntity } from '../../../src/table/entity.ts';
import { created, increased, removed } from '../../../src/table/rules.ts';

const schema = z.object({
  isbn: z.string().check(z.minLength(1)),
  branch: z.string().check(z.minLength(1)),
  number: z.int(),
  shelf: z.string(),
  lent: z.int(),
});

export type Copy = z.output<typeof schema>;

export const copy = defineEntity({
  name: 'copy',
  schema,
  key: { pk: 'COPY#{isbn}#{branch}#{number}', sk: 'COPY', from: 'natural' },
  events: { CopyAdded: created(), CopyLent: increased('lent'), CopyWithdrawn: removed() },
  audit: {},
  adopt: 'all',
});
