export const number = (n: number) => n.toLocaleString('en-US');

const compactly = Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 });
export const compact = (n: number) => (n < 10_000 ? number(n) : compactly.format(n));

export const percent = (part: number, digits = 1) => `${(part * 100).toFixed(part === 0 || part === 1 ? 0 : digits)}%`;

/** null where nothing was looked up: that is no rate of zero. */
export const rate = (hits: number, misses: number) => (hits + misses > 0 ? hits / (hits + misses) : null);

export const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);

export function micros(us: number | undefined): string {
  if (us == null) return '–';
  if (us < 1) return '< 1 µs';
  if (us < 1000) return `${Math.round(us)} µs`;
  return millis(us / 1000);
}

export function millis(ms: number | undefined): string {
  if (ms == null) return '–';
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  const s = ms / 1000;
  if (s < 60) return `${s < 10 ? s.toFixed(1) : Math.round(s)} s`;
  if (s < 3600) return two(s, 60, 'min', 's');
  if (s < 86_400) return two(s / 60, 60, 'h', 'min');
  return `${(s / 86_400).toFixed(1)} d`;
}

function two(value: number, base: number, large: string, small: string) {
  const rest = Math.floor(value % base);
  return `${Math.floor(value / base)} ${large}${rest > 0 ? ` ${rest} ${small}` : ''}`;
}

export function bytes(n: number | undefined): string {
  if (n == null) return '–';
  if (n < 1024) return `${n} B`;
  if (n < 1024 ** 2) return `${(n / 1024).toFixed(1)} KiB`;
  return `${(n / 1024 ** 2).toFixed(1)} MiB`;
}

/** Both ends of an id that is too long to be read: made-up ids often differ in one of them only. */
export const short = (id: string) => (id.length > 16 ? `${id.slice(0, 6)}…${id.slice(-6)}` : id);

export const ago = (at: number, now: number) => (now - at < 1500 ? 'just now' : `${millis(now - at)} ago`);

export const plural = (n: number, one: string, many = `${one}s`) => `${compact(n)} ${n === 1 ? one : many}`;

export const title = (name: string) => name || '(anonymous)';
