import { Fragment, useMemo, useState, type ReactNode } from 'react';
import { SortIcon } from './icons';

export interface Column<T> {
  id: string;
  head: string;
  hint?: string;
  value: (row: T) => number | string;
  cell?: (row: T) => ReactNode;
}

interface Props<T> {
  caption: string;
  rows: T[];
  columns: Column<T>[]; // the first names the row
  id: (row: T) => string;
  initial: string;
  detail: (row: T) => ReactNode;
}

type Order = { column: string; direction: 'ascending' | 'descending' };

/** A table to sort by any column, whose rows open. */
export function Table<T>({ caption, rows, columns, id, initial, detail }: Props<T>) {
  const [order, setOrder] = useState<Order>({ column: initial, direction: 'descending' });
  const [open, setOpen] = useState<string | null>(null);
  const sorted = useMemo(() => sort(rows, columns, order, id), [rows, order]);
  const press = (column: string) =>
    setOrder({ column, direction: order.column === column && order.direction === 'descending' ? 'ascending' : 'descending' });
  return (
    <table className="gqc-table">
      <caption className="gqc-hidden">{caption}</caption>
      <thead>
        <tr>
          {columns.map((c, i) => (
            <th key={c.id} scope="col" aria-sort={order.column === c.id ? order.direction : 'none'} className={i > 0 ? 'gqc-number' : undefined}>
              <button type="button" title={c.hint} onClick={() => press(c.id)}>
                {c.head}
                <SortIcon direction={order.column === c.id ? order.direction : 'none'} />
              </button>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {sorted.map(row => {
          const key = id(row);
          const cells = columns.map(c => (c.cell ? c.cell(row) : c.value(row)));
          return (
            <Fragment key={key}>
              <tr data-row={key} className={open === key ? 'gqc-open' : undefined}>
                <th scope="row">
                  <button type="button" className="gqc-row-button" aria-expanded={open === key} title={String(columns[0]!.value(row))} onClick={() => setOpen(open === key ? null : key)}>
                    {cells[0]}
                  </button>
                </th>
                {cells.slice(1).map((cell, i) => <td key={columns[i + 1]!.id} className="gqc-number">{cell}</td>)}
              </tr>
              {open === key && (
                <tr className="gqc-detail">
                  <td colSpan={columns.length}><div>{detail(row)}</div></td>
                </tr>
              )}
            </Fragment>
          );
        })}
      </tbody>
    </table>
  );
}

function sort<T>(rows: T[], columns: Column<T>[], { column, direction }: Order, id: (row: T) => string): T[] {
  const { value } = columns.find(c => c.id === column)!;
  const sign = direction === 'ascending' ? 1 : -1;
  const compare = (a: number | string, b: number | string) => (a < b ? -1 : a > b ? 1 : 0);
  return [...rows].sort((a, b) => sign * compare(value(a), value(b)) || compare(id(a), id(b)));
}
