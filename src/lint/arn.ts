/** Which thing an ARN means, whichever way it is written. */

import type { Resource } from './model.ts';
import { isOpen, member, textOf } from './node.ts';

export type Resources = ReadonlyMap<string, Resource>;

type Kind = { service: string; name: string; before?: string };

const kinds: Readonly<Record<string, Kind>> = {
  'AWS::SQS::Queue': { service: 'sqs', name: 'QueueName' },
  'AWS::SNS::Topic': { service: 'sns', name: 'TopicName' },
  'AWS::S3::Bucket': { service: 's3', name: 'BucketName' },
  'AWS::DynamoDB::Table': { service: 'dynamodb', name: 'TableName', before: 'table/' },
  'AWS::DynamoDB::GlobalTable': { service: 'dynamodb', name: 'TableName', before: 'table/' },
  'AWS::Kinesis::Stream': { service: 'kinesis', name: 'Name', before: 'stream/' },
};

/**
 * Service and name, without region and account: `sqs:orders`. A resource of the document that has no name of its own
 * is called `{Id}`. What is not known before a deployment stays a variable.
 */
export function identityOf(arn: string, resources: Resources): string {
  const [, id = '', attribute, rest = ''] = /^\$\{(\w+)(?:\.(\w+))?\}(.*)$/s.exec(arn) ?? [];
  const resource = resources.get(id);
  const kind = kinds[resource?.type ?? ''];
  if (resource !== undefined && kind !== undefined) {
    if (attribute === 'StreamArn') return `dynamodb:table/${nameOf(resource, kind)}/stream`;
    // A topic's reference is its ARN; a queue's and a bucket's are not, but nothing else can be meant.
    return `${kind.service}:${kind.before ?? ''}${nameOf(resource, kind)}${rest}`;
  }
  const parts = split(arn);
  if (parts[0] !== 'arn' || parts.length < 6) return arn;
  const named = withNames(parts.slice(5).join(':'), resources);
  return `${parts[2]}:${named.replace(/^(table\/[^/]+\/stream)\/.*$/s, '$1')}`;
}

export function serviceOf(identity: string): string | undefined {
  return /^(sqs|sns|s3|dynamodb|kinesis|kafka):/.exec(identity)?.[1];
}

/** The resource of the document that an ARN means. */
export function resourceOf(arn: string, resources: Resources): Resource | undefined {
  const identity = identityOf(arn, resources);
  return [...resources.values()].find(
    ({ id, type }) =>
      kinds[type] !== undefined &&
      (identity === identityOf(`\${${id}}`, resources) ||
        identity === identityOf(`\${${id}.StreamArn}`, resources)),
  );
}

function nameOf(resource: Resource, kind: Kind): string {
  const name = member(resource.properties, kind.name);
  return name === undefined ? `{${resource.id}}` : textOf(name);
}

function withNames(text: string, resources: Resources): string {
  return text.replaceAll(/\$\{(\w+)(?:\.\w+)?\}/g, (whole, id: string) => {
    const resource = resources.get(id);
    const kind = kinds[resource?.type ?? ''];
    return resource === undefined || kind === undefined ? whole : nameOf(resource, kind);
  });
}

/** At colons, but not at those within a variable. */
function split(text: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const character of text) {
    if (character === '{') depth += 1;
    if (character === '}') depth -= 1;
    if (character === ':' && depth <= 0) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts;
}

export type Answer = 'yes' | 'no' | 'maybe';

/** Whether a pattern with stars covers a thing. */
export function covers(pattern: string, thing: string): Answer {
  if (glob(pattern, thing)) return 'yes';
  const service = serviceOf(pattern);
  if (service !== undefined && service !== serviceOf(thing)) return 'no';
  return isOpen(pattern) || isOpen(thing) ? 'maybe' : 'no';
}

/** Stars match anything. Not a regular expression: many stars would make one very slow. */
export function glob(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === text;
  const last = rest.pop() ?? '';
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
