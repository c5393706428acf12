import type { Command } from './command.js';

export type CommandTable = Readonly<Record<string, readonly [summary: string, load: () => Promise<Command>]>>;

/** Every command, in the order of `kelf --help`. A module is loaded when its command is called, so that none pays for another. */
export const COMMANDS: CommandTable = {
  audit: ['what stands out in a whole kernel', async () => (await import('./commands/audit.js')).audit],
  info: ['what is known of a kernel, and from where', async () => (await import('./commands/info.js')).info],
  duplicates: ['function names that stand for more than one address', async () => (await import('./commands/duplicates.js')).duplicates],
  trace: ['whether and how functions can be traced', async () => (await import('./commands/trace.js')).trace],
  attach: ['the lines that attach a probe to exactly one function', async () => (await import('./commands/attach.js')).attach],
  tracepoints: ['the tracepoints and events of an image', async () => (await import('./commands/tracepoints.js')).tracepoints],
  why: ['why BTF has no entry for a function', async () => (await import('./commands/why.js')).why],
  addr: ['the symbol, file and line of an address', async () => (await import('./commands/addr.js')).addr],
  mcount: ["ftrace's table of call sites", async () => (await import('./commands/mcount.js')).mcount],
  kallsyms: [
    'the symbol table packed in a kernel, as /proc/kallsyms shows it',
    async () => (await import('./commands/kallsyms.js')).kallsyms,
  ],
  module: ['what a kernel module says of itself', async () => (await import('./commands/module.js')).module],
  check: ['the gate for CI: whether a kernel has what a list requires', async () => (await import('./commands/check.js')).check],
  explain: ['the page of a reason code', async () => (await import('./commands/explain.js')).explain],
  'btf dump': ['print every type of a BTF blob, as bpftool does', async () => (await import('./commands/btf-dump.js')).btfDump],
  'btf show': ['print types by name, with offsets, sizes and holes', async () => (await import('./commands/btf-show.js')).btfShow],
  'btf list': ['list the named types, by kind and pattern', async () => (await import('./commands/btf-list.js')).btfList],
  'btf find': ['every type of a name', async () => (await import('./commands/btf-find.js')).btfFind],
  'bpf show': ['what is in a BPF object', async () => (await import('./commands/bpf-show.js')).bpfShow],
  'bpf disasm': [
    "its instructions, in the kernel's notation or LLVM's, with lines of source",
    async () => (await import('./commands/bpf-disasm.js')).bpfDisasm,
  ],
  'bpf check': ['whether BPF programs would load and attach on kernels', async () => (await import('./commands/bpf-check.js')).bpfCheck],
  'bpf core': ["what becomes of an object's CO-RE relocations on a kernel", async () => (await import('./commands/bpf-core.js')).bpfCore],
  'bpf tag': [
    'the tags that a kernel will show for programs, and which file a loaded one came from',
    async () => (await import('./commands/bpf-tag.js')).bpfTag,
  ],
  'bpf carve': [
    'the BPF objects that programs, libraries and headers carry',
    async () => (await import('./commands/bpf-carve.js')).bpfCarve,
  ],
  'btf min': ['the least BTF that BPF objects need of a kernel', async () => (await import('./commands/btf-min.js')).btfMin],
  sections: ["an ELF file's sections", async () => (await import('./commands/sections.js')).sections],
  segments: ["an ELF file's segments", async () => (await import('./commands/segments.js')).segments],
  symbols: ['its symbols, with the source files of local ones', async () => (await import('./commands/symbols.js')).symbols],
  relocs: ['its relocations', async () => (await import('./commands/relocs.js')).relocs],
  notes: ['its notes: build id, and what Linux and Xen say of a kernel', async () => (await import('./commands/notes.js')).notes],
};
