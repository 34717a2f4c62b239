import { useState } from 'react';
import { compact, number, plural, title } from './format';
import { Copy, Empty, Facts, NoSnapshot, Section, Some } from './parts';
import { useStore } from './state';
import type { Observed, ObservedFinding } from './types';

/** The tab about what the cache sees in SQL: what makes answers wider, the widest first. */
export function SQLTab() {
  const snapshot = useStore(s => s.snapshot);
  if (!snapshot) return <NoSnapshot />;
  const { observed } = snapshot;
  if (!observed) {
    return (
      <Empty title="No database handle is wrapped">
        The cache sees no SQL, so what answers depend on, and what mutations change, is what directives declare. See <code>docs/observe.md</code> for the lines that wrap a handle.
      </Empty>
    );
  }
  return (
    <>
      <Counts observed={observed} />
      <Findings observed={observed} />
      <Undeclared observed={observed} />
    </>
  );
}

function Counts({ observed: { statements, commits } }: { observed: Observed }) {
  return (
    <Section title="Statements and commits" aside="since the start">
      <Facts
        facts={[
          ['understood', <span data-statements="known">{compact(statements.known)}</span>],
          ['widened', <span data-statements="widened" title="understood, and part of more answers than need be">{compact(statements.widened)}</span>],
          ['not understood', <span data-statements="notUnderstood" className={statements.notUnderstood > 0 ? 'gqc-bad' : undefined}>{compact(statements.notUnderstood)}</span>],
        ]}
      />
      <Facts
        columns={2}
        facts={[
          ['commits', <span data-commits="seen">{compact(commits.seen)}</span>],
          ['outside of mutations', <span data-commits="outside">{compact(commits.outside)}</span>],
          ['of everything', <span data-commits="everything" title="they may have changed everything">{compact(commits.everything)}</span>],
          ['of unknown outcome', <span data-commits="uncertain">{compact(commits.uncertain)}</span>],
        ]}
      />
    </Section>
  );
}

function Findings({ observed: { statements, findings, moreFindings = 0 } }: { observed: Observed }) {
  const [open, setOpen] = useState<string | null>(null);
  if (findings.length === 0) {
    const none = statements.known + statements.widened + statements.notUnderstood === 0;
    return none
      ? <Empty title="No statement yet">A handle is wrapped, and nothing was sent through it. Run an operation whose resolvers ask the database.</Empty>
      : <Empty title="Nothing to report">Every statement so far is understood, and belongs to the operation that has sent it.</Empty>;
  }
  return (
    <Section title="Findings" aside={`${number(findings.length + moreFindings)}, the widest first`}>
      <ol className="gqc-log gqc-findings">
        {findings.map((f, i) => {
          const key = `${f.kind} ${f.text ?? ''}`;
          return (
            <li key={`${key} ${i}`} data-finding={f.kind}>
              <button type="button" aria-expanded={open === key} onClick={() => setOpen(open === key ? null : key)}>
                <span className={`gqc-cause gqc-effect-${f.effect}`} title={effects[f.effect]}>{f.kind}</span>
                <code className="gqc-cut">{f.text || f.why || effects[f.effect]}</code>
                <span className="gqc-grow" />
                <span className="gqc-times" title={plural(f.count, 'time')}>{compact(f.count)}×</span>
              </button>
              {open === key && <Detail finding={f} />}
            </li>
          );
        })}
      </ol>
      {moreFindings > 0 && <p className="gqc-dim gqc-rest">{plural(moreFindings, 'more finding')} in <code>Cache.Observed</code>, none of them wider.</p>}
    </Section>
  );
}

/** What a finding does to answers. */
const effects: Record<string, string> = {
  everything: 'Answers depend on everything, or everything is dropped.',
  notStored: 'Answers are not stored.',
  wider: 'Answers depend on more than they need, or more is dropped.',
  none: 'Nothing: you may want to know.',
};

function Detail({ finding: f }: { finding: ObservedFinding }) {
  return (
    <div className="gqc-event gqc-finding">
      {f.text && (
        <div className="gqc-statement">
          <code>{f.text}</code>
          <Copy text={f.text} label="statement" />
        </div>
      )}
      <p>{effects[f.effect]}{f.why && <span className="gqc-dim"> Why: {f.why}.</span>}</p>
      <dl className="gqc-pairs">
        {f.operation && <div><dt>operation</dt><dd data-finding-operation>{f.operation}</dd></div>}
        {f.place && <div><dt>place</dt><dd className="gqc-statement"><code data-finding-place>{f.place}</code><Copy text={f.place} label="place" /></dd></div>}
        <div><dt>count</dt><dd>{plural(f.count, 'time')}</dd></div>
        <div><dt>what to do</dt><dd data-finding-advice>{f.advice}</dd></div>
      </dl>
    </div>
  );
}

/** The operations with directives of which one is missing. */
function Undeclared({ observed: { operations } }: { observed: Observed }) {
  if (operations.length === 0) return null;
  return (
    <Section title="Tables and rows that no directive names">
      <ul className="gqc-rows">
        {operations.map(o => (
          <li key={`${o.operation.name} ${o.operation.hash}`} data-uncovered={o.operation.name}>
            <b className="gqc-cut">{title(o.operation.name)}</b>
            <span className="gqc-grow" />
            <span className="gqc-chips"><Some of={[...(o.uncovered ?? []), ...(o.unmatched ?? [])]}>{rows => <span key={rows} className="gqc-chip">{rows}</span>}</Some></span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
