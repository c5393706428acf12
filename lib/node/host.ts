/**
 * What the library needs of the machine that it runs on: files, threads, the running kernel. lib/browser/host.ts is in for it where there
 * is no Node.
 */
export { type CarveOptions, carveFiles } from './carve-files.js';
export { collectInThreads } from './collect-entries.js';
export { configBeside } from './config-beside.js';
export { obstacleToRunningKernel, piecesOfRunningKernel } from './live.js';
export { findModules, type ReadModulesOptions, readModules } from './read-modules.js';
export { openSource, type SourceOptions } from './source.js';
