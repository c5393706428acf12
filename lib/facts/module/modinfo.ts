import type { ElfFile } from '../../../elf/file.js';

/** The lines of `.modinfo`, `tag=value` each (MODULE_INFO() of include/linux/moduleparam.h), in their order. */
export class Modinfo {
  readonly entries: readonly (readonly [tag: string, value: string])[];

  constructor(bytes: Uint8Array) {
    const lines = decoder.decode(bytes).split('\0');
    this.entries = lines.flatMap(line => {
      const equals = line.indexOf('=');
      return equals <= 0 ? [] : [[line.slice(0, equals), line.slice(equals + 1)] as const];
    });
  }

  /** The first value of a tag: `vermagic`, `license`, `version`, `retpoline`, `srcversion`, `intree`. */
  get(tag: string): string | undefined {
    return this.entries.find(([name]) => name === tag)?.[1];
  }

  /** Every value of a tag: a module has many an `alias`, `parm`, `import_ns`. */
  all(tag: string): string[] {
    return this.entries.filter(([name]) => name === tag).map(([, value]) => value);
  }

  /** The modules that have to be loaded before, by `depends`. */
  get depends(): string[] {
    return (this.get('depends') ?? '').split(',').filter(name => name !== '');
  }
}

const decoder = new TextDecoder();

/** `list_head` and the state are before the name in `struct module` (include/linux/module.h). */
const NAME_OFFSET = { 8: 24, 4: 12 } as const;
/** MODULE_NAME_LEN, `64 - sizeof(unsigned long)`. */
const NAME_LENGTH = { 8: 56, 4: 60 } as const;

/**
 * The name that the kernel knows a module by: of `.modinfo` (since 4.13), else of the `struct module` in `.gnu.linkonce.this_module`, else,
 * as kbuild makes it, the file's name with `_` for `-`.
 */
export function moduleName(file: ElfFile, modinfo: Modinfo): string {
  return modinfo.get('name') ?? nameInStruct(file) ?? nameOfFile(file.name);
}

function nameInStruct(file: ElfFile): string | undefined {
  const wordSize = file.is64 ? 8 : 4;
  const section = file.section('.gnu.linkonce.this_module');
  const start = NAME_OFFSET[wordSize];
  if (section === undefined || section.size < start + NAME_LENGTH[wordSize]) return undefined;
  const bytes = section.stored().subarray(start, start + NAME_LENGTH[wordSize]);
  const name = decoder.decode(bytes.subarray(0, Math.max(bytes.indexOf(0), 0)));
  return /^\w+$/.test(name) ? name : undefined;
}

/** `nf_conntrack` of `kernel/net/netfilter/nf-conntrack.ko.xz`. */
export function nameOfFile(path: string): string {
  const base = path.slice(path.lastIndexOf('/') + 1);
  return base.replace(/\.ko(\.\w+)?$/, '').replaceAll('-', '_');
}
