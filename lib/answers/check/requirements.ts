import { REASONS, type ReasonCode } from '../../reasons.js';
import { hasReasons, LIMITS, type LimitName } from './limits.js';
import { type MechanismName, mechanismOf, mechanismSpellings } from './mechanisms.js';
import { closest, RequirementsError, type RequirementsProblem } from './problems.js';
import { PrototypeError, parsePrototype, type WrittenPrototype } from './written-prototype.js';
import { type ListEntry, type ListPlace, type ListValue, readYaml } from './yaml.js';

/** A list of requirements for kernels. */
export interface Requirements {
  /** The file it was read from. */
  readonly file: string;
  readonly functions: readonly RequiredFunction[];
  readonly limits: readonly RequiredLimit[];
}

/** A function, with what has to accept it. */
export interface RequiredFunction {
  readonly name: string;
  /** The module that has to have it, by the name that the kernel has for it: `nf_conntrack`. */
  readonly module?: string;
  /** Never empty: `symbol` alone where nothing is named. */
  readonly needs: readonly MechanismName[];
  /** One of these has to be its prototype; empty where any may be. */
  readonly prototypes: readonly PrototypeVariant[];
  readonly at: ListPlace;
}

/** A prototype, and what the list calls it: its text where it has no name. */
export interface PrototypeVariant {
  readonly name: string;
  readonly text: string;
  readonly prototype: WrittenPrototype;
}

/** The maximum for a figure of the audit. */
export interface RequiredLimit {
  readonly figure: LimitName;
  /** Of this reason alone. */
  readonly code?: ReasonCode;
  readonly most: number;
  readonly at: ListPlace;
}

/**
 * Reads a list, YAML or JSON: a list of functions, or a map with `functions`, `needs` (of functions that name none themselves) and
 * `limits`.
 * @param name of the file, for messages
 * @throws RequirementsError with every problem of the list
 */
export async function readRequirements(text: string, name: string): Promise<Requirements> {
  return new Reader(name).list(await readYaml(text, name));
}

const TOP_KEYS = ['functions', 'needs', 'limits'];
const FUNCTION_KEYS = ['name', 'needs', 'prototype'];

class Reader {
  readonly #file: string;
  readonly #problems: RequirementsProblem[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  list(value: ListValue): Requirements {
    const parts = value.kind === 'list' ? new Map([['functions', value as ListValue]]) : this.#map(value, TOP_KEYS, 'a list of functions');
    const needs = parts.get('needs');
    const common = needs === undefined ? undefined : this.#needs(needs);
    const list = parts.get('functions');
    if (list !== undefined && list.kind !== 'list') this.#problem(list.at, "'functions' has to be a list");
    const functions = list?.kind === 'list' ? list.items.flatMap(item => this.#function(item, common ?? ['symbol'])) : [];
    const limits = this.#limits(parts.get('limits'));
    if (this.#problems.length === 0 && functions.length + limits.length === 0) this.#problem(value.at, 'requires nothing');
    if (this.#problems.length > 0) throw new RequirementsError(this.#file, this.#problems);
    return { file: this.#file, functions, limits };
  }

  #problem(at: ListPlace, message: string): void {
    this.#problems.push({ ...at, message });
  }

  /** The values by their keys, which have to be some of these. */
  #map(value: ListValue, keys: readonly string[], expected: string): Map<string, ListValue> {
    if (value.kind !== 'map') {
      this.#problem(value.at, `${expected} is expected, not ${described(value)}`);
      return new Map();
    }
    const known = value.entries.filter(({ key, keyAt }) => {
      if (!keys.includes(key)) this.#problem(keyAt, `unknown key '${shown(key)}'${suggestion(key, keys)}`);
      return keys.includes(key);
    });
    return new Map(known.map(({ key, value }) => [key, value]));
  }

  #function(item: ListValue, common: readonly MechanismName[]): RequiredFunction[] {
    if (item.kind === 'scalar') {
      const name = this.#name(item);
      return name === undefined ? [] : [{ ...name, needs: common, prototypes: [], at: item.at }];
    }
    const parts = this.#map(item, FUNCTION_KEYS, "the name of a function, or a map with 'name'");
    const nameValue = parts.get('name');
    if (nameValue === undefined) {
      if (item.kind === 'map') this.#problem(item.at, "a function without 'name'");
      return [];
    }
    const name = this.#name(nameValue);
    if (name === undefined) return [];
    const needs = parts.get('needs');
    const prototype = parts.get('prototype');
    return [
      {
        ...name,
        needs: needs === undefined ? common : this.#needs(needs),
        prototypes: prototype === undefined ? [] : this.#prototypes(prototype, name.name),
        at: nameValue.at,
      },
    ];
  }

  /** `NAME`, or `MODULE:NAME` as kprobes have it. */
  #name(value: ListValue): Pick<RequiredFunction, 'name' | 'module'> | undefined {
    const text = value.kind === 'scalar' && typeof value.value === 'string' ? value.value : '';
    const [, module, name] = /^(?:([\w-]{1,64}):)?([\w.$]{1,512})$/.exec(text) ?? [];
    if (name !== undefined) return { name, ...(module === undefined ? {} : { module: module.replaceAll('-', '_') }) };
    this.#problem(value.at, `the name of a function is expected, not ${described(value)}`);
    return undefined;
  }

  #needs(value: ListValue): MechanismName[] {
    const items = value.kind === 'list' ? value.items : [value];
    const found = items.flatMap(item => {
      const text = item.kind === 'scalar' && typeof item.value === 'string' ? item.value : undefined;
      const mechanism = text === undefined ? undefined : mechanismOf(text);
      if (mechanism !== undefined) return [mechanism];
      const what = text === undefined ? described(item) : `'${shown(text)}'`;
      this.#problem(item.at, `unknown mechanism ${what}${suggestion(text ?? '', mechanismSpellings())}`);
      return [];
    });
    return found.length === 0 ? ['symbol'] : [...new Set(found)];
  }

  /** A prototype, a list of them, or a map from what they are called. */
  #prototypes(value: ListValue, name: string): PrototypeVariant[] {
    if (value.kind === 'map') return value.entries.flatMap(({ key, value }: ListEntry) => this.#prototype(value, name, key));
    return (value.kind === 'list' ? value.items : [value]).flatMap(item => this.#prototype(item, name));
  }

  #prototype(value: ListValue, name: string, called?: string): PrototypeVariant[] {
    if (value.kind !== 'scalar' || typeof value.value !== 'string') {
      this.#problem(value.at, `a prototype in C is expected, not ${described(value)}`);
      return [];
    }
    const text = value.value;
    try {
      const prototype = parsePrototype(text);
      if (prototype.name === undefined || prototype.name === name) return [{ name: called ?? text, text, prototype }];
      this.#problem(value.at, `the prototype is of ${shown(prototype.name)}, not of ${name}`);
    } catch (error) {
      if (!(error instanceof PrototypeError)) throw error;
      this.#problem(value.at, `the prototype '${shown(text)}': ${error.message}`);
    }
    return [];
  }

  #limits(value: ListValue | undefined): RequiredLimit[] {
    if (value === undefined) return [];
    return [...this.#map(value, Object.keys(LIMITS), 'a map of limits')].flatMap(([figure, limit]) => {
      if (limit.kind === 'map' && hasReasons(figure)) {
        const byCode = this.#map(limit, Object.keys(REASONS), 'a map of reasons');
        return [...byCode].flatMap(([code, most]) => this.#limit(figure, most, code as ReasonCode));
      }
      return this.#limit(figure, limit);
    });
  }

  #limit(figure: LimitName, value: ListValue, code?: ReasonCode): RequiredLimit[] {
    if (value.kind === 'scalar' && typeof value.value === 'number' && Number.isSafeInteger(value.value) && value.value >= 0)
      return [{ figure, most: value.value, at: value.at, ...(code === undefined ? {} : { code }) }];
    this.#problem(value.at, `the limit of ${code ?? figure} has to be a whole number, not ${described(value)}`);
    return [];
  }
}

function described(value: ListValue): string {
  if (value.kind !== 'scalar') return value.kind === 'list' ? 'a list' : 'a map';
  return value.value === null ? 'nothing' : `'${shown(String(value.value))}'`;
}

/** Words of the file in a message: short, and on one line. */
function shown(text: string): string {
  return text.replace(/\s+/g, ' ').slice(0, 80);
}

function suggestion(word: string, candidates: readonly string[]): string {
  const near = closest(word, candidates);
  return near === undefined ? `; known are ${candidates.slice(0, 12).join(', ')}` : `; is '${near}' meant?`;
}
