/** What becomes of a batch that Lambda gives up. */
import { identityOf, serviceOf } from '../arn.ts';
import type { Node } from '../document.ts';
import type { Mapping, Model, Role } from '../model.ts';
import { textOf } from '../node.ts';
import { asWritten, found, type Lines, lines, type Outcome, unjudged } from '../outcome.ts';
import { allowed, type Need, needed } from '../rights.ts';

type Destination = { node: Node; identity: string; service: string | undefined };

function destinationOf({ resources }: Model, { settings }: Mapping): Destination | undefined {
  const node = settings.destination;
  const text = textOf(node);
  if (node === undefined || text === '' || node.content === null || text === '${AWS::NoValue}')
    return undefined;
  const identity = identityOf(text, resources);
  const said = textOf(settings.destinationType).toLowerCase();
  return {
    node,
    identity,
    service: serviceOf(identity) ?? (/^(sqs|sns|s3|kafka)$/.test(said) ? said : undefined),
  };
}

export function noDestination(model: Model): Outcome[] {
  return model.mappings.flatMap((mapping) =>
    destinationOf(model, mapping) !== undefined
      ? []
      : [
          found('no-destination', mapping.settings.destination ?? mapping.at, {
            severity: 'loses',
            happens:
              'A batch that Lambda gives up is gone; only the metric DroppedEventCount tells, where it is switched on.',
            when: 'when the attempts are used up, or the records are too old',
            write: toBucket(model, mapping),
          }),
        ],
  );
}

export function metadataOnly(model: Model): Outcome[] {
  const rule = 'metadata-only-destination';
  const consumed = model.consumed.map((node) => identityOf(textOf(node), model.resources));
  return model.mappings.flatMap((mapping): Outcome[] => {
    const destination = destinationOf(model, mapping);
    if (destination === undefined) return [];
    const { node, identity, service } = destination;
    if (service === undefined) return [unjudged(rule, node)];
    if (service !== 'sqs' && service !== 'sns') return [];
    const name = service === 'sqs' ? 'queue' : 'topic';
    if (consumed.includes(identity))
      return [
        unjudged(
          rule,
          node,
          `the ${name} is read by something, which must fetch the records from the stream within 24 h`,
        ),
      ];
    return [
      found(rule, node, {
        severity: 'loses',
        happens: `The ${name} gets the numbers of the records, not the records: once the stream has dropped those, nothing brings them back.`,
        when: '24 h after the change, so over any weekend',
        write: toBucket(model, mapping),
      }),
    ];
  });
}

export function missingRights(model: Model): Outcome[] {
  const rule = 'missing-rights';
  return model.mappings.flatMap((mapping): Outcome[] => {
    const destination = destinationOf(model, mapping);
    if (destination === undefined || mapping.granted) return [];
    const { node, service } = destination;
    const needs = needed(destination.identity, service);
    if (service === undefined) return [unjudged(rule, node)];
    if (needs.length === 0) return [];
    const { role } = mapping;
    if (role === undefined) return [unjudged(rule, node, 'the role of its function is not in this file')];
    const answers = needs.map((need) => ({ ...need, answer: allowed(model.resources, role, need) }));
    const missing = answers.filter(({ answer }) => answer === 'no');
    if (missing.length > 0)
      return [
        found(rule, node, {
          severity: 'loses',
          happens: `Lambda may not write there (${missing.map(({ action }) => action).join(', ')}): what it gives up is gone.`,
          when: 'at the first batch that it gives up; only the metric DestinationDeliveryFailures tells',
          write: [toRole(model, role, missing, asWritten(node))],
        }),
      ];
    const open = answers.some(({ answer }) => answer === 'maybe');
    return open ? [unjudged(rule, node, `not all rights of its function are in this file`)] : [];
  });
}

function statement({ action, within }: Need, destination: unknown): unknown {
  return { Effect: 'Allow', Action: [action], Resource: within ? inside(destination) : destination };
}

function inside(bucket: unknown): unknown {
  return typeof bucket === 'string' ? `${bucket}/*` : { 'Fn::Join': ['', [bucket, '/*']] };
}

/** An S3 bucket gets the records themselves. */
function toBucket(model: Model, mapping: Mapping): Lines[] {
  const { form, extension, role, at } = mapping;
  // The Serverless Framework takes an S3 bucket only by its ARN as a text, unless an extension sets it.
  const byName = form === 'serverless' && extension === undefined;
  const name = '${self:service}-failed-batches';
  const bucket = byName ? `arn:aws:s3:::${name}` : { 'Fn::GetAtt': ['FailedBatches', 'Arn'] };
  const properties = { DestinationConfig: { OnFailure: { Destination: bucket } } };
  const under = (one: string) => (model.section === '' ? one : `${model.section}.${one}`);
  const goes = byName
    ? lines(model, 'in', at.path, { destinations: { onFailure: bucket } })
    : form === 'serverless'
      ? lines(model, 'in', under('extensions'), { [extension ?? '']: { Properties: properties } })
      : lines(model, 'in', at.path, properties);
  const resource = { Type: 'AWS::S3::Bucket', ...(byName ? { Properties: { BucketName: name } } : {}) };
  const needs = needed('', 's3');
  return [
    goes,
    lines(model, 'in', under('Resources'), { FailedBatches: resource }),
    toRole(model, role, needs, bucket),
  ];
}

function toRole(model: Model, role: Role | undefined, needs: readonly Need[], destination: unknown): Lines {
  const statements = needs.map((need) => statement(need, destination));
  return lines(model, 'to', role?.at ?? 'the role of its function', role?.asPolicy(statements) ?? statements);
}
