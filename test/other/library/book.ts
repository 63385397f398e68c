/** Only searched. */
import * as z from 'zod/mini';
import { defineEntity } from '../../../src/table/entity.ts';

const schema = z.object({
  isbn: z.string().check(z.minLength(1)),
  title: z.string().check(z.minLength(1)),
  author: z.string(),
  year: z.int(),
});

export type Book = z.output<typeof schema>;

export const book = defineEntity({
  name: 'book',
  schema,
  key: { pk: 'BOOK#{isbn}', sk: 'BOOK', from: 'natural' },
  search: {
    index: 'books',
    fields: { isbn: 'keyword', title: 'text', author: 'text', year: 'long' },
    document: (fields) => fields,
  },
});
