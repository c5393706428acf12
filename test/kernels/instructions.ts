import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { openKernel } from 'kelf';
import { EM } from 'kelf/elf';
import { decodeX86 } from '../../lib/arch/x86-instructions.js';
import type { Check, Outcome } from './check.js';
import type { KernelFiles } from './run.js';

/** The length of every instruction of a kernel, against objdump. */
export async function instructions(files: KernelFiles, check: Check): Promise<void> {
  await using kernel = await openKernel(files.vmlinux);
  if (kernel.machine !== EM.X86_64) return;
  await check('every instruction is as long as objdump prints it', ['objdump'], () => sameLengths(files.vmlinux));
}

async function sameLengths(vmlinux: string): Promise<Outcome> {
  const sections = ['.text', '.init.text', '.altinstr_replacement'].flatMap(section => ['-j', section]);
  const objdump = spawn('objdump', ['-d', '-w', '-z', '--insn-width=16', ...sections, vmlinux], { stdio: ['ignore', 'pipe', 'ignore'] });
  let compared = 0;
  const differences: string[] = [];
  for await (const line of createInterface({ input: objdump.stdout })) {
    const [, hex, text] = /^\s*[0-9a-f]+:\t((?:[0-9a-f]{2} )+)\s*\t?(.*)$/.exec(line) ?? [];
    // Data in text, and what objdump joins or splits for its reader: finit is fwait and fninit.
    if (hex === undefined || /\(bad\)|^\.byte|^rex|^finit/.test(text!)) continue;
    compared++;
    const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
    if (decodeX86(bytes, 0, 64)?.length !== bytes.length) differences.push(`${hex}${text}`);
  }
  const first = differences.length === 0 ? '' : `, ${differences.length} others: ${differences.slice(0, 3).join('; ')}`;
  return { ok: compared > 1e6 && differences.length === 0, figures: `${compared} instructions${first}` };
}
