import type { ByteSource } from '../../elf/source.js';
import { InputError } from '../errors.js';
import type * as node from '../node/host.js';

/** What is in for lib/node/host.ts where there is no Node: nothing has a path, and no kernel runs that could be asked. */

const ADVICE = 'files cannot be opened outside Node: pass bytes or a Blob';

export type { CarveOptions, ReadModulesOptions, SourceOptions } from '../node/host.js';

export const openSource: typeof node.openSource = (path): ByteSource => {
  throw new InputError(path, 'no-files', ADVICE);
};

export const carveFiles: typeof node.carveFiles = async ([path = '']) => {
  throw new InputError(path, 'no-files', ADVICE);
};

export const findModules: typeof node.findModules = folder => {
  throw new InputError(folder, 'no-files', ADVICE);
};

export const readModules: typeof node.readModules = async folder => {
  throw new InputError(folder, 'no-files', ADVICE);
};

/** There are no files beside it. */
export const configBeside: typeof node.configBeside = () => undefined;

export const obstacleToRunningKernel: typeof node.obstacleToRunningKernel = () => 'only a program in Node can ask the running kernel';

export const piecesOfRunningKernel: typeof node.piecesOfRunningKernel = () => {
  throw new InputError('the running kernel', 'no-files', obstacleToRunningKernel()!);
};

/** One thread there is: the caller's. */
export const collectInThreads: typeof node.collectInThreads = file => {
  throw new InputError(file, 'no-files', ADVICE);
};
