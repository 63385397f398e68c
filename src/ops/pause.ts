/** `sluice pause` and `resume`: a paused sink parks what comes, in every process, within a second or two. */
import { setPaused } from '../deliveries/switches.ts';
import { type Aim, connected } from './connected.ts';

type Options = Aim & {
  names: readonly string[];
  sink: string;
  paused: boolean;
  by: string;
  say(line: string): void;
};

export function pauseSink({ names, sink, paused, by, say, ...aim }: Options): Promise<number> {
  return connected(aim, async (connections, where) => {
    if (!names.includes(sink))
      throw new Error(`There is no sink ${sink} here. There are ${names.join(', ')}.`);
    await setPaused(connections, sink, paused, by);
    say(
      paused
        ? `${sink} is paused in ${where}: what comes is parked. Go on with: sluice resume ${sink}`
        : `${sink} goes on in ${where}; what is parked follows with the next redrive.`,
    );
    return 0;
  });
}
