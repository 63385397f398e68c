/** What an event is that is no batch of a stream: said in a few words, so that whoever wired it sees the mistake. */

/** Never quotes a value: an event may hold anybody's data. */
export function describeForeign(event: unknown): string {
  if (typeof event !== 'object' || event === null) return nameOfPlain(event);
  if (Array.isArray(event)) return event.length === 0 ? 'an empty list' : 'a list of something else';
  const found = shapes.find(({ fits }) => fits(event as Shape));
  if (found !== undefined) return found.name(event as Shape);
  const names = Object.keys(event).slice(0, 5).map(shown);
  return names.length === 0 ? 'an empty object' : `an object with ${names.join(', ')}`;
}

type Shape = Readonly<Record<string, unknown>>;

const shapes: { fits(event: Shape): boolean; name(event: Shape): string }[] = [
  { fits: hasRecords, name: nameOfRecords },
  {
    fits: (event) => 'DDBStreamBatchInfo' in event || 'KinesisBatchInfo' in event,
    name: () =>
      'the metadata message of a failed batch, which holds no records: with S3 as the on-failure destination it does',
  },
  { fits: isScheduled, name: () => 'a scheduled event of EventBridge' },
  {
    fits: (event) => 'detail-type' in event && 'source' in event,
    name: () => 'an EventBridge event; send the stream to the function itself',
  },
  {
    fits: (event) => Array.isArray(event.Messages) || ('messageId' in event && 'body' in event),
    name: () => 'a message of an SQS queue',
  },
  {
    fits: (event) => 'httpMethod' in event || 'http' in Object(event.requestContext),
    name: () => 'an HTTP request of API Gateway',
  },
  {
    fits: (event) => 'Keys' in event && ('NewImage' in event || 'OldImage' in event),
    name: () => 'the inside of a stream record, without the record around it',
  },
  {
    fits: (event) => Object.keys(event).length > 0 && Object.values(event).every(isAttributeValue),
    name: () => 'an item of a table, not a record of a change',
  },
];

function hasRecords(event: Shape): boolean {
  return Array.isArray(event.Records);
}

const sources: Readonly<Record<string, string>> = {
  'aws:sqs': 'an SQS event',
  'aws:sns': 'an SNS event',
  'aws:s3': 'an S3 event',
  'aws:ses': 'an SES event',
};

function nameOfRecords({ Records }: Shape): string {
  const [first] = Records as unknown[];
  const { eventSource, EventSource } = Object(first) as { eventSource?: unknown; EventSource?: unknown };
  const source = eventSource ?? EventSource;
  if (typeof source !== 'string') return 'an event whose records are of no stream';
  return sources[source] ?? `an event of ${shown(source)}`;
}

function isScheduled(event: Shape): boolean {
  return event['detail-type'] === 'Scheduled Event' || event.source === 'aws.scheduler';
}

const types = new Set(['S', 'N', 'B', 'BOOL', 'NULL', 'M', 'L', 'SS', 'NS', 'BS']);

function isAttributeValue(value: unknown): boolean {
  const [type, ...others] = Object.keys(Object(value));
  return type !== undefined && others.length === 0 && types.has(type);
}

function nameOfPlain(value: unknown): string {
  return value === null || value === undefined ? 'nothing at all' : `a ${typeof value}`;
}

/** A name from outside, safe to print. */
function shown(name: string): string {
  return JSON.stringify(
    name
      .toWellFormed()
      .replaceAll(/[^\w:.#@ -]/g, '?')
      .slice(0, 40),
  );
}
