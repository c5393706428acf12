import { BtfWriter } from './btf-writer.js';

/** `r6 = r1`, `r1 = r10`, …, a clean-up that ends, and the end: the shape of a light skeleton's loader. */
export const LIGHT_LOADER: Uint8Array = Buffer.from(
  `bf16000000000000bfa1000000000000${'b700000000000000'.repeat(5)}9500000000000000b7000000000000009500000000000000`,
  'hex',
);

/** The instructions of each program of {@link lightData}. */
export const LIGHT_INSTRUCTIONS: Uint8Array = Buffer.from('b7000000000000009500000000000000', 'hex');

/** A blob for {@link lightData}. */
export function lightBtf(): Uint8Array {
  const btf = new BtfWriter();
  btf.func('on_open', btf.funcProto(0, []));
  return btf.bytes();
}

/** The data that libbpf's gen_loader makes, without function and line records. */
export function lightData(blob: Uint8Array, names: readonly string[]): Buffer {
  const parts = [Buffer.alloc(1280), padded(blob)];
  for (const name of names) {
    const attr = Buffer.alloc(144);
    attr.writeUInt32LE(5, 0);
    attr.writeUInt32LE(LIGHT_INSTRUCTIONS.length / 8, 4);
    attr.write(name, 48);
    parts.push(padded(Buffer.from('GPL\0')), Buffer.from(LIGHT_INSTRUCTIONS), attr);
  }
  return Buffer.concat(parts);
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 7)]);
}

/** As bpftool writes bytes into source: `\0` for a zero, two digits for others, lines joined by backslashes. */
export function bpftoolLiteral(bytes: Uint8Array): string {
  const text = Array.from(bytes, byte => (byte === 0 ? '\\0' : `\\x${byte.toString(16).padStart(2, '0')}`)).join('');
  return `"\\\n${text.replace(/(.{76})(?=\\)/g, '$1\\\n')}"`;
}
