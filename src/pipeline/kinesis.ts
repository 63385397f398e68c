/** A DynamoDB change in a Kinesis record (Kinesis Data Streams for DynamoDB): base64 of a JSON text. */
import type { StreamRecord } from '../table/record.ts';

/** `data` as Lambda gives it, or decoded already, as in recordings. */
export function changeIn(data: unknown): StreamRecord | { missing: string } {
  const decoded = typeof data === 'string' ? parse(data) : data;
  const { dynamodb } = Object(decoded) as { dynamodb?: unknown };
  if (typeof dynamodb !== 'object' || dynamodb === null)
    return { missing: 'its Kinesis data is no change of a DynamoDB table' };
  return decoded as StreamRecord;
}

function parse(base64: string): unknown {
  try {
    return JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
  } catch {
    return undefined; // some other producer's data
  }
}
