import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode, Instructions, kernelNotation } from 'kelf/bpf';
import { bpfObject, CODE, DATA, type InsnSpec, insns } from '../support/bpf-writer.js';
import type { Check, Outcome } from './check.js';

/**
 * The kernel's notation against the kernel: the running one checks a program that has every form of instruction, and its verifier's log says what it
 * read. The program is loaded, and gone when bpftool ends; it is attached to nothing. That takes root, and KELF_LOAD_BPF=1, lest it be a surprise.
 */
export async function kernelNotations(check: Check): Promise<void> {
  const allowed = process.env['KELF_LOAD_BPF'] === '1' && process.getuid?.() === 0;
  const peers = allowed ? ['bpftool'] : ['root-and-KELF_LOAD_BPF=1'];
  await check("BPF instructions: the kernel's notation is that of the running kernel's verifier", peers, () => compare(basicForms()));
  await check('BPF instructions: the same of forms since Linux 6.6 to 6.15', peers, () => compare(newForms()));
}

const JUMPS = [0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0xa0, 0xb0, 0xc0, 0xd0];
/** Registers and stack with values, and r6 with the context, which loads from packets take. */
const START: readonly InsnSpec[] = [
  [0xbf, 6, 1],
  [0xb7, 0, 0, 0, 7],
  [0xb7, 1, 0, 0, -5],
  [0xb4, 2, 0, 0, 9],
  [0xbf, 3, 1],
  [0xbc, 4, 2],
  [0x7b, 10, 0, -8],
  [0x63, 10, 1, -16],
  [0x6b, 10, 1, -14],
  [0x73, 10, 1, -12],
  [0x7a, 10, 0, -16, 3],
];
/** r2 anew after what changes it. */
const AGAIN: InsnSpec = [0xb7, 2, 0, 0, 9];
const END: readonly InsnSpec[] = [[0xb7, 0, 0, 0, 0], [0x95]];

function basicForms(): InsnSpec[] {
  const specs: InsnSpec[] = [...START, [0x62, 10, 0, -24, -1], [0x6a, 10, 0, -20, 5], [0x72, 10, 0, -18, 6], [0x72, 10, 0, -17, 6]];
  for (const code of [0x79, 0x61, 0x69, 0x71]) specs.push([code, 5, 10, code === 0x79 ? -8 : -16]);
  for (const operation of [0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x90, 0xa0, 0xc0]) {
    specs.push([0x07 | operation, 0, 0, 0, 3], [0x04 | operation, 0, 0, 0, 5], [0x0f | operation, 0, 2], [0x0c | operation, 0, 2]);
  }
  specs.push([0x87, 0], [0x84, 0]);
  for (const bits of [16, 32, 64]) specs.push([0xd4, 0, 0, 0, bits], [0xdc, 0, 0, 0, bits]);
  for (const operation of [0, 0x40, 0x50, 0xa0, 1, 0x41, 0x51, 0xa1, 0xe1]) {
    specs.push([0xdb, 10, 2, -8, operation], AGAIN, [0xc3, 10, 2, -16, operation], AGAIN);
  }
  specs.push([0xb7, 0, 0, 0, 1], [0xdb, 10, 2, -8, 0xf1], [0xb7, 0, 0, 0, 1], [0xc3, 10, 2, -16, 0xf1]);
  specs.push([0x18, 5, 0, 0, 5], [0, 0, 0, 0, 1], [0x18, 5, 0, 0, -1], [0, 0, 0, 0, -1]);
  // Packets: bytes, half words and words, at a place and at one from a register.
  for (const code of [0x20, 0x28, 0x30]) specs.push([code, 0, 0, 0, 4], AGAIN, [code + 0x20, 0, 2, 0, 3], AGAIN);
  specs.push([0x85, 0, 0, 0, 7], [0x85, 0, 0, 0, 5], [0xbf, 6, 0]);
  for (const operation of JUMPS) {
    specs.push([0x05 | operation, 6, 0, 0, 77], [0x06 | operation, 6, 0, 0, -7], [0xb7, 7, 0, 0, 3]);
    specs.push([0x0d | operation, 6, 7], [0x0e | operation, 6, 7]);
  }
  return [...specs, [0x05], ...END];
}

/** Version 4 of the instruction set, and loads and stores in order. */
function newForms(): InsnSpec[] {
  const specs: InsnSpec[] = [...START];
  for (const code of [0x81, 0x89, 0x91]) specs.push([code, 5, 10, -16]);
  for (const operation of [0x30, 0x90]) {
    specs.push([0x07 | operation, 0, 0, 1, 3], [0x04 | operation, 0, 0, 1, 5], [0x0f | operation, 0, 2, 1], [0x0c | operation, 0, 2, 1]);
  }
  for (const bits of [16, 32, 64]) specs.push([0xd7, 0, 0, 0, bits]);
  for (const bits of [8, 16, 32]) specs.push([0xbf, 5, 0, bits]);
  for (const bits of [8, 16]) specs.push([0xbc, 5, 0, bits]);
  return [...specs, [0x06], [0xe5, 0, 0, 0], [0xdb, 5, 10, -8, 0x100], [0xd3, 10, 2, -16, 0x110], ...END];
}

function compare(specs: readonly InsnSpec[]): Outcome {
  const data = insns(true, ...specs);
  const symbols = [
    { name: 'f', type: 2, binding: 1, section: 1, size: BigInt(data.length) },
    { name: 'LICENSE', type: 1, binding: 1, section: 2, size: 4n },
  ];
  const sections = [
    { name: 'socket', ...CODE, data },
    { name: 'license', ...DATA, data: new TextEncoder().encode('GPL\0') },
  ];
  const folder = mkdtempSync(join(tmpdir(), 'kelf-notation-'));
  const pin = `/sys/fs/bpf/kelf-notation-${process.pid}`;
  let log: string;
  try {
    const file = join(folder, 'notation.o');
    writeFileSync(file, bpfObject({ sections, symbols }));
    const { stdout, stderr } = spawnSync('bpftool', ['-d', 'prog', 'load', file, pin], { encoding: 'utf8', maxBuffer: 1 << 28 });
    log = `${stdout}${stderr}`;
  } finally {
    rmSync(pin, { force: true });
    rmSync(folder, { recursive: true });
  }
  const theirs = new Map<number, string>();
  for (const line of log.split('\n')) {
    const [, index, text] = /^(?:from .*: )?(\d+): (\([0-9a-f]{2}\) .*?)\s*(?:;.*)?$/.exec(line) ?? [];
    if (index !== undefined) theirs.set(Number(index), text!);
  }
  const list = new Instructions(data, true, 'program');
  let same = 0;
  for (let i = 0; i < list.count; i += list.isWide(i) ? 2 : 1) {
    const ours = kernelNotation(list.code[i]!, decode(list.at(i)));
    if (theirs.get(i) !== ours) return { ok: false, figures: `${i}: kelf: ${ours}\nkernel: ${theirs.get(i) ?? log.slice(-300)}` };
    same++;
  }
  return { ok: true, figures: `${same} instructions` };
}
