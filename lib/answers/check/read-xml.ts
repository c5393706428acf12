import { XMLParser } from 'fast-xml-parser';
import { FormatError } from '../../../elf/errors.js';

/** An element: its attributes, and its children by their names, each list in the order of the file. Text between them is left out. */
export class XmlElement {
  readonly #node: Readonly<Record<string, unknown>>;

  constructor(node: Readonly<Record<string, unknown>>) {
    this.#node = node;
  }

  /** The value as it is in the file, entities replaced; undefined if the attribute is not there. */
  attribute(name: string): string | undefined {
    const value = Object.hasOwn(this.#node, `@${name}`) ? this.#node[`@${name}`] : undefined;
    return typeof value === 'string' ? value : undefined;
  }

  /** The child elements of a name. */
  children(name: string): XmlElement[] {
    return Object.hasOwn(this.#node, name) ? elementsOf(this.#node[name]) : [];
  }

  /** Every child element with its name. Those of one name stand together. */
  *all(): Generator<[name: string, child: XmlElement], void, undefined> {
    for (const [name, value] of Object.entries(this.#node)) {
      if (!name.startsWith('@') && name !== '#text') for (const child of elementsOf(value)) yield [name, child];
    }
  }
}

/** An element without attributes and children is read as a text. */
function elementsOf(value: unknown): XmlElement[] {
  return (Array.isArray(value) ? value : []).map(item => new XmlElement(typeof item === 'object' && item !== null ? item : {}));
}

/** Deeper elements are treated as damage. ABIXML nests a dozen. */
const DEEPEST = 64;

/**
 * Reads an XML document. What it takes for a document is well-formed and has no DOCTYPE: so there are no entities but the five of XML
 * itself, and none that grow.
 * @param name of the file, for errors
 * @returns its elements of the top level, mostly one
 * @throws FormatError
 */
export async function readXml(text: string, name: string): Promise<XmlElement> {
  const doctype = text.search(/<!DOCTYPE/i);
  if (doctype >= 0) throw new FormatError('unsupported', { name, offset: doctype }, 'a document type declaration is not read');
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '@',
    ignoreDeclaration: true,
    ignorePiTags: true,
    // A name such as 0e1234 and a checksum are texts, not numbers.
    parseTagValue: false,
    parseAttributeValue: false,
    processEntities: true,
    maxNestedTags: DEEPEST,
    isArray: (_name, _path, _leaf, attribute) => !attribute,
  });
  try {
    // `true`: without validation the library takes what is no XML at all.
    return new XmlElement(parser.parse(text, true) as Record<string, unknown>);
  } catch (error) {
    // It throws plain errors, for what is malformed and for names that it refuses.
    const [message] = (error as Error).message.split('\n');
    throw new FormatError('bad-value', { name }, `is not well-formed XML: ${message!.slice(0, 200)}`, { cause: error });
  }
}
