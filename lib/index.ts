export { Kernel, type KernelPieces } from './kernel.js';
