import { inflateRawSync } from 'node:zlib';
import type { PageData } from '../../lib/web/page-data.js';

/** The data that a report has in it. */
export function dataOfReport(html: string): PageData {
  const packed = /<script type="text\/plain" id="data">([^<]*)<\/script>/.exec(html)![1]!;
  return JSON.parse(inflateRawSync(Buffer.from(packed, 'base64')).toString()) as PageData;
}
