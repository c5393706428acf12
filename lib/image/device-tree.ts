import { FormatError } from '../../elf/errors.js';
import { viewOf } from './bytes.js';

const MAGIC = 0xd00dfeed;
const [BEGIN_NODE, END_NODE, PROPERTY, NOP, END] = [1, 2, 3, 4, 9];
/** FIT images have some levels and some hundred nodes. */
const DEEPEST = 32;
const MOST_NODES = 1 << 16;

/** A node of a device tree. */
export class DeviceTreeNode {
  readonly name: string;
  readonly children: DeviceTreeNode[] = [];
  readonly properties: Map<string, Uint8Array> = new Map<string, Uint8Array>();

  constructor(name: string) {
    this.name = name;
  }

  child(name: string): DeviceTreeNode | undefined {
    return this.children.find(node => node.name === name);
  }

  property(name: string): Uint8Array | undefined {
    return this.properties.get(name);
  }

  /** A property as text, the first where it is a list. */
  text(name: string): string | undefined {
    const bytes = this.properties.get(name);
    if (bytes === undefined) return undefined;
    const end = bytes.indexOf(0);
    return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
  }

  /** A property of one cell. */
  word(name: string): number | undefined {
    const bytes = this.properties.get(name);
    return bytes === undefined || bytes.length !== 4 ? undefined : viewOf(bytes).getUint32(0);
  }
}

/**
 * Reads a flattened device tree (the Devicetree Specification, chapter 5); undefined for another file.
 * @throws FormatError for a damaged one
 */
export function readDeviceTree(bytes: Uint8Array, name: string): { readonly root: DeviceTreeNode; readonly size: number } | undefined {
  if (bytes.length < 40 || viewOf(bytes).getUint32(0) !== MAGIC) return undefined;
  const view = viewOf(bytes);
  const [size, structure, strings] = [view.getUint32(4), view.getUint32(8), view.getUint32(12)];
  const fail = (at: number, message: string): never => {
    throw new FormatError('bad-value', { name, offset: at }, `the device tree ${message}`);
  };
  const end = Math.min(size, bytes.length);
  const textAt = (at: number): string => {
    const stop = at < end ? bytes.indexOf(0, at) : -1;
    return stop < 0 || stop >= end ? fail(at, 'has a name without an end') : new TextDecoder().decode(bytes.subarray(at, stop));
  };
  const root = new DeviceTreeNode('');
  const path = [root];
  let nodes = 0;
  for (let at = structure; ; ) {
    if (at + 4 > end) return fail(at, 'ends within a node');
    const token = view.getUint32(at);
    at += 4;
    if (token === END) return { root, size };
    if (token === NOP) continue;
    if (token === END_NODE) {
      if (path.length > 1) path.pop();
    } else if (token === BEGIN_NODE) {
      const title = textAt(at);
      at = aligned(bytes.indexOf(0, at) + 1);
      if (++nodes > MOST_NODES || path.length > DEEPEST) return fail(at, 'has too many nodes');
      // The root has no name, and is the first.
      if (nodes === 1) continue;
      const node = new DeviceTreeNode(title);
      path.at(-1)!.children.push(node);
      path.push(node);
    } else if (token === PROPERTY) {
      if (at + 8 > end) return fail(at, 'ends within a property');
      const length = view.getUint32(at);
      if (at + 8 + length > end) return fail(at, 'ends within a property');
      path.at(-1)!.properties.set(textAt(strings + view.getUint32(at + 4)), bytes.subarray(at + 8, at + 8 + length));
      at = aligned(at + 8 + length);
    } else return fail(at - 4, `has no token ${token}`);
  }
}

function aligned(at: number): number {
  return (at + 3) & ~3;
}
