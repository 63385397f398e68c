/** What a command works on: the local run that is going, or the AWS account of the environment. Never both, never by guessing. */
import { runningEnvironment } from '../local/running.ts';

/** Sets the environment's variables so that every client goes there; says where that is. */
export function aim(environment: NodeJS.ProcessEnv, aws: boolean): string {
  if (aws) return `the AWS account of this environment (${environment.AWS_REGION ?? 'its default region'})`;
  const running = runningEnvironment();
  if (running === undefined)
    throw new Error(
      'No local run is going: start one with "npm start", or name your AWS account with --aws.',
    );
  Object.assign(environment, running);
  return 'the local run';
}
