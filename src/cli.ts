/** The command line: `sluice <command>`. */
import { Command } from 'commander';
import { handler as mail } from '../handlers/mail.ts';
import { handler as notify } from '../handlers/notify.ts';
import { handler as project } from '../handlers/project.ts';
import { app } from './app.ts';
import { interruption } from './local/interruption.ts';
import { start } from './local/start.ts';
import { day } from './shop/day.ts';
import { readsOf } from './shop/reads.ts';

const program = new Command('sluice').description(
  'Takes every change of a DynamoDB table to every place that must know.',
);

program
  .command('start')
  .description('run everything on this machine, play a day of the shop, and prove the end state')
  .option('--once', 'end after the proof', false)
  .option('--json', 'print the proof as one line of JSON', false)
  .action(async ({ once, json }: { once: boolean; json: boolean }) => {
    const say = (line: string) => console.log(line);
    const handlers = { project, notify, mail } as Parameters<typeof start>[0]['handlers'];
    process.exitCode = await start(
      { app, handlers, day, readsOf },
      { once, json, environment: process.env, signal: interruption(), say },
    );
  });

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
// The handlers keep their connections open, as on Lambda.
process.exit();
