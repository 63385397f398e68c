/** A stack's life: packaged, deployed, used, deployed again without and with a change, and removed. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { VerifyEmailIdentityCommand } from '@aws-sdk/client-ses';
import { app } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { type Connections, connect } from '../../src/connections.ts';
import { removeIndices } from '../../src/sinks/search/indices.ts';
import { tableIds } from '../../src/stack/tables.ts';
import { openFunctions } from './functions.ts';
import { kettle, type Shop } from './items.ts';
import type { Mock } from './mock.ts';
import { root, run } from './processes.ts';
import { NotRun } from './python.ts';
import { removed } from './removal.ts';
import { expect, type Report } from './report.ts';
import { region } from './sealed.ts';
import type { Servers } from './servers.ts';
import { stillWorks, untouched, useTheShop } from './shop.ts';
import { openStack, type Stack } from './stack.ts';

type Parts = {
  say(line: string): void;
  report: Report;
  mock: Mock;
  servers: Servers;
  python: string;
  signal: AbortSignal;
};

const secret = 'check/search';
const sender = 'shop@example.com';

export async function lifeOfTheStack({ say, report, mock, servers, python, signal }: Parts): Promise<void> {
  const options = { environment: mock.environment, signal };
  const { searchWay, cacheWay } = servers;
  const settings = {
    sender,
    mailPerSecond: '10',
    searchEndpoint: searchWay.url,
    searchSecret: secret,
    cacheEndpoint: cacheWay.url,
    keepData: 'false',
  };
  const stack = openStack('check', settings, options);
  const kept = openStack('kept', { keepData: 'true' }, options);
  for (const one of [stack, kept]) await packagedAndLinted(report, one, python, signal);
  await new SecretsManagerClient({}).send(
    new CreateSecretCommand({ Name: secret, SecretString: '{"username":"check","password":"check"}' }),
  );
  await report.need('osls deploy, and it says what is on', async () => {
    const said = await stack.osls('deploy', asPackaged(stack));
    expect(said.includes('On:') && said.includes(`search: ${searchWay.url}`), `It said: ${said}`);
  });
  await report.need('osls deploy of another stage beside it, which keeps its data', async () => {
    const said = await kept.osls('deploy', asPackaged(kept));
    expect(said.includes('Off:') && said.includes('searchEndpoint'), `It does not say what is off: ${said}`);
  });
  const shop = await openShop({ report, mock, servers, stack, signal });
  try {
    await useTheShop(shop);
    await deployedAgain(report, stack, shop);
    await refusedNothing(report, mock);
    await untouched(shop, kept.name);
  } finally {
    await forget(shop.connections);
    if (report.failed() > 0 && !signal.aborted)
      say(`The functions' logs: ${await shop.functions.saveLogs()}`);
  }
  await removed(report, stack, []);
  await removed(report, kept, [...Object.values(tableIds), 'Failures']);
}

async function packagedAndLinted(report: Report, stack: Stack, python: string, signal: AbortSignal) {
  await report.need(`osls package, ${stack.name}`, () => stack.osls('package', asPackaged(stack)));
  if (!('Table' in JSON.parse(readFileSync(stack.template, 'utf8')).Resources))
    throw new NotRun(
      'deploy/settings.yml names a table of yours for every stage, and the mock has none. Name it under its stages.',
    );
  await report.check(`cfn-lint, ${stack.name}`, async () => {
    const args = [
      '-c',
      'from cfnlint.runner.cli import main; main()',
      '--regions',
      region,
      '--template',
      stack.template,
    ];
    const { status, output } = await run(python, args, { signal });
    expect(status === 0, output);
  });
}

const asPackaged = ({ template }: Stack) => ({ args: ['--package', dirname(template)] });

/** What one does by hand after a first deployment: the search indices, and the sender's address. */
async function openShop({
  report,
  mock,
  servers,
  stack,
  signal,
}: Omit<Parts, 'say' | 'python'> & { stack: Stack }) {
  const { CommandLine = '' } = await stack.outputs();
  const variables = {
    ...Object.fromEntries(CommandLine.split(' ').map((one) => one.split('='))),
    SLUICE_SEARCH_ENDPOINT: servers.search,
    SLUICE_CACHE_ENDPOINT: servers.cache,
  };
  const connections = connect(readConfig(variables));
  await forget(connections);
  await report.need('sluice backfill --aws makes the search indices', async () => {
    const args = [join(root, 'bin/sluice.js'), 'backfill', '--aws'];
    const { status, output } = await run(process.execPath, args, {
      env: { ...process.env, ...variables },
      signal,
    });
    expect(status === 0, output);
  });
  await connections.ses.send(new VerifyEmailIdentityCommand({ EmailAddress: sender }));
  const bucket = (await stack.resources()).get('Failures') ?? '';
  const functions = openFunctions(stack.name);
  const { searchWay } = servers;
  return { report, mock, functions, connections, stackName: stack.name, bucket, searchWay } satisfies Shop;
}

/** On a server that was named nothing stays behind. */
async function forget({ search, cache, config }: Connections): Promise<void> {
  await cache?.invalidate([`product:${kettle.productId}`]);
  if (search !== undefined) await removeIndices(search, config.SLUICE_SEARCH_PREFIX, app.entities);
}

async function refusedNothing(report: Report, mock: Mock): Promise<void> {
  await report.check('no function lacked a right', async () => {
    const denials = [...new Set(mock.denials())];
    expect(denials.length === 0, denials.join('\n'));
  });
}

async function deployedAgain(report: Report, stack: Stack, shop: Shop): Promise<void> {
  const before = await identities(stack);
  const { updated } = await stack.describe();
  await report.check('osls deploy without a change: nothing is deployed', async () => {
    const said = await stack.osls('deploy');
    expect(said.includes('No changes to deploy'), `It said: ${said}`);
    expect((await stack.describe()).updated === updated, 'The stack was updated all the same.');
  });
  await report.need(
    'osls deploy with a change: it arrives, and tables and mappings are the same',
    async () => {
      await stack.osls('deploy', { over: { mailPerSecond: '7' } });
      const FunctionName = `${stack.name}-mail`;
      const { Environment } = await new LambdaClient({}).send(
        new GetFunctionConfigurationCommand({ FunctionName }),
      );
      const said = Environment?.Variables?.SLUICE_MAIL_PER_SECOND;
      expect(said === '7', `SLUICE_MAIL_PER_SECOND of ${FunctionName} is ${said}.`);
      const after = await identities(stack);
      expect(after === before, `Something was replaced: ${before} is now ${after}.`);
    },
  );
  await stillWorks(shop);
}

/** Of what must not be replaced: a new table is empty, a new mapping takes 24 hours again. */
async function identities(stack: Stack): Promise<string> {
  const resources = await stack.resources();
  const names = [...resources.keys()].filter(
    (id) => [...Object.values(tableIds), 'Failures', 'Bus'].includes(id) || id.includes('EventSourceMapping'),
  );
  return names
    .sort()
    .map((id) => `${id}=${resources.get(id)}`)
    .join(' ');
}
