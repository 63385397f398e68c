/**
 * What a Serverless collection lacks. It has no `_refresh`: it shows what was written after some ten seconds. Nothing
 * says whether it keeps external versions, on which everything here rests: so it is asked, before anything is indexed.
 * (OpenSearch Service developer guide, Supported operations and plugins in OpenSearch Serverless.)
 */
import type { Client } from '@opensearch-project/opensearch';
import type { Config } from '../../config.ts';
import { marks } from './plan.ts';

export function isServerless({ SLUICE_SEARCH_SIGNING: signing }: Config): boolean {
  return signing === 'aoss';
}

const probe = 'sluice-probe';

/** Throws where an older write would replace a newer one. What it writes is no document: searches never see it. */
export async function confirmVersions(client: Client, alias: string): Promise<void> {
  const write = async (version: number) => {
    const place = { _index: alias, _id: probe, version, version_type: 'external_gte' as const };
    const mark = { [marks.item]: probe, [marks.removedAt]: new Date(0).toISOString() };
    const { body } = await client.bulk({ body: [{ index: place }, mark] });
    return body.items[0]?.index?.status;
  };
  const [newer, older] = [await write(2), await write(1)];
  if (newer !== undefined && newer < 300 && older === 409) return;
  throw new Error(
    `Search: ${alias} does not keep external versions (a newer write got status ${newer}, an older one ${older}): late changes would undo new ones. Use an OpenSearch domain instead.`,
  );
}
