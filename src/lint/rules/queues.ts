/** EventBridge and SNS send to a queue only if the queue's own policy lets them. */
import { identityOf, resourceOf, serviceOf } from '../arn.ts';
import type { Model, Resource, Sender } from '../model.ts';
import { items, member, textOf } from '../node.ts';
import { asWritten, found, type Lines, lines, type Outcome, unjudged } from '../outcome.ts';
import { referred } from '../read/roles.ts';

const senderNames = { 'events.amazonaws.com': 'EventBridge', 'sns.amazonaws.com': 'SNS' } as const;

export function queuePolicy(model: Model): Outcome[] {
  const rule = 'no-queue-policy';
  const seen = new Set<string>();
  return model.senders.flatMap(({ service, queue }): Outcome[] => {
    const identity = identityOf(textOf(queue), model.resources);
    const known = serviceOf(identity);
    if (seen.has(`${service} ${identity}`) || (known !== undefined && known !== 'sqs')) return [];
    seen.add(`${service} ${identity}`);
    const resource = resourceOf(textOf(queue), model.resources);
    // Targets of many other kinds have ARNs that nothing here tells from a queue's.
    if (known === undefined) return /queue|dlq|dead/i.test(identity) ? [unjudged(rule, queue)] : [];
    if (resource === undefined)
      return [unjudged(rule, queue, 'the queue, and with it its policy, is not in this file')];
    if (isAllowed(model, resource, service)) return [];
    return [
      found(rule, queue, {
        severity: 'loses',
        happens: `${senderNames[service]} may not send to ${resource.id}, whose policy must allow it: what is meant for it is gone.`,
        when: 'from the first event on',
        write: [mayWrite(model, resource, service)],
      }),
    ];
  });
}

function policiesOf(model: Model, queue: Resource): Resource[] {
  return [...model.resources.values()].filter(({ type, properties }) => {
    const queues = [...items(member(properties, 'Queues')), ...items(member(properties, 'Queue'))];
    return /^AWS::SQS::Queue(Inline)?Policy$/.test(type) && queues.some((one) => referred(one) === queue.id);
  });
}

function isAllowed(model: Model, queue: Resource, service: Sender['service']): boolean {
  return policiesOf(model, queue)
    .flatMap(({ properties }) => items(member(properties, 'PolicyDocument', 'Statement')))
    .some((statement) => {
      const actions = items(member(statement, 'Action')).map((one) => textOf(one).toLowerCase());
      const principal = member(statement, 'Principal');
      const principals = [principal, member(principal, 'Service'), member(principal, 'AWS')]
        .flatMap(items)
        .map(textOf);
      return (
        textOf(member(statement, 'Effect')) === 'Allow' &&
        actions.some((action) => ['sqs:sendmessage', 'sqs:send*', 'sqs:*', '*'].includes(action)) &&
        principals.some((one) => one === service || one === '*')
      );
    });
}

/** In the policy that the queue has, for a second one would take its place. */
function mayWrite(model: Model, queue: Resource, service: string): Lines {
  const { id, node } = queue;
  const arn = { 'Fn::GetAtt': [id, 'Arn'] };
  const statement = {
    Effect: 'Allow',
    Principal: { Service: service },
    Action: 'sqs:SendMessage',
    Resource: arn,
  };
  const [policy] = policiesOf(model, queue);
  const written = member(policy?.properties, 'PolicyDocument', 'Statement');
  if (written !== undefined)
    return Array.isArray(written.content)
      ? lines(model, 'to', written.path, [statement])
      : lines(model, 'instead', written.path, [asWritten(written), statement]);
  const document = { Version: '2012-10-17', Statement: [statement] };
  const properties = { Queues: [{ Ref: id }], PolicyDocument: document };
  return lines(model, 'in', node.path.slice(0, -id.length - 1), {
    [`${id}Policy`]: { Type: 'AWS::SQS::QueuePolicy', Properties: properties },
  });
}
