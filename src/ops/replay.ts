/** `sluice replay`: what recorded changes would cause, and on request causes again. */
import { readFile } from 'node:fs/promises';
import type { DynamoDBStreamEvent } from 'aws-lambda';
import { readConfig } from '../config.ts';
import { type Connections, connect, disconnect } from '../connections.ts';
import { plain } from '../local/live/plain.ts';
import type { App } from '../pipeline/app.ts';
import type { Entry } from '../pipeline/batch.ts';
import { type BatchReport, reports } from '../pipeline/report.ts';
import { openStream, type Reader } from '../pipeline/stream.ts';
import { planBatch, type Replay } from '../replay/plan.ts';
import { parse, readRecorded } from '../replay/read.ts';
import { radiusOf, recordLine } from './replay/lines.ts';
import { aim } from './target.ts';

export type ReplayOptions = {
  json: boolean;
  /** Delivers to views and audit trail. */
  send: boolean;
  /** With `send`: mail and events too, marked as a replay. */
  acts: boolean;
  /** The AWS account of the environment, instead of the local run. */
  aws: boolean;
  environment: NodeJS.ProcessEnv;
  say(line: string): void;
  complain(line: string): void;
  /** Asks whoever sits at the terminal; nothing where nobody does. */
  ask: ((question: string) => Promise<boolean>) | undefined;
};

type Recording = { file: string; entries: Entry[]; replay: Replay };

const nothingToReplay = 2;
const notAllTaken = 1;

/** Gives the exit status: 2 where a file is no recording, 1 where not all that was sent was taken. */
export async function replayFiles(
  app: App,
  files: readonly string[],
  options: ReplayOptions,
): Promise<number> {
  const { json, send, say, complain } = options;
  const recordings: Recording[] = [];
  for (const file of files) {
    try {
      const entries = readRecorded(parse(await readFile(file, 'utf8')));
      recordings.push({ file, entries, replay: await planBatch(app, entries) });
    } catch (error) {
      complain(`${plain(file)}: ${plain(whyNot(error as NodeJS.ErrnoException), 300)}`);
    }
  }
  for (const recording of recordings) show(recording, options);
  const tell = json ? complain : say;
  if (recordings.length > 0) tell(radiusOf(recordings.map(({ replay }) => replay)));
  const unreadable = recordings.length < files.length ? nothingToReplay : 0;
  if (!send) {
    if (recordings.length > 0) tell('Nothing was sent.');
    return unreadable;
  }
  return (await sendAll(app, recordings, options, tell)) || unreadable;
}

function whyNot({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return 'There is no such file.';
  return code === 'EISDIR' ? 'It is a folder; name the files in it.' : message;
}

function show({ file, replay }: Recording, { json, say }: ReplayOptions): void {
  if (!json) say(plain(file));
  for (const record of replay.records) say(json ? JSON.stringify({ file, ...record }) : recordLine(record));
}

async function sendAll(
  app: App,
  recordings: readonly Recording[],
  { acts, aws, environment, ask }: ReplayOptions,
  tell: (line: string) => void,
): Promise<number> {
  tell(`This goes to ${aim(environment, aws)}.`);
  if (
    acts &&
    ask !== undefined &&
    !(await ask('Mails and events are sent as well, marked as a replay. Go on?'))
  ) {
    tell('Nothing was sent.');
    return notAllTaken;
  }
  const connections = connect(readConfig(environment));
  const heard: BatchReport[] = [];
  const listen = (batch: unknown) => heard.push(batch as BatchReport);
  reports.subscribe(listen);
  try {
    let missed = 0;
    for (const { entries } of recordings)
      for (const reader of acts ? (['project', 'notify'] as const) : (['project'] as const))
        missed += await take(app, reader, connections, entries);
    for (const line of sentLines(heard)) tell(line);
    // What did not arrive and waits for a redrive has not arrived.
    return missed === 0 && heard.every(({ failures }) => failures.length === 0) ? 0 : notAllTaken;
  } finally {
    reports.unsubscribe(listen);
    await disconnect(connections);
  }
}

/** Sends a recording as one batch; gives how many records were not taken to the end. */
async function take(
  app: App,
  reader: Reader,
  connections: Connections,
  entries: readonly Entry[],
): Promise<number> {
  const handler = openStream(app, reader, connections, { replay: true });
  const event = { Records: entries.map(({ raw }) => raw) } as DynamoDBStreamEvent;
  return (await handler(event)).batchItemFailures.length;
}

function sentLines(batches: readonly BatchReport[]): string[] {
  const names = [...new Set(batches.flatMap(({ sinks }) => Object.keys(sinks)))];
  const counts = names.map((name) => {
    const states: Record<string, number> = {};
    for (const { sinks } of batches)
      for (const [state, count] of Object.entries(sinks[name] ?? {}))
        states[state] = (states[state] ?? 0) + count;
    const told = Object.entries(states)
      .filter(([, count]) => count > 0)
      .map(([state, count]) => `${count} ${state}`);
    return `  ${name.padEnd(9)} ${told.length === 0 ? 'nothing' : told.join(', ')}`;
  });
  const failures = batches
    .flatMap((batch) => batch.failures)
    .map(({ sink, change, reason }) => `  ! ${sink}: ${plain(change)}: ${plain(reason)}`);
  return ['Sent:', ...counts, ...failures];
}
