import type { Kernel } from '../kernel.js';
import { openKernel } from '../open/open.js';
import type { OptionSpec } from './command.js';

/** The options of every command that asks a kernel. */
export const KERNEL_OPTIONS: {
  readonly btf: OptionSpec & { readonly type: 'string' };
  readonly config: OptionSpec & { readonly type: 'string' };
  readonly json: OptionSpec & { readonly type: 'boolean' };
} = {
  btf: { type: 'string', value: 'FILE', help: "take the BTF of FILE (raw, or an ELF file's) in place of the kernel's own" },
  config: { type: 'string', value: 'FILE', help: "the kernel's .config, for what the image does not hold" },
  json: { type: 'boolean', help: 'print JSON' },
};

/** Opens the kernel of a command, asks it, and closes it. What is missing, and damage that was met, is said on stderr. */
export async function withKernel(
  path: string,
  options: { readonly btf?: string; readonly config?: string },
  note: (line: string) => void,
  ask: (kernel: Kernel) => number | undefined,
): Promise<number | undefined> {
  const kernel = await openKernel(path, {
    ...(options.btf === undefined ? {} : { btf: options.btf }),
    ...(options.config === undefined ? {} : { config: options.config }),
  });
  try {
    const code = ask(kernel);
    sayNotes(kernel, note);
    return code;
  } finally {
    kernel.close();
  }
}

export function sayNotes(kernel: Kernel, note: (line: string) => void): void {
  for (const line of kernel.pieces.notes) note(`kelf: ${kernel.name}: ${line}`);
  for (const { message } of kernel.diagnostics) note(`kelf: ${message}`);
}

/** What identifies a kernel in JSON. */
export function kernelId(kernel: Kernel): { name: string; release?: string; buildId?: string } {
  const { name, release, buildId } = kernel;
  return { name, ...(release === undefined ? {} : { release }), ...(buildId === undefined ? {} : { buildId }) };
}
