import { expect } from 'chai';
import type { Kernel, MissingBtf } from 'kelf';
import { EM } from 'kelf/elf';
import { BtfAbsence } from '../../../../lib/answers/missing-btf/missing-btf.js';
import type { Entry, EntryParameter } from '../../../../lib/rules/pahole/entry.js';
import type { AtAddress, DwarfFacts, UnderName } from '../../../../lib/rules/pahole/facts.js';
import { BtfWriter } from '../../../support/btf-writer.js';
import { type FunctionSpec, kernelOf, TEXT } from '../../../support/kernel-writer.js';

/** BTF with a FUNC for one function, which every kernel here has first. */
function btf(): Uint8Array {
  const writer = new BtfWriter();
  writer.func('present', writer.funcProto(writer.int('int', 4, 1), []));
  return writer.bytes();
}

const kernel = (functions: FunctionSpec[], machine: number = EM.X86_64): Kernel =>
  kernelOf({ functions: [{ name: 'present' }, ...functions], btf: btf(), machine });

const parameter = (name: string, more: Partial<EntryParameter> = {}): EntryParameter => ({
  name,
  type: 'int',
  comparable: 'int',
  entryRegisters: [],
  located: true,
  origin: -1,
  ...more,
});

const entry = (more: Partial<Entry> = {}): Entry => ({
  name: 'f',
  unit: 'a.c',
  language: 0x1d,
  offset: 0,
  kind: 'definition',
  external: true,
  nocall: false,
  prototype: 'int f(int a)',
  returns: 'int',
  parameters: [parameter('a', { register: 5 })],
  ...more,
});

/** The second function of a kernel stands here, behind `present`. */
const AT = TEXT + 32n;

/** DWARF that says what is given. */
function facts(entries: readonly Entry[], more: { at?: AtAddress; inlined?: UnderName['inlined'] } = {}): DwarfFacts {
  return {
    at: address => {
      const found = entries.find(one => one.address === address);
      return found === undefined ? (more.at ?? {}) : { unit: { name: found.unit, language: found.language }, entry: found };
    },
    under: name => ({ entries: entries.filter(one => one.name === name), inlined: more.inlined ?? [], complete: true }),
  };
}

function why(of: Kernel, dwarf: DwarfFacts, paholeVersion: number, name = 'f'): MissingBtf {
  return new BtfAbsence(of, { paholeVersion }, dwarf).answer(name);
}

const say = ({ code, certainty }: MissingBtf): string => `${code} ${certainty}`;
const text = ({ because }: MissingBtf): string => because.map(({ says }) => says).join('\n');
const PLAIN = [{ name: 'f' }];
const OLD = [118, 120, 124];
const NEW = [127, 128, 131, 132];

describe('why BTF has no FUNC, by DWARF', () => {
  it('no ftrace site: within its size, for what lies behind was of a function that the linker dropped', () => {
    const of = (size: bigint): Kernel =>
      kernel([
        { name: 'f', site: 16, size },
        { name: 'g', site: 0 },
      ]);
    expect(say(why(of(8n), facts([]), 120))).to.equal('pahole-no-ftrace-site proven');
    expect(text(why(of(8n), facts([]), 120))).not.to.match(/it can be traced all the same/);
    expect(why(of(32n), facts([]), 120).code).not.to.equal('pahole-no-ftrace-site');
  });

  describe('of a function that has no symbol', () => {
    it('inlined: into which callers', () => {
      const dwarf = facts([entry({ kind: 'abstract', declared: 'a.h:3' })], { inlined: [{ caller: 'g', call: 'b.c:7' }] });
      for (const version of [...OLD, ...NEW]) {
        const answer = why(kernel([]), dwarf, version);
        expect(say(answer)).to.equal('pahole-inlined proven');
        expect(text(answer)).to.contain('a.h:3').and.contain('inlined into g() at b.c:7');
      }
    });

    it('inlined: its callers serve instead', () => {
      const traceable = kernelOf({ functions: [{ name: 'present', site: 0 }], btf: btf() });
      const dwarf = facts([entry({ kind: 'abstract' })], { inlined: [{ caller: 'present' }, { caller: 'gone' }] });
      expect(why(traceable, dwarf, 124).instead.map(({ name, says }) => [name, says])).to.deep.equal([
        ['present', 'the code of f is inlined there'],
      ]);
    });

    it('declared only: where', () => {
      const answer = why(kernel([]), facts([entry({ kind: 'declaration', declared: 'a.h:3' })]), 124);
      expect(say(answer)).to.equal('pahole-declaration proven');
      expect(text(answer)).to.contain('declared in 1 unit (a.h:3)');
    });

    it('renamed: what the symbol is', () => {
      const answer = why(kernel([{ name: 'prefix_f' }]), facts([entry({ address: AT })]), 124);
      expect(say(answer)).to.equal('pahole-renamed proven');
      expect(text(answer)).to.contain('the symbol is prefix_f');
    });

    it('defined, and no code left; or unknown to DWARF', () => {
      expect(say(why(kernel([]), facts([entry({ kind: 'abstract' })]), 124))).to.equal('pahole-no-symbol proven');
      expect(text(why(kernel([]), facts([]), 124))).to.contain('DWARF has no function of that name');
    });
  });

  describe('of code that no entry describes', () => {
    const unit = (name: string, language = 0x1d): AtAddress => ({ unit: { name, language } });
    for (const [what, at, expected, says] of [
      ['of a unit in assembly', unit('entry.S', 0x8001), 'pahole-assembly', 'entry.S, written in assembly'],
      ['asm() in a C file', unit('rethook.c'), 'pahole-assembly', 'written as asm() there'],
      ['a label inside of a function', { ...unit('a.c'), inside: 'g' }, 'pahole-assembly', 'inside of g()'],
      ['in no unit', {}, 'pahole-no-debug-info', 'built without -g'],
      ['in a unit in Rust', unit('lib.rs', 0x1c), 'pahole-rust', 'written in Rust'],
    ] as const) {
      it(`${what}: ${expected}`, () => {
        const answer = why(kernel(PLAIN), facts([], { at }), 124);
        expect(say(answer)).to.equal(`${expected} proven`);
        expect(text(answer)).to.contain(says);
      });
    }

    it('static, and declared in its own file: asm() there', () => {
      const local: FunctionSpec[] = [{ name: 'f', binding: 'local', file: 'a.c' }];
      expect(say(why(kernel(local), facts([entry({ kind: 'declaration', unit: 'x/a.c' })]), 124))).to.equal('pahole-assembly proven');
      expect(say(why(kernel(PLAIN), facts([entry({ kind: 'declaration', unit: 'x/a.c', declared: 'x/a.c:9' })]), 124))).to.equal(
        'pahole-assembly likely',
      );
    });

    it('trampolines of static calls, and padding', () => {
      expect(say(why(kernel([{ name: '__SCT__f' }]), facts([]), 124, '__SCT__f'))).to.equal('pahole-assembly proven');
      expect(say(why(kernel([{ name: '__cfi_f' }]), facts([]), 124, '__cfi_f'))).to.equal('pahole-no-debug-info proven');
    });

    it('under another name: an alias, or renamed', () => {
      const of = kernel([{ name: '__pi_g' }]);
      expect(say(why(of, facts([entry({ name: 'g', address: AT })]), 124, '__pi_g'))).to.equal('pahole-renamed proven');
      expect(say(why(kernel(PLAIN), facts([entry({ name: 'g', address: AT })]), 124))).to.equal('pahole-alias proven');
    });
  });

  describe('of a definition', () => {
    const good = entry({ address: AT });

    it('a parameter without a name, since 1.19', () => {
      const { name: _, ...nameless } = parameter('a');
      const dwarf = facts([entry({ address: AT, parameters: [parameter('a'), nameless] })]);
      for (const version of [120, ...NEW, 124]) {
        const answer = why(kernel([{ name: 'f', site: 0 }]), dwarf, version);
        expect(say(answer)).to.equal('pahole-argument-names proven');
        expect(text(answer)).to.contain('parameter 2 has no name');
      }
    });

    it('a parameter in a register that the ABI does not use for it, since 1.25', () => {
      const dwarf = facts([entry({ address: AT, parameters: [parameter('a', { register: 5 }), parameter('b', { register: 1 })] })]);
      for (const version of NEW) {
        const answer = why(kernel(PLAIN), dwarf, version);
        expect(say(answer)).to.equal('pahole-unexpected-register proven');
        expect(text(answer)).to.contain('parameter 2, b, is in rdx at the entry').and.contain('passes it in rsi');
      }
      expect(say(why(kernel(PLAIN), dwarf, 124))).to.equal('pahole-unknown open');
      // No registers are known of riscv, and a struct among the parameters lets the function pass.
      expect(say(why(kernel(PLAIN, EM.RISCV), dwarf, 127))).to.equal('pahole-unknown open');
      const struct = entry({ address: AT, parameters: [parameter('a', { register: 4 }), parameter('s', { struct: 'struct' })] });
      expect(say(why(kernel(PLAIN), facts([struct]), 127))).to.equal('pahole-unknown open');
    });

    it('an entry value in the expected register makes up for it since 1.28', () => {
      const dwarf = facts([entry({ address: AT, parameters: [parameter('a', { register: 3, entryRegisters: [5] })] })]);
      expect(say(why(kernel(PLAIN), dwarf, 127))).to.equal('pahole-unexpected-register proven');
      expect(say(why(kernel(PLAIN), dwarf, 128))).to.equal('pahole-unknown open');
    });

    it('another definition with another prototype, since 1.25: both are shown', () => {
      const other = entry({
        unit: 'b.c',
        kind: 'abstract',
        prototype: 'int f(int a, int b)',
        parameters: [parameter('a'), parameter('b')],
      });
      for (const version of NEW) {
        const answer = why(kernel(PLAIN), facts([good, other]), version);
        expect(say(answer)).to.equal('pahole-inconsistent-prototypes proven');
        expect(text(answer)).to.contain('int f(int a), of a.c, at 0x').and.contain('int f(int a, int b), of b.c, without code of its own');
      }
      expect(say(why(kernel(PLAIN), facts([good, other]), 124))).to.equal('pahole-unknown open');
      expect(say(why(kernel(PLAIN), facts([good, { ...other, kind: 'declaration' }]), 128))).to.equal('pahole-unknown open');
    });

    it('what is compared: const is not, typedefs are; functions that return nothing only since 1.28', () => {
      const typed = (type: string, comparable: string, returns: string): Entry =>
        entry({ unit: 'b.c', kind: 'abstract', returns, parameters: [parameter('a', { type, comparable })] });
      const against = (version: number, other: Entry, own = good): string => why(kernel(PLAIN), facts([own, other]), version).code;
      expect(against(128, typed('const int', 'int', 'int'))).to.equal('pahole-unknown');
      expect(against(127, typed('const int', 'int', 'int'))).to.equal('pahole-unknown');
      expect(against(128, typed('s32', 'typedef s32', 'int'))).to.equal('pahole-inconsistent-prototypes');
      const nothing = entry({ address: AT, returns: 'void' });
      expect(against(127, typed('s32', 'typedef s32', 'void'), nothing)).to.equal('pahole-unknown');
      expect(against(128, typed('s32', 'typedef s32', 'void'), nothing)).to.equal('pahole-inconsistent-prototypes');
    });

    it('a packed struct on the stack, since 1.31', () => {
      const six = Array.from({ length: 6 }, (_, i) => parameter(`p${i}`));
      const dwarf = facts([entry({ address: AT, parameters: [...six, parameter('s', { type: 'struct s', struct: 'packed' })] })]);
      for (const version of [131, 132]) {
        const answer = why(kernel(PLAIN), dwarf, version);
        expect(say(answer)).to.equal('pahole-packed-struct proven');
        expect(text(answer)).to.contain('parameter 7, struct s s, is packed');
      }
      expect(say(why(kernel(PLAIN), dwarf, 130))).to.equal('pahole-unknown open');
    });

    it('parameters in another order, or without some, in a clone, since 1.32', () => {
      const clone = [{ name: 'f.constprop.0' }];
      const moved = entry({ address: AT, kind: 'instance', parameters: [parameter('b', { origin: 20 }), parameter('a', { origin: 10 })] });
      expect(say(why(kernel(clone), facts([moved]), 132))).to.equal('pahole-reordered-parameters proven');
      const dropped = entry({ address: AT, kind: 'instance', parameters: [parameter('a', { located: false })] });
      const answer = why(kernel(clone), facts([dropped]), 132);
      expect(say(answer)).to.equal('pahole-optimized-parameters proven');
      expect(text(answer)).to.contain('f.constprop.0 does not take parameter 1, a');
      expect(say(why(kernel(PLAIN), facts([{ ...dropped, nocall: true }]), 132))).to.equal('pahole-optimized-parameters proven');
      expect(say(why(kernel(clone), facts([moved]), 131))).to.equal('pahole-unknown open');
    });

    it('shows its prototype, and says what is left where no rule keeps it out', () => {
      const answer = why(kernel(PLAIN), facts([good]), 124);
      expect(say(answer)).to.equal('pahole-unknown open');
      expect(text(answer)).to.contain('int f(int a), of a.c').and.contain('a different pahole made the BTF');
    });
  });
});
