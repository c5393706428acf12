import type { Row } from '../dataset/read.js';
import { type Among, amongOf, Groups, type SurveyKernels } from './kernels.js';

/** Where a member stands in some kernels. */
export interface MemberVariant extends Among {
  readonly type: string;
  readonly bitOffset: number;
  /** Null where its type has no size. */
  readonly bitSize: number | null;
}

/** A member of a struct across kernels. */
export interface MemberSurvey {
  readonly question: 'member';
  readonly struct: string;
  readonly path: string;
  readonly kernels: number;
  readonly variants: readonly MemberVariant[];
  /** Kernels that have the struct without the member. */
  readonly without?: Among;
  /** Where kernels without it have a member of the same last name: moved into another struct, or out of it, or renamed. */
  readonly instead: readonly (Among & { readonly path: string; readonly type: string })[];
  /** Kernels without such a struct; those without BTF are among them. */
  readonly absent?: Among;
}

/** Columns of `members` that the answer is made of. */
export const MEMBER_COLUMNS: readonly string[] = ['kernel', 'path', 'bit_offset', 'bit_size', 'type'];

/** `task_struct.thread.cr2` by the struct and the path in it. Names of structs have no dots. */
export function splitMember(text: string): { struct: string; path: string } | undefined {
  const dot = text.indexOf('.');
  const struct = text.slice(0, dot).replace(/^(?:struct|union)\s+/, '');
  return dot < 1 || dot === text.length - 1 ? undefined : { struct, path: text.slice(dot + 1) };
}

/** @param rows of the struct */
export function memberSurvey(kernels: SurveyKernels, struct: string, path: string, rows: readonly Row[]): MemberSurvey {
  const variants = new Groups<Omit<MemberVariant, keyof Among>>();
  const instead = new Groups<{ path: string; type: string }>();
  const [having, structs] = [new Set<number>(), new Set<number>()];
  for (const row of rows) {
    const ordinal = kernels.ordinal(String(row['kernel']));
    structs.add(ordinal);
    if (row['path'] !== path) continue;
    having.add(ordinal);
    const variant = {
      type: String(row['type']),
      bitOffset: Number(row['bit_offset']),
      bitSize: row['bit_size'] === null ? null : Number(row['bit_size']),
    };
    variants.add(JSON.stringify(variant), variant, ordinal);
  }
  const last = plainName(path);
  for (const row of rows) {
    const other = String(row['path']);
    const ordinal = kernels.ordinal(String(row['kernel']));
    if (having.has(ordinal) || plainName(other) !== last) continue;
    instead.add(other, { path: other, type: String(row['type']) }, ordinal);
  }
  const lacking = [...structs].filter(ordinal => !having.has(ordinal));
  const absent = kernels.list.flatMap((_, ordinal) => (structs.has(ordinal) ? [] : [ordinal]));
  return {
    question: 'member',
    struct,
    path,
    kernels: kernels.count,
    variants: variants.list(kernels),
    ...(lacking.length === 0 ? {} : { without: amongOf(kernels, lacking) }),
    instead: instead.list(kernels),
    ...(absent.length === 0 ? {} : { absent: amongOf(kernels, absent) }),
  };
}

/** `state` of `__state` and of `sched.state`. */
function plainName(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1).replace(/^_+/, '');
}
