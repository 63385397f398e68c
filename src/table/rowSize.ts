/** How large a row is, and what is done with one that no item can hold: its bytes are spread over several rows. */
import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { encodeItem } from './attributes.ts';
import { hash } from './canonical.ts';
import type { Fields } from './entity.ts';
import { compare, putAbsent, type Row, type RowAnswer } from './putAbsent.ts';

/** 25 conditional puts a transaction, well under its 4 MB; an item itself holds no more than 400 KB. */
export const rowLimits = { count: 25, bytes: 390_000 };

const partBytes = 350_000;
const longestText = 30_000;

/** Never less than what DynamoDB counts: names and values as UTF-8, with JSON's own marks on top. */
export function rowSize(row: Row): number {
  let binary = 0;
  const json = JSON.stringify(encodeItem(row), (_, member) => {
    if (!(member instanceof Uint8Array)) return member;
    binary += member.length;
    return '';
  });
  return Buffer.byteLength(json) + binary;
}

/** What a row of `putSpread` takes of a call: one that is spread takes all of it, so that it goes alone. */
export function spreadSize(row: Row): number {
  return Math.min(rowSize(row), rowLimits.bytes);
}

/** A row's text for people: of one that nobody can read to its end the beginning, so that it fits into any row. */
export function shortened<Text extends string | undefined>(text: Text): Text | string {
  if (text === undefined) return text;
  return text.length <= longestText ? text.toWellFormed() : `${text.slice(0, longestText).toWellFormed()}…`;
}

/**
 * Puts rows once, as `putAbsent` does. Of one that no item can hold, the bytes in the attribute `name` are spread:
 * first each part is put, in a row of its own under the same `pk`, and last the head, which is the row without them
 * but with `parts`, how many there are. So where a head is, its parts are.
 */
export async function putSpread(
  dynamodb: DynamoDBClient,
  tableName: string,
  rows: readonly Row[],
  name: string,
  signal?: AbortSignal,
): Promise<RowAnswer[]> {
  const small = rows.filter((row) => rowSize(row) <= rowLimits.bytes);
  const answers = await putAbsent(dynamodb, tableName, small, signal);
  const put = (row: Row) => answers[small.indexOf(row)] ?? putLarge(dynamodb, tableName, row, name, signal);
  return Promise.all(rows.map(put));
}

async function putLarge(
  dynamodb: DynamoDBClient,
  TableName: string,
  row: Row,
  name: string,
  signal: AbortSignal | undefined,
): Promise<RowAnswer> {
  try {
    // A repeat may have other bytes by now, such as more that is redacted: none of it is to lie beside what stands.
    const Key = encodeItem({ pk: row.pk, sk: row.sk });
    const { Item } = await dynamodb.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }));
    if (Item !== undefined) return compare(row, Item);
  } catch (error) {
    return {
      state: 'failed',
      reason: `it cannot be read: ${(error as Error).name}`,
      retryable: true,
      service: true,
    };
  }
  const { parts, head } = spread(row, name);
  for (const part of parts) {
    const [answer] = await putAbsent(dynamodb, TableName, [part], signal);
    if (answer?.state === 'failed') return answer;
  }
  const [answer] = await putAbsent(dynamodb, TableName, [head], signal);
  return answer ?? { state: 'failed', reason: 'no answer', retryable: true };
}

function spread(row: Row, name: string): { parts: Row[]; head: Row } {
  const bytes = row[name] instanceof Uint8Array ? row[name] : new Uint8Array();
  const content = hashOf(bytes);
  const parts: Row[] = [];
  for (let start = 0; start < bytes.length; start += partBytes) {
    const [part, piece] = [parts.length + 1, bytes.slice(start, start + partBytes)];
    parts.push({ pk: row.pk, sk: partKey(row.sk, part, content), hash: hashOf(piece), part, bytes: piece });
  }
  return { parts, head: { ...row, [name]: undefined, parts: parts.length, content } };
}

/** By what all of it says: whatever another try has left there, no head ever gets a part of something else. */
function partKey(sk: unknown, part: number, content: unknown): string {
  return `${sk}#${part}#${content}`;
}

/**
 * The rows as they were given to `putSpread`. A row with the attribute `part` is none, only a part of one. Where a
 * part is gone the row is `incomplete` and without those bytes.
 */
export function gather(rows: readonly Fields[], name: string): Fields[] {
  const pieces = new Map(
    rows.filter(isPart).map(({ pk, sk, bytes }) => [`${pk}\n${sk}`, bytes as Uint8Array]),
  );
  return rows
    .filter((row) => !isPart(row))
    .map((row) => {
      if (row.parts === undefined) return row;
      const { parts, content, ...head } = row;
      const keys = Array.from({ length: Number(parts) }, (_, index) => partKey(row.sk, index + 1, content));
      const found = keys.flatMap((sk) => pieces.get(`${row.pk}\n${sk}`) ?? []);
      if (found.length < keys.length) return { ...head, incomplete: true };
      return { ...head, [name]: new Uint8Array(Buffer.concat(found)) };
    });
}

function isPart({ part }: Fields): boolean {
  return part !== undefined;
}

function hashOf(bytes: Uint8Array): string {
  return hash(Buffer.from(bytes).toString('base64'));
}
