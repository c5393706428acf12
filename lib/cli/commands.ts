import type { Command } from './command.js';

export type CommandTable = Readonly<Record<string, readonly [summary: string, load: () => Promise<Command>]>>;

/** Every command, in the order of `kelf --help`. A module is loaded when its command is called, so that none pays for another. */
export const COMMANDS: CommandTable = {
  audit: ['summarise a whole kernel', async () => (await import('./commands/audit.js')).audit],
  info: ['show what is known about a kernel, and where it comes from', async () => (await import('./commands/info.js')).info],
  duplicates: ['list function names that several functions share', async () => (await import('./commands/duplicates.js')).duplicates],
  trace: ['tell whether and how functions can be traced', async () => (await import('./commands/trace.js')).trace],
  attach: ['print the lines that attach a probe to exactly one function', async () => (await import('./commands/attach.js')).attach],
  tracepoints: ['list the tracepoints and events of a kernel', async () => (await import('./commands/tracepoints.js')).tracepoints],
  features: ['list what a kernel has for BPF programs', async () => (await import('./commands/features.js')).features],
  why: ['explain why BTF has no entry for a function', async () => (await import('./commands/why.js')).why],
  addr: ['show the symbol, file and line of an address', async () => (await import('./commands/addr.js')).addr],
  oops: ['add files and lines to the stack traces of a kernel log', async () => (await import('./commands/oops.js')).oops],
  mcount: ["show ftrace's table of call sites", async () => (await import('./commands/mcount.js')).mcount],
  kallsyms: [
    'print the symbol table packed into a kernel, like /proc/kallsyms',
    async () => (await import('./commands/kallsyms.js')).kallsyms,
  ],
  module: ['describe a kernel module', async () => (await import('./commands/module.js')).module],
  check: ['check a kernel against a list of requirements, for CI', async () => (await import('./commands/check.js')).check],
  diff: ['compare two kernels: what breaks, changes, and is new', async () => (await import('./commands/diff.js')).diff],
  report: ['write a page that shows a kernel, for a browser', async () => (await import('./commands/report.js')).report],
  serve: ['show a page that reads kernels in the browser', async () => (await import('./commands/serve.js')).serve],
  explain: ['print the page of a reason code', async () => (await import('./commands/explain.js')).explain],
  'btf dump': ['print every type of a BTF blob, like bpftool', async () => (await import('./commands/btf-dump.js')).btfDump],
  'btf show': ['print types by name, with offsets, sizes and holes', async () => (await import('./commands/btf-show.js')).btfShow],
  'btf list': ['list named types by kind and pattern', async () => (await import('./commands/btf-list.js')).btfList],
  'btf find': ['list every type with a given name', async () => (await import('./commands/btf-find.js')).btfFind],
  'bpf show': ['describe a BPF object', async () => (await import('./commands/bpf-show.js')).bpfShow],
  'bpf disasm': [
    "disassemble a BPF object, in the kernel's notation or LLVM's",
    async () => (await import('./commands/bpf-disasm.js')).bpfDisasm,
  ],
  'bpf check': [
    'check whether BPF programs would load and attach on kernels',
    async () => (await import('./commands/bpf-check.js')).bpfCheck,
  ],
  'bpf core': ["relocate an object's CO-RE accesses against a kernel", async () => (await import('./commands/bpf-core.js')).bpfCore],
  'bpf tag': ["print programs' tags, and match loaded programs to files", async () => (await import('./commands/bpf-tag.js')).bpfTag],
  'bpf carve': [
    'find the BPF objects that programs, libraries and headers contain',
    async () => (await import('./commands/bpf-carve.js')).bpfCarve,
  ],
  'btf min': ['write the minimal BTF that BPF objects need from a kernel', async () => (await import('./commands/btf-min.js')).btfMin],
  index: ['write what is known of many kernels as a dataset of Parquet', async () => (await import('./commands/index-kernels.js')).index],
  survey: ['ask a dataset about all of its kernels', async () => (await import('./commands/survey.js')).survey],
  sections: ["print an ELF file's sections", async () => (await import('./commands/sections.js')).sections],
  segments: ["print an ELF file's segments", async () => (await import('./commands/segments.js')).segments],
  symbols: ["print an ELF file's symbols, local ones with their source file", async () => (await import('./commands/symbols.js')).symbols],
  relocs: ["print an ELF file's relocations", async () => (await import('./commands/relocs.js')).relocs],
  notes: ["print an ELF file's notes: build id, and those of Linux and Xen", async () => (await import('./commands/notes.js')).notes],
};
