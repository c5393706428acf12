import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BPF } from './bpf.js';
import { BTF } from './btf.js';
import { CARVED } from './carved.js';
import { DWARF } from './dwarf.js';
import { ELF } from './elf.js';
import type { EvilFile } from './evil-file.js';
import { PACKED_KALLSYMS } from './kallsyms.js';
import { PACKED } from './packed.js';
import { TEXTS } from './texts.js';

/** Every one. */
export const EVIL_FILES: readonly EvilFile[] = [...DWARF, ...ELF, ...PACKED, ...BTF, ...BPF, ...CARVED, ...PACKED_KALLSYMS, ...TEXTS];

/** The arguments of a call, for a file, a kernel beside it and a folder to write to. */
export function argumentsFor(
  call: readonly string[],
  { file, kernel, folder }: { readonly file: string; readonly kernel: string; readonly folder: string },
): string[] {
  const require = join(folder, 'require.yaml');
  if (call.includes('REQUIRE')) writeFileSync(require, 'functions:\n  - name: f1\n    needs: [kprobe, fentry, btf]\n');
  const words: Readonly<Record<string, string>> = { FILE: file, KERNEL: kernel, OUT: join(folder, 'out'), REQUIRE: require };
  return call.map(word => words[word] ?? word);
}
