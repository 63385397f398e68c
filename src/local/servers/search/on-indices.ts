import { type Handle, ok, readBody } from './reply.ts';
import { shardsOf } from './search.ts';

export const describeServer: Handle = () =>
  ok({
    name: 'stand-in',
    cluster_name: 'sluice',
    cluster_uuid: 'stand-in',
    version: { distribution: 'opensearch', number: '3.7.0', build_type: 'stand-in' },
    tagline: 'The OpenSearch Project: https://opensearch.org/',
  });

export const describeHealth: Handle = (indices) => {
  const shards = indices.all().length;
  return ok({
    cluster_name: 'sluice',
    status: 'green',
    timed_out: false,
    number_of_nodes: 1,
    number_of_data_nodes: 1,
    active_primary_shards: shards,
    active_shards: shards,
    unassigned_shards: 0,
  });
};

export const createIndex: Handle = (indices, request, { index }) => {
  indices.create(index, readBody(request));
  return ok({ acknowledged: true, shards_acknowledged: true, index });
};

export const describeIndices: Handle = (indices, _request, names) => {
  const described = indices.named(names.index).map(({ name, mapping, settings }) => {
    const aliases = Object.fromEntries(indices.aliases.of(name).map((alias) => [alias, {}]));
    return [name, { aliases, mappings: mapping.json, settings }];
  });
  return ok(Object.fromEntries(described));
};

export const removeIndices: Handle = (indices, _request, names) => {
  for (const name of names.index.split(',')) indices.remove(name);
  return ok({ acknowledged: true });
};

export const putMapping: Handle = (indices, request, names) => {
  indices.putMapping(names.index, readBody(request));
  return ok({ acknowledged: true });
};

export const changeAliases: Handle = (indices, request) => {
  indices.aliases.change(readBody(request));
  return ok({ acknowledged: true });
};

// Searches see every write at once here: nothing is left to refresh.
export const refresh: Handle = (indices, _request, names) =>
  ok({ _shards: shardsOf(names.index === '' ? indices.all() : indices.named(names.index)) });
