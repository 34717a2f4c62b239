import { useState, type ReactNode } from 'react';
import { BoltIcon, OperationIcon, RowIcon, ViewIcon } from './icons';
import type { Cascade, CascadeEdge, CascadeNode } from './types';

const icons: Record<string, () => ReactNode> = { cause: BoltIcon, row: RowIcon, view: ViewIcon, operation: OperationIcon };

/**
 * What was written, the views that it reached, and what fell there, as a tree. A node that is reached
 * twice has its branches at the first place only; branches in which nothing fell are folded.
 */
export function CascadeTree({ cascade }: { cascade: Cascade }) {
  const [all, setAll] = useState(false);
  const tree = new Tree(cascade);
  const drawn = new Set<string>();

  const draw = (node: CascadeNode, via?: string): ReactNode => {
    const again = drawn.has(node.id);
    drawn.add(node.id);
    const branches = again ? [] : tree.branches(node.id);
    const idle = all ? [] : branches.filter(e => e.node.kind === 'view' && tree.fellBelow(e.node.id) === 0);
    const Icon = icons[node.kind] ?? ViewIcon;
    return (
      <li key={`${node.id} ${via ?? ''}`}>
        <div className={`gqc-node gqc-kind-${node.kind}${again ? ' gqc-again' : ''}`} data-cascade-node={node.label} data-kind={node.kind} data-evicted={node.evicted}>
          <span className="gqc-node-icon"><Icon /></span>
          <span className="gqc-node-label" title={node.label}>{node.label}</span>
          <span className="gqc-node-detail">{again ? 'see above' : node.detail || via}</span>
          {!again && node.kind !== 'cause' && <Fell node={node} />}
        </div>
        {branches.length > 0 && (
          <ul>
            {branches.filter(e => !idle.includes(e)).map(e => draw(e.node, e.via))}
            {idle.length > 0 && (
              <li>
                <button type="button" className="gqc-fold" onClick={() => setAll(true)}>
                  {tree.count(idle.map(e => e.node.id)) === 1 ? '1 view' : `${tree.count(idle.map(e => e.node.id))} views`} in which nothing fell
                </button>
              </li>
            )}
          </ul>
        )}
      </li>
    );
  };
  return (
    <>
      <ul className="gqc-cascade" aria-label="What the change reached">{tree.roots().map(node => draw(node))}</ul>
      {cascade.truncated && <p className="gqc-dim">There is more; the list was cut off.</p>}
    </>
  );
}

function Fell({ node }: { node: CascadeNode }) {
  if (node.evicted === 0) return <span className="gqc-fell gqc-dim">nothing fell</span>;
  return (
    <span className="gqc-fell">
      −{node.evicted}
      <span className="gqc-hidden"> {node.evicted === 1 ? 'entry' : 'entries'} evicted</span>
    </span>
  );
}

/** The graph of a cascade. It has no cycles, but the page does not rely on that. */
class Tree {
  private readonly nodes: Map<string, CascadeNode>;
  private readonly out = new Map<string, CascadeEdge[]>();

  constructor(private readonly cascade: Cascade) {
    this.nodes = new Map(cascade.nodes.map(n => [n.id, n]));
    for (const e of cascade.edges) {
      if (this.nodes.has(e.to)) this.out.set(e.from, [...(this.out.get(e.from) ?? []), e]);
    }
  }

  roots() {
    const reached = new Set(this.cascade.edges.map(e => e.to));
    return this.cascade.nodes.filter(n => !reached.has(n.id));
  }

  branches(id: string) {
    return (this.out.get(id) ?? []).map(e => ({ node: this.nodes.get(e.to)!, via: e.via }));
  }

  /** All nodes from some on, these included. */
  private from(ids: string[]) {
    const found = new Set<string>();
    const visit = (id: string) => {
      if (found.has(id)) return;
      found.add(id);
      for (const e of this.out.get(id) ?? []) visit(e.to);
    };
    ids.forEach(visit);
    return found;
  }

  fellBelow(id: string) {
    let fell = 0;
    for (const n of this.from([id])) fell += this.nodes.get(n)!.evicted;
    return fell;
  }

  count(ids: string[]) {
    return this.from(ids).size;
  }
}
