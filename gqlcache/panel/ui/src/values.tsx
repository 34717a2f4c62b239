import { bytes, compact, millis, number, title } from './format';
import { Copy, Empty, Facts, NoSnapshot, useFilter } from './parts';
import { useStore } from './state';
import { Table, type Column } from './table';
import type { Value } from './types';

const scopes: Record<string, string> = {
  all: 'everybody',
  outside: 'jobs, outside of requests',
  public: 'public operations',
  callers: 'callers with one predicate',
};

const columns: Column<Value>[] = [
  { id: 'key', head: 'value', value: v => v.key },
  { id: 'hits', head: 'hits', hint: 'while this panel is open', value: v => v.hits, cell: v => compact(v.hits) },
  { id: 'size', head: 'size', value: v => v.bytes, cell: v => bytes(v.bytes) },
  { id: 'left', head: 'expires', hint: 'the time that is left', value: v => v.leftMs, cell: v => millis(v.leftMs) },
];

/** The tab about the values that the program computes and that are still true. */
export function ValuesTab() {
  const snapshot = useStore(s => s.snapshot);
  const [field, matches] = useFilter('Filter values');
  if (!snapshot) return <NoSnapshot />;
  const values = snapshot.values ?? [];
  if (values.length === 0) {
    return (
      <Empty title="No value is kept">
        Here are the values that <code>gqlcache.Compute</code> and <code>Put</code> keep, while they are true. See <code>docs/compute.md</code>.
      </Empty>
    );
  }
  const rows = values.filter(v => matches(v.key));
  return (
    <>
      {field}
      {rows.length === 0 ? <Empty title="Nothing matches">No value has that in its key.</Empty> : (
        <Table
          caption="Values"
          rows={rows}
          columns={columns}
          id={v => v.id}
          initial="hits"
          detail={v => <Detail value={v} />}
        />
      )}
    </>
  );
}

function Detail({ value: v }: { value: Value }) {
  return (
    <>
      <p className="gqc-line-of-code">
        <code>{v.key}</code>
        <Copy text={v.key} label="key" />
      </p>
      <Facts
        facts={[
          ['name', title(v.name)],
          ['kind', v.absent ? 'absence' : 'value'],
          ['type', <code>{v.type}</code>],
          ['shared by', scopes[v.scope] ?? v.scope],
          ['predicate', v.caller ? <code>{v.caller}</code> : '–'],
          ['tags', number(v.tags)],
          ['age', millis(v.ageMs)],
          ['expires in', millis(v.leftMs)],
          ['hits', number(v.hits)],
        ]}
      />
    </>
  );
}
