/** A document as a model: of a serverless.yml, a packaged template, or anybody's template. */
import type { Document, Node } from '../document.ts';
import type { Model } from '../model.ts';
import { isOpen, items, member, members, textOf } from '../node.ts';
import { consumedIn, declaredMappings, samMappings, samSenders, unclearMappings } from './cloudformation.ts';
import { eventsIn, functionsIn, normalized, parts } from './functions.ts';
import { parkingIn, resourcesIn, sendersIn } from './resources.ts';
import { eventBridgeSenders, streamMappings } from './serverless.ts';
import { roleOfFunction } from './serverlessRoles.ts';

/** Throws where the document is none of these. */
export function readModel({ root, json }: Document): Model {
  const serverless = member(root, 'functions') !== undefined || member(root, 'provider') !== undefined;
  if (!serverless && !declaresResources(root))
    throw new Error(
      'It is neither a serverless.yml (functions) nor a CloudFormation template (Resources). What is made by code must be packaged first.',
    );
  const sections = serverless ? parts(member(root, 'resources')) : [root];
  const resources = resourcesIn(sections);
  const generated = new Map(functionsIn(root).map(([name]) => [`${normalized(name)}LambdaFunction`, name]));
  const roleOf = (id: string) => {
    const name = generated.get(id);
    return name === undefined ? undefined : roleOfFunction(root, name, resources);
  };
  const queues = eventsIn(root, 'sqs').map(({ event }) => member(event, 'arn') ?? event);
  const topics = eventsIn(root, 'sns').map(({ event }) => member(event, 'arn') ?? event);
  const pipes = [...resources.values()].flatMap(({ type, properties }) => {
    const source =
      type === 'AWS::Pipes::Pipe' && textOf(member(properties, 'DesiredState')) !== 'STOPPED'
        ? member(properties, 'Source')
        : undefined;
    return source === undefined ? [] : [source];
  });
  return {
    json,
    section: (sections.find((section) => section.content instanceof Map) ?? { path: 'resources' }).path,
    mappings: [
      ...streamMappings(root, resources),
      ...declaredMappings(resources, roleOf),
      ...samMappings(resources),
    ],
    resources,
    consumed: [...queues, ...topics, ...consumedIn(resources)],
    pipes,
    senders: [...eventBridgeSenders(root), ...sendersIn(resources), ...samSenders(resources)],
    parking: parkingIn(root),
    unclear: [
      ...elsewhereIn(root, sections).map((node) => ({
        node,
        why: 'it stands elsewhere; all of it is in .serverless/cloudformation-template-update-stack.json, once packaged',
      })),
      ...unclearMappings(resources).map((node) => ({
        node,
        why: 'what it reads is known only when it is deployed',
      })),
    ],
  };
}

function declaresResources(root: Node): boolean {
  return members(member(root, 'Resources')).some(([, node]) => member(node, 'Type') !== undefined);
}

/** Functions, events and resources that stand in other files. */
function elsewhereIn(root: Node, sections: readonly Node[]): Node[] {
  const functions = parts(member(root, 'functions'));
  const candidates = [
    ...functions,
    ...functions.flatMap(members).map(([, node]) => node),
    ...functionsIn(root).flatMap(([, node]) => items(member(node, 'events'))),
    ...eventsIn(root, 'stream').map(({ event }) => event),
    ...sections,
    ...sections.flatMap((section) => items(member(section, 'Resources'))),
    ...[...resourcesIn(sections).values()].map(({ node }) => node),
  ];
  return candidates.filter((node) => typeof node.content === 'string' && isOpen(node.content));
}
