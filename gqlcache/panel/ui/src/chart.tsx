import { millis, number, rate, sum } from './format';
import type { Series } from './types';

const step = 4;
const minSteps = 60; // the first ones come in from the right
const height = 64;
const ticks = 8; // the strip below the bars, for invalidations
const smoothing = 5; // steps that a point of the line takes together

/** Hits, misses and bypasses as stacked bars, invalidations as ticks below, and the hit rate as a line. */
export function Chart({ series }: { series: Series }) {
  const { hits, misses, bypasses, invalidations, stepMs } = series;
  const bottom = height - ticks;
  const width = Math.max(minSteps, hits.length) * step;
  const left = width - hits.length * step;
  const top = Math.max(4, ...hits.map((h, i) => h + misses[i]! + bypasses[i]!));
  const label = `The last ${millis(hits.length * stepMs)}: ${number(sum(hits))} hits, ${number(sum(misses))} misses, ${number(sum(bypasses))} bypasses, ${number(sum(invalidations))} invalidations`;
  return (
    <>
      <svg className="gqc-chart" viewBox={`${-left} 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={label}>
        {hits.map((h, i) => {
          let y = bottom;
          const bar = (value: number, tone: string) => {
            const tall = (value / top) * bottom;
            y -= tall;
            return tall > 0 && <rect x={i * step} y={y} width={step - 1} height={tall} className={`gqc-bar-${tone}`} />;
          };
          return (
            <g key={i}>
              {bar(h, 'hit')}
              {bar(misses[i]!, 'miss')}
              {bar(bypasses[i]!, 'bypass')}
              {invalidations[i]! > 0 && <rect x={i * step} y={bottom + 2} width={step - 1} height={ticks - 2} className="gqc-bar-invalidated" />}
            </g>
          );
        })}
        <path d={line(hits, misses, bottom)} className="gqc-line" vectorEffect="non-scaling-stroke" />
      </svg>
      <div className="gqc-legend">
        <span><i className="gqc-fill-hit" />hit</span>
        <span><i className="gqc-fill-miss" />miss</span>
        <span><i className="gqc-fill-bypass" />bypass</span>
        <span><i className="gqc-fill-invalidated" />invalidation</span>
        <span><i className="gqc-stroke" />hit rate</span>
      </div>
    </>
  );
}

/** The line breaks where nothing was looked up. */
function line(hits: number[], misses: number[], bottom: number): string {
  let drawing = false;
  return hits
    .map((_, i) => {
      const from = Math.max(0, i - smoothing + 1);
      const r = rate(sum(hits.slice(from, i + 1)), sum(misses.slice(from, i + 1)));
      if (r == null) {
        drawing = false;
        return '';
      }
      const command = drawing ? 'L' : 'M';
      drawing = true;
      return `${command}${i * step + 1.5} ${(bottom - r * (bottom - 3)).toFixed(1)}`;
    })
    .join('');
}
