import { basename } from 'node:path';
import { cli } from '../support/cli.js';
import type { Outcome } from './check.js';

/** What libbpf-load.c said of one object. */
export interface Loaded {
  readonly object: string;
  /** The lines of libbpf's log that CO-RE relocations have, without the `libbpf: ` in front. */
  readonly core: readonly string[];
  /** Tags as the kernel showed them, by the program's name. */
  readonly tags: ReadonlyMap<string, string>;
}

/** Reads the output of libbpf-load.c: an object's part begins with the object. */
export function readLoaded(output: string): Loaded[] {
  return output
    .split(/^(?=object )/m)
    .slice(1)
    .map(part => ({
      object: part.slice('object '.length, part.indexOf('\n')),
      core: [...part.matchAll(/^libbpf: (prog '.*': relo #\d+: (?!poisoning).*|CO-RE relocating .*)$/gm)].map(([, line]) => line!),
      tags: new Map([...part.matchAll(/^tag (\S+) ([0-9a-f]{16})$/gm)].map(([, name, tag]) => [name!, tag!])),
    }));
}

/** `kelf bpf core --log` of each object, line for line what libbpf logged: candidates, the match, the value, the patched instruction. */
export async function sameCore(said: readonly Loaded[], objects: readonly string[], kernel: string): Promise<Outcome> {
  const ofObject = new Map(said.map(loaded => [basename(loaded.object), loaded]));
  const figures = { objects: 0, relocations: 0, patched: 0, poisoned: 0, lines: 0 };
  for (const object of objects) {
    const theirs = ofObject.get(basename(object))?.core;
    if (theirs === undefined) return { ok: false, figures: `${basename(object)}: libbpf was not asked` };
    const { stdout } = await cli('bpf', 'core', object, '--kernel', kernel, '--log');
    const ours = stdout.split('\n').filter(Boolean);
    const wrong = ours.findIndex((line, i) => line !== theirs[i]);
    if (wrong >= 0 || ours.length !== theirs.length)
      return {
        ok: false,
        figures: `${basename(object)}: ${ours[wrong] ?? `${ours.length} lines`}; libbpf: ${theirs[wrong] ?? `${theirs.length} lines`}`,
      };
    figures.objects++;
    figures.lines += ours.length;
    figures.relocations += ours.filter(line => /relo #\d+: </.test(line)).length;
    figures.patched += ours.filter(line => /relo #\d+: patched insn #\d+ \([^)]*\) (?!mem_sz)/.test(line)).length;
    figures.poisoned += ours.filter(line => /relo #\d+: substituting/.test(line)).length;
  }
  const { relocations, patched, poisoned, lines } = figures;
  return {
    ok: relocations > 0,
    figures: `${lines} lines of ${figures.objects} objects: ${relocations} relocations, ${patched} patched, ${poisoned} poisoned`,
  };
}

/** The tags of programs that are marked exact, and the kernel's; those that libbpf could not load have none to compare with. */
export async function sameTags(said: readonly Loaded[], objects: readonly string[], kernel: string): Promise<Outcome> {
  const ofObject = new Map(said.map(loaded => [basename(loaded.object), loaded]));
  const count = { sha1: 0, sha256: 0, conditional: 0, notLoaded: 0 };
  for (const object of objects) {
    const { stdout } = await cli('bpf', 'tag', object, '--kernel', kernel, '--json');
    const { programs } = JSON.parse(stdout) as {
      programs: readonly Readonly<Record<'program' | 'sha1' | 'sha256' | 'certainty', string>>[];
    };
    for (const { program, sha1, sha256, certainty } of programs) {
      const tag = ofObject.get(basename(object))?.tags.get(program);
      if (tag === undefined) count.notLoaded++;
      else if (certainty !== 'exact') count.conditional++;
      else if (tag === sha1) count.sha1++;
      else if (tag === sha256) count.sha256++;
      else return { ok: false, figures: `${basename(object)}: ${program}: ${sha1} or ${sha256}; the kernel shows ${tag}` };
    }
  }
  const { sha1, sha256, conditional, notLoaded } = count;
  return {
    ok: sha1 + sha256 > 0,
    figures: `${sha1 + sha256} programs of ${objects.length} objects (${sha1} by SHA-1, ${sha256} by SHA-256); ${conditional} conditional, ${notLoaded} that this kernel does not load`,
  };
}
