import { parentPort, workerData } from 'node:worker_threads';
import { carveBatch, type Member } from './carve-files.js';

// One thread of carveFiles(): each message is a batch of files, and is answered by what was found in them.

const { out } = workerData as { readonly out: string | undefined };
const port = parentPort!;
port.on('message', (members: readonly Member[]) => port.postMessage(carveBatch(members, out)));
