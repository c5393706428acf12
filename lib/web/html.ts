import { toBase64 } from './base64.js';

/** What a report is made of. Script and style are kelf's own; the data are packed, so that nothing of a kernel is in the document as text. */
export interface PageParts {
  readonly script: string;
  readonly style: string;
  /** The page's data as JSON, as DEFLATE without a header packs it. */
  readonly packed: Uint8Array;
  readonly sha256: (text: string) => Uint8Array;
}

/** The document. Its policy lets run the one script and apply the one style, by their digests, and forbids every request. */
export function pageHtml({ script, style, packed, sha256 }: PageParts): string {
  const source = (text: string): string => `'sha256-${toBase64(sha256(text))}'`;
  const policy = `default-src 'none'; script-src ${source(script)}; style-src ${source(style)}; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>kelf report</title>
<style>${style}</style>
</head>
<body>
<header><a href="#/">Overview</a> <a href="#/functions">Functions</a></header>
<main id="view" tabindex="-1"><p>Unpacking …</p></main>
<noscript><p>This report is shown by a script, which is in the file: it asks for nothing from elsewhere.</p></noscript>
<script type="text/plain" id="data">${toBase64(packed)}</script>
<script type="module">${script}</script>
</body>
</html>
`;
}
