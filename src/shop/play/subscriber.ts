/** Another team's subscription, as they would declare it: a pattern, and what they do with an event. */
import type { Subscriber } from '../../local/play/step.ts';

/** Events come at least once: what has been packed is not packed again. */
const packed = new Set<string>();

export const warehouse: Subscriber = {
  name: 'warehouse',
  pattern: { source: ['sluice.shop'], 'detail-type': ['OrderPaid'], detail: { meta: { replay: [false] } } },
  receive({ meta, data }) {
    if (packed.has(meta.eventId)) return undefined;
    packed.add(meta.eventId);
    return `packs order ${data.orderId}`;
  },
};
