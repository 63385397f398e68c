export type Cause = { type: string; reason: string };

/** An error as OpenSearch answers it: for a whole request, or for one item of a bulk. */
export class SearchError extends Error {
  readonly status: number;
  readonly type: string;
  readonly causedBy: Cause | undefined;
  /** Whether it arose while searching, where the answer wraps it. */
  readonly inSearch: boolean;
  /** Further members of the answer, such as the index that is missing. */
  readonly details: Record<string, string>;

  constructor(
    status: number,
    type: string,
    reason: string,
    more: { causedBy?: Cause; details?: Record<string, string>; inSearch?: boolean } = {},
  ) {
    super(reason);
    this.status = status;
    this.type = type;
    this.causedBy = more.causedBy;
    this.details = more.details ?? {};
    this.inSearch = more.inSearch ?? false;
  }
}

/** The error as the answer to a whole request. */
export function answerOf(error: SearchError): { status: number; body: object } {
  const { status, inSearch } = error;
  const described = describeError(error);
  const wrapped = inSearch
    ? { type: 'search_phase_execution_exception', reason: 'all shards failed', phase: 'query', grouped: true }
    : described;
  return { status, body: { error: { root_cause: [described], ...wrapped }, status } };
}

/** The error as it stands in an item of an answer. */
export const describeError = ({ type, message, causedBy, details }: SearchError) => ({
  type,
  reason: message,
  ...details,
  ...(causedBy === undefined ? {} : { caused_by: causedBy }),
});

export const notSupported = (clause: string): SearchError =>
  new SearchError(400, 'parsing_exception', `${clause} is not supported by this stand-in for OpenSearch`);

/** A query that is not formed as it should be. */
export const malformed = (reason: string): SearchError => new SearchError(400, 'parsing_exception', reason);

/** What only a search finds out; its answer wraps the error. */
export const notSearchable = (type: string, reason: string, causedBy?: Cause): SearchError =>
  new SearchError(400, type, reason, { inSearch: true, ...(causedBy === undefined ? {} : { causedBy }) });

export const illegal = (reason: string): SearchError =>
  new SearchError(400, 'illegal_argument_exception', reason);

export const noSuchIndex = (index: string, type: 'index_or_alias' | 'index_expression'): SearchError =>
  new SearchError(404, 'index_not_found_exception', `no such index [${index}]`, {
    details: { index, 'resource.id': index, 'resource.type': type, index_uuid: '_na_' },
  });

export const notValid = (...problems: string[]): SearchError => {
  const numbered = problems.map((problem, at) => ` ${at + 1}: ${problem};`).join('');
  return new SearchError(400, 'action_request_validation_exception', `Validation Failed:${numbered}`);
};
