/** A packaged template, and how to look into it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../support/processes.ts';

// biome-ignore lint/suspicious/noExplicitAny: a template is JSON of any form; what is read of it is asserted.
export type Json = any;

export type Resource = {
  Type: string;
  Properties: Json;
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
};

export type Template = { Resources: Record<string, Resource>; Outputs: Record<string, { Value: Json }> };

/** Says what is wrong, a line each. */
export type Check = (template: Template) => string[];

export type Packaged = { template: Template; folder: string; file: string };

/** As `npm run package` does, with these settings. */
export function packaged(stage: string, settings: Record<string, string> = {}): Packaged {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-package-'));
  const params = Object.entries(settings).map(([name, value]) => `--param=${name}=${value}`);
  const args = [join(root, 'bin/osls.js'), 'package', '--stage', stage, '--package', folder, ...params];
  // No credentials, no account: only the search path.
  const env = { PATH: process.env.PATH ?? '', HOME: folder };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`packaging failed: ${stdout}${stderr}`);
  const file = join(folder, 'cloudformation-template-update-stack.json');
  return { template: JSON.parse(readFileSync(file, 'utf8')), folder, file };
}

export function ofType({ Resources }: Template, type: string): [string, Resource][] {
  return Object.entries(Resources).filter(([, { Type }]) => Type === type);
}

export const functionsOf = (template: Template) => ofType(template, 'AWS::Lambda::Function');
export const mappingsOf = (template: Template) => ofType(template, 'AWS::Lambda::EventSourceMapping');

/** The logical id that a reference names: `Ref`, `Fn::GetAtt`, or the first in `Fn::Sub`. */
export function idOf(reference: Json): string | undefined {
  if (typeof reference?.Ref === 'string') return reference.Ref;
  if (Array.isArray(reference?.['Fn::GetAtt'])) return reference['Fn::GetAtt'][0];
  return /\$\{(\w+)[.}]/.exec(String(reference?.['Fn::Sub']))?.[1];
}

/** An ARN as one text, whatever it is made of. */
export function textOf(arn: Json): string {
  if (typeof arn === 'string') return arn;
  if (arn?.['Fn::GetAtt']) return `\${${arn['Fn::GetAtt'].join('.')}}`;
  return String(arn?.['Fn::Sub'] ?? JSON.stringify(arn));
}

export type Statement = { Action: string[]; Resource: string[]; Condition?: Json };

/** What a function's role allows. */
export function statementsOf(template: Template, functionId: string): Statement[] {
  const role = idOf(template.Resources[functionId]?.Properties.Role);
  const policies: Json[] = template.Resources[role ?? '']?.Properties.Policies ?? [];
  return policies
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
    .map(({ Action, Resource, ...rest }) => ({
      ...rest,
      Action: [Action].flat(),
      Resource: [Resource].flat().map(textOf),
    }));
}

export function allows(statements: Statement[], action: string, resource: string): boolean {
  return statements.some(({ Action, Resource }) => Action.includes(action) && Resource.includes(resource));
}
