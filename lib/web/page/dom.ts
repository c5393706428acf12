import { printable } from '../../../elf/escape.js';

/** What goes into an element; undefined is nothing. */
export type Child = Node | string | number | undefined;

/**
 * An element with attributes and children. Texts become text nodes, as printable as in a terminal: this is the one place where names from files get
 * into the document.
 */
export function h(tag: string, attributes: Readonly<Record<string, string>> = {}, ...children: readonly Child[]): HTMLElement {
  return filled(document.createElement(tag), attributes, children);
}

/** The same, of SVG. */
export function svg(tag: string, attributes: Readonly<Record<string, string | number>> = {}, ...children: readonly Child[]): SVGElement {
  return filled(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

function filled<E extends Element>(element: E, attributes: Readonly<Record<string, string | number>>, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, printable(String(value)));
  for (const child of children) if (child !== undefined) element.append(typeof child === 'object' ? child : textOf(child));
  return element;
}

/** Pixels that a drawing has room for: it is drawn as wide, so that its texts have the size of others. */
export function drawingWidth(): number {
  return Math.max(300, Math.min(1216, document.documentElement.clientWidth - 32));
}

/** A number has separators of thousands. */
export function textOf(value: string | number): string {
  return typeof value === 'number' ? value.toLocaleString('en') : printable(value);
}

/** A button. */
export function button(text: string, onClick: () => void, attributes: Readonly<Record<string, string>> = {}): HTMLElement {
  return on(h('button', { type: 'button', ...attributes }, text), 'click', onClick);
}

export function on<E extends HTMLElement>(element: E, event: string, listener: () => void): E {
  element.addEventListener(event, listener);
  return element;
}

/** A list of choices with its label. */
export function select(
  label: string,
  options: Readonly<Record<string, string>>,
  chosen: string,
  onChange: (value: string) => void,
): HTMLElement {
  const list = h(
    'select',
    {},
    ...Object.entries(options).map(([value, text]) => h('option', { value, ...(value === chosen ? { selected: '' } : {}) }, text)),
  ) as HTMLSelectElement;
  return h(
    'label',
    {},
    label,
    on(list, 'change', () => onChange(list.value)),
  );
}

/** A field to filter by. */
export function search(label: string, value: string, onInput: (value: string) => void): HTMLElement {
  const input = h('input', { type: 'search', value, spellcheck: 'false', autocomplete: 'off' }) as HTMLInputElement;
  return h(
    'label',
    {},
    label,
    on(input, 'input', () => onInput(input.value)),
  );
}

/** Facts: what, and what it is. */
export function facts(rows: readonly (readonly [what: string, ...values: Child[]])[]): HTMLElement {
  const cells = ([what, ...values]: readonly [string, ...Child[]]): HTMLElement =>
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, what),
      ...values.map(value => h('td', typeof value === 'number' ? { class: 'number' } : {}, value)),
    );
  return h('table', { class: 'facts' }, h('tbody', {}, ...rows.map(cells)));
}

/** Something with a heading. */
export function section(title: string, ...children: readonly Child[]): HTMLElement {
  return h('section', {}, h('h2', {}, title), ...children);
}

/** Why there is nothing to show. */
export function sentence(text: string): HTMLElement {
  return h('p', { class: 'note' }, text);
}

export function code(text: string): HTMLElement {
  return h('code', {}, text);
}

/** Lines to copy, one by one. */
export function copyable(lines: readonly string[]): HTMLElement {
  return h('div', { class: 'copyable' }, ...lines.map(copyableText));
}

function copyableText(text: string): HTMLElement {
  const status = h('span', { role: 'status', class: 'dim' });
  const copy = button('Copy', () => {
    navigator.clipboard.writeText(text).then(
      () => void (status.textContent = 'copied'),
      () => void (status.textContent = 'the browser does not let it: mark the text'),
    );
  });
  // A program has line ends, which are no part of a name.
  const lines = text.split('\n').flatMap((line, i) => [...(i === 0 ? [] : [document.createTextNode('\n')]), line.replaceAll('\t', '  ')]);
  return h('div', {}, h('pre', { tabindex: '0' }, ...lines), copy, status);
}

/** The class of an outcome: its colour. */
export function kindOf(outcome: string): string {
  if (outcome === 'accepted' || outcome === 'passes') return 'accepted';
  return outcome === 'refused' || outcome === 'fails' ? 'refused' : 'open';
}
