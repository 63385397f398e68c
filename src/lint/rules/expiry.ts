/** What is set aside must outlast those who are to deal with it. */
import { resourceOf } from '../arn.ts';
import type { Node } from '../document.ts';
import type { Model, Resource } from '../model.ts';
import { items, member, numberIn, textOf } from '../node.ts';
import { found, lines, type Outcome, unjudged } from '../outcome.ts';
import { span } from './settings.ts';

/** The longest that SQS keeps, and no more than a holiday: whoever comes back must still find it. */
const shortestKept = 14 * 86_400;
const queueDefault = 4 * 86_400;

export function parkedExpires(model: Model): Outcome[] {
  const parking = new Set(
    model.parking.map((arn) => resourceOf(textOf(arn), model.resources)).filter((one) => one !== undefined),
  );
  const destinations = model.mappings.map(({ settings }) =>
    resourceOf(textOf(settings.destination), model.resources),
  );
  for (const one of destinations) if (one !== undefined) parking.add(one);
  return [
    ...[...parking].flatMap((resource) =>
      resource.type === 'AWS::SQS::Queue' ? shortQueue(model, resource) : shortBucket(model, resource),
    ),
    ...[...model.resources.values()].flatMap((resource) => agedMessages(model, resource)),
  ];
}

const expires = 'parked-expires';

function shortQueue(model: Model, queue: Resource): Outcome[] {
  const node = member(queue.properties, 'MessageRetentionPeriod');
  const kept = numberIn(node);
  if (!kept.known) return [unjudged(expires, kept.node)];
  const seconds = kept.value ?? queueDefault;
  if (seconds >= shortestKept) return [];
  return [
    found(expires, node ?? queue.node, {
      severity: 'loses',
      happens: `What is set aside in ${queue.id} is deleted after ${span(seconds)}, though a queue can keep it for 14 days.`,
      when: 'when nobody has dealt with it by then: over holidays',
      write: [lines(model, 'in', below(queue), { MessageRetentionPeriod: shortestKept })],
    }),
  ];
}

/** In a standard queue a message keeps its age when it moves: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/setting-up-dead-letter-queue-retention.html */
function agedMessages(model: Model, queue: Resource): Outcome[] {
  const dead = resourceOf(
    textOf(member(queue.properties, 'RedrivePolicy', 'deadLetterTargetArn')),
    model.resources,
  );
  const fifo = textOf(member(queue.properties, 'FifoQueue')) === 'true';
  if (queue.type !== 'AWS::SQS::Queue' || dead === undefined || fifo) return [];
  const [own, after] = [queue, dead].map((one) => numberIn(member(one.properties, 'MessageRetentionPeriod')));
  if (!own?.known || !after?.known) return [];
  const [seconds, keeps] = [own.value ?? queueDefault, after.value ?? queueDefault];
  if (keeps < shortestKept || seconds < keeps) return [];
  return [
    found(expires, member(queue.properties, 'MessageRetentionPeriod') ?? queue.node, {
      severity: 'loses',
      happens: `A message takes its age along to ${dead.id}: what has waited here for long is deleted there at once.`,
      when: `when a message has stayed here for nearly ${span(seconds)}`,
      write: [lines(model, 'in', below(queue), { MessageRetentionPeriod: queueDefault })],
    }),
  ];
}

function shortBucket(model: Model, bucket: Resource): Outcome[] {
  if (bucket.type !== 'AWS::S3::Bucket') return [];
  return items(member(bucket.properties, 'LifecycleConfiguration', 'Rules')).flatMap((rule): Outcome[] => {
    const node = member(rule, 'ExpirationInDays');
    const days = numberIn(node);
    if (textOf(member(rule, 'Status')) === 'Disabled' || !touchesBatches(rule)) return [];
    if (!days.known) return [unjudged(expires, days.node)];
    if (days.value === undefined || days.value * 86_400 >= shortestKept) return [];
    return [
      found(expires, node ?? rule, {
        severity: 'loses',
        happens: `Failed batches in ${bucket.id} are deleted after ${days.value} ${days.value === 1 ? 'day' : 'days'}.`,
        when: 'when nobody has dealt with them by then: over holidays',
        write: [lines(model, 'in', rule.path, { ExpirationInDays: 90 })],
      }),
    ];
  });
}

/** Lambda writes them, without tags, below `aws/lambda/`. */
function touchesBatches(rule: Node): boolean {
  const prefix = textOf(member(rule, 'Prefix'));
  const folder = 'aws/lambda/';
  return member(rule, 'TagFilters') === undefined && (folder.startsWith(prefix) || prefix.startsWith(folder));
}

function below({ properties, node }: Resource): string {
  return properties?.path ?? `${node.path}.Properties`;
}
