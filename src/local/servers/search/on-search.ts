import { illegal } from './error.ts';
import { onlyKnown } from './json.ts';
import { type Handle, ok, readBody } from './reply.ts';
import { find, search, shardsOf } from './search.ts';

const IN_ADDRESS = ['from', 'size', 'track_total_hits'];

export const searchIndices: Handle = (indices, request, names) => {
  const given = Object.fromEntries(request.query);
  const unknown = Object.keys(given).find((name) => !IN_ADDRESS.includes(name));
  if (unknown !== undefined) {
    throw illegal(`request [/${names.index}/_search] contains unrecognized parameter: [${unknown}]`);
  }
  const total = given.track_total_hits;
  const flag = total === 'true' || total === 'false' ? { track_total_hits: total === 'true' } : {};
  return ok(search(indices.named(names.index), { ...readBody(request), ...given, ...flag }));
};

export const count: Handle = (indices, request, names) => {
  const body = readBody(request);
  onlyKnown(body, ['query'], '');
  const counted = indices.named(names.index);
  const found = counted.flatMap((index) => find(index, body.query));
  return ok({ count: found.length, _shards: shardsOf(counted) });
};
