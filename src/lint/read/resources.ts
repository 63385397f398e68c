/** The resources of a template, and what in them other parts need. */
import type { Node } from '../document.ts';
import type { Resource, Sender, Settings } from '../model.ts';
import { items, member, members, textOf, within } from '../node.ts';

export function resourcesIn(sections: readonly Node[]): Map<string, Resource> {
  const resources = new Map<string, Resource>();
  for (const section of sections)
    for (const [id, node] of members(member(section, 'Resources'))) resources.set(id, resourceAt(id, node));
  // They go over what the Serverless Framework generates, too, which then has no type here.
  for (const section of sections)
    for (const [id, node] of members(member(section, 'extensions'))) {
      const under = resources.get(id) ?? { ...resourceAt(id, node), type: '', properties: undefined };
      resources.set(id, { ...under, properties: over(under.properties, member(node, 'Properties')) });
    }
  return resources;
}

function resourceAt(id: string, node: Node): Resource {
  return { id, type: textOf(member(node, 'Type')), node, properties: member(node, 'Properties') };
}

/** An extension replaces each property that it names, whole. */
function over(under: Node | undefined, extension: Node | undefined): Node | undefined {
  if (under === undefined || extension === undefined) return extension ?? under;
  return { ...under, content: new Map([...members(under), ...members(extension)]) };
}

/** Settings by their CloudFormation names. */
export function settingsIn(properties: Node | undefined): Settings {
  return {
    stream: member(properties, 'EventSourceArn') ?? member(properties, 'Stream'),
    enabled: member(properties, 'Enabled'),
    startingPosition: member(properties, 'StartingPosition'),
    batchWindow: member(properties, 'MaximumBatchingWindowInSeconds'),
    retries: member(properties, 'MaximumRetryAttempts'),
    recordAge: member(properties, 'MaximumRecordAgeInSeconds'),
    responseTypes: member(properties, 'FunctionResponseTypes'),
    destination: within(properties, 'DestinationConfig', 'OnFailure', 'Destination'),
    destinationType: member(properties, 'DestinationConfig', 'OnFailure', 'Type'),
    filters: filtersIn(properties),
  };
}

function filtersIn(properties: Node | undefined): Node[] | undefined {
  const criteria = member(properties, 'FilterCriteria');
  if (criteria === undefined) return undefined;
  const filters = member(criteria, 'Filters');
  return filters === undefined
    ? [criteria]
    : items(filters).map((filter) => member(filter, 'Pattern') ?? filter);
}

/** What EventBridge and SNS send to queues by the queues' own policies. */
export function sendersIn(resources: ReadonlyMap<string, Resource>): Sender[] {
  return [...resources.values()].flatMap(({ type, properties }): Sender[] => {
    if (type === 'AWS::SNS::Subscription') {
      const endpoint =
        textOf(member(properties, 'Protocol')) === 'sqs' ? member(properties, 'Endpoint') : undefined;
      const dead = member(properties, 'RedrivePolicy', 'deadLetterTargetArn');
      return [endpoint, dead].flatMap((queue) =>
        queue ? [{ service: 'sns.amazonaws.com' as const, queue }] : [],
      );
    }
    if (type !== 'AWS::Events::Rule') return [];
    return items(member(properties, 'Targets')).flatMap((target) => {
      // A target with a role of its own is sent to by that role.
      const arn = member(target, 'RoleArn') === undefined ? member(target, 'Arn') : undefined;
      const dead = member(target, 'DeadLetterConfig', 'Arn');
      return [arn, dead].flatMap((queue) =>
        queue ? [{ service: 'events.amazonaws.com' as const, queue }] : [],
      );
    });
  });
}

/** Under these names stands where something is set aside. */
const parkingNames: Readonly<Record<string, readonly string[]>> = {
  deadLetterTargetArn: [''],
  deadLetterQueueArn: [''],
  onError: [''],
  DeadLetterConfig: ['Arn', 'TargetArn'],
  OnFailure: ['Destination'],
  onFailure: ['', 'arn'],
};

export function parkingIn(root: Node): Node[] {
  const found: Node[] = [];
  const walk = (node: Node) => {
    if (Array.isArray(node.content)) node.content.forEach(walk);
    for (const [name, value] of members(node)) {
      for (const under of Object.hasOwn(parkingNames, name) ? (parkingNames[name] ?? []) : []) {
        const arn = under === '' ? value : member(value, under);
        if (arn !== undefined) found.push(arn);
      }
      walk(value);
    }
  };
  walk(root);
  return found;
}
