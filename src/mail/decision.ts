/** What a person can decide about one mail. `sent`: it has arrived. `again`: send it. `never`: do not send it. */
export const decisions = ['sent', 'again', 'never'] as const;
export type Decision = (typeof decisions)[number];
