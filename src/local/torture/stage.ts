/** All that a torture needs: services, gates before them, processes behind them, and a clock that can be put forward. */
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { readConfig } from '../../config.ts';
import { connect, disconnect } from '../../connections.ts';
import { rowTag } from '../../mail/ses.ts';
import type { App } from '../../pipeline/app.ts';
import { streamFilter } from '../../pipeline/filter.ts';
import { storeOf } from '../../pipeline/stream.ts';
import type { Store } from '../../table/store.ts';
import { deliveryReport, failuresIn, prepare, setEnvironment, tidy } from '../home.ts';
import type { Chance } from '../play/step.ts';
import type { SentMessage } from '../servers/mail.ts';
import { startServices } from '../services.ts';
import type { Faults, ServiceName } from './faults.ts';
import { type Gate, httpGate, tcpGate, type Watcher } from './gate.ts';
import { startLambda } from './lambda.ts';
import type { Role } from './messages.ts';
import type { Points } from './points.ts';
import { type Processes, startProcesses } from './processes.ts';
import { openRandom } from './random.ts';
import type { Checked } from './verdict.ts';
import type { Surroundings } from './worker.ts';

export type Stage = Checked & {
  /** What the users write and read with: now and then slow, and now and then an answer is lost. */
  users: Store;
  processes: Processes;
  /** The tags of all mails that SES was asked for, save where it said no. */
  asked: ReadonlySet<string>;
  /** How many batches each function has answered. */
  answered: Readonly<Record<string, number>>;
  folder: string;
  /** Whether nothing is on its way: no request, and no function of a mapping that is gone. */
  isIdle(): boolean;
  /** Puts the clock of every process forward. */
  pass(milliseconds: number): void;
  /** The same, past every lease; under load only so far that mails do not grow too old by it. */
  passLeases(): void;
};

/** Longer than any lease, milliseconds: whoever had one has lost it. */
const pastLeases = 61_000;
/** An email is sent for twelve hours; to come to rest takes some as well. */
const mostUnderLoad = 4 * 3_600_000;

type Parts = {
  app: App;
  handlers: URL;
  seed: number;
  faults: Faults;
  points: Points;
  environment: NodeJS.ProcessEnv;
  folder: string;
  /** How much of the attack is over, from 0 to 1. */
  overBy(): number;
  /** Gets what must be closed, in the order in which it was opened. */
  onOpen(close: () => Promise<unknown> | unknown): void;
  onExit(error: Error): void;
};

/** Where each client learns of its service. */
const variables: Readonly<Record<ServiceName, string>> = {
  dynamodb: 'AWS_ENDPOINT_URL_DYNAMODB',
  search: 'SLUICE_SEARCH_ENDPOINT',
  cache: 'SLUICE_CACHE_ENDPOINT',
  bus: 'AWS_ENDPOINT_URL_EVENTBRIDGE',
  mail: 'AWS_ENDPOINT_URL_SES',
};

/** So that what must be waited for takes seconds. */
const hurried = { SLUICE_SINK_SECONDS: '2', SLUICE_MAIL_PER_SECOND: '1000', SLUICE_LOG_LEVEL: 'error' };

export async function openStage(parts: Parts): Promise<Stage> {
  const { app, handlers, seed, faults, points, environment, folder, overBy, onOpen, onExit } = parts;
  let ahead = 0;
  const services = await startServices(readConfig(environment), onExit, undefined, {
    // A deletion is forgotten after a minute of it, as by OpenSearch.
    search: () => Date.now() + ahead,
    // Nothing expires: what is stale stays to be found.
    cache: () => 0,
  });
  onOpen(services.stop);
  const failures = { SLUICE_FAILURES: pathToFileURL(failuresIn(folder)).href };
  onOpen(setEnvironment(environment, { ...services.environment, ...hurried, ...failures }));
  const connections = connect(readConfig(environment));
  onOpen(() => disconnect(connections));
  onOpen(() => tidy(app, services, connections));
  const streams = new DynamoDBStreamsClient({});
  onOpen(() => streams.destroy());
  const streamArns = await prepare(app, connections);

  const { config } = connections;
  const tables = {
    table: config.SLUICE_TABLE,
    deliveries: config.SLUICE_DELIVERIES_TABLE,
    outbox: config.SLUICE_OUTBOX_TABLE,
    audit: config.SLUICE_AUDIT_TABLE,
  };
  const pass = (milliseconds: number) => {
    ahead += milliseconds;
    processes.tellTime();
  };
  const passLeases = () => {
    if (ahead < mostUnderLoad * overBy()) pass(pastLeases);
  };
  const gates = new Set<Gate>();
  onOpen(() => Promise.all([...gates].map((one) => one.stop())));
  const gate = async (service: ServiceName, watcher: Watcher) => {
    const target = environment[variables[service]] ?? '';
    const opened = await (service === 'cache'
      ? tcpGate(service, target, watcher)
      : httpGate(service, target, tables, watcher));
    gates.add(opened);
    return opened;
  };
  const asked = new Set<string>();
  const came = (service: ServiceName, body: Buffer) => {
    if (service === 'mail') asked.add(tagIn(body));
  };
  const surround = async (role: Role, die: () => void): Promise<Surroundings> => {
    if (role === 'mapping') return { environment, close: async () => {} }; // it only reads; functions act
    const reached: Watcher['reached'] = (label, moment) => {
      const isHere = points.reached(role, label, moment);
      if (isHere) die();
      return isHere;
    };
    const names = Object.keys(variables) as ServiceName[];
    const opened = await Promise.all(
      names.map((service) => gate(service, { conductOf: faults.conductOf, reached, passLeases, came })),
    );
    const addresses = names.map((service, index) => [variables[service], opened[index]?.url]);
    return {
      environment: { ...environment, ...Object.fromEntries(addresses) },
      async close() {
        // What is under way arrives, whoever sent it.
        while (!opened.every((one) => one.isIdle())) await wait(50);
        for (const one of opened) {
          gates.delete(one);
          await one.stop();
        }
      },
    };
  };
  const answered: Record<string, number> = {};
  const lambda = await startLambda({
    async invoke(name, event) {
      const answer = await processes.invoke('functions', name, event);
      answered[name] = (answered[name] ?? 0) + 1;
      return answer;
    },
    reached(label, moment) {
      const isHere = points.reached('mapping', label, moment);
      if (isHere) processes.kill('mapping');
      return isHere;
    },
  });
  onOpen(lambda.stop);
  const processes: Processes = startProcesses({
    birth: { handlers: handlers.href, ours: streamFilter(app), streamArns, folder, invokeUrl: lambda.url },
    surround,
    ahead: () => ahead,
    onExit,
  });
  onOpen(processes.stop);
  services.onDelivery((message) => void report(processes, message));

  const conductOf = slowly(faults, openRandom(seed, 'users’ network'));
  const slow = { conductOf, reached: () => false, passLeases };
  const dynamodb = new DynamoDBClient({ endpoint: (await gate('dynamodb', slow)).url });
  onOpen(() => dynamodb.destroy());
  const store = storeOf(app, connections);
  return {
    app,
    services,
    connections,
    streams,
    streamArns,
    store,
    users: { ...store, dynamodb },
    processes,
    asked,
    answered,
    folder,
    isIdle: () => processes.isIdle() && [...gates].every((one) => one.isIdle()),
    pass,
    passLeases,
  };
}

/** The message tag that names the row. */
function tagIn(body: Buffer): string {
  const form = new URLSearchParams(body.toString());
  const [name] = [...form].find(([, value]) => value === rowTag) ?? [];
  return form.get(name?.replace(/Name$/, 'Value') ?? '') ?? '';
}

/** A request of a user is slow now and then, and a write's answer can be lost. */
function slowly(faults: Faults, random: Chance): Watcher['conductOf'] {
  return () => {
    if (faults.isOver()) return { kind: 'right' };
    if (random.chance(0.1)) return { kind: 'slow', milliseconds: random.between(20, 400) };
    return { kind: random.chance(0.02) ? 'lost' : 'right' };
  };
}

const triesToReport = 20;

/** As EventBridge does it: until the function takes it, but not for ever. */
async function report(processes: Processes, message: SentMessage): Promise<void> {
  for (let tries = 0; tries < triesToReport; tries++) {
    try {
      await processes.invoke('functions', 'feedback', deliveryReport(message));
      return;
    } catch {} // killed meanwhile; the next process takes it
  }
}
