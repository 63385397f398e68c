import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export type Child = {
  /** What it wrote to stderr, at most the last lines. */
  said(): string;
  /** Settles when nothing of it is left, with the exit status. */
  ended: Promise<number | null>;
  stop(): Promise<void>;
};

/**
 * Holds our end of a pipe as its stdin. When the pipe closes, because we are gone however that came
 * about, it kills the child; when the child ends, so does this, with the child's status. sh gives
 * background jobs /dev/null as stdin, hence the copy of the pipe as descriptor 3.
 */
const WATCHDOG = `
exec 3<&0
"$@" 3<&- </dev/null &
child=$!
trap 'kill -TERM "$child" 2>/dev/null' TERM
(trap - TERM; read -r _ <&3; kill -KILL "$child") &
watch=$!
wait "$child"; status=$?
while kill -0 "$child" 2>/dev/null; do wait "$child"; status=$?; done
kill -KILL "$watch"; wait "$watch" 2>/dev/null
exit "$status"
`;

const LAST_LINES = 12;
const PATIENCE = 2_000; // milliseconds for an orderly end

/** Runs a program that never outlives this process. */
export function runChild(command: string[]): Child {
  // In a group of its own, or a Ctrl-C in the terminal would end it before whoever still needs it.
  const child = spawn('/bin/sh', ['-c', WATCHDOG, 'sh', ...command], {
    stdio: ['pipe', 'ignore', 'pipe'],
    detached: true,
  });
  child.stdin.on('error', () => undefined);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.split('\n').slice(-LAST_LINES).join('\n');
  });
  const ended = endOf(child);
  return {
    said: () => said.trim(),
    ended,
    stop: async () => {
      child.kill('SIGTERM');
      const impatience = setTimeout(() => child.stdin.destroy(), PATIENCE);
      await ended;
      clearTimeout(impatience);
    },
  };
}

// "close" and not "exit": the former waits for the last holder of stderr.
async function endOf(child: ChildProcess): Promise<number | null> {
  const [status] = await once(child, 'close');
  return status;
}
