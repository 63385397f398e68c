/** A search box for a person: what the API's search answers, as a page. */
import type { Context, Hono } from 'hono';
import { html } from 'hono/html';
import type { App } from '../pipeline/app.ts';

/** `GET /` on the local API; what is shown goes the way of every other reader, through the API. */
export function searchPage({ entities }: App, api: Hono) {
  const indices = entities.flatMap(({ search }) => search?.index ?? []);
  return async function show(context: Context) {
    const words = context.req.query('q') ?? '';
    const index = context.req.query('in') ?? indices[0] ?? '';
    const answer = await api.request(`/search/${encodeURIComponent(index)}?q=${encodeURIComponent(words)}`);
    // A page may be given data of anybody's: no script runs in it, and nothing is fetched from it.
    context.header('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'");
    return context.html(html`<!doctype html>
<title>Search</title>
<style>body{font:15px system-ui;margin:2em}td,th{padding:.3em 1em .3em 0;text-align:left}</style>
<h1>Search</h1>
<form>
<input name="q" value="${words}" autofocus>
<select name="in">${indices.map((one) => html`<option ${one === index ? 'selected' : ''}>${one}</option>`)}</select>
<button>Search</button>
</form>
${found((await answer.json()) as Answer)}`);
  };
}

type Answer = { total?: number; items?: Record<string, unknown>[]; detail?: string };

function found({ total = 0, items = [], detail }: Answer) {
  if (detail !== undefined) return html`<p>${detail}</p>`;
  const names = [...new Set(items.flatMap((item) => Object.keys(item)))];
  return html`<p>${total} found</p>
<table><tr>${names.map((name) => html`<th>${name}</th>`)}</tr>
${items.map((item) => html`<tr>${names.map((name) => html`<td>${text(item[name])}</td>`)}</tr>`)}</table>`;
}

const text = (value: unknown) => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
