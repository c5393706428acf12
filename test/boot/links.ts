import type { Kernel } from 'kelf';
import type { Check } from '../kernels/check.js';
import { lines } from '../kernels/truth.js';

/**
 * Where links of kprobe.multi by name led: to the first function of the name that has a site.
 * @param said kprobe_multi.tsv, [name, errno, address]; the address is empty where the link was refused, and 0 where the kernel does not tell
 * @param moved how far the kernel ran from the image's addresses
 */
export async function compareLinks(kernel: Kernel, said: string, moved: bigint, check: Check): Promise<void> {
  const linked = lines(said)
    .slice(1)
    .map(line => line.split('\t') as [string, string, string])
    .filter(([, errno, address]) => errno === '0' && address !== '0');
  if (linked.length === 0) return;
  await check('kprobe.multi takes the first with a site', [], () => {
    const { symbols, tracing } = kernel;
    let several = 0;
    let notLowest = 0;
    const differing = linked.filter(([name, , address]) => {
      const rows = symbols.find(name);
      const row = rows.find(row => tracing.sites.hasLive(row));
      if (rows.length > 1) several++;
      if (row !== rows[0]) notLowest++;
      const place = BigInt(`0x${address}`) - moved;
      return row === undefined || (place !== symbols.address.big[row] && place !== tracing.sites.live(row));
    });
    const shown = differing.slice(0, 20).map(([name, , address]) => `; not ${name}: ${address}`);
    return {
      ok: differing.length === 0,
      figures: `${linked.length - differing.length} of ${linked.length} agree; ${several} of several functions, where ${notLowest} lead to another than the lowest${shown.join('')}`,
    };
  });
}
