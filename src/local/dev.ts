/** `npm run dev`: `sluice start --keep` in a child, which is started again when a file of the code changes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { join } from 'node:path';
import { interruption } from './interruption.ts';

const root = join(import.meta.dirname, '../..');
const watched = ['src', 'handlers'].map((folder) => join(root, folder));
const quietMilliseconds = 100; // an editor writes a file in several steps

const signal = interruption();
let child: ChildProcess | undefined;
let timer: NodeJS.Timeout | undefined;

function run(): void {
  const given = process.argv.slice(2);
  const args = ['start', ...(given.includes('--keep') ? [] : ['--keep']), ...given];
  const started = spawn(process.execPath, [join(root, 'src/cli.ts'), ...args], {
    // The channel tells the child when we are gone, also when we are killed.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  child = started;
  started.on('exit', (status) => {
    if (child !== started) return; // it was replaced
    child = undefined;
    // Left by a key or stopped: so do we. Whatever else ended it may be mended by the next change.
    if (status === 0 || signal.aborted) process.exit(status ?? 1);
    console.error(`It ended with status ${status}. Waiting for a change in src/ or handlers/.`);
  });
}

async function stop(): Promise<void> {
  const stopping = child;
  child = undefined;
  if (stopping === undefined || stopping.exitCode !== null || stopping.signalCode !== null) return;
  const ended = once(stopping, 'exit');
  stopping.kill('SIGTERM');
  await ended;
}

let restarts: Promise<void> = Promise.resolve();

function changed(file: string | null): void {
  clearTimeout(timer);
  timer = setTimeout(() => {
    restarts = restarts.then(async () => {
      console.error(`${file ?? 'The code'} changed: starting again.`);
      await stop();
      run();
    });
  }, quietMilliseconds);
}

for (const folder of watched) watch(folder, { recursive: true }, (_event, file) => changed(file));
signal.addEventListener('abort', async () => {
  clearTimeout(timer);
  await stop();
  process.exit(130); // as a shell reports Ctrl-C
});
run();
