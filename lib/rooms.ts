import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/**
 * The modules that few inputs and few questions lead into, each loaded when it is first entered: a module takes half a millisecond to load, and
 * all of them as long as a question about a kernel takes to answer. require() loads them: accessors are synchronous, and import() would make
 * promises of them.
 */
export const rooms: {
  /** For a kernel that is no plain ELF file. */
  readonly unwrap: () => typeof import('./open/unwrap.js');
  readonly unpack: () => typeof import('../elf/compression/unpack.js');
  readonly packing: () => typeof import('../elf/compression/packing.js');
  /** For an image without `.symtab`. */
  readonly locateKallsyms: () => typeof import('../kallsyms/locate.js');
  readonly discover: () => typeof import('./open/discover.js');
  readonly ksymtab: () => typeof import('./open/ksymtab.js');
  /** For one without packed kallsyms. */
  readonly symbolsFromElf: () => typeof import('../kallsyms/elf.js');
  readonly live: () => typeof import('./open/live.js');
  readonly bootImage: () => typeof import('./open/boot-image.js');
  readonly dwarf: () => typeof import('../elf/dwarf/dwarf.js');
  readonly paholeFacts: () => typeof import('./pahole/facts.js');
  readonly relocateBtf: () => typeof import('../btf/relocate.js');
  readonly traceability: () => typeof import('./answers/traceability.js');
  readonly attach: () => typeof import('./answers/attach.js');
  readonly tracepoints: () => typeof import('./tracepoints/table.js');
  readonly missingBtf: () => typeof import('./answers/missing-btf.js');
  readonly symbolize: () => typeof import('./answers/symbolize.js');
  readonly symbolFacts: () => typeof import('./symbol-facts.js');
  /** For answers that cover modules. */
  readonly inModules: () => typeof import('./answers/in-modules.js');
  readonly moduleBtfs: () => typeof import('./modules/btf.js');
} = {
  unwrap: () => require('./open/unwrap.js'),
  unpack: () => require('../elf/compression/unpack.js'),
  packing: () => require('../elf/compression/packing.js'),
  locateKallsyms: () => require('../kallsyms/locate.js'),
  discover: () => require('./open/discover.js'),
  ksymtab: () => require('./open/ksymtab.js'),
  symbolsFromElf: () => require('../kallsyms/elf.js'),
  live: () => require('./open/live.js'),
  bootImage: () => require('./open/boot-image.js'),
  dwarf: () => require('../elf/dwarf/dwarf.js'),
  paholeFacts: () => require('./pahole/facts.js'),
  relocateBtf: () => require('../btf/relocate.js'),
  traceability: () => require('./answers/traceability.js'),
  attach: () => require('./answers/attach.js'),
  tracepoints: () => require('./tracepoints/table.js'),
  missingBtf: () => require('./answers/missing-btf.js'),
  symbolize: () => require('./answers/symbolize.js'),
  symbolFacts: () => require('./symbol-facts.js'),
  inModules: () => require('./answers/in-modules.js'),
  moduleBtfs: () => require('./modules/btf.js'),
};
