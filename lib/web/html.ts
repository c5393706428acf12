import { toBase64 } from './base64.js';

/** What the document is made of. Script, worker and style are kelf's own. */
export interface PageParts {
  readonly script: string;
  readonly style: string;
  /**
   * Inlined texts by their ids, as DEFLATE without a header packs them: what a report shows and the parts of it, or the worker of the site. Packed,
   * nothing of a kernel is in the document as text.
   */
  readonly packed: Iterable<readonly [id: string, bytes: Uint8Array]>;
  readonly sha256: (text: string) => Uint8Array;
}

/**
 * The policy of the document: its one script and its one style, by their digests, and no request. The worker of the site is made of what is inlined,
 * and has the same policy.
 */
function policyOf({ script, style, sha256 }: Pick<PageParts, 'script' | 'style' | 'sha256'>): string {
  const source = (text: string): string => `'sha256-${toBase64(sha256(text))}'`;
  return `default-src 'none'; script-src ${source(script)}; style-src ${source(style)}; worker-src blob:; base-uri 'none'; form-action 'none'`;
}

/** The document: a report with its data, or the site with its worker. */
export function pageHtml(parts: PageParts): string {
  const { script, style, packed } = parts;
  const inlined = Array.from(packed, ([id, bytes]) => `<script type="text/plain" id="${id}">${toBase64(bytes)}</script>\n`).join('');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policyOf(parts)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>kelf</title>
<style>${style}</style>
</head>
<body>
<a class="skip" href="#view">To the content</a>
<header id="head"></header>
<main id="view" tabindex="-1"><p>Unpacking …</p></main>
<noscript><p>The page is shown by a script, which is in the file: it asks for nothing from elsewhere.</p></noscript>
${inlined}<script type="module">${script}</script>
</body>
</html>
`;
}
