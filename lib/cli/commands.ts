import type { Command, OptionTable } from './command.js';

export type CommandTable = Readonly<Record<string, { readonly summary: string; load(): Promise<Command<OptionTable>> }>>;

/** Every command, in the order of `kelf --help`. A module is loaded when its command is called, so that none pays for another. */
export const COMMANDS: CommandTable = {
  'btf dump': {
    summary: 'print every type of a BTF blob, as bpftool does',
    load: async () => (await import('./commands/btf-dump.js')).btfDump,
  },
};
