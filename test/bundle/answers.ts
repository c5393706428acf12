import { type Kernel, recipeLine } from 'kelf';

/** What the facade says of the kernel of the fixtures, as plain data. */
export function answersOf(kernel: Kernel): unknown {
  const { release, buildId, symbols, functions, btf, diagnostics } = kernel;
  return {
    known: [release, buildId, symbols.count, functions.count, btf?.count, diagnostics.length],
    duplicates: kernel.duplicates(),
    trace: ['tty_write', 'load_elf_binary', 'nothing_of_the_kind'].map(name => kernel.traceability(name)),
    place: kernel.place('tty_write+0x4'),
    attach: kernel
      .attach('load_elf_binary')
      .functions.map(recipe => [recipe.name, recipeLine(recipe, 'kprobe_events'), recipeLine(recipe, 'bpf-c')]),
    why: ['tty_write', 'nothing_of_the_kind'].map(name => kernel.missingBtf(name)),
    addresses: kernel.symbolize('tty_write+0x4', '0x0'),
    tracepoints: kernel.tracepoints.all(),
  };
}
