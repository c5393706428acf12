import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { diffKernels, openKernel } from 'kelf';
import { hasBtf } from './btf.js';
import type { Check, Outcome } from './check.js';
import type { KernelFiles } from './run.js';

/** What kelf diff says of a kernel and its own vmlinuz; of structs, against the texts that pahole prints of a 6.1 and the 6.12 beside it. */
export async function kernelDiffs({ name, vmlinux, vmlinuz }: KernelFiles, check: Check): Promise<void> {
  if (existsSync(vmlinuz)) await check('a vmlinux differs in nothing from its vmlinuz', [], () => sameKernel(vmlinux, vmlinuz));
  const other = vmlinux.replace(`/${name}/`, `/${name.replace(/-6\.1$/, '-6.12')}/`);
  if (other === vmlinux || !existsSync(other) || !hasBtf(vmlinux) || !hasBtf(other)) return;
  await check('structs that are gone, new or changed in the 6.12, against pahole', ['pahole'], () => sameStructs(vmlinux, other));
}

async function sameKernel(vmlinux: string, vmlinuz: string): Promise<Outcome> {
  await using debug = await openKernel(vmlinux);
  await using shipped = await openKernel(vmlinuz);
  const { changes } = await diffKernels(debug, shipped);
  const [first] = changes;
  const figures =
    first === undefined ? `${debug.functions.count} functions` : `${changes.length}: ${first.kind} ${first.name} ${first.change}`;
  return { ok: changes.length === 0, figures };
}

async function sameStructs(old: string, now: string): Promise<Outcome> {
  const [before, after] = [await structsOf(old), await structsOf(now)];
  const expected = new Map<string, string>();
  for (const [struct, text] of before) {
    const other = after.get(struct);
    if (text !== other) expected.set(struct, other === undefined ? 'gone' : 'changed');
  }
  for (const struct of after.keys()) if (!before.has(struct)) expected.set(struct, 'new');
  const told = await differences(old, now);
  const differing = [...new Set([...expected.keys(), ...told.keys()])].filter(struct => expected.get(struct) !== told.get(struct));
  const [first] = differing;
  const figures = `${before.size} and ${after.size} structs, ${expected.size} differ`;
  const wrong = first === undefined ? '' : `; ${differing.length} others: ${first} ${told.get(first)}, not ${expected.get(first)}`;
  return { ok: differing.length === 0 && expected.size > 0, figures: figures + wrong };
}

/** Structs and unions by what became of them. */
async function differences(old: string, now: string): Promise<Map<string, string>> {
  await using before = await openKernel(old);
  await using after = await openKernel(now);
  const found = new Map<string, string>();
  for (const { name, change } of (await diffKernels(before, after, { kinds: new Set(['types']) })).changes) {
    const struct = /^(?:struct|union) \w+/.exec(name)?.[0];
    if (struct === undefined) continue;
    const whole = struct === name && (change === 'gone' || change === 'new');
    if (whole || !found.has(struct)) found.set(struct, whole ? change : 'changed');
  }
  return found;
}

/** What pahole adds to the members: cache lines, holes, remarks; and the enumerators of enums inside. */
const ADDED = /\/\* (?:XXX|---|sum |paddings|forced|last cacheline|bit_?holes).*|^\s+\w+\s+= -?\w+,$|, cachelines: .*|^\s*$/;

/** The text of each struct and union, without what is added; those of one name together, in any order. */
async function structsOf(vmlinux: string): Promise<Map<string, string>> {
  const pahole = spawn('pahole', ['-F', 'btf', vmlinux], { stdio: ['ignore', 'pipe', 'ignore'] });
  const texts = new Map<string, string[]>();
  let lines: string[] | undefined;
  for await (const line of createInterface({ input: pahole.stdout })) {
    const head = /^((?:struct|union) \w+) \{/.exec(line)?.[1];
    if (lines === undefined && head === undefined) continue;
    if (lines === undefined) texts.set(head!, [...(texts.get(head!) ?? []), '']);
    const text = line.replace(ADDED, '').trimEnd();
    lines = [...(lines ?? []), ...(text === '' ? [] : [text])];
    if (!line.startsWith('}')) continue;
    const [name] = /^(?:struct|union) \w+/.exec(lines[0]!)!;
    texts.get(name)![texts.get(name)!.length - 1] = lines.join('\n');
    lines = undefined;
  }
  return new Map([...texts].map(([struct, all]) => [struct, all.sort().join('\n')]));
}
