/** The functions of a serverless.yml, and their events. */
import type { Node } from '../document.ts';
import { items, member, members } from '../node.ts';

type FunctionEvent = { name: string; event: Node };

/** A section that may be a list of parts. */
export function parts(section: Node | undefined): readonly Node[] {
  return items(section);
}

export function functionsIn(root: Node): readonly (readonly [string, Node])[] {
  return parts(member(root, 'functions')).flatMap(members);
}

export function eventsIn(root: Node, kind: string): FunctionEvent[] {
  return functionsIn(root).flatMap(([name, node]) =>
    items(member(node, 'events')).flatMap((one) => {
      const event = member(one, kind);
      return event === undefined ? [] : [{ name, event }];
    }),
  );
}

/** A function's name as it begins the logical ids that are made of it. */
export function normalized(name: string): string {
  const plain = name.replaceAll('-', 'Dash').replaceAll('_', 'Underscore');
  return plain.slice(0, 1).toUpperCase() + plain.slice(1);
}
