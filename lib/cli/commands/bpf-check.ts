import { isFormatError } from '../../../elf/errors.js';
import { carve } from '../../bpf/carve/carve.js';
import { type BpfObject, openBpfObject } from '../../bpf/object.js';
import { NOT_TOLD, type ObjectCheck, Preflight } from '../../bpf/preflight/preflight.js';
import { openKernel, openRunningKernel } from '../../open/open.js';
import { toJson } from '../../report/json.js';
import { findingLines, type KernelColumn, matrixLines } from '../../report/preflight.js';
import type { CheckedObject } from '../../report/preflight-junit.js';
import { openSource } from '../../source/node.js';
import { type Command, command, EXIT, MissingError, UsageError } from '../command.js';
import { printable } from '../elf.js';
import { kernelId } from '../kernel.js';
import { saveJUnit } from '../save.js';

const OPTIONS = {
  kernel: { type: 'string', short: 'k', multiple: true, value: 'KERNEL', help: 'a kernel in any form: vmlinux, vmlinuz; repeatable' },
  live: { type: 'boolean', help: 'the running kernel' },
  config: { type: 'string', value: 'FILE', help: "the kernel's .config, for what the image does not hold; of one KERNEL" },
  junit: { type: 'string', value: 'FILE', help: "write JUnit XML to FILE; to stdout, in place of the text, with '-'" },
  json: { type: 'boolean', help: 'print JSON' },
} as const;

/** An object, as it is or in an executable. */
interface Found {
  readonly path: string;
  readonly offset: number;
  readonly object: BpfObject;
}

export const bpfCheck: Command<typeof OPTIONS> = command({
  usage: 'FILE… --kernel KERNEL… [--config FILE] [--junit FILE] [--json]',
  arity: [1, Number.POSITIVE_INFINITY],
  about: `Says of each program of BPF objects, and of those that executables carry, whether it would load and attach on a kernel as libbpf does it:
whether the kernel has its program type, attach type, helpers, maps and externs, what becomes of its CO-RE relocations, and whether what its
section names can be attached to. Several kernels make a column each. A program that is not loaded by itself, SEC("?…"), is in parentheses.
Exit code 1: a program would fail, one in parentheses apart. What can't be told is open, and no failure.`,
  options: OPTIONS,
  async run({ args, options, out, note }) {
    const paths = options.kernel ?? [];
    if (paths.length === 0 && options.live !== true) throw new UsageError('name a kernel: --kernel KERNEL, or --live');
    if (options.config !== undefined && (paths.length !== 1 || options.live)) throw new UsageError('--config is for one --kernel');
    if (options.junit === '-' && options.json) throw new UsageError('--json and --junit - both write to stdout: give one of them');
    const objects = args.flatMap(path => objectsOf(path, note));
    if (objects.length === 0) throw new MissingError(`${args.join(', ')}: no BPF object in it`);
    const kernels: { id: ReturnType<typeof kernelId>; checks: readonly ObjectCheck[] }[] = [];
    for (const path of [...(options.live ? [undefined] : []), ...paths]) {
      const config = options.config === undefined ? {} : { config: options.config };
      const kernel = path === undefined ? openRunningKernel() : await openKernel(path, config);
      try {
        const preflight = new Preflight(kernel);
        kernels.push({ id: kernelId(kernel), checks: objects.map(({ object }) => preflight.check(object)) });
        for (const line of kernel.pieces.notes) note(`kelf: ${kernel.name}: ${line}`);
      } finally {
        kernel.close();
      }
    }
    const checked = objects.map(({ path, offset }, i): CheckedObject => {
      const columns = kernels.map(({ id, checks }): KernelColumn => {
        return { kernel: id.name, ...(id.release === undefined ? {} : { release: id.release }), check: checks[i]! };
      });
      return { name: offset === 0 ? path : `${path}+0x${offset.toString(16)}`, columns };
    });
    if (options.junit !== undefined) {
      const { preflightJUnit } = await import('../../report/preflight-junit.js');
      const report = await preflightJUnit(checked);
      if (options.junit === '-') out.text(report);
      else saveJUnit(options.junit, report);
    }
    if (options.json) {
      const described = objects.map(({ path, offset }, i) => ({
        path,
        offset,
        kernels: kernels.map(({ id, checks }) => ({ kernel: id, ...checks[i]! })),
      }));
      out.line(toJson({ schema: 'kelf/bpf-check', version: 1, objects: described, notTold: NOT_TOLD }));
    } else if (options.junit !== '-') for (const object of checked) for (const line of objectLines(object)) out.line(printable(line));
    for (const { object } of objects) for (const { message } of object.diagnostics) note(`kelf: ${message}`);
    if (!options.json) note(`kelf: ${NOT_TOLD}`);
    const failed = kernels.some(({ checks }) =>
      checks.some(({ programs }) => programs.some(({ autoload, outcome }) => autoload && outcome === 'fails')),
    );
    return failed ? EXIT.findings : EXIT.ok;
  },
});

function objectLines({ name: place, columns }: CheckedObject): string[] {
  const name = ({ kernel, release }: KernelColumn): string => (release === undefined ? kernel : `${kernel} (${release})`);
  return [
    columns.length === 1 ? `${place} on ${name(columns[0]!)}` : place,
    ...matrixLines(columns),
    ...columns.flatMap(column => {
      const lines = findingLines(column.check);
      return columns.length === 1 || lines.length === 0 ? lines : [`  on ${name(column)}`, ...lines];
    }),
  ];
}

function objectsOf(path: string, note: (line: string) => void): Found[] {
  const source = openSource(path);
  try {
    return carve(source).flatMap(({ form, bytes, offset }) => {
      if (form === 'light skeleton') {
        note(`kelf: ${path}+0x${offset.toString(16)}: a light skeleton: its programs are put together as it is loaded`);
        return [];
      }
      try {
        return [{ path, offset, object: openBpfObject(bytes, { name: path }) }];
      } catch (error) {
        if (!isFormatError(error)) throw error;
        note(`kelf: ${error.message}`);
        return [];
      }
    });
  } finally {
    source.close();
  }
}
