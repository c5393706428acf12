import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kernel, openKernel, type Recipe } from 'kelf';
import { Names } from '../../lib/answers/attach/event-names.js';
import { bpfProgram } from '../../lib/answers/attach/forms/bpf-c.js';
import { cli } from '../support/cli.js';
import type { Check, Outcome } from './check.js';
import type { KernelFiles } from './run.js';

/** One function in so many is taken, beside all whose name others bear and all that take structs by value. */
const STEP = 400;
/** Modules whose functions are taken, where the kernel has them. */
const MODULES = ['nf_conntrack', 'bridge'];

/** The programs in C that `kelf attach --as bpf-c` prints: whether clang compiles them, with the header that they name. */
export async function attachPrograms({ vmlinux, config, modules }: KernelFiles, check: Check): Promise<void> {
  if (!existsSync(modules)) return;
  const headers = existsSync('/usr/include/bpf/bpf_tracing.h') ? [] : ['libbpf-dev'];
  const folder = mkdtempSync(join(tmpdir(), 'kelf-recipes-'));
  try {
    await check('programs of attach --as bpf-c compile', ['clang', ...headers], async () => {
      await using kernel = await openKernel(vmlinux, { config, modules });
      const own = await compile(folder, sampleOf(kernel), [vmlinux]);
      if (!own.ok) return own;
      const figures = [own.figures];
      for (const module of MODULES) {
        const found = ofModule(kernel, module);
        const [first] = found;
        if (first === undefined || !('module' in first.function)) continue;
        // Before 5.11 modules have no BTF.
        const { path } = first.function;
        const outcome = await compile(folder, found, kernel.modules!.btfOf(path) === undefined ? [vmlinux] : [path, '--base', vmlinux]);
        if (!outcome.ok) return outcome;
        figures.push(`${module}: ${outcome.figures}`);
      }
      return { ok: true, figures: figures.join('; ') };
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function sampleOf({ attaching, functions }: Kernel): Recipe[] {
  const events = Names.ofEvents();
  const names = new Set(Array.from({ length: functions.count }, (_, row) => functions.name(row)));
  return [...names].flatMap((name, i) => {
    const recipes = attaching.answer(name, events).functions.filter(({ function: row }) => !('module' in row));
    const structs = recipes[0]?.signature?.arguments.some(({ value }) => value.kind === 'struct') ?? false;
    return i % STEP === 0 || recipes.length > 1 || structs ? recipes : [];
  });
}

function ofModule({ attaching, modules }: Kernel, module: string): Recipe[] {
  const events = Names.ofEvents();
  const names = new Set<string>();
  for (let row = 0; row < modules!.count; row++)
    if (modules!.modules[modules!.moduleOf(row)]!.name === module) names.add(modules!.name(row));
  return [...names]
    .flatMap(name => attaching.answer(name, events).functions)
    .filter(({ function: row }) => 'module' in row && row.module === module);
}

/** @param types what `kelf btf dump` makes the header of */
async function compile(folder: string, recipes: readonly Recipe[], types: readonly string[]): Promise<Outcome> {
  const kinds = ['entry', 'return'] as const;
  const programs = recipes.reduce((sum, recipe) => sum + kinds.filter(kind => recipe[kind].outcome === 'accepted').length, 0);
  const target = recipes[0]?.abi?.bpfTarget;
  const { stdout } = await cli('btf', 'dump', ...types, '--format', 'c');
  writeFileSync(join(folder, 'vmlinux.h'), stdout);
  writeFileSync(join(folder, 'recipes.bpf.c'), bpfProgram(recipes, kinds));
  try {
    // Since 6.19 the kernel's structs have members that are of a named struct and have no name.
    const options = [
      '-O2',
      '-g',
      '-Wall',
      '-Werror',
      '-fms-extensions',
      '-Wno-microsoft',
      '-target',
      'bpf',
      `-D__TARGET_ARCH_${target}`,
      '-I.',
    ];
    execFileSync('clang', [...options, '-c', 'recipes.bpf.c', '-o', 'recipes.bpf.o'], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    const [message] = String((error as { stderr?: unknown }).stderr)
      .split('\n')
      .filter(line => /error/.test(line));
    return { ok: false, figures: message ?? (error as Error).message };
  }
  return { ok: programs > 0, figures: `${programs} programs for ${recipes.length} functions` };
}
