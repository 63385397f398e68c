import type { EmailTemplate } from '../../table/entity.ts';

export const orderConfirmation: EmailTemplate = {
  subject: 'Your order <%= it.orderId %>',
  text: `Thank you for your order <%= it.orderId %>.

<% for (const item of it.items) { -%>
<%= item.quantity %> × <%= item.name %>: <%= item.price %> <%= it.currency %>
<% } -%>
Total: <%= it.total %> <%= it.currency %>
`,
  html: `<!doctype html>
<html lang="en">
<body>
<p>Thank you for your order <strong><%= it.orderId %></strong>.</p>
<table>
<% for (const item of it.items) { -%>
<tr><td><%= item.quantity %> × <%= item.name %></td><td><%= item.price %> <%= it.currency %></td></tr>
<% } -%>
<tr><th>Total</th><th><%= it.total %> <%= it.currency %></th></tr>
</table>
</body>
</html>
`,
};
