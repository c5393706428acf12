/** The style of the page: the colours of the system, light or dark, and a form for paper. */
export const STYLE = `
:root { color-scheme: light dark; --ok: light-dark(#1a7f4b, #4cc38a); --no: light-dark(#b3372b, #f2867b); --open: light-dark(#8a6100, #e0b040); --line: light-dark(#d0d4da, #3a4048); --soft: light-dark(#f3f5f8, #1d2127); --link: light-dark(#0a58ca, #7cb2ff); --dim: light-dark(#565d66, #a5adb8); }
body { margin: 0 auto; max-width: 76rem; padding: 0 1rem 3rem; font: 16px/1.45 system-ui, sans-serif; background: light-dark(#fff, #14171b); color: light-dark(#16191d, #e6e9ed); }
header { display: flex; gap: 1.25rem; padding: .75rem 0; border-bottom: 1px solid var(--line); }
a { color: var(--link); }
main:focus { outline: none; }
h1 { font-size: 1.35rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin-top: 2rem; }
code, td.code, th.code { font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere; }
p.dim, .dim { color: var(--dim); }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.scroll { overflow-x: auto; }
th button { all: unset; cursor: pointer; font-weight: 600; text-decoration: underline dotted; }
th button:focus-visible { outline: 2px solid var(--link); }
.bars { display: grid; grid-template-columns: minmax(9rem, 15rem) 1fr 4.5rem; gap: .3rem .75rem; align-items: center; }
.bars svg { width: 100%; height: 1rem; background: var(--soft); }
.accepted { color: var(--ok); fill: var(--ok); }
.refused { color: var(--no); fill: var(--no); }
.unknown { color: var(--open); fill: var(--open); }
.tools { display: flex; flex-wrap: wrap; gap: .75rem; align-items: end; margin: 1rem 0; }
.tools label { display: grid; gap: .2rem; font-size: .85rem; }
input, select, .tools button { font: inherit; padding: .3rem .5rem; max-width: 100%; }
@media (max-width: 40rem) { .bars { grid-template-columns: 1fr 4rem; } .bars svg { grid-column: 1 / 3; grid-row: auto; order: 0; } .wide { display: none; } }
@media print { header, .tools { display: none; } body { max-width: none; } }
`;
