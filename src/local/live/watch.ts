/** Shows each change once both readers of the stream have taken it. */
import { type BatchReport, type Outcome, reports } from '../../pipeline/report.ts';
import { changeLine } from './line.ts';
import { plain } from './plain.ts';

export type Watch = {
  /** Shows lines, or keeps quiet while much is repeated at once. */
  show(shown: boolean): void;
  /** What was counted since it was asked last. */
  counts(): BatchReport[];
  stop(): void;
};

/** Failures are said each once; with `live` so is what every change caused. */
export function watchChanges(say: (line: string) => void, live: boolean): Watch {
  const said = new Set<string>();
  const half = new Map<string, Outcome>();
  let heard: BatchReport[] = [];
  let shown = true;

  function listen(message: unknown) {
    const batch = message as BatchReport;
    heard.push(batch);
    for (const { sink, change, reason } of batch.failures) {
      // An outage fails every change for one reason: that is said once.
      const kind = `${sink} ${reason}`;
      if (!said.has(kind)) say(`  ! ${sink}: ${plain(reason)}, such as ${plain(change)}`);
      said.add(kind);
    }
    if (shown && live) for (const outcome of batch.outcomes) join(outcome);
  }

  function join(outcome: Outcome) {
    const other = half.get(outcome.change);
    if (other === undefined) half.set(outcome.change, outcome);
    else {
      half.delete(outcome.change);
      say(changeLine({ ...outcome, sinks: { ...other.sinks, ...outcome.sinks } }));
    }
  }

  reports.subscribe(listen);
  return {
    show(now) {
      shown = now;
      half.clear();
    },
    counts() {
      const counted = heard;
      heard = [];
      return counted;
    },
    stop: () => void reports.unsubscribe(listen),
  };
}
