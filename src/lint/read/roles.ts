/** The rights of roles that a template declares. */
import type { Node } from '../document.ts';
import type { Resource, Role } from '../model.ts';
import { items, member, textOf } from '../node.ts';

type Resources = ReadonlyMap<string, Resource>;

/** The logical id that an expression refers to: `${Id}`, `${Id.Arn}`, `${Id.Arn}:live`. */
export function referred(node: Node | undefined): string {
  return /^\$\{(\w+)[.}]/.exec(textOf(node))?.[1] ?? '';
}

/** Undefined where the role is not in the document. */
export function roleIn(resources: Resources, id: string): Role | undefined {
  const role = resources.get(id);
  if (role?.type !== 'AWS::IAM::Role') return undefined;
  const policies = items(member(role.properties, 'Policies'));
  const managed = items(member(role.properties, 'ManagedPolicyArns'));
  return {
    statements: statementsFor(resources, id),
    elsewhere: [
      ...managed.filter((arn) => resources.get(referred(arn)) === undefined),
      ...policies.filter((policy) => member(policy, 'PolicyDocument', 'Statement') === undefined),
    ],
    ...placeIn(role),
    shared: false,
  };
}

/** In the first policy of the role that has a list, or as a policy more. */
function placeIn({ node, properties }: Resource): Pick<Role, 'at' | 'asPolicy'> {
  const written = items(member(properties, 'Policies'))
    .map((policy) => member(policy, 'PolicyDocument', 'Statement'))
    .find((statements) => Array.isArray(statements?.content));
  if (written !== undefined) return { at: written.path, asPolicy: (statements) => statements };
  const asPolicy: Role['asPolicy'] = (statements) => [
    { PolicyName: 'KeepFailedBatches', PolicyDocument: { Version: '2012-10-17', Statement: statements } },
  ];
  return { at: `${node.path}.Properties.Policies`, asPolicy };
}

/** What a role holds itself, and what policies of their own give it. */
export function statementsFor(resources: Resources, id: string): readonly Node[] {
  const properties = resources.get(id)?.properties;
  const managed = items(member(properties, 'ManagedPolicyArns')).map(referred);
  const names = [id, textOf(member(properties, 'RoleName'))];
  const attached = [...resources.values()].filter((policy) => {
    if (!['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy', 'AWS::IAM::RolePolicy'].includes(policy.type))
      return false;
    const to = [
      ...items(member(policy.properties, 'Roles')),
      ...items(member(policy.properties, 'RoleName')),
    ];
    return managed.includes(policy.id) || to.some((one) => names.includes(referred(one) || textOf(one)));
  });
  const policies = [...items(member(properties, 'Policies')), ...attached.map((one) => one.properties)];
  return policies.flatMap((policy) => (policy === undefined ? [] : statementsOf(policy)));
}

function statementsOf(policy: Node): readonly Node[] {
  return items(member(policy, 'PolicyDocument', 'Statement'));
}
