/** An app of which one sink does one thing wrong, with the change that ships an order. */
import { setTimeout as wait } from 'node:timers/promises';
import type { App } from '../../src/pipeline/app.ts';
import type { Answer, Sink, SinkName } from '../../src/pipeline/sink.ts';

export type Fault = 'dropped' | 'delayed' | 'doubled';

/** How late a delayed write comes: long after the end of the proof. */
const delayMilliseconds = 20_000;

export function faultyApp(app: App, name: SinkName, fault: Fault): App {
  const sinks = app.sinks.map((factory) => (context: Parameters<typeof factory>[0]) => {
    const sink = factory(context);
    return sink?.name === name ? faultySink(sink, fault) : sink;
  });
  return { ...app, sinks };
}

function faultySink(sink: Sink, fault: Fault): Sink {
  let marked = new Set<unknown>();
  return {
    ...sink,
    plan(change) {
      const requests = sink.plan(change);
      if (change.before?.status === 'paid' && change.after?.status === 'shipped') marked = new Set(requests);
      return requests;
    },
    async send(requests) {
      const good = requests.filter((request) => !marked.has(request));
      const bad = requests.filter((request) => marked.has(request));
      const answers = new Map<unknown, Answer>();
      const sent = good.length > 0 ? await sink.send(good) : [];
      good.forEach((request, index) => {
        answers.set(request, sent[index] ?? { state: 'failed', reason: 'no answer', retryable: true });
      });
      if (fault === 'doubled' && bad.length > 0) await sink.send(bad).then(() => sink.send(bad.map(twin)));
      if (fault === 'delayed')
        wait(delayMilliseconds, undefined, { ref: false })
          .then(() => sink.send(bad))
          .catch(() => {}); // all is stopped by then
      marked = new Set(); // once is enough: a repeat goes right
      return requests.map((request) => answers.get(request) ?? { state: 'applied' });
    },
  };
}

/** The same row under another key, so that "put once" does not catch it; an event simply goes out again. */
function twin(request: unknown): unknown {
  const row = Object(request);
  return 'sk' in row ? { ...row, sk: `${row.sk}#twin` } : request;
}
