import { parentPort, workerData } from 'node:worker_threads';
import { Btf } from '../../btf/btf.js';
import { buffersOf, readPart } from './part.js';
import type { BaseBlob } from './read.js';

// One thread of readModules(): each message is a batch of paths, and is answered by the part that was read of them.

const { base: given, types } = workerData as { readonly base: BaseBlob | undefined; readonly types: boolean | undefined };
const base = given === undefined ? undefined : Btf.parse(given.bytes, { name: given.name, pointerSize: given.pointerSize });
const port = parentPort!;

port.on('message', (paths: readonly string[]) => {
  const part = readPart(paths, { base, types });
  port.postMessage(part, buffersOf(part));
});
