import { openKernel } from 'kelf';
import { describeObject, openBpfObject, Preflight } from 'kelf/bpf';
import { answersOf } from './answers.js';

// In a worker of a browser: files are Blobs, which are read in slices.

interface Asked {
  readonly kernel: Blob;
  readonly object: Blob;
}

const scope = globalThis as unknown as { onmessage: (event: { data: Asked }) => void; postMessage(text: string): void };

scope.onmessage = async ({ data }) => {
  const text = (value: unknown): string => JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? String(item) : item));
  try {
    const kernel = await openKernel(data.kernel, { name: 'vmlinux' });
    const object = await openBpfObject(data.object, { name: 'kelf.bpfel.o' });
    const path = await openKernel('/vmlinux').then(
      () => 'opened',
      (error: Error) => error.name,
    );
    scope.postMessage(
      text({ answers: answersOf(kernel), object: describeObject(object), check: new Preflight(kernel).check(object), path }),
    );
  } catch (error) {
    scope.postMessage(text({ error: String((error as Error).stack) }));
  }
};
