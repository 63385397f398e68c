/** The stack as those see it who deploy it: osls by its command line, CloudFormation by what it answers. */

import { join } from 'node:path';
import {
  CloudFormationClient,
  DescribeStacksCommand,
  paginateDescribeStackEvents,
  paginateListStackResources,
  type StackEvent,
} from '@aws-sdk/client-cloudformation';
import { folder } from './mock.ts';
import { type Ran, root, run } from './processes.ts';
import { region } from './sealed.ts';

/** Over what deploy/settings.yml says for every stage. */
export type Settings = Partial<
  Record<
    'keepData' | 'sender' | 'mailPerSecond' | 'searchEndpoint' | 'searchSecret' | 'cacheEndpoint',
    string
  >
>;

export type Stack = {
  name: string;
  /** Where its packaged template lies, once it is packaged there. */
  template: string;
  /** `osls <command>` with the settings, and others over them; throws with what it says where it fails. */
  osls(command: string, options?: { over?: Settings; args?: string[] }): Promise<string>;
  outputs(): Promise<Record<string, string>>;
  /** Each resource's own name by its logical id. */
  resources(): Promise<Map<string, string>>;
  /** How each resource ended, by its logical id; known also when the stack is gone. */
  ends(stackId: string): Promise<Map<string, string>>;
  describe(): Promise<{ id: string; updated: number }>;
};

export function openStack(
  stage: string,
  settings: Settings,
  { environment, signal }: { environment: Record<string, string>; signal: AbortSignal },
): Stack {
  const client = new CloudFormationClient({});
  const name = `sluice-${stage}`;
  const described = async () => {
    const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName: name }));
    return Stacks[0];
  };
  return {
    name,
    template: join(folder, name, 'cloudformation-template-update-stack.json'),
    async osls(command, { over = {}, args = [] } = {}) {
      const params = Object.entries({ region, ...settings, ...over });
      const all = [command, '--stage', stage, ...args, ...params.map(([key, to]) => `--param=${key}=${to}`)];
      const script = join(root, 'node_modules/osls/bin/serverless.js');
      const ran: Ran = await run(process.execPath, [script, ...all], { env: environment, signal });
      if (ran.status !== 0) throw new Error(`osls ${command} ended with ${ran.status}:\n${ran.output}`);
      return ran.output;
    },
    async outputs() {
      const { Outputs = [] } = (await described()) ?? {};
      return Object.fromEntries(Outputs.map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]));
    },
    async resources() {
      const found = new Map<string, string>();
      for await (const page of paginateListStackResources({ client }, { StackName: name }))
        for (const { LogicalResourceId = '', PhysicalResourceId = '' } of page.StackResourceSummaries ?? [])
          found.set(LogicalResourceId, PhysicalResourceId);
      return found;
    },
    async ends(StackName) {
      const events: StackEvent[] = [];
      for await (const page of paginateDescribeStackEvents({ client }, { StackName }))
        events.push(...(page.StackEvents ?? []));
      // The newest come first, and win.
      return new Map(
        events
          .reverse()
          .map(({ LogicalResourceId = '', ResourceStatus = '' }) => [LogicalResourceId, ResourceStatus]),
      );
    },
    async describe() {
      const { StackId = '', LastUpdatedTime, CreationTime } = (await described()) ?? {};
      return { id: StackId, updated: (LastUpdatedTime ?? CreationTime)?.getTime() ?? 0 };
    },
  };
}
