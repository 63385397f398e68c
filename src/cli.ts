/** The command line: `sluice <command>`. */
import { Command, InvalidArgumentError } from 'commander';
import { handler as mail } from '../handlers/mail.ts';
import { handler as notify } from '../handlers/notify.ts';
import { handler as project } from '../handlers/project.ts';
import { app, routes } from './app.ts';
import { interruption } from './local/interruption.ts';
import { type StartParts, start } from './local/start.ts';
import { day, onDemand } from './shop/play/day.ts';
import { warehouse } from './shop/play/subscriber.ts';
import { readsOf } from './shop/reads.ts';

// Whoever reads may close early, as `head` does.
process.stdout.on('error', () => process.exit(1));

/** Where data is kept if nothing else is said, below the current folder. */
const keptHere = '.sluice';

const program = new Command('sluice').description(
  'Takes every change of a DynamoDB table to every place that must know.',
);

program
  .command('start')
  .description('run everything on this machine, play a day of the shop, and prove the end state')
  .option('--once', 'end after the proof', false)
  .option('--json', 'print the proof as one line of JSON, and end', false)
  .option('--port <number>', "the API's port", portNumber, 4100)
  .option('--keep [folder]', 'keep the data for the next start')
  .action(async ({ once, json, port, keep }: Flags) => {
    const say = (line: string) => console.log(line);
    const handlers = { project, notify, mail } as StartParts['handlers'];
    const parts = { app, handlers, routes, day, onDemand, subscriber: warehouse, readsOf };
    const options = {
      once: once || json,
      json,
      port,
      keep: keep === true ? keptHere : keep,
      environment: process.env,
      signal: interruption(),
      say,
    };
    process.exitCode = await start(parts, options);
  });

type Flags = { once: boolean; json: boolean; port: number; keep?: string | true };

function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port < 65_536) return port;
  throw new InvalidArgumentError('It is a number from 0 to 65535; 0 takes any that is free.');
}

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
// The handlers keep their connections open, as on Lambda.
process.exit();
