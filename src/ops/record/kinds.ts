/** What a recording holds, in a few words for people. */
import type { DynamoDBRecord } from 'aws-lambda';
import type { Decoded, Decoder, StreamRecord } from '../../table/record.ts';

/** Such as `1 Order insert, 2 Product modify, 1 of no known entity`, in the order of their first. */
export function kindsOf(records: readonly DynamoDBRecord[], decode: Decoder): string {
  const counts = new Map<string, number>();
  for (const record of records) {
    const kind = kindOf(decode(record as StreamRecord));
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ');
}

function kindOf(decoded: Decoded): string {
  if (decoded.verdict === 'change') return `${decoded.change.entity.name} ${decoded.change.kind}`;
  return { unchanged: 'unchanged', ignored: 'of no known entity', parked: 'undecodable' }[decoded.verdict];
}
