/**
 * `node events/derive.ts`: makes of the recordings what no local stream produces. Each derived file is called
 * `<recording>.derived-<what>.json`, and a test compares it with what this makes.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AttributeValue, DynamoDBRecord, StreamRecord } from 'aws-lambda';
import { recordingText } from '../src/ops/record/shape.ts';
import { table } from '../src/shop/table.ts';

const folder = join(import.meta.dirname, 'recorded');

type Records = readonly DynamoDBRecord[];
type Image = Record<string, AttributeValue>;
type Derivation = { from: string; what: string; derive(recorded: Records): DynamoDBRecord[] };

export const derivations: readonly Derivation[] = [
  { from: 'order-cancelled', what: 'expired', derive: expired },
  { from: 'product-restocked', what: 'deleted-by-others', derive: deletedByOthers },
  { from: 'product-restocked', what: 'edited-without-new-version', derive: editedWithoutNewVersion },
  { from: 'mixed-batch', what: 'poison-record', derive: withPoison },
  { from: 'mixed-batch', what: 'duplicates', derive: withDuplicates },
  { from: 'mixed-batch', what: 'out-of-order', derive: outOfOrder },
];

/** The name and the text of each derived file. */
export function derivedFiles(): { name: string; text: string }[] {
  return derivations.map(({ from, what, derive }) => {
    const { Records } = JSON.parse(readFileSync(join(folder, `${from}.json`), 'utf8'));
    return { name: `${from}.derived-${what}.json`, text: recordingText(derive(Records)) };
  });
}

export function writeDerived(): void {
  for (const { name, text } of derivedFiles()) writeFileSync(join(folder, name), text);
}

const month = 30 * 24 * 3600; // seconds

/** DynamoDB removes each item, some minutes after its time to live ran out. */
function expired(recorded: Records): DynamoDBRecord[] {
  return lastOfEach(recorded).map((last) => {
    const end = seconds(last) + month;
    const image = { ...imageAfter(last), [table.ttl]: { N: String(end) } };
    return {
      ...following(last, { eventName: 'REMOVE', OldImage: image }, end + 420),
      userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' },
    };
  });
}

/** Somebody removes each item with a plain delete. */
function deletedByOthers(recorded: Records): DynamoDBRecord[] {
  const deletions = lastOfEach(recorded).map((last) =>
    following(last, { eventName: 'REMOVE', OldImage: imageAfter(last) }, seconds(last) + 5),
  );
  return [...recorded, ...deletions];
}

/** Somebody gives a product another price, as a console does: the version stays. */
function editedWithoutNewVersion(recorded: Records): DynamoDBRecord[] {
  const edits = lastOfEach(recorded).map((last) => {
    const before = imageAfter(last);
    const images = { OldImage: before, NewImage: { ...before, price: { N: '3.95' } } };
    return following(last, { eventName: 'MODIFY', ...images }, seconds(last) + 5);
  });
  return [...recorded, ...edits];
}

/** Among good records, the first change of a product has a price that is none. */
function withPoison(recorded: Records): DynamoDBRecord[] {
  const at = recorded.findIndex(({ dynamodb }) => dynamodb?.NewImage?.[table.type]?.S === 'Product');
  const good = recorded[at];
  if (good === undefined) throw new Error('There is no product in the recording to make poison of.');
  const poison = {
    ...good,
    dynamodb: { ...good.dynamodb, NewImage: { ...imageAfter(good), price: { S: 'for free' } } },
  };
  return recorded.with(at, poison);
}

/** After a failure in the middle, the second half is delivered again. */
function withDuplicates(recorded: Records): DynamoDBRecord[] {
  return [...recorded, ...recorded.slice(Math.floor(recorded.length / 2))];
}

/** The newest first, as a redrive may bring them. */
function outOfOrder(recorded: Records): DynamoDBRecord[] {
  return recorded.toReversed();
}

/** The last record of each item that is still there, in the recording's order. */
function lastOfEach(recorded: Records): DynamoDBRecord[] {
  const last = new Map(recorded.map((record) => [JSON.stringify(record.dynamodb?.Keys), record]));
  return recorded.filter(
    (record) =>
      last.get(JSON.stringify(record.dynamodb?.Keys)) === record && record.dynamodb?.NewImage !== undefined,
  );
}

function imageAfter({ dynamodb }: DynamoDBRecord): Image {
  return { ...dynamodb?.NewImage };
}

function seconds({ dynamodb }: DynamoDBRecord): number {
  return Number(dynamodb?.ApproximateCreationDateTime);
}

type Next = { eventName: 'MODIFY' | 'REMOVE' } & Pick<StreamRecord, 'OldImage' | 'NewImage'>;

/** A later record of the same item. */
function following(
  last: DynamoDBRecord,
  { eventName, ...images }: Next,
  ApproximateCreationDateTime: number,
): DynamoDBRecord {
  const { Keys, SizeBytes, StreamViewType, SequenceNumber } = last.dynamodb ?? {};
  const next = String(BigInt(SequenceNumber ?? 0) + 1_000_000n);
  return {
    ...last,
    eventID: createHash('md5').update(`${last.eventID} ${eventName}`).digest('hex'),
    eventName,
    dynamodb: {
      ApproximateCreationDateTime,
      ...(Keys && { Keys }),
      ...images,
      SequenceNumber: next,
      ...(SizeBytes !== undefined && { SizeBytes }),
      ...(StreamViewType && { StreamViewType }),
    },
  };
}

if (import.meta.main) writeDerived();
