import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type BpfMap, type BpfObject, openBpfObject, structOpsMembers } from 'kelf/bpf';
import { programTypeNumber } from '../../lib/bpf/names/program-types.js';
import { ATTACH_TYPES } from '../../lib/bpf/names/uapi.js';
import { bpfObject, CODE, type InsnSpec, insns } from '../support/bpf-writer.js';
import { KELF } from '../support/cli.js';
import { ROOT } from '../support/examples.js';
import type { Check, Outcome } from './check.js';
import { embeddedObjects, objectsOfTools } from './tools.js';

const FIXTURES = `${ROOT}fixtures/bpf`;

/**
 * BPF objects against libbpf, llvm-objdump, llvm-readelf and what libbpf logs: those in Debian's packages, of the fixtures, and what clang and
 * `bpftool gen object` make of the fixtures' source.
 */
export async function bpfObjects(check: Check): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'kelf-bpf-'));
  try {
    await embeddedObjects(folder, check);
    const tools = await objectsOfTools(folder);
    const files = [...tools, `${FIXTURES}/kelf.bpfel.o`, `${FIXTURES}/kelf.bpfeb.o`, ...compiled(folder), ...linked(folder)];
    const from = tools.length === 0 ? 'BPF objects (without libbpf-tools: fixtures/fetch-bpf-tools.sh gets them)' : 'BPF objects';
    const peer = libbpfPeer(folder);
    await check(`${from}: programs and maps are libbpf's`, peer === undefined ? ['cc-with-libbpf-dev'] : [], () =>
      sameAsLibbpf(peer!, files.filter(isLittleEndian)),
    );
    await check('BPF objects: legacy definitions of maps are as they were compiled', ['clang'], () => legacyMaps(folder));
    await check('BPF objects: links of struct_ops, arenas and tables of jumps are as they were compiled', ['clang'], () =>
      newerSections(folder),
    );
    await check(`${from}: relocations are llvm-readelf's`, ['llvm-readelf'], () => sameRelocations(files));
    await check(`${from}: disassembly is llvm-objdump's, decimal and hexadecimal`, ['llvm-objdump'], () => sameDisassembly(files));
    await check(`${from}: CO-RE relocations are written as libbpf logs them`, ['bpftool'], () => sameCoreLog(files.filter(isLittleEndian)));
    await check("BPF instructions: every form that LLVM knows is llvm-objdump's, in both byte orders", ['llvm-objdump'], () =>
      sameInstructions(folder),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The fixtures' source, and some with maps and data of more sorts, new and old; with 32-bit registers, which `-mcpu=v3` brings, and without. */
function compiled(folder: string): string[] {
  return [`${FIXTURES}/src/kelf.bpf.c`, ...['maps', 'newer', 'legacy'].map(name => `${ROOT}test/kernels/${name}.bpf.c`)].flatMap(source =>
    ['bpfel', 'bpfeb'].flatMap(target =>
      ['v2', 'v3'].flatMap(version => {
        const file = join(folder, `${basename(source, '.bpf.c')}-${version}.${target}.o`);
        const args = ['-target', target, `-mcpu=${version}`, '-O2', '-g', '-c', source, '-o', file];
        return spawnSync('clang', args, { stdio: 'ignore' }).status === 0 ? [file] : [];
      }),
    ),
  );
}

/** What the static linker makes of objects. */
function linked(folder: string): string[] {
  return [`${FIXTURES}/kelf.bpfel.o`, join(folder, 'maps-v2.bpfel.o')].flatMap(object => {
    const file = join(folder, `linked-${basename(object)}`);
    return existsSync(object) && spawnSync('bpftool', ['gen', 'object', file, object], { stdio: 'ignore' }).status === 0 ? [file] : [];
  });
}

function isLittleEndian(file: string): boolean {
  return readFileSync(file)[5] === 1;
}

/** A program that prints what libbpf finds; undefined where it can't be compiled here. */
function libbpfPeer(folder: string): string | undefined {
  const program = join(folder, 'libbpf-peer');
  const { status } = spawnSync('cc', ['-o', program, `${ROOT}test/kernels/libbpf-peer.c`, '-lbpf'], { stdio: 'ignore' });
  return status === 0 ? program : undefined;
}

/** libbpf refuses legacy maps since 1.0; arenas and links of struct_ops are known since 1.5. */
function sameAsLibbpf(peer: string, all: readonly string[]): Outcome {
  const [major = 0, minor = 0] = execFileSync(peer, { encoding: 'utf8' }).split('.').map(Number);
  const isKnown = (file: string): boolean => !/^legacy/.test(basename(file)) && (major > 1 || minor >= 5 || !/^newer/.test(basename(file)));
  const files = all.filter(isKnown);
  const theirs = execFileSync(peer, files, { encoding: 'utf8', maxBuffer: 1 << 28 })
    .trimEnd()
    .split('\n');
  const ours = files.flatMap(file => [`object ${file}`, ...linesOf(openBpfObject(file), major === 1 && minor < 5)]);
  const counts = ['program', 'map'].map(what => `${ours.filter(line => line.trimStart().startsWith(`${what} `)).length} ${what}s`);
  return compareLines(ours, theirs, `${files.length} objects, ${counts.join(', ')}, libbpf ${major}.${minor}`);
}

/** An object in the lines of libbpf-peer.c. Which member of a struct_ops a program is, libbpf told as it opened an object; now it does as it loads it. */
function linesOf(object: BpfObject, membersAtOpen: boolean): string[] {
  const mapLine = (map: BpfMap, indent = ''): string => {
    const { name, type, keySize, valueSize, maxEntries, flags, numaNode = 0, mapExtra = 0n, autocreate, pinned } = map;
    // libbpf does not create the maps that others are made like.
    const created = autocreate && indent === '' ? 1 : 0;
    const numbers = `type=${type} key=${keySize} value=${valueSize} entries=${maxEntries} flags=0x${flags.toString(16)}`;
    return `${indent}map ${name} ${numbers} numa=${numaNode} extra=0x${mapExtra.toString(16)} autocreate=${created} pin=${pinned ? 'yes' : 'no'}`;
  };
  const members = new Map(
    (membersAtOpen ? object.structOps : []).flatMap(ops => structOpsMembers(object, ops).map(({ program, index }) => [program, index])),
  );
  return [
    `name ${object.objectName}`,
    ...object.programs.map(program => {
      const { name, meaning, instructionCount } = program;
      const { definition, autoload } = meaning;
      const type = definition === undefined ? 0 : programTypeNumber(definition.type);
      const attach = definition?.attachType === undefined ? (members.get(program) ?? 0) : ATTACH_TYPES.indexOf(definition.attachType);
      return `program ${name} section=${meaning.name} type=${type} attach=${attach} autoload=${autoload ? 1 : 0} insns=${instructionCount}`;
    }),
    ...object.maps.flatMap(map => [mapLine(map), ...(map.inner === undefined ? [] : [mapLine(map.inner, '  ')])]),
  ];
}

/** The definitions of legacy.bpf.c. */
function legacyMaps(folder: string): Outcome {
  const files = readdirSync(folder).filter(name => /^legacy.*\.o$/.test(name));
  for (const file of files) {
    const object = openBpfObject(join(folder, file));
    const maps = object.maps.map(({ name, origin, type, keySize, valueSize, maxEntries, flags }) =>
      [name, origin, type, keySize, valueSize, maxEntries, flags].join(' '),
    );
    const outcome = compareLines(maps, ['counts legacy 1 4 8 16 1', 'names legacy 2 4 16 2 0'], '');
    if (!outcome.ok) return { ok: false, figures: `${file}: ${outcome.figures}` };
    const loads = object.relocations.flatMap(({ meaning }) => (meaning.kind === 'map' ? [meaning.map.name] : [])).join();
    if (loads !== 'counts,names') return { ok: false, figures: `${file}: relocations to ${loads}` };
  }
  return { ok: files.length > 0, figures: `${files.length} objects` };
}

/** What the instructions of newer.bpf.c refer to. */
function newerSections(folder: string): Outcome {
  const files = readdirSync(folder).filter(name => /^newer.*\.o$/.test(name));
  for (const file of files) {
    const lines = run(process.execPath, [KELF, 'bpf', 'disasm', join(folder, file), 'with_table', 'with_arena', '--no-source']);
    const loads = lines.flatMap(line => /\(18\) r\d = (.*?) *(?:#|$)/.exec(line)?.[1] ?? []).sort();
    const outcome = compareLines(loads, ['map[name:.jumptables][0]+0', 'map[name:arena]', 'map[name:arena][0]+0'], '');
    if (!outcome.ok) return { ok: false, figures: `${file}: ${outcome.figures}` };
    const { structOps } = openBpfObject(join(folder, file));
    const links = structOps.map(({ name, link }) => `${name} ${link}`).join();
    if (links !== 'linked_ops true,optional_ops true') return { ok: false, figures: `${file}: ${links}` };
  }
  return { ok: files.length > 0, figures: `${files.length} objects` };
}

function sameRelocations(files: readonly string[]): Outcome {
  let count = 0;
  for (const file of files) {
    const object = openBpfObject(file);
    const ours = object.relocations
      .map(({ section, offset, type, symbol }) => `${section} ${offset.toString(16)} ${type} ${symbol}`)
      .sort();
    const unknown = object.relocations.find(({ meaning }) => meaning.kind === 'unknown');
    if (unknown !== undefined) return { ok: false, figures: `${basename(file)}: ${unknown.section}+${unknown.offset} means nothing` };
    const theirs: string[] = [];
    let section = '';
    for (const line of execFileSync('llvm-readelf', ['-r', '-W', file], { encoding: 'utf8', maxBuffer: 1 << 28 }).split('\n')) {
      section = /^Relocation section '\.rel(.*)' at/.exec(line)?.[1] ?? section;
      const [, offset, type, symbol] = /^([0-9a-f]{16}) +[0-9a-f]+ +(\w+) +[0-9a-f]+ +(\S+)/.exec(line) ?? [];
      // No loader applies those of BTF and of debug information.
      if (offset === undefined || /^\.(BTF|debug|eh_frame)/.test(section)) continue;
      theirs.push(`${section} ${Number(`0x${offset}`).toString(16)} ${type} ${symbol}`);
    }
    count += ours.length;
    const outcome = compareLines(ours, theirs.sort(), '');
    if (!outcome.ok) return { ok: false, figures: `${basename(file)}: ${outcome.figures}` };
  }
  return { ok: count > 0, figures: `${files.length} objects, ${count} relocations` };
}

function sameDisassembly(files: readonly string[]): Outcome {
  let [count, unknown] = [0, 0];
  for (const file of files) {
    for (const hex of [false, true]) {
      const theirs = run('llvm-objdump', ['-d', '-r', ...(hex ? ['--print-imm-hex'] : []), file]);
      const ours = run(process.execPath, [KELF, 'bpf', 'disasm', file, '--notation', 'llvm', '--no-source', ...(hex ? ['--hex'] : [])]);
      // What is newer than the installed LLVM is compared up to its bytes.
      const isUnknown = (line: string | undefined): boolean => line?.endsWith('\t<unknown>') === true;
      const known = (line: string, i: number): string => (isUnknown(theirs[i]) ? line.slice(0, line.lastIndexOf('\t')) : line);
      const outcome = compareLines(ours.map(known), theirs.map(known), '');
      if (!outcome.ok) return { ok: false, figures: `${basename(file)}: ${outcome.figures}` };
      if (hex) continue;
      count += ours.filter(line => /^ +\d+:\t/.test(line)).length;
      unknown += theirs.filter(isUnknown).length;
    }
  }
  return { ok: count > unknown, figures: `${files.length} objects, ${count} instructions, of which LLVM does not know ${unknown}` };
}

/** `bpftool -d gen min_core_btf` goes through every relocation, and has libbpf log them; it calls programs by their sections. */
function sameCoreLog(files: readonly string[]): Outcome {
  let count = 0;
  for (const file of files) {
    const target = `${ROOT}fixtures/kernel/vmlinux-amd64`;
    const { stdout, stderr } = spawnSync('bpftool', ['-d', 'gen', 'min_core_btf', target, '/dev/null', file], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    const theirs = `${stdout}${stderr}`
      .split('\n')
      .flatMap(line => /^libbpf: (prog '.*': relo #\d+: <.*)$/.exec(line)?.[1] ?? [])
      .sort();
    const ours = openBpfObject(file)
      .coreRelocations.map(({ section, number, text }) => `prog '${section}': relo #${number}: ${text}`)
      .sort();
    count += ours.length;
    const outcome = compareLines(ours, theirs, '');
    if (!outcome.ok) return { ok: false, figures: `${basename(file)}: ${outcome.figures}` };
  }
  return { ok: count > 0, figures: `${files.length} objects, ${count} relocations` };
}

/** Every opcode with operands of all sorts, fields that it does not use being zero. What LLVM 14 calls unknown is newer than it, or no instruction. */
function sameInstructions(folder: string): Outcome {
  const specs: InsnSpec[] = [];
  const imms = [0, 1, 7, -1, -0x80000000, 0x7fffffff, 16, 32, 64];
  const atomics = [0, 1, 0x40, 0x41, 0x50, 0x51, 0xa0, 0xa1, 0xe1, 0xf1];
  const offsets = [0, 1, 8, -4, -32768, 32767];
  for (let code = 0; code < 256; code++) {
    const kind = code & 7;
    const register = (code & 8) !== 0;
    const memory = kind === 1 || kind === 2 || kind === 3;
    const jump = kind === 5 || kind === 6;
    if (code === 0x18) {
      for (const low of imms) for (const high of [0, 1, -1]) specs.push([code, 3, 0, 0, low], [0, 0, 0, 0, high]);
    } else if (kind === 0) {
      for (const src of [0, 9])
        for (const imm of (code & 0xe0) === 0x40 ? [0] : imms) specs.push([code, 0, (code & 0xe0) === 0x40 ? src : 0, 0, imm]);
    } else if (kind === 3 && code >> 5 === 6) {
      for (const imm of atomics) for (const offset of offsets) specs.push([code, 1, 2, offset, imm]);
    } else if (code === 0x85 || code === 0x8d || code === 0x95) {
      for (const imm of code === 0x85 ? imms : code === 0x8d ? [1, 9] : [0]) specs.push([code, 0, 0, 0, imm]);
    } else {
      for (const [dst, src] of [
        [1, 2],
        [0, 0],
        [10, 9],
      ] as const) {
        for (const offset of memory || jump ? offsets : [0]) {
          const order = (code & 0xf0) === 0xd0 && kind === 4;
          for (const imm of memory || (register && !order) ? [0] : imms) specs.push([code, dst, register || memory ? src : 0, offset, imm]);
        }
      }
    }
  }
  let same = 0;
  const skipped = new Set<string>();
  for (const littleEndian of [true, false]) {
    const data = insns(littleEndian, ...specs);
    const file = join(folder, `every-${littleEndian}.o`);
    const size = BigInt(data.length);
    const symbols = [{ name: 'f', type: 2, binding: 1, section: 1, size }];
    writeFileSync(file, bpfObject({ littleEndian, sections: [{ name: 'xdp', ...CODE, data }], symbols }));
    const theirs = run('llvm-objdump', ['-d', '--disassemble-zeroes', file]);
    // Without the 32-bit registers LLVM 14 takes every atomic operation of 32 bits for an addition.
    const atomics = run('llvm-objdump', ['-d', '--disassemble-zeroes', '--mattr=+alu32', file]);
    const ours = run(process.execPath, [KELF, 'bpf', 'disasm', file, '--notation', 'llvm']);
    for (const [i, plain] of theirs.entries()) {
      const line = /\tc3 .. .. .. 00 00 00 00\t/.test(plain) || !/\tc3 /.test(plain) ? plain : atomics[i]!;
      if (line.endsWith('<unknown>')) skipped.add(line.split('\t')[1]!.slice(0, 2));
      else if (line !== ours[i]) return { ok: false, figures: `kelf: ${ours[i]}\nllvm: ${line}` };
      else same++;
    }
  }
  return { ok: same > 1000, figures: `${same} lines; LLVM does not know what is made of ${skipped.size} opcodes` };
}

function run(tool: string, args: readonly string[]): string[] {
  return execFileSync(tool, args, { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'pipe'] }).split('\n');
}

function compareLines(ours: readonly string[], theirs: readonly string[], figures: string): Outcome {
  for (let i = 0; i < Math.max(ours.length, theirs.length); i++) {
    if (ours[i] !== theirs[i]) return { ok: false, figures: `kelf: ${ours[i] ?? '(no more)'}\npeer: ${theirs[i] ?? '(no more)'}` };
  }
  return { ok: true, figures };
}
