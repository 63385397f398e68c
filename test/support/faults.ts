/** Faults to try the proof with: what a sink or the mail server's client does wrong with some of what it is given. */
import { setTimeout as wait } from 'node:timers/promises';
import { type SESClient, SendEmailCommand, type SendEmailCommandInput } from '@aws-sdk/client-ses';
import { readConfig } from '../../src/config.ts';
import { connect } from '../../src/connections.ts';
import { type MailHandler, openMail } from '../../src/mail/handler.ts';
import type { App } from '../../src/pipeline/app.ts';
import type { Answer, Sink, SinkFactory, SinkName } from '../../src/pipeline/sink.ts';
import type { Change } from '../../src/table/change.ts';
import type { Fields } from '../../src/table/entity.ts';
import type { Decoded } from '../../src/table/record.ts';
import type { Store } from '../../src/table/store.ts';

const unanswered: Answer = { state: 'failed', reason: 'no answer', retryable: true };

type Tools = { store: Store; send(requests: unknown[]): Promise<unknown> };

export type Fault = {
  sink: SinkName;
  at(change: Change): boolean;
  /** What is sent instead of a request of that change. */
  sends(request: Fields, tools: Tools): unknown[] | Promise<unknown[]>;
  answer?: Answer;
  /** It goes wrong whenever the change comes again, instead of the first time. */
  again?: true;
};

export const dropped = () => [];

export const altered = (changes: Fields) => (request: Fields) => [{ ...request, ...changes }];

export const invented = (changes: Fields) => (request: Fields) => [request, { ...request, ...changes }];

/** The same row under another key, so that "put once" does not catch it; an event simply goes out again. */
export const doubled = (request: Fields) => [
  request,
  'sk' in request ? { ...request, sk: `${request.sk}#twin` } : request,
];

/** Comes long after the end of the proof, when all is stopped. */
export function delayed(request: Fields, { send }: Tools) {
  wait(20_000, undefined, { ref: false })
    .then(() => send([request]))
    .catch(() => {});
  return [];
}

/** The second of two requests goes first; `changes` are made to the one that comes after it. */
export function reordered(changes: (request: Fields) => Fields) {
  const kept: Fields[] = [];
  return {
    first(request: Fields) {
      kept.push(request);
      return [];
    },
    second: (request: Fields) => [request, ...kept.map((one) => ({ ...one, ...changes(one) }))],
  };
}

export function faultyApp(app: App, faults: readonly Fault[]): App {
  const sinks = app.sinks.map((factory): SinkFactory => {
    return (context) => {
      const sink = factory(context);
      const own = faults.filter((fault) => fault.sink === sink?.name);
      return sink && own.length > 0 ? faultySink(sink, own, context.store) : sink;
    };
  });
  return { ...app, sinks };
}

function faultySink(sink: Sink, faults: readonly Fault[], store: Store): Sink {
  const marked = new Map<unknown, Fault>();
  const seen = new Set<Fault>();
  return {
    ...sink,
    plan(change) {
      const requests = sink.plan(change);
      for (const fault of faults.filter(({ at }) => at(change))) {
        const isRepeat = seen.has(fault);
        seen.add(fault);
        if (isRepeat === (fault.again === true)) for (const request of requests) marked.set(request, fault);
      }
      return requests;
    },
    async send(requests, signal) {
      const good = requests.filter((request) => !marked.has(request));
      const sent = good.length > 0 ? await sink.send(good, signal) : [];
      const answers = new Map(good.map((request, index) => [request, sent[index] ?? unanswered]));
      for (const request of requests) {
        const fault = marked.get(request);
        if (fault === undefined) continue;
        marked.delete(request); // a cache key is a text: the next change's is the same
        const instead = await fault.sends(request as Fields, {
          store,
          send: (others) => sink.send(others, signal),
        });
        if (instead.length > 0) await sink.send(instead, signal);
        answers.set(request, fault.answer ?? { state: 'applied' });
      }
      return requests.map((request) => answers.get(request) ?? unanswered);
    },
  };
}

/** An app whose decoder says something else of some records. */
export function misreading(app: App, read: (decoded: Decoded) => Decoded): App {
  return { ...app, decode: (record) => read(app.decode(record)) };
}

export type MailFault = {
  at(mail: SendEmailCommandInput): boolean;
  sends(mail: SendEmailCommandInput): SendEmailCommandInput[];
  /** The mail server took it, but its reply was lost. */
  replyLost?: true;
};

/** The sender's handler, with a client that does not do as it is told. */
export function faultyMail(app: App, faults: readonly MailFault[]): MailHandler {
  let handler: MailHandler | undefined;
  return async function handleOutbox(event) {
    if (handler === undefined) {
      const connections = connect(readConfig(process.env));
      handler = openMail(app, { ...connections, ses: faultyClient(connections.ses, faults) });
    }
    return handler(event);
  };
}

function faultyClient(ses: SESClient, faults: readonly MailFault[]): SESClient {
  async function send(command: SendEmailCommand) {
    const fault = faults.find(({ at }) => at(command.input));
    const [first = command.input, ...others] = fault?.sends(command.input) ?? [];
    // The command itself, since the sender listens in on it.
    const reply = await ses.send(Object.assign(command, { input: first }));
    for (const other of others) await ses.send(new SendEmailCommand(other));
    if (fault?.replyLost) throw new Error('the connection was closed');
    return reply;
  }
  return Object.assign(Object.create(ses), { send });
}
