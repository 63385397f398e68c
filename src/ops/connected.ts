/** Runs a command against the local run or the AWS account, and lets go of it afterwards. */
import { readConfig } from '../config.ts';
import { type Connections, connect, disconnect } from '../connections.ts';
import { aim } from './target.ts';

export type Aim = { environment: NodeJS.ProcessEnv; aws: boolean };

export async function connected<Value>(
  { environment, aws }: Aim,
  run: (connections: Connections, where: string) => Promise<Value>,
): Promise<Value> {
  const where = aim(environment, aws);
  const connections = connect(readConfig(environment));
  try {
    return await run(connections, where);
  } finally {
    await disconnect(connections);
  }
}
