import { XMLBuilder } from 'fast-xml-parser';
import { printable } from '../../elf/escape.js';

/** An element to write: attributes under `@name`, text under `#text`, children under their names; what is undefined is left out. */
export interface XmlTree {
  readonly [name: string]: string | undefined | XmlTree | readonly XmlTree[];
}

/**
 * Characters that XML 1.0 has no place for, not even as a reference (section 2.2): controls, lone surrogates, U+FFFE and U+FFFF. U+007F to U+009F,
 * which it discourages, go with them.
 */
const NOT_XML = /(?![\t\n\r])[\p{Cc}\p{Cs}\ufffe\uffff]/gu;

/** The document of one root element, with characters that XML can't hold left out; without a line end behind it. */
export function writeXml(tree: XmlTree): string {
  const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@', format: true, suppressEmptyNode: true });
  return `<?xml version="1.0" encoding="UTF-8"?>\n${(builder.build(clean(tree)) as string).trimEnd()}`;
}

function clean(tree: XmlTree): XmlTree {
  const entries = Object.entries(tree).flatMap(([name, value]): [string, string | XmlTree | XmlTree[]][] => {
    if (value === undefined) return [];
    if (typeof value === 'string') return [[name, cleanText(name, value)]];
    return [[name, Array.isArray(value) ? (value as XmlTree[]).map(clean) : clean(value as XmlTree)]];
  });
  return Object.fromEntries(entries);
}

/** Text has lines, each of them printable. An attribute is one: a line break in it would be read as a space (section 3.3.3), and is written as one. */
function cleanText(name: string, text: string): string {
  const kept = text.replace(NOT_XML, '');
  return name.startsWith('@') ? printable(kept.replace(/[\t\n\r]+/g, ' ')) : kept;
}
