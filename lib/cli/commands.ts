import type { Command } from './command.js';

export type CommandTable = Readonly<Record<string, { readonly summary: string; load(): Promise<Command> }>>;

/** Every command, in the order of `kelf --help`. A module is loaded when its command is called, so that none pays for another. */
export const COMMANDS: CommandTable = {
  audit: { summary: 'what stands out in a whole kernel', load: async () => (await import('./commands/audit.js')).audit },
  info: { summary: 'what is known of a kernel, and from where', load: async () => (await import('./commands/info.js')).info },
  duplicates: {
    summary: 'function names that stand for more than one address',
    load: async () => (await import('./commands/duplicates.js')).duplicates,
  },
  trace: { summary: 'whether and how functions can be traced', load: async () => (await import('./commands/trace.js')).trace },
  attach: {
    summary: 'the lines that attach a probe to exactly one function',
    load: async () => (await import('./commands/attach.js')).attach,
  },
  tracepoints: {
    summary: 'the tracepoints and events of an image',
    load: async () => (await import('./commands/tracepoints.js')).tracepoints,
  },
  why: { summary: 'why BTF has no entry for a function', load: async () => (await import('./commands/why.js')).why },
  addr: { summary: 'the symbol, file and line of an address', load: async () => (await import('./commands/addr.js')).addr },
  mcount: { summary: "ftrace's table of call sites", load: async () => (await import('./commands/mcount.js')).mcount },
  kallsyms: {
    summary: 'the symbol table packed in a kernel, as /proc/kallsyms shows it',
    load: async () => (await import('./commands/kallsyms.js')).kallsyms,
  },
  module: { summary: 'what a kernel module says of itself', load: async () => (await import('./commands/module.js')).module },
  check: {
    summary: 'the gate for CI: whether a kernel has what a list requires',
    load: async () => (await import('./commands/check.js')).check,
  },
  explain: { summary: 'the page of a reason code', load: async () => (await import('./commands/explain.js')).explain },
  'btf dump': {
    summary: 'print every type of a BTF blob, as bpftool does',
    load: async () => (await import('./commands/btf-dump.js')).btfDump,
  },
  'btf show': {
    summary: 'print types by name, with offsets, sizes and holes',
    load: async () => (await import('./commands/btf-show.js')).btfShow,
  },
  'btf list': {
    summary: 'list the named types, by kind and pattern',
    load: async () => (await import('./commands/btf-list.js')).btfList,
  },
  'btf find': {
    summary: 'every type of a name',
    load: async () => (await import('./commands/btf-find.js')).btfFind,
  },
  'bpf show': { summary: 'what is in a BPF object', load: async () => (await import('./commands/bpf-show.js')).bpfShow },
  'bpf disasm': {
    summary: "its instructions, in the kernel's notation or LLVM's, with lines of source",
    load: async () => (await import('./commands/bpf-disasm.js')).bpfDisasm,
  },
  'bpf check': {
    summary: 'whether BPF programs would load and attach on kernels',
    load: async () => (await import('./commands/bpf-check.js')).bpfCheck,
  },
  'bpf core': {
    summary: "what becomes of an object's CO-RE relocations on a kernel",
    load: async () => (await import('./commands/bpf-core.js')).bpfCore,
  },
  'bpf tag': {
    summary: 'the tags that a kernel will show for programs, and which file a loaded one came from',
    load: async () => (await import('./commands/bpf-tag.js')).bpfTag,
  },
  'bpf carve': {
    summary: 'the BPF objects that programs, libraries and headers carry',
    load: async () => (await import('./commands/bpf-carve.js')).bpfCarve,
  },
  'btf min': {
    summary: 'the least BTF that BPF objects need of a kernel',
    load: async () => (await import('./commands/btf-min.js')).btfMin,
  },
  sections: { summary: "an ELF file's sections", load: async () => (await import('./commands/sections.js')).sections },
  segments: { summary: "an ELF file's segments", load: async () => (await import('./commands/segments.js')).segments },
  symbols: {
    summary: 'its symbols, with the source files of local ones',
    load: async () => (await import('./commands/symbols.js')).symbols,
  },
  relocs: { summary: 'its relocations', load: async () => (await import('./commands/relocs.js')).relocs },
  notes: {
    summary: 'its notes: build id, and what Linux and Xen say of a kernel',
    load: async () => (await import('./commands/notes.js')).notes,
  },
};
