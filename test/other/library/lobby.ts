/** A sink of the library's own: the screen in the lobby shows what was said last of each loan. */
import type { Sink, SinkFactory } from '../../../src/pipeline/sink.ts';
import type { Change } from '../../../src/table/change.ts';

export type Line = { item: string; text: string };

/** `lines`: what the screen says of a change; `show`: puts it there. */
export function lobby(
  lines: (change: Change) => readonly string[],
  show: (line: Line) => Promise<void>,
): SinkFactory {
  const sink: Sink<Line> = {
    name: 'lobby',
    kind: 'act',
    plan: (change) => lines(change).map((text) => ({ item: change.item, text })),
    target: ({ item }) => item,
    limits: { count: 10, bytes: 10_000 },
    size: ({ text }) => text.length,
    async send(planned) {
      for (const line of planned) await show(line);
      return planned.map(() => ({ state: 'applied' }));
    },
  };
  return () => sink as Sink;
}
