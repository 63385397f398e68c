/** The program that the library had before: plain puts of whole items, which know nothing of versions. */
import { DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { encodeItem } from '../../../src/table/attributes.ts';
import type { Entity, Fields } from '../../../src/table/entity.ts';
import { keyAttributes, keyOf } from '../../../src/table/keys.ts';
import type { Store } from '../../../src/table/store.ts';
import type { Book } from './book.ts';
import type { Copy } from './copy.ts';

export function desk({ dynamodb, tableName, table }: Store) {
  const keyed = (entity: Entity, item: Fields) => keyAttributes(table, keyOf(entity, item));
  return {
    /** `more`: attributes that this program alone maintains. */
    async put(entity: Entity, item: Fields, more: Fields = {}): Promise<void> {
      const whole = { ...more, ...item, ...keyed(entity, item), [table.type]: entity.name };
      await dynamodb.send(new PutItemCommand({ TableName: tableName, Item: encodeItem(whole) }));
    },
    async delete(entity: Entity, item: Fields): Promise<void> {
      const Key = encodeItem(keyed(entity, item));
      await dynamodb.send(new DeleteItemCommand({ TableName: tableName, Key }));
    },
  };
}

export const dune = (fields: Partial<Book> = {}): Book => ({
  isbn: '978-0',
  title: 'Dune',
  author: 'Frank Herbert',
  year: 1965,
  ...fields,
});

export const shelved = (number: number, fields: Partial<Copy> = {}): Copy => ({
  isbn: '978-0',
  branch: 'north',
  number,
  shelf: 'A1',
  lent: 0,
  ...fields,
});
