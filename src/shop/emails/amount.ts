/** A tag for templates: an amount in the order's currency, with as many decimals as that has. */
export function amount(field: string): string {
  const digits =
    "new Intl.NumberFormat('en', { style: 'currency', currency: it.currency }).resolvedOptions().maximumFractionDigits";
  return `<%= ${field}.toFixed(${digits}) %> <%= it.currency %>`;
}
