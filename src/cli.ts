/** The command line: `sluice <command>`. */
import { userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { StartParts } from './local/start.ts';
import { type Decision, decisions } from './mail/decision.ts';
import type { RecordOptions } from './ops/record.ts';
import type { Chosen } from './ops/redrive.ts';
import type { ReplayOptions } from './ops/replay.ts';

// Each command brings what it needs when it runs: most need little, and begin at once.

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
    const { start } = await import('./local/start.ts');
    const { interruption } = await import('./local/interruption.ts');
    const say = (line: string) => console.log(line);
    const parts = await startParts();
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

program
  .command('record')
  .description('save what the stream delivers while it runs, as Lambda sends it')
  .requiredOption('--name <name>', 'the name of the recording')
  .option('--folder <folder>', 'where recordings are', 'events/recorded')
  .option('--table <name>', 'the table; else SLUICE_TABLE')
  .option('--endpoint <url>', 'a DynamoDB with streams, instead of the local run that is going')
  .addOption(new Option('--aws', 'the AWS account of the environment').default(false).conflicts('endpoint'))
  .option(
    '--anonymise',
    'replace personal data by stand-ins, stable within one recording; keys and undeclared fields only where they contain a declared personal value',
    false,
  )
  .option('--from-start', 'begin with the oldest record of the stream', false)
  .option('--count <records>', 'end after so many', recordCount)
  .option('--force', 'write over a recording of that name', false)
  .action(async (flags: Omit<RecordOptions, 'environment' | 'signal' | 'say' | 'warn'>) => {
    const { record } = await import('./ops/record.ts');
    const { interruption } = await import('./local/interruption.ts');
    const { app } = await import('./app.ts');
    const { log: say, error: warn } = console;
    process.exitCode = await record(app, {
      ...flags,
      environment: process.env,
      signal: interruption(),
      say,
      warn,
    });
  });

program
  .command('replay')
  .description('show what recorded changes would cause, and why; nothing is sent without --send')
  .argument('<file...>', 'batches as Lambda delivers them, records, or lists of either')
  .option('--json', 'one line of JSON for each record', false)
  .option('--send', 'deliver to search, cache and audit trail', false)
  .option('--acts', 'with --send: mail and events too, marked as a replay', false)
  .option('--aws', 'send to the AWS account of the environment, instead of the local run', false)
  .action(async (files: string[], flags: Pick<ReplayOptions, 'json' | 'send' | 'acts' | 'aws'>) => {
    const { replayFiles } = await import('./ops/replay.ts');
    const { app } = await import('./app.ts');
    const { log: say, error: complain } = console;
    const ask = process.stdin.isTTY ? confirmed : undefined;
    const options = { ...flags, environment: process.env, say, complain, ask };
    process.exitCode = await replayFiles(app, files, options);
  });

program
  .command('lint')
  .description('say what in a template loses data or hurts, when, and the line to write')
  .argument('<file>', 'a serverless.yml, or a template of CloudFormation or SAM')
  .option('--json', 'one line of JSON for each finding', false)
  .action(async (file: string, { json }: { json: boolean }) => {
    const { lintFile } = await import('./ops/lint.ts');
    const { log: say, error: complain } = console;
    process.exitCode = await lintFile(file, { json, say, complain });
  });

const aws = [
  '--aws',
  'the AWS account of the environment, instead of the local run that is going',
  false,
] as const;
const here = () => ({ environment: process.env, say: (line: string) => console.log(line) });
const me = () => userInfo().username;

async function sinks(): Promise<string[]> {
  const { sinkNames } = await import('./ops/names.ts');
  const { app } = await import('./app.ts');
  return sinkNames(app);
}

program
  .command('preview')
  .description('show what an email looks like, made of a recorded change that causes it')
  .argument('<email>', 'as the entity declares it, such as orderShipped')
  .option('--folder <folder>', 'where recordings are', 'events/recorded')
  .action(async (email: string, { folder }: { folder: string }) => {
    const { previewEmail } = await import('./ops/preview.ts');
    const { app } = await import('./app.ts');
    process.exitCode = previewEmail(app, { email, folder, say: (line) => console.log(line) });
  });

program
  .command('backfill')
  .description('bring what the table holds into search, making the indices that are not there yet')
  .option('--rebuild', 'into new indices, which searches move to at the end', false)
  .option(...aws)
  .action(async (flags: { rebuild: boolean; aws: boolean }) => {
    const { backfill } = await import('./ops/backfill.ts');
    const { app } = await import('./app.ts');
    process.exitCode = await backfill(app, { ...flags, ...here() });
  });

program
  .command('purge')
  .description('take away the marks of removed documents that no late record can need any more')
  .option(...aws)
  .action(async (flags: { aws: boolean }) => {
    const { purgeByHand } = await import('./ops/purge.ts');
    const { app } = await import('./app.ts');
    process.exitCode = await purgeByHand(app, { ...flags, ...here() });
  });

program
  .command('deliveries')
  .description('show what is parked, why, since when, and how long it will take to drain')
  .option('--json', 'one line of JSON for each', false)
  .option(...aws)
  .action(async (flags: { json: boolean; aws: boolean }) => {
    const { showDeliveries } = await import('./ops/deliveries.ts');
    process.exitCode = await showDeliveries({ names: await sinks(), ...flags, ...here(), now: Date.now });
  });

program
  .command('redrive')
  .description('try parked deliveries now, after saying what that does')
  .option('--sink <name>', 'only those of this sink')
  .option('--item <item>', 'only those of this item, as "deliveries" names it')
  .option('--settled', 'also what was refused or is dead; mails and events among it go out late', false)
  .option(
    '--without <sinks...>',
    'sinks that are off in the deployment too, for records that can be read now',
    [],
  )
  .option('--dry-run', 'only say what it would do', false)
  .option(...aws)
  .action(async (flags: Chosen & { dryRun: boolean; aws: boolean }) => {
    const { redriveByHand } = await import('./ops/redrive.ts');
    const { app } = await import('./app.ts');
    const ask = process.stdin.isTTY ? confirmed : undefined;
    process.exitCode = await redriveByHand(app, { names: await sinks(), ...flags, ...here(), ask });
  });

program
  .command('discard')
  .description('take parked deliveries of an item away for good; the audit trail keeps who and why')
  .argument('<item>', 'the item, or the event id of a record that cannot be read, as "deliveries" names it')
  .option('--sink <name>', 'the sink; without it a record that cannot be read')
  .requiredOption('--reason <text>', 'why')
  .option(...aws)
  .action(async (item: string, flags: { sink?: string; reason: string; aws: boolean }) => {
    const { discardByHand } = await import('./ops/discard.ts');
    process.exitCode = await discardByHand({ item, ...flags, ...here(), by: me() });
  });

for (const [name, paused] of [
  ['pause', true],
  ['resume', false],
] as const)
  program
    .command(name)
    .description(paused ? 'let a sink park what comes, until it is resumed' : 'let a paused sink go on')
    .argument('<sink>', 'such as email')
    .option(...aws)
    .action(async (sink: string, flags: { aws: boolean }) => {
      const { pauseSink } = await import('./ops/pause.ts');
      process.exitCode = await pauseSink({
        names: await sinks(),
        sink,
        paused,
        ...flags,
        ...here(),
        by: me(),
      });
    });

const mailCommand = program
  .command('mail')
  .description('show mail that has not gone out, and why; decide what becomes of it');

mailCommand
  .command('list', { isDefault: true })
  .description('show it; this is what "mail" alone does')
  .option('--json', 'one line of JSON for each', false)
  .option(...aws)
  .action(async (flags: { json: boolean; aws: boolean }) => {
    const { showMail } = await import('./ops/mail.ts');
    process.exitCode = await showMail({ ...flags, ...here(), now: Date.now });
  });

mailCommand
  .command('settle')
  .description('decide about one mail; the audit trail keeps who and why')
  .argument('<change>', 'as "mail" names it')
  .argument('<email>', 'such as orderShipped')
  .addOption(
    new Option('--as <decision>', 'sent: it has arrived; again: send it; never: do not send it')
      .choices(decisions)
      .makeOptionMandatory(),
  )
  .requiredOption('--reason <text>', 'why')
  .option(...aws)
  .action(async (change: string, email: string, flags: { as: Decision; reason: string; aws: boolean }) => {
    const { settleMailByHand } = await import('./ops/mail.ts');
    process.exitCode = await settleMailByHand({ change, email, ...flags, ...here(), by: me() });
  });

mailCommand
  .command('allow')
  .description('mail an address again that bounced or complained; the audit trail keeps who and why')
  .argument('<address>')
  .requiredOption('--reason <text>', 'why')
  .option(...aws)
  .action(async (address: string, flags: { reason: string; aws: boolean }) => {
    const { allowAddressByHand } = await import('./ops/mail.ts');
    process.exitCode = await allowAddressByHand({ address, ...flags, ...here(), by: me() });
  });

program
  .command('torture')
  .description('run everything as processes under load, kill them again and again, and compare every sink')
  .option('--kills <count>', 'how often a process is killed', killCount, 50)
  .option('--seed <number>', 'makes the same decisions again', wholeNumber)
  .option('--sink-faults <share>', 'how many requests to a service go wrong, from 0 to 0.5', share, 0.1)
  .option('--json', 'print the outcome as one line of JSON', false)
  .action(async (flags: { kills: number; seed?: number; sinkFaults: number; json: boolean }) => {
    const { tortureHere } = await import('./ops/torture.ts');
    const { realServers } = await import('./ops/realServers.ts');
    const { interruption } = await import('./local/interruption.ts');
    const { app } = await import('./app.ts');
    const { traffic } = await import('./shop/play/traffic.ts');
    const { readsOf } = await import('./shop/reads.ts');
    const { log: say, error: mention } = console;
    const handlers = new URL('../handlers/', import.meta.url);
    const signal = interruption();
    const servers = realServers(process.env, mention);
    const options = { ...flags, servers, environment: process.env, signal, say, mention };
    process.exitCode = await tortureHere({ app, handlers, traffic, readsOf }, options);
  });

async function startParts(): Promise<StartParts> {
  const { handler: project } = await import('../handlers/project.ts');
  const { handler: notify } = await import('../handlers/notify.ts');
  const { handler: mail } = await import('../handlers/mail.ts');
  const { handler: redrive } = await import('../handlers/redrive.ts');
  const { handler: feedback } = await import('../handlers/feedback.ts');
  const { app, routes } = await import('./app.ts');
  const { day, onDemand } = await import('./shop/play/day.ts');
  const { warehouse: subscriber } = await import('./shop/play/subscriber.ts');
  const { readsOf } = await import('./shop/reads.ts');
  const handlers = { project, notify, mail, redrive, feedback } as StartParts['handlers'];
  return { app, handlers, routes, day, onDemand, subscriber, readsOf };
}

async function confirmed(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await terminal.question(`${question} Type yes: `)).trim() === 'yes';
  } finally {
    terminal.close();
  }
}

function killCount(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is a whole number from 0 to 9999.');
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is a whole number from 0.');
}

function share(text: string): number {
  if (/^0(\.\d+)?$/.test(text) && Number(text) <= 0.5) return Number(text);
  throw new InvalidArgumentError('It is a number from 0 to 0.5.');
}

function recordCount(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is a whole number from 1.');
}

/** The SDK says of a region only that it is missing. */
function messageOf(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  return error.message === 'Region is missing'
    ? 'No AWS region is named: set AWS_REGION, or name a profile that has one by AWS_PROFILE.'
    : error.message;
}

type Flags = { once: boolean; json: boolean; port: number; keep?: string | true };

function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port < 65_536) return port;
  throw new InvalidArgumentError('It is a number from 0 to 65535; 0 takes any that is free.');
}

try {
  await program.parseAsync();
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}
// The handlers keep their connections open, as on Lambda.
process.exit();
