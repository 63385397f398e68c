/** The four requests to S3 that are needed here, as it answers them; in memory. */
import { listen } from '../../src/local/servers/http.ts';

const perPage = 1_000;

export async function startBuckets(...names: string[]) {
  const buckets = new Map(names.map((name) => [name, new Map<string, string>()]));
  const server = await listen(0, ({ method, path, query, body }) => {
    const [name = '', ...rest] = path;
    const objects = buckets.get(name);
    if (objects === undefined) return refusal('NoSuchBucket');
    const key = rest.join('/');
    if (query.get('list-type') === '2') return listed(objects, query);
    if (method === 'PUT') objects.set(key, body);
    if (method === 'DELETE') {
      objects.delete(key);
      return { status: 204 };
    }
    const found = objects.get(key);
    if (found === undefined) return refusal('NoSuchKey');
    return { status: 200, ...(method === 'GET' && { body: found }) };
  });
  return { ...server, objects: (name: string) => buckets.get(name) ?? new Map<string, string>() };
}

function listed(objects: Map<string, string>, query: URLSearchParams) {
  const after = query.get('continuation-token') ?? '';
  const keys = [...objects.keys()]
    .filter((key) => key.startsWith(query.get('prefix') ?? '') && key > after)
    .sort();
  const page = keys.slice(0, perPage);
  const more =
    keys.length > perPage
      ? `<NextContinuationToken>${escaped(page.at(-1) ?? '')}</NextContinuationToken>`
      : '';
  const contents = page.map((key) => `<Contents><Key>${escaped(key)}</Key></Contents>`).join('');
  const body = `<ListBucketResult><IsTruncated>${more !== ''}</IsTruncated>${more}${contents}</ListBucketResult>`;
  return { status: 200, body };
}

function refusal(code: string) {
  return { status: 404, body: `<Error><Code>${code}</Code><Message>${code}</Message></Error>` };
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
