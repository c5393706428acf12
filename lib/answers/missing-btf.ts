import type { Kernel } from '../kernel.js';
export interface MissingBtfOptions {
  readonly paholeVersion?: number;
}
export interface MissingBtf {
  readonly name: string;
}
export function missingBtf(_kernel: Kernel, name: string, _options: MissingBtfOptions): MissingBtf {
  return { name };
}
