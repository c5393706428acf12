import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  auditKernel,
  checkKernel,
  collectInThreads,
  compareAbi,
  kernelExports,
  missingBtfOfAll,
  obstacleToRunningKernel,
  openKernel,
  openModule,
  readAbi,
  readModules,
  readRequirements,
  toJUnit,
  tracepointAnswer,
} from 'kelf';
import { carveFiles, describeObject, openBpfObject, Preflight, programTags, relocateCore } from 'kelf/bpf';
import { answersOf } from './answers.js';

// A program that asks everything: run as it is and bundled, it prints the same. Its argument is the folder of fixtures.

const fixtures = process.argv[2]!;
const fixture = (path: string): string => join(fixtures, path);
const printed: Record<string, unknown> = {};

const kernel = await openKernel(fixture('kernel/vmlinux-amd64'));
printed['answers'] = answersOf(kernel);
printed['audit'] = auditKernel(kernel);
printed['exports'] = kernelExports(kernel);
printed['tracepoint'] = tracepointAnswer(kernel, 'sched_switch');
printed['check'] = checkKernel(kernel, await readRequirements(readFileSync(fixture('check/tools.yaml'), 'utf8'), 'tools.yaml'));
const abi = compareAbi(kernel, await readAbi(readFileSync(fixture('check/vmlinux-amd64.abi.xml'), 'utf8'), 'abi.xml'));
printed['abi'] = abi;
printed['junit'] = await toJUnit({ name: kernel.name }, undefined, abi);

const module = openModule(fixture('kernel/kelf-mod-amd64.ko'));
printed['module'] = [module.name, module.functions.count, module.exports];

const object = openBpfObject(fixture('bpf/kelf.bpfel.o'));
printed['object'] = describeObject(object);
printed['core'] = relocateCore(object, kernel.btf!).outcomes;
printed['preflight'] = new Preflight(kernel).check(object);
printed['tags'] = programTags(object, {});

// What threads do where they can be started: so many modules that one does not read them all.
const folder = mkdtempSync(join(tmpdir(), 'kelf-bundle-'));
try {
  for (let i = 0; i < 40; i++) cpSync(fixture('kernel/kelf-mod-amd64.ko'), join(folder, `m${i}.ko`));
  const table = await readModules(folder, { base: kernel.btf, threads: 2 });
  printed['modules'] = [table.modules.length, table.count];
  const { objects, files } = await carveFiles([fixture('bpf'), fixture('kernel')], { threads: 2 });
  printed['carved'] = [files, objects.map(({ sha256 }) => sha256)];
} finally {
  rmSync(folder, { recursive: true });
}
const described = fixture('elf/dwarf-5.elf');
const withDwarf = await openKernel(described, { btf: fixture('kernel/vmlinux-arm64.external-only.btf') });
printed['why --all'] = await missingBtfOfAll(withDwarf, { paholeVersion: 128, collect: collectInThreads(described, 2) });
printed['live'] = typeof obstacleToRunningKernel();

console.log(
  JSON.stringify(printed, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value instanceof Map ? [...value] : value)),
);
