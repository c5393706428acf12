import { inflateRawSync } from 'node:zlib';

/** A part that a report has inlined. */
export function partOfReport(html: string, id: string): unknown {
  const packed = new RegExp(`<script type="text/plain" id="${id}">([^<]*)</script>`).exec(html)![1]!;
  return JSON.parse(inflateRawSync(Buffer.from(packed, 'base64')).toString());
}
