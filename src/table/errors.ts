/** Everything the write side refuses, by name: the name is what a caller acts on. */
export type WriteErrorName =
  | 'Invalid' // the input does not fit; nothing was written
  | 'NotFound' // no such item
  | 'Removed' // the item was there and was removed
  | 'AlreadyExists' // a natural key that is taken
  | 'IdempotencyConflict' // the same request key with another input
  | 'StaleVersion' // somebody wrote in between: read again, then decide
  | 'IllegalStep' // the entity's declaration has no such step
  | 'GuardFailed' // a condition of an atomic write, such as stock >= quantity
  | 'Busy' // conflicts or throttling outlasted the retries; nothing was written
  | 'Unknown'; // the reply was lost and what happened cannot be read any more

/** An error of the write side. `name` says which; `cause` holds what DynamoDB said. */
export class WriteError extends Error {
  override readonly name: WriteErrorName;
  constructor(name: WriteErrorName, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = name;
  }
}
