/** `npm run deploy:check`: the stack is deployed to a mock of AWS, used, changed and removed, and each effect looked for. */
import { parseArgs } from 'node:util';
import { interruption } from '../../src/local/interruption.ts';
import { lifeOfTheStack } from './life.ts';
import { startMock } from './mock.ts';
import { NotRun, pythonTools } from './python.ts';
import { openReport, Stopped, seconds } from './report.ts';
import { enter } from './sealed.ts';
import { startServers } from './servers.ts';

const interrupted = 130;
const notRun = 2;

const { values } = parseArgs({ options: { 'if-possible': { type: 'boolean', default: false } } });
const signal = interruption();
process.exit(await check(values['if-possible']));

/** The exit status. `ifPossible`: where its tools cannot be had, that is no failure; it is never told as passed. */
async function check(ifPossible: boolean): Promise<number> {
  const say = (line: string) => console.log(line);
  const began = Date.now();
  const report = openReport(say, signal);
  try {
    const python = await pythonTools(process.env, say, signal);
    const servers = await startServers(process.env);
    say(`Nothing real is deployed to: a mock of AWS on this machine. ${servers.described}.`);
    const mock = await report.need('MiniStack starts', () => startMock(python, signal));
    try {
      enter(mock.environment);
      await lifeOfTheStack({ say, report, mock, servers, python, signal });
    } finally {
      await mock.stop();
    }
  } catch (error) {
    if (signal.aborted) {
      say('deploy:check was interrupted.');
      return interrupted;
    }
    if (error instanceof NotRun) {
      say(`deploy:check was not run: ${error.message}`);
      return ifPossible ? 0 : notRun;
    }
    if (!(error instanceof Stopped)) throw error;
  }
  say(`deploy:check: ${report.passed()} checks passed, ${report.failed()} failed (${seconds(began)})`);
  return report.failed() === 0 ? 0 : 1;
}
