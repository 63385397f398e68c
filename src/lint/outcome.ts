/** What a rule says of a document. */
import { Document, isCollection, visit } from 'yaml';
import type { Node } from './document.ts';
import type { Form, Mapping, Model, Settings } from './model.ts';
import { isOpen, member, members, shown, textOf } from './node.ts';

/** Lines to write: settings `in` a place, entries of the list `to` it, or what stands there `instead`. */
export type Lines = { how: 'in' | 'to' | 'instead'; at: string; lines: string };

export type Finding = {
  rule: string;
  /** `loses` data, or `hurts`: delays it, repeats it, or is refused when deployed. */
  severity: 'loses' | 'hurts';
  path: string;
  line: number;
  happens: string;
  when: string;
  write: readonly Lines[];
};

/** What cannot be judged by this document alone. */
export type Unjudged = { rule: string; path: string; line: number; why: string };

export type Outcome = Finding | Unjudged;

/** One fact of a rule, before it has a place. */
export type Said = Pick<Finding, 'severity' | 'happens' | 'when'> & { write: readonly Lines[] };

export function found(rule: string, at: Node, said: Said): Finding {
  return {
    rule,
    severity: said.severity,
    path: at.path,
    line: at.line,
    happens: said.happens,
    when: said.when,
    write: said.write,
  };
}

export function unjudged(rule: string, at: Node, why?: string): Unjudged {
  const told = isOpen(textOf(at)) ? 'is known only when it is deployed' : 'is no value for it';
  return { rule, path: at.path, line: at.line, why: why ?? `${shown(at)} ${told}` };
}

export function isFinding(outcome: Outcome): outcome is Finding {
  return 'severity' in outcome;
}

type Setting = Exclude<keyof Settings, 'filters'>;

const names: Readonly<Record<Form, Partial<Record<Setting, string>>>> = {
  serverless: {
    enabled: 'enabled',
    startingPosition: 'startingPosition',
    batchWindow: 'batchWindow',
    retries: 'maximumRetryAttempts',
    recordAge: 'maximumRecordAgeInSeconds',
    responseTypes: 'functionResponseType',
  },
  cloudformation: {
    enabled: 'Enabled',
    startingPosition: 'StartingPosition',
    batchWindow: 'MaximumBatchingWindowInSeconds',
    retries: 'MaximumRetryAttempts',
    recordAge: 'MaximumRecordAgeInSeconds',
    responseTypes: 'FunctionResponseTypes',
  },
};

/** The line for one setting of a mapping, by the name that it has there. */
export function setting(model: Model, mapping: Mapping, name: Setting, value: unknown): Lines[] {
  const line = { [names[mapping.form][name] ?? name]: value };
  // An event that is only an ARN becomes one with settings.
  const bare =
    !(mapping.at.content instanceof Map) || members(mapping.at).some(([key]) => key.startsWith('Fn::'));
  if (mapping.form === 'serverless' && bare)
    return [lines(model, 'instead', mapping.at.path, { arn: asWritten(mapping.at), ...line })];
  const written = mapping.settings[name];
  // What an extension sets is changed there, by CloudFormation's name.
  if (mapping.form === 'serverless' && written !== undefined && !written.path.startsWith(mapping.at.path)) {
    const place = written.path.slice(0, written.path.lastIndexOf('.'));
    const listed = name === 'responseTypes' ? [value] : value;
    return [lines(model, 'in', place, { [names.cloudformation[name] ?? name]: listed })];
  }
  return [lines(model, 'in', mapping.at.path, line)];
}

export function lines(model: Model, how: Lines['how'], at: string, value: unknown): Lines {
  if (!model.json) return { how, at, lines: yamlOf(value) };
  const text = JSON.stringify(value, null, 2);
  // Without the braces of what is there already.
  return { how, at, lines: how === 'instead' ? text : text.slice(2, -2).replaceAll(/^ {2}/gm, '') };
}

/** What is short stands on one line. */
function yamlOf(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, (_key, node, path) => {
    if (isCollection(node) && path.length > 1 && JSON.stringify(node).length < 70) node.flow = true;
  });
  return document.toString({ lineWidth: 0 }).trimEnd();
}

/** What stands there, as plain data. */
export function asWritten(node: Node): unknown {
  const { content } = node;
  const attribute = member(node, 'Fn::GetAtt')?.content;
  if (typeof attribute === 'string') {
    // Only a list is understood everywhere.
    const [id, ...names] = attribute.split('.');
    return { 'Fn::GetAtt': [id, names.join('.')] };
  }
  if (content instanceof Map)
    return Object.fromEntries(members(node).map(([name, one]) => [name, asWritten(one)]));
  return Array.isArray(content) ? content.map(asWritten) : content;
}
