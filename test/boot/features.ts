/**
 * Compares `kelf features` with what booted kernels said of test/boot/helpers.c:
 *
 *   npm run boot -- amd64 6.12 --run helpers > 6.12.txt
 *   node dist/test/boot/features.js KERNEL 6.12.txt [CONFIG]
 *
 * KERNEL may be `live`, for what the program said here. Exit 1: something differs.
 */
import { readFileSync } from 'node:fs';
import { openKernel, openRunningKernel } from 'kelf';
import { type Feature, type Features, type HelperFeature, kernelFeatures } from 'kelf/bpf';
import { Checks, type Outcome } from '../kernels/check.js';

const [path, said, config] = process.argv.slice(2);
const text = readFileSync(said!, 'utf8');
await using kernel = path === 'live' ? openRunningKernel() : await openKernel(path!, config === undefined ? {} : { config });
const features = kernelFeatures(kernel);
/** Kinds that kelf tells from others of their type. */
const KINDS = new Set(
  features.helpers.flatMap(({ programs, gplOnly, byTarget, unknown }) => [...programs, ...gplOnly, ...byTarget, ...unknown]),
);
const checks = new Checks();
const check = checks.of(kernel.release ?? '-');
await check('program types', [], () => probed('program_type', features.programTypes));
await check('map types', [], () => probed('map_type', features.mapTypes));
await check('iterators', [], () => probed('iterator', features.iterators));
await check('LSM hooks', [], () => probed('lsm_hook', features.lsmHooks));
await check('kfuncs, by program type', [], () => kfuncs(features));
await check('helpers, by kind of program', [], () => helpers(features));
checks.end();

/** Types that the kernel was asked about: each that it has, and none that it has not. What it kept from us (EPERM) tells nothing. */
function probed(what: string, list: readonly Feature[]): Outcome {
  const rows = [...text.matchAll(new RegExp(`^${what} \\d+ (\\S+) (yes|no)(?: (\\d+))?$`, 'gm'))].filter(([, , , errno]) => errno !== '1');
  const known = new Map(list.map(({ name, verdict }) => [name, verdict.outcome]));
  const open = rows.filter(([, name]) => known.get(name!) === 'open');
  const wrong = rows.filter(([, name, answer]) => {
    const outcome = known.get(name!) ?? 'refused';
    return outcome !== 'open' && (outcome === 'accepted') !== (answer === 'yes');
  });
  return outcomeOf(
    rows.length,
    open.length,
    wrong.map(([line]) => line),
  );
}

/** Every kfunc in every program type. Of one that a filter decides about, what the kernel says of other types than those it is for is open. */
function kfuncs({ kfuncs }: Features): Outcome {
  let rows = 0;
  let open = 0;
  const wrong: string[] = [];
  const own = kfuncs.filter(({ module }) => module === undefined);
  // Kernels before 5.13 have none, and say something else.
  const lines = own.length === 0 ? [] : [...text.matchAll(/^kfuncs (\S+)(.*)$/gm)];
  for (const [, kind, list] of lines) {
    const asked = list!.trim().split(' ').filter(Boolean);
    const untold = new Set(asked.filter(name => name.endsWith('?')).map(name => name.slice(0, -1)));
    const allowed = new Set(asked.filter(name => !name.endsWith('?')));
    const type = kind!.replace(/[:@].*$/, '');
    for (const { name, programs, filtered } of own) {
      if (untold.has(name)) continue;
      rows++;
      const isFor = programs?.includes('unspec') === true || programs?.includes(type) === true;
      if (programs === undefined || (filtered === true && isFor !== allowed.has(name))) open++;
      else if (isFor !== allowed.has(name)) wrong.push(`${type} ${name}: ${allowed.has(name) ? 'allowed' : 'not allowed'}`);
    }
    // What the kernel lets them call, and kelf does not know.
    for (const name of allowed) if (!own.some(kfunc => kfunc.name === name)) wrong.push(`${type} ${name}: not listed`);
  }
  return outcomeOf(rows, open, wrong);
}

/** Every helper in every kind of program that the kernel loads. */
function helpers({ helpers }: Features): Outcome {
  let rows = 0;
  let open = 0;
  const wrong: string[] = [];
  for (const [, kind, list] of text.matchAll(/^kind (\S+) (\d.*)$/gm)) {
    const has = new Map([...list!.matchAll(/(\d+)([a-z]*)/g)].map(([, id, marks]) => [Number(id), marks!]));
    const sleeps = [...has.values()].filter(marks => marks.includes('s')).length;
    // Kernels that let no program of a kind sleep say of each helper that it must not.
    if (sleeps > has.size / 2) continue;
    for (const helper of helpers) {
      // Lockdown keeps it out, a setting at run time.
      if (helper.name === 'bpf_probe_write_user' && path === 'live') continue;
      const answer = answerOf(helper, kind!);
      const marks = has.get(helper.id);
      // What may sleep is for none of the programs that must not.
      const said = marks === undefined || marks.includes('s') ? '-' : marks.includes('g') ? 'g' : '';
      rows++;
      if (answer === '?') open++;
      else if (answer !== said) wrong.push(`${kind} ${helper.name}: ${marks ?? '-'}, not ${answer}`);
    }
  }
  return outcomeOf(rows, open, wrong);
}

/** `g` for the GPL only, `-` for none, `?` where kelf does not tell. */
function answerOf({ verdict, programs, gplOnly, byTarget, unknown }: HelperFeature, kind: string): string {
  if (verdict.outcome === 'open') return '?';
  if (verdict.outcome === 'refused') return '-';
  const plain = kind.replace(/\.s$/, '').replace(/@.*$/, '');
  const [type, attachType = 'none'] = plain.split(':') as [string, string?];
  const own = KINDS.has(`${type}:${attachType}`) ? `${type}:${attachType}` : `${type}:none`;
  for (const name of [...(kind.endsWith('.s') ? [`${own}.s`] : []), own, type]) {
    if (unknown.includes(name) || byTarget.includes(name)) return '?';
    // Programs of lsm and struct_ops are all under the GPL.
    if (programs.includes(name)) return /^(lsm|struct_ops)/.test(name) ? 'g' : '';
    if (gplOnly.includes(name)) return 'g';
  }
  return '-';
}

function outcomeOf(rows: number, open: number, wrong: readonly string[]): Outcome {
  const shown = wrong.slice(0, 40).map(line => `\n      ${line}`);
  return {
    ok: wrong.length === 0,
    figures: `${rows - open - wrong.length} of ${rows} agree${open === 0 ? '' : `, ${open} open`}${shown.join('')}`,
  };
}
