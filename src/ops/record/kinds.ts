/** What a recording holds, in a few words for people. */
import type { DynamoDBRecord } from 'aws-lambda';
import { whatWasThrown } from '../../pipeline/thrown.ts';
import type { Decoded, Decoder, StreamRecord } from '../../table/record.ts';

/** Such as `1 Order insert, 2 Product modify, 1 of no known entity`, in the order of their first. */
export function kindsOf(records: readonly DynamoDBRecord[], decode: Decoder): string {
  const counts = new Map<string, number>();
  for (const record of records) {
    const kind = kindOf(decodeOrPark(decode, record as StreamRecord));
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ');
}

/** A schema of the user's own can throw; a recording that has come so far is not to be lost by it. */
export function decodeOrPark(decode: Decoder, record: StreamRecord): Decoded {
  try {
    return decode(record);
  } catch (error) {
    return { verdict: 'parked', reason: `decoding failed: ${whatWasThrown(error)}` };
  }
}

function kindOf(decoded: Decoded): string {
  if (decoded.verdict === 'change') return `${decoded.change.entity.name} ${decoded.change.kind}`;
  return { unchanged: 'unchanged', ignored: 'of no known entity', parked: 'undecodable' }[decoded.verdict];
}
