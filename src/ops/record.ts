/** `sluice record`: saves what a table's stream delivers while it runs, as Lambda would send it. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { runningEnvironment } from '../local/running.ts';
import type { App } from '../pipeline/app.ts';
import { anonymise } from './record/anonymise.ts';
import { type Follower, followStream, readToEnd } from './record/follow.ts';
import { kindsOf } from './record/kinds.ts';
import { asLambdaSends, recordingText } from './record/shape.ts';
import { openSource, type Source } from './record/source.ts';

type RecordedApp = Pick<App, 'table' | 'entities' | 'decode'>;

export type RecordOptions = {
  /** The file's, without ".json". */
  name: string;
  folder: string;
  /** A DynamoDB with streams that is not AWS's own. */
  endpoint?: string | undefined;
  /** Record from the AWS account of the environment. */
  aws: boolean;
  table?: string | undefined;
  anonymise: boolean;
  /** Begin with the oldest record that the stream holds, instead of the next one written. */
  fromStart: boolean;
  /** End by itself after so many records. */
  count?: number | undefined;
  /** Write over a recording of that name. */
  force: boolean;
  environment: Readonly<Record<string, string | undefined>>;
  /** Ends the recording. */
  signal: AbortSignal;
  say(line: string): void;
  warn(line: string): void;
};

/** Real streams are shared: once a second is gentle, and far below the mapping's own four times. */
const pollMilliseconds = { local: 100, shared: 1_000 };

/** How long what was written before the end is still waited for; a busy stream would never be empty. */
const lastLookMilliseconds = 3_000;

/** Somebody waits now; a shard gives five pages a second, and this is one reader of several. */
const lastPauseMilliseconds = 400;

/** Records until stopped or until `count` records came, and writes the file. Gives the exit status. */
export async function record(app: RecordedApp, options: RecordOptions): Promise<number> {
  const { say, warn } = options;
  const path = placeFor(options);
  const source = await openSource(options, runningEnvironment());
  try {
    if (!source.local)
      warn(
        `${source.where} is not on this machine. A stream serves two readers without throttling; this is one more.`,
      );
    const { streams, streamArn } = source;
    const follower = await followStream({ streams, streamArn, fromStart: options.fromStart, warn });
    const end = options.count === undefined ? 'Stop with Ctrl-C.' : `Ends after ${options.count} records.`;
    say(`Recording ${source.table} at ${source.where}. ${end}`);
    const failure = await follow(follower, source, options).catch((error: Error) => error);
    const status = save(follower, source, path, app, options);
    // What came until then is saved all the same.
    if (failure !== undefined) throw failure;
    return status;
  } finally {
    source.close();
  }
}

/** The file's path; refused before anything is recorded that could not be kept. */
function placeFor({ name, folder, force }: RecordOptions): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,100}$/.test(name) || name.endsWith('.json'))
    throw new Error(
      'The name of a recording is a plain file name without ".json": letters, digits, ".", "_" or "-", such as order-placed.',
    );
  const path = join(folder, `${name}.json`);
  if (existsSync(path) && !force)
    throw new Error(`There is a recording ${path}. Choose another --name, or write over it with --force.`);
  mkdirSync(folder, { recursive: true });
  return path;
}

async function follow(
  follower: Follower,
  source: Source,
  { count, signal, warn }: Pick<RecordOptions, 'count' | 'signal' | 'warn'>,
): Promise<undefined> {
  const isFull = () => count !== undefined && follower.size() >= count;
  const pause = source.local ? pollMilliseconds.local : pollMilliseconds.shared;
  while (!signal.aborted && !isFull()) {
    const { found } = await follower.read();
    if (found === 0) await wait(pause, undefined, { signal }).catch(() => {}); // stopped
  }
  // What was written before the stop is part of the recording.
  const all = await readToEnd(follower, {
    milliseconds: lastLookMilliseconds,
    pause: Math.min(pause, lastPauseMilliseconds),
    isFull,
  });
  if (!all)
    warn(
      `The stream did not come to rest within ${lastLookMilliseconds / 1_000} s of the stop: the last of what was written before it may be missing.`,
    );
}

function save(
  follower: Follower,
  source: Source,
  path: string,
  app: RecordedApp,
  { count, anonymise: anonymous, say }: RecordOptions,
): number {
  const hideAccount = anonymous || !source.aws;
  const recorded = follower
    .records()
    .slice(0, count)
    .map((one) => asLambdaSends(one, source, hideAccount));
  const { records, leftOut } = anonymous ? anonymise(recorded, app) : { records: recorded, leftOut: 0 };
  if (leftOut > 0)
    say(`${plural(leftOut, 'record')} left out: nobody can tell what is personal in what cannot be decoded.`);
  if (records.length === 0) {
    say('Nothing was recorded, and nothing is written.');
    return 1;
  }
  writeFileSync(path, recordingText(records));
  say(`${path}: ${plural(records.length, 'record')} (${kindsOf(records, app.decode)})`);
  return 0;
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
