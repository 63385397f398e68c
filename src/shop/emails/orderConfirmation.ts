import type { EmailTemplate } from '../../table/entity.ts';
import { amount } from './amount.ts';

export const orderConfirmation: EmailTemplate = {
  subject: 'Your order <%= it.orderId %>',
  text: `Thank you for your order <%= it.orderId %>.

<% for (const item of it.items) { -%>
<%= item.quantity %> × <%= item.name %>: ${amount('item.price')}
<% } -%>
Total: ${amount('it.total')}
`,
  html: `<!doctype html>
<html lang="en">
<body style="margin: 0; padding: 24px; font: 16px/1.5 Arial, sans-serif; color: #222">
<p>Thank you for your order <strong><%= it.orderId %></strong>.</p>
<table cellpadding="6" style="border-collapse: collapse">
<% for (const item of it.items) { -%>
<tr><td><%= item.quantity %> × <%= item.name %></td><td align="right">${amount('item.price')}</td></tr>
<% } -%>
<tr><th align="left">Total</th><th align="right">${amount('it.total')}</th></tr>
</table>
</body>
</html>
`,
};
