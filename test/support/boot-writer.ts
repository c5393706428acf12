import { join } from './elf-writer.js';

const encoder = new TextEncoder();

/** Big-endian words of 32 bits. */
function be(...words: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(words.length * 4));
  words.forEach((word, i) => {
    view.setUint32(i * 4, word);
  });
  return new Uint8Array(view.buffer);
}

function le(...words: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(words.length * 4));
  words.forEach((word, i) => {
    view.setUint32(i * 4, word, true);
  });
  return new Uint8Array(view.buffer);
}

function padded(bytes: Uint8Array, unit: number): Uint8Array {
  return join(bytes, new Uint8Array(-bytes.length & (unit - 1)));
}

/** U-Boot's legacy image: what its fields say of the system, the machine, the type and the packing. */
export function uImage(
  data: Uint8Array,
  machine: number,
  { type = 2, system = 5, packing = 0 }: { type?: number; system?: number; packing?: number } = {},
): Uint8Array {
  const name = padded(encoder.encode('Linux-test'), 32);
  return join(be(0x27051956, 0, 0, data.length, 0, 0, 0), Uint8Array.of(system, machine, type, packing), name, data);
}

/** One of several files: their sizes, and each filled up to 4 bytes. */
export function multiImage(files: readonly Uint8Array[], machine: number): Uint8Array {
  return uImage(join(be(...files.map(({ length }) => length), 0), ...files.map(file => padded(file, 4))), machine, { type: 4 });
}

export type Node = { readonly [name: string]: string | number | Uint8Array | Node };

/** A flattened device tree, and what is behind it. */
export function deviceTree(root: Node, behind: Uint8Array = new Uint8Array(0)): Uint8Array {
  const names: string[] = [];
  const nameOffset = (name: string): number => {
    if (!names.includes(name)) names.push(name);
    return names.slice(0, names.indexOf(name)).reduce((sum, { length }) => sum + length + 1, 0);
  };
  const node = (name: string, values: Node): Uint8Array => {
    const parts = [be(1), padded(encoder.encode(`${name}\0`), 4)];
    for (const [key, value] of Object.entries(values)) {
      if (typeof value === 'object' && !(value instanceof Uint8Array)) continue;
      const bytes = typeof value === 'string' ? encoder.encode(`${value}\0`) : typeof value === 'number' ? be(value) : value;
      parts.push(be(3, bytes.length, nameOffset(key)), padded(bytes, 4));
    }
    for (const [key, value] of Object.entries(values))
      if (typeof value === 'object' && !(value instanceof Uint8Array)) parts.push(node(key, value));
    return join(...parts, be(2));
  };
  const structure = join(node('', root), be(9));
  const strings = encoder.encode(names.map(name => `${name}\0`).join(''));
  const [first, total] = [40, 40 + structure.length + strings.length];
  return join(
    be(0xd00dfeed, total, first, first + structure.length, 0, 17, 16, 0, strings.length, structure.length),
    structure,
    strings,
    new Uint8Array(-total & 3),
    behind,
  );
}

/** Android's boot image: versions 0 to 2 have pages of 2 KiB here, later ones of 4 KiB. */
export function androidBoot(kernel: Uint8Array, version: number): Uint8Array {
  const page = version >= 3 ? 4096 : 2048;
  const header = new Uint8Array(page);
  header.set(encoder.encode('ANDROID!'));
  header.set(le(kernel.length), 8);
  if (version < 3) header.set(le(page), 36);
  header.set(le(version), 40);
  return join(header, padded(kernel, page), new Uint8Array(page).fill(0x52));
}

/** A PE image of sections. */
export function peImage(sections: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const names = Object.keys(sections);
  const header = new Uint8Array(0x400);
  header.set(encoder.encode('MZ'));
  header.set(le(0x80), 0x3c);
  header.set(encoder.encode('PE\0\0'), 0x80);
  header[0x86] = names.length;
  const optional = 0x70;
  header[0x94] = optional;
  let offset = header.length;
  const bodies = names.map((name, i) => {
    const body = padded(sections[name]!, 512);
    const at = 0x80 + 24 + optional + i * 40;
    header.set(encoder.encode(name), at);
    header.set(le(sections[name]!.length, 0, body.length, offset), at + 8);
    offset += body.length;
    return body;
  });
  return join(header, ...bodies);
}

/** An x86 bzImage of a boot protocol, with what follows the setup code. */
export function bzImage(
  payload: Uint8Array,
  {
    protocol = 0x20f,
    version = '6.1.0 (kelf@test) #1',
    length = payload.length,
  }: { protocol?: number; version?: string; length?: number } = {},
): Uint8Array {
  const setup = new Uint8Array(1024);
  const view = new DataView(setup.buffer);
  setup[0x1f1] = 1;
  view.setUint16(0x1fe, 0xaa55, true);
  setup.set(encoder.encode('HdrS'), 0x202);
  view.setUint16(0x206, protocol, true);
  view.setUint16(0x20e, 0x100, true);
  setup.set(encoder.encode(`${version}\0`), 0x300);
  if (protocol >= 0x208) view.setUint32(0x24c, length, true);
  return join(setup, payload);
}
