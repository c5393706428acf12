/** What shows whether a configuration left a part of bpf(2) in, in the order in which it is believed. */
export interface Built {
  /** A symbol of data, in kernels whose kallsyms lists data (CONFIG_KALLSYMS_ALL), or of text. */
  readonly symbol?: string;
  /** Functions of which kernels with it have one, and no others do. */
  readonly functions: readonly string[];
  /** Functions that show it where they are there; that they are not shows nothing. */
  readonly hints?: readonly string[];
  /** The option of .config, `CONFIG_XDP_SOCKETS`; absent where no option but CONFIG_BPF_SYSCALL decides. */
  readonly option?: string;
}
