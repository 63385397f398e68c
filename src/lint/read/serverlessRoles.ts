/** The rights of a serverless.yml's functions. */
import type { Node } from '../document.ts';
import type { Resource, Role } from '../model.ts';
import { items, member, textOf } from '../node.ts';
import { functionsIn, normalized } from './functions.ts';
import { referred, roleIn, statementsFor } from './roles.ts';

type Resources = ReadonlyMap<string, Resource>;

const bare: Role['asPolicy'] = (statements) => statements;
const sharedRole = 'IamRoleLambdaExecution';

/** A role by the plugin serverless-iam-roles-per-function, a role of its own, or the one that all share. */
export function roleOfFunction(root: Node, name: string, resources: Resources): Role | undefined {
  const node = functionsIn(root).find(([one]) => one === name)?.[1];
  const provider = member(root, 'provider');
  const own = member(node, 'role') ?? member(provider, 'role') ?? stringRole(member(provider, 'iam', 'role'));
  // Whether version 4 adds rights to a role of its own kind is not known.
  const native = member(node, 'iam', 'role', 'statements');
  const statements = member(node, 'iamRoleStatements') ?? native;
  if (statements !== undefined) {
    const inherits = textOf(member(node, 'iamRoleStatementsInherit')) === 'true' || inheritsByDefault(root);
    const shared = inherits ? sharedStatements(provider) : [];
    const id = `${normalized(name)}${sharedRole}`;
    return {
      statements: [...items(statements), ...shared, ...statementsFor(resources, id)],
      elsewhere: statements === native ? [native] : [],
      at: statements.path,
      asPolicy: bare,
      shared: false,
    };
  }
  if (own !== undefined) return roleIn(resources, referred(own) || textOf(own));
  if (textOf(member(provider, 'iam', 'role', 'mode')) !== '') return undefined;
  const managed = [
    ...items(member(provider, 'iam', 'role', 'managedPolicies')),
    ...items(member(provider, 'iamManagedPolicies')),
  ];
  return {
    statements: [...sharedStatements(provider), ...statementsFor(resources, sharedRole)],
    elsewhere: managed,
    at: (member(provider, 'iamRoleStatements') ?? { path: 'provider.iam.role.statements' }).path,
    asPolicy: bare,
    shared: true,
  };
}

function stringRole(role: Node | undefined): Node | undefined {
  const reference = member(role, 'Fn::GetAtt') ?? member(role, 'Ref') ?? member(role, 'Fn::ImportValue');
  return reference !== undefined || typeof role?.content === 'string' ? role : undefined;
}

function inheritsByDefault(root: Node): boolean {
  return textOf(member(root, 'custom', 'serverless-iam-roles-per-function', 'defaultInherit')) === 'true';
}

function sharedStatements(provider: Node | undefined): readonly Node[] {
  return [
    ...items(member(provider, 'iam', 'role', 'statements')),
    ...items(member(provider, 'iamRoleStatements')),
  ];
}
