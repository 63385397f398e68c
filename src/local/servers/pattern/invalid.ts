/** A pattern that EventBridge would refuse; the reason is worded as EventBridge words it. */
export class InvalidEventPatternException extends Error {
  override readonly name = 'InvalidEventPatternException';

  constructor(reason: string, clause?: string) {
    super(`Event pattern is not valid. Reason: ${reason}${clause === undefined ? '' : ` (at ${clause})`}`);
  }
}
