/** What an event is that is no batch of a stream: said in a few words, so that whoever wired it sees the mistake. */

/** Never quotes a value, nor a name that is not known: an event may hold anybody's data. */
export function describeForeign(event: unknown): string {
  if (typeof event !== 'object' || event === null) return nameOfPlain(event);
  if (Array.isArray(event)) return event.length === 0 ? 'an empty list' : 'a list of something else';
  const found = shapes.find(({ fits }) => fits(event as Shape));
  if (found !== undefined) return found.name(event as Shape);
  return nameOfObject(event);
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
  'aws:kinesis': 'a batch of a Kinesis stream',
  'aws:dynamodb': 'a batch of a DynamoDB stream and of something else',
};

/** What else can be wired to a function. */
const otherSources = new Set([
  'aws:mq',
  'aws:rmq',
  'aws:kafka',
  'SelfManagedKafka',
  'aws:docdb',
  'aws:cloudfront',
  'aws:codecommit',
  'aws:config',
]);

function nameOfRecords({ Records }: Shape): string {
  const [first] = Records as unknown[];
  const { eventSource, EventSource } = Object(first) as { eventSource?: unknown; EventSource?: unknown };
  const source = eventSource ?? EventSource;
  if (typeof source !== 'string') return 'an event whose records are of no stream';
  if (Object.hasOwn(sources, source)) return `${sources[source]}`;
  return otherSources.has(source) ? `an event of "${source}"` : 'an event of another source';
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

/** Names that tell what an object is and can be nobody's data: AWS's own, those of its tools and of a stream record. */
const known = new Set([
  'Records',
  'Item',
  'Items',
  'Attributes',
  'Key',
  'Keys',
  'NewImage',
  'OldImage',
  'dynamodb',
  'kinesis',
  'eventID',
  'eventName',
  'eventSource',
  'detail',
  'source',
  'version',
  'account',
  'region',
  'time',
  'resources',
  'headers',
  'body',
  'payload',
  'requestContext',
  'responseContext',
  'batchItemFailures',
]);

function nameOfObject(event: object): string {
  const names = Object.keys(event);
  if (names.length === 0) return 'an empty object';
  const told = names.filter((name) => known.has(name)).map((name) => `"${name}"`);
  const others = names.length - told.length;
  const rest = `${others} ${told.length > 0 ? 'other ' : ''}member${others === 1 ? '' : 's'}`;
  return `an object with ${[...told, ...(others > 0 ? [rest] : [])].join(', ')}`;
}
