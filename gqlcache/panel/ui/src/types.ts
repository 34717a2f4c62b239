// Written by TestTypes from the Go package gqlcache/inspect, which explains the fields.

export interface Extension {
  version: number;
  status: Status;
  hit: boolean;
  didCache: boolean;
  collapsed: boolean;
  tier?: string;
  reason: Reason;
  operation: Operation;
  key?: string;
  keyParts?: KeyPart[];
  ageMs?: number;
  ttlMs?: number;
  ttlLimitedBy?: string;
  bytes?: number;
  tags?: number;
  entryHits?: number;
  dependsOnAnythingBecause?: string;
  readsAtRuntime?: string[];
  dependencies?: Dependencies;
  timing?: Timing;
  durationUs: number;
  invalidatedEntities?: Change[];
  invalidation?: Invalidation;
  warnings?: Warning[];
  inspect?: Snapshot;
  action?: ActionResult;
  consistency?: string;
  token?: string;
}

export interface Request {
  inspect?: SnapshotRequest;
  action?: Action;
  bypass?: boolean;
}

export type Status =
  | 'HIT'
  | 'MISS'
  | 'BYPASS'
  | 'INVALIDATED'
  | 'UNCHANGED'
  | 'INSPECTED';

export interface Reason {
  code: string;
  message: string;
  seq?: number;
}

export interface Operation {
  name: string;
  type: string;
  hash?: string;
}

export interface KeyPart {
  name: string;
  label?: string;
  fingerprint: string;
  changed?: boolean;
}

export interface Dependencies {
  views: Dependency[];
  rows: Row[];
  rowCount: number;
}

export interface Timing {
  lookupUs: number;
  originUs?: number;
  savedUs?: number;
}

export interface Change {
  view: string;
  operation: string;
  ids?: string[];
  unknownRows?: boolean;
  derived?: boolean;
}

export interface Invalidation {
  seq: number;
  tags: number;
  everythingBecause?: string;
  durationUs: number;
  cascade?: Cascade;
  evicted?: Evicted;
  kept?: number;
  instances?: number;
  confirmed: boolean;
}

export interface Warning {
  code: string;
  severity: string;
  message: string;
}

export interface Snapshot {
  now: number;
  instance: string;
  uptimeMs: number;
  watchingSince: number;
  totals: Totals;
  series: Series;
  tiers: Tier[];
  operations: OpStats[];
  views: ViewStats[];
  values?: Value[];
  log: LogEvent[];
  logNext: number;
  verify?: Verify;
  shadow?: Shadow;
  cluster?: Cluster;
  observed?: Observed;
  security: Security;
  warnings: Warning[];
  capabilities: Capabilities;
}

export interface ActionResult {
  ok: boolean;
  message: string;
  evicted?: number;
}

export interface SnapshotRequest {
  since?: number;
}

export interface Action {
  type: string;
  view?: string;
  id?: string;
  operation?: string;
}

export interface Dependency {
  view: string;
  how: string;
  via?: string;
}

export interface Row {
  view: string;
  id: string;
}

export interface Cascade {
  nodes: CascadeNode[];
  edges: CascadeEdge[];
  truncated?: boolean;
}

export interface Evicted {
  entries: number;
  bytes: number;
  operations: EvictedOperation[];
}

export interface Totals {
  requests: number;
  hits: number;
  misses: number;
  collapsed: number;
  abandoned: number;
  bypasses: number;
  bypassedBy: Record<string, number>;
  notStored: Record<string, number>;
  invalidations: number;
  flushes: number;
  storeErrors: number;
  savedMs: number;
}

export interface Series {
  stepMs: number;
  end: number;
  hits: number[];
  misses: number[];
  bypasses: number[];
  invalidations: number[];
}

export interface Tier {
  name: string;
  status: string;
  note?: string;
  entries: number;
  maxEntries?: number;
  bytes: number;
  maxBytes?: number;
  hits: number;
  misses: number;
  evictions: number;
  expirations: number;
  errors: number;
}

export interface OpStats {
  name: string;
  hash: string;
  hits: number;
  misses: number;
  bypasses: number;
  entries: number;
  bytes: number;
  savedMs: number;
  views: string[];
  lastInvalidation?: LastInvalidation;
}

export interface ViewStats {
  name: string;
  entries: number;
  hits: number;
  misses: number;
  invalidations: number;
  dependsOn: string[];
  dependents: string[];
  lastInvalidation?: LastInvalidation;
}

export interface Value {
  id: string;
  key: string;
  name: string;
  scope: string;
  caller?: string;
  type: string;
  absent?: boolean;
  bytes: number;
  tags: number;
  hits: number;
  ageMs: number;
  leftMs: number;
}

export interface LogEvent {
  seq: number;
  at: number;
  cause: Cause;
  changes: Change[];
  cascade: Cascade;
  everythingBecause?: string;
  evicted: number;
  kept: number;
  durationUs: number;
}

export interface Verify {
  rate: number;
  sampled: number;
  confirmed: number;
  discounted: number;
  skipped: number;
  skippedBy: Record<string, number>;
  unstable: number;
  mismatched: number;
  mismatches: Mismatch[];
}

export interface Shadow {
  operations: ShadowOperation[];
  findings: ShadowFinding[];
}

export interface Cluster {
  fresh: boolean;
  position: string;
  members: number;
  published: number;
  unconfirmed: number;
  pending: number;
  leasesLost: number;
  records: number;
  flushes: number;
  epochs: number;
}

export interface Observed {
  statements: ObservedStatements;
  commits: ObservedCommits;
  findings: ObservedFinding[];
  moreFindings?: number;
  operations: ObservedOperation[];
}

export interface Security {
  callers: string;
  predicate: boolean;
  partitioned: boolean;
  predicates: number;
  schemaHash: string;
  schemaSinceMs: number;
}

export interface Capabilities {
  actions: boolean;
  hidesIds?: boolean;
}

export interface CascadeNode {
  id: string;
  kind: string;
  label: string;
  detail?: string;
  evicted: number;
}

export interface CascadeEdge {
  from: string;
  to: string;
  via?: string;
}

export interface EvictedOperation {
  name: string;
  entries: number;
}

export interface LastInvalidation {
  seq: number;
  at: number;
  cause: string;
}

export interface Cause {
  kind: string;
  name: string;
}

export interface Mismatch {
  kind: string;
  at: number;
  operation: Operation;
  key: string;
  ageMs: number;
  path: string;
  field?: string;
  suspects: Suspect[];
}

export interface ShadowOperation {
  name: string;
  hash: string;
  queries: number;
  hits: number;
  right: number;
  overtaken: number;
  stale: number;
  otherCaller: number;
  unstable: number;
  unsettled: number;
}

export interface ShadowFinding {
  at: number;
  operation: Operation;
  kind: string;
  path: string;
  ageMs: number;
  stored: string;
  storedFor: string;
  computed: string;
  caller: string;
}

export interface ObservedStatements {
  known: number;
  widened: number;
  notUnderstood: number;
}

export interface ObservedCommits {
  seen: number;
  everything: number;
  outside: number;
  uncertain: number;
}

export interface ObservedFinding {
  kind: string;
  effect: string;
  text?: string;
  why?: string;
  place?: string;
  operation?: string;
  advice: string;
  count: number;
}

export interface ObservedOperation {
  operation: Operation;
  undeclared?: string;
  reads?: string[];
  writes?: string[];
  uncovered?: string[];
  unmatched?: string[];
}

export interface Suspect {
  mutation: string;
  field: string;
  at: number;
  missing: string;
}
