/** Entities of no shop, for what the shop's own do not show: fields that may be absent, sets, more numbers. */
import { GetItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import { decodeImage, encodeItem } from '../../src/table/attributes.ts';
import { defineEntity, type Fields } from '../../src/table/entity.ts';
import type { Store } from '../../src/table/store.ts';

const schema = z.object({
  noteId: z.string(),
  text: z.string(),
  state: z.enum(['draft', 'sent', 'filed']),
  count: z.number(),
  left: z.number(),
  tag: z.optional(z.string()),
  marks: z.optional(z.set(z.string())),
});

const steps = { state: { draft: ['sent'], sent: ['filed'], filed: [] } } as const;

/** Its key is free again after a removal. */
export const note = defineEntity({
  name: 'Note',
  schema,
  key: { pk: 'NOTE#{noteId}', sk: 'NOTE', from: 'natural' },
  indexes: { gsi1: { pk: 'TAG#{tag}', sk: '{noteId}' } },
  steps,
});

/** Its key is used once. */
export const letter = defineEntity({
  name: 'Letter',
  schema,
  key: { pk: 'LETTER#{noteId}', sk: 'LETTER', from: 'request' },
});

export type Note = z.output<typeof schema>;

let notes = 0;

/** A note of its own, with the changes asked for. */
export function aNote(changes: Partial<Note> = {}): Note {
  return { noteId: `note-${++notes}`, text: 'hello', state: 'draft', count: 0, left: 10, ...changes };
}

export const noteKey = ({ noteId }: Pick<Note, 'noteId'>) => ({ pk: `NOTE#${noteId}`, sk: 'NOTE' });
export const letterKey = ({ noteId }: Pick<Note, 'noteId'>) => ({ pk: `LETTER#${noteId}`, sk: 'LETTER' });

/** What lies in the table under a key, every attribute of it. */
export async function stored({ dynamodb, tableName }: Store, key: Fields): Promise<Fields | undefined> {
  const Key = encodeItem(key);
  const { Item } = await dynamodb.send(
    new GetItemCommand({ TableName: tableName, Key, ConsistentRead: true }),
  );
  return Item && decodeImage(Item);
}

/** Puts an item past Sluice, as others do. */
export async function putPastSluice({ dynamodb, tableName }: Store, item: Fields): Promise<void> {
  await dynamodb.send(new PutItemCommand({ TableName: tableName, Item: encodeItem(item) }));
}

/** Sets one attribute past Sluice, as a console does. */
export async function setPastSluice(
  { dynamodb, tableName }: Store,
  key: Fields,
  name: string,
  value: unknown,
) {
  await dynamodb.send(
    new UpdateItemCommand({
      TableName: tableName,
      Key: encodeItem(key),
      UpdateExpression: 'SET #name = :value',
      ExpressionAttributeNames: { '#name': name },
      ExpressionAttributeValues: encodeItem({ ':value': value }),
    }),
  );
}
