import type { EmailTemplate } from '../../table/entity.ts';

export const orderShipped: EmailTemplate = {
  subject: 'Your order <%= it.orderId %> is on its way',
  text: `Your order <%= it.orderId %> has been shipped.
`,
  html: `<!doctype html>
<html lang="en">
<body style="margin: 0; padding: 24px; font: 16px/1.5 Arial, sans-serif; color: #222">
<p>Your order <strong><%= it.orderId %></strong> has been shipped.</p>
</body>
</html>
`,
};
