import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { MemorySource } from '../../../elf/source.js';
import { ElfTables } from '../../../elf/tables.js';
import { COMMANDS } from '../../../lib/cli/commands.js';
import { cli } from '../../support/cli.js';
import { withHostileNames } from '../../support/hostile-names.js';
import { random } from '../../support/mutate.js';

const fixture = (name: string): string => fileURLToPath(new URL(`../../../../fixtures/${name}`, import.meta.url));

/** What no output has: C0 without the line end and the tab between cells, DEL, C1, bidirectional and other format characters, separators. */
const FORBIDDEN = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\ufffe]/u;

/** Lines as they may be pasted, by form: names in them are of letters, digits, `_`, `.` and `$`. */
const NAME = '[\\w.$]+';
const PLACE = `(?:${NAME}:)?(?:${NAME}(?:\\+0x[0-9a-f]+)?|0x[0-9a-f]+)`;
const FETCH = '(?: \\w+=[-+%$()\\w]+:[\\w[\\]]+)*';
const LINE: Readonly<Record<string, RegExp>> = {
  kprobe_events: new RegExp(`^[pr]:\\w+ ${PLACE}${FETCH}$`),
  perf: new RegExp(
    `^(?:perf probe(?: -m ${NAME})? --add '(?:\\w+=)?${NAME}(?:%return)?${FETCH}'|echo '[pr]:\\w+ ${PLACE}${FETCH}' >> /sys/kernel/tracing/kprobe_events && perf record -a -e kprobes:\\w+)$`,
  ),
  bpftrace: new RegExp(
    `^bpftrace (?:--unsafe )?-e 'k(?:ret)?probe:(?:${PLACE}|'\\$\\((?:printf 0x%x \\$\\(\\(0x\\$\\()?awk '\\$3=="${NAME}"(?:&&\\$4=="\\[${NAME}\\]")?\\{print (?:"0x")?\\$1;exit\\}' /proc/kallsyms\\)(?:\\+0x[0-9a-f]+\\)\\)\\))?') \\{ printf\\("[\\w %=.]+\\\\n", [\\w ()*>.,+"-]+\\); \\}'$`,
  ),
  libbpf: new RegExp(
    `^(?:SEC\\("k(?:ret)?probe/${NAME}(?:\\+0x[0-9a-f]+)?"\\)|LIBBPF_OPTS\\(bpf_kprobe_opts, opts, [\\w .=,]*\\); bpf_program__attach_kprobe_opts\\(prog, (?:NULL|"(?:${NAME}:)?${NAME}"), &opts\\);)$`,
  ),
};

/** Of C: no name ends a string or a comment, or begins a statement: what is outside of strings is made of these. */
const C_LINE = /^(?:[\w\s*(),;{}[\]<>.=+&|!:#/$-]|"(?:[^"\\\n]|\\n)*")*$/;

describe('names made to harm', () => {
  let folder = '';
  let files: Record<'kernel' | 'module' | 'object' | 'btf', string>;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'kelf-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  function make(seed: number): void {
    const next = random(seed);
    const spoilt = (name: string, from: string): string => {
      const path = join(folder, name);
      writeFileSync(path, withHostileNames(readFileSync(fixture(from)), next, 2 + (seed % 3)));
      return path;
    };
    files = {
      kernel: spoilt('vmlinux', 'kernel/vmlinux-amd64'),
      module: spoilt('mod.ko', 'kernel/kelf-mod-amd64.ko'),
      object: spoilt('prog.o', 'bpf/kelf.bpfel.o'),
      btf: spoilt('btf', 'kernel/vmlinux-arm64'),
    };
  }

  /** Names of functions as the spoilt files have them. */
  function names(path: string): string[] {
    const { symbols } = ElfTables.open(new MemorySource(readFileSync(path)));
    return [...symbols!].filter(({ type, name }) => type === 2 && name !== '' && !name.startsWith('-')).map(({ name }) => name);
  }

  /** For each command, arguments that make it print names. */
  function calls(): Record<string, readonly (readonly string[])[]> {
    const { kernel, module, object, btf } = files;
    const some = names(kernel).slice(0, 60);
    const modules = ['--modules', folder];
    const require = join(folder, 'list.yaml');
    writeFileSync(require, JSON.stringify({ functions: some.map(name => ({ name, needs: ['kprobe', 'btf'] })) }));
    const log = join(folder, 'log');
    writeFileSync(log, some.map(name => `[    1.0] ${name}+0x1/0x20`).join('\n'));
    return {
      audit: [[kernel]],
      info: [[kernel], [kernel, '--exports']],
      duplicates: [[kernel, ...modules]],
      trace: [
        [kernel, ...some, ...modules],
        [kernel, 'tracepoint:sched_switch'],
      ],
      attach: [
        [kernel, ...names(module), ...modules],
        [kernel, '--all'],
        ...[...Object.keys(LINE), 'bpf-c'].map(form => [kernel, '--all', '--as', form]),
      ],
      tracepoints: [[kernel]],
      features: [
        [kernel, ...modules],
        [kernel, '*', ...modules],
        [kernel, '--for', object],
      ],
      why: [
        [kernel, ...some],
        [kernel, '--all'],
      ],
      addr: [[kernel, ...some.map(name => `${name}+0x1`), '0xffffffff81000001']],
      oops: [[kernel, log, ...modules]],
      mcount: [[kernel], [kernel, '--list']],
      kallsyms: [[kernel]],
      module: [[module], ...['functions', 'sites', 'exports', 'imports'].map(list => [module, `--${list}`])],
      check: [
        [kernel, '--require', require],
        [kernel, '--require', require, '--junit', '-'],
      ],
      diff: [
        [kernel, btf, '--for', object],
        [btf, kernel],
        [kernel, btf, '--markdown'],
      ],
      report: [[kernel, '--out', join(folder, 'report.html')]],
      serve: some.slice(0, 3).map(name => ['--port', name]),
      explain: [['unwritable-name']],
      'btf dump': [[kernel], [kernel, '--format', 'c'], [object], [object, '--format', 'c']],
      'btf show': [[object, ...types(object)]],
      'btf list': [[kernel], [object]],
      'btf find': types(object)
        .slice(0, 20)
        .map(name => [object, name]),
      'bpf show': [[object], [object, '--core', '--relocs']],
      'bpf disasm': [[object], [object, '-n', 'llvm'], [object, '--kernel', btf, '--linum']],
      'bpf check': [
        [object, '--kernel', kernel],
        [object, '--kernel', kernel, '--junit', '-'],
      ],
      'bpf core': [
        [object, '--kernel', btf],
        [object, '--kernel', btf, '--log'],
      ],
      'bpf tag': [[object]],
      'bpf carve': [[object]],
      'btf min': [[object, '--kernel', btf, '--out', join(folder, 'min.btf')]],
      index: [[kernel, btf, module, '--out', join(folder, 'fleet')]],
      // After it.
      survey: [
        ...some.slice(0, 3).map(name => [join(folder, 'fleet'), 'function', name]),
        [join(folder, 'fleet'), 'verdict', 'fentry', 'no-btf-func'],
        [join(folder, 'fleet'), 'verdict', 'fentry', 'no-btf-func', '--markdown'],
        [join(folder, 'fleet'), 'object', object],
      ],
      sections: [[kernel], [object]],
      segments: [[kernel]],
      symbols: [[kernel, '--all'], [object]],
      relocs: [[module], [object]],
      notes: [[kernel]],
    };
  }

  function types(path: string): string[] {
    return [...new Set(names(path))].slice(0, 10).concat('task_struct', 'event');
  }

  it('a call is made of every command', () => {
    make(1);
    expect(Object.keys(calls())).to.have.members(Object.keys(COMMANDS));
  });

  for (const seed of [1, 2, 3]) {
    it(`reach no terminal, shell or compiler as they are: seed ${seed}`, async () => {
      make(seed);
      const hidden: string[] = [];
      for (const [command, all] of Object.entries(calls())) {
        for (const args of all) {
          for (const more of args.includes('--junit') || command === 'btf min' || command === 'report' || args.includes('c')
            ? [[]]
            : [[], ['--json']]) {
            const call = [...command.split(' '), ...args, ...more];
            const { stdout, stderr, code } = await cli(...call);
            expect(code, `${call.join(' ')}: ${stderr}`).to.be.oneOf([0, 1, 2, 3, 4]);
            for (const text of [stdout, stderr]) {
              const found = FORBIDDEN.exec(text);
              if (found !== null)
                hidden.push(`${command} ${more.join('')}: ${JSON.stringify(text.slice(Math.max(0, found.index - 40), found.index + 8))}`);
            }
            if (more.length > 0)
              for (const line of stdout.trim().split('\n')) if (line.startsWith('{"$schema"') && line.endsWith('}')) JSON.parse(line);
          }
        }
      }
      expect(hidden).to.deep.equal([]);
    });

    it(`are in no line to paste: seed ${seed}`, async () => {
      make(seed);
      for (const [form, line] of Object.entries(LINE)) {
        for (const args of [
          [files.kernel, '--all'],
          [files.kernel, ...names(files.module), '--modules', folder],
        ]) {
          const { stdout } = await cli('attach', ...args, '--as', form);
          for (const text of stdout.split('\n').filter(Boolean)) expect(text, form).to.match(line);
        }
      }
      for (const args of [
        ['attach', files.kernel, '--all', '--as', 'bpf-c'],
        ['btf', 'dump', files.object, '--format', 'c'],
        ['btf', 'dump', files.kernel, '--format', 'c'],
      ]) {
        const { stdout } = await cli(...args);
        for (const text of stdout.split('\n')) expect(text, args[0]).to.match(C_LINE);
      }
    });
  }

  it('are attached to by their places', async () => {
    make(1);
    const bad = names(files.kernel).filter(name => /[^\w.$]/.test(name));
    const { stdout } = await cli('attach', files.kernel, ...bad, '--as', 'kprobe_events');
    expect(stdout).to.match(/^p:\w+ _stext\+0x[0-9a-f]+/m);
  });
});
