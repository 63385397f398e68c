// The real servers that tests can be given in SLUICE_TEST_SERVERS, and what `npm test` says of them.

/** By the names that `npm run servers` gives them. */
export const realServers = {
  opensearch: 'OpenSearch',
  dynamodb: 'DynamoDB Local',
  redis: 'Redis',
  'redis-cluster': 'Redis cluster',
  ministack: 'MiniStack',
  moto: 'moto',
};

/**
 * The endpoints given, by name. A name that is none of ours is an error: its server would silently not be tested.
 * @returns {Record<string, string>}
 */
export function givenServers(text = '') {
  const given = {};
  for (const [name, endpoint] of text.split(/\s+/).filter(Boolean).map(splitOnce)) {
    if (!(name in realServers))
      throw new Error(
        `SLUICE_TEST_SERVERS names "${name}". There are ${Object.keys(realServers).join(', ')}.`,
      );
    given[name] = endpoint;
  }
  return given;
}

/** One line from vitest's results: a server counts as tested only where a test that used it ran and none failed. */
export function describeTested(results, given) {
  const tests = results.testResults.flatMap(({ assertionResults }) => assertionResults);
  const about = Object.entries(realServers).map(([name, title]) => {
    const mine = tests.filter(({ meta, status }) => meta?.realServer?.name === name && status !== 'skipped');
    const version = mine.map(({ meta }) => meta.realServer.version).find(Boolean);
    const called = version === undefined ? title : `${title} ${version}`;
    if (mine.some(({ status }) => status === 'failed')) return `${called} FAILED`;
    if (mine.length > 0) return `${called} yes`;
    return `${title} no (${name in given ? 'no test of it ran' : 'not in SLUICE_TEST_SERVERS'})`;
  });
  return `real servers: ${about.join(', ')}`;
}

function splitOnce(text) {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
}
