import type { DynamoDBStreamEvent } from 'aws-lambda';

type Records = DynamoDBStreamEvent['Records'];

/** The records of a batch. Anything but a DynamoDB stream's batch is refused whole: guessing is how data is lost. */
export function recordsOf(event: DynamoDBStreamEvent): Records {
  const records: unknown = event?.Records;
  if (Array.isArray(records) && records.every((record) => record?.eventSource === 'aws:dynamodb'))
    return records;
  throw new Error(
    'This is no batch of a DynamoDB stream: expected {"Records":[{"eventSource":"aws:dynamodb",…}]}.',
  );
}
