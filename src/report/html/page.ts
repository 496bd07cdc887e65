import { createHash } from 'node:crypto';
import { type Html, markup, trusted } from './html.ts';
import { CLIENT_SCRIPT } from './client-script.ts';
import { STYLE } from './style.ts';

/** A page and the policy a browser is to hold it to; the same policy is in the page, for where it is opened as a file. */
export interface Page {
  readonly html: string;
  /** For the header `Content-Security-Policy`. */
  readonly contentSecurityPolicy: string;
}

export interface PageOptions {
  readonly title: string;
  /** What changes while the page is open. */
  readonly main: Html;
  /** True where `/fragment` is served beside it. */
  readonly live: boolean;
}

/** The same mark as in the heading; a data URL, so that no browser asks for /favicon.ico. */
const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' fill='%232a5fc4'/%3E%3Crect x='4' y='4' width='8' height='8' rx='2' fill='none' stroke='white' stroke-width='2'/%3E%3C/svg%3E";

/** A document that asks for nothing from anywhere: one style, one script, both named by their hashes. */
export function renderDocument({ title, main, live }: PageOptions): Page {
  const policy = [
    "default-src 'none'",
    `style-src '${hashOf(STYLE)}'`,
    `script-src '${hashOf(CLIENT_SCRIPT)}'`,
    'img-src data:',
    ...(live ? ["connect-src 'self'"] : []),
    "base-uri 'none'",
    "form-action 'none'",
  ];
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy.join('; ')}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<link rel="icon" href="${ICON}">
<style>${trusted(STYLE)}</style>
</head>
<body${trusted(live ? ' data-live="/fragment"' : '')}>
<a class="skip" href="#main">Skip to the report</a>
<div id="page">
${main}
</div>
<p id="said" class="unseen" role="status"></p>
<script>${trusted(CLIENT_SCRIPT)}</script>
</body>
</html>
`;
  return { html: page.text, contentSecurityPolicy: [...policy, "frame-ancestors 'none'"].join('; ') };
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
