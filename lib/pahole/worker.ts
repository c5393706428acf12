import { parentPort, workerData } from 'node:worker_threads';
import { openKernel } from '../open/open.js';
import type { CollectJob } from './all.js';
import { collectEntries } from './collect.js';
import type { Entry } from './entry.js';

// One thread of missingBtfOfAll(): each message is a batch of offsets of units, and is answered by what pahole sees there of the wanted names.

const { file, names } = workerData as CollectJob;
const port = parentPort!;
/** Begins at once; batches that come before the file is open wait for it. */
const collecting = openKernel(file).then(kernel => {
  const dwarf = kernel.dwarf();
  return dwarf === undefined ? (): Entry[] => [] : collectEntries(dwarf, new Set(names));
});

port.on('message', async (units: Float64Array) => {
  const collect = await collecting;
  port.postMessage(collect(units));
});
