import type { ReactNode } from 'react';

function Icon({ size = 16, children }: { size?: number; children: ReactNode }) {
  return (
    <svg viewBox="0 0 16 16" width={size} height={size} fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

export const HitIcon = () => <Icon><path d="M3 8.5 6.2 11.7 13 4.8" /></Icon>;
export const MissIcon = () => <Icon><path d="M8 2.5v7M4.8 7 8 10.2 11.2 7M3 13.5h10" /></Icon>;
export const BypassIcon = () => <Icon><path d="M2 11.5c2.5 0 3-7 6-7s3.5 7 6 7" /></Icon>;
export const BoltIcon = () => <Icon><path d="M9 1.8 3.5 9H8l-1 5.2L12.5 7H8z" /></Icon>;
export const NoneIcon = () => <Icon><circle cx="8" cy="8" r="5.5" /><path d="m4.2 4.2 7.6 7.6" /></Icon>;
export const RowIcon = () => <Icon size={13}><path d="M8 1.8 13.4 5v6.2L8 14.2l-5.4-3V5z" /></Icon>;
export const ViewIcon = () => <Icon size={13}><rect x="2.2" y="3" width="11.6" height="10" rx="1.5" /><path d="M2.2 6.5h11.6M6.5 6.5V13" /></Icon>;
export const OperationIcon = () => <Icon size={13}><path d="M5 3 1.8 8 5 13M11 3l3.2 5L11 13" /></Icon>;
export const CopyIcon = () => <Icon size={13}><rect x="5" y="5" width="8.5" height="8.5" rx="1.5" /><path d="M3 10.5V4a1.5 1.5 0 0 1 1.5-1.5H11" /></Icon>;
export const TrashIcon = () => <Icon size={14}><path d="M2.5 4h11M6 4V2.5h4V4M4 4l.7 9.5h6.6L12 4" /></Icon>;
export const PauseIcon = () => <Icon size={14}><path d="M5.5 3v10M10.5 3v10" /></Icon>;
export const PlayIcon = () => <Icon size={14}><path d="M4.5 2.8v10.4L13 8z" /></Icon>;
export const CrossIcon = () => <Icon size={12}><path d="m4 4 8 8M12 4l-8 8" /></Icon>;
export const ShieldIcon = () => <Icon size={15}><path d="m8 1.8 5 1.9v4c0 3.2-2.1 5.5-5 6.5-2.9-1-5-3.3-5-6.5v-4z" /></Icon>;
export const HashIcon = () => <Icon size={15}><path d="M6.2 2.5 4.8 13.5M11.2 2.5 9.8 13.5M3 6h10.5M2.5 10H13" /></Icon>;
export const InstancesIcon = () => <Icon size={15}><circle cx="8" cy="3.3" r="1.8" /><circle cx="3.5" cy="12" r="1.8" /><circle cx="12.5" cy="12" r="1.8" /><path d="M7.2 5 4.3 10.4M8.8 5l2.9 5.4M5.3 12h5.4" /></Icon>;
export const WarningIcon = () => <Icon size={15}><path d="M8 2 14.5 13.5h-13zM8 6.5v3.2M8 11.7h.01" /></Icon>;

export function SortIcon({ direction }: { direction: 'ascending' | 'descending' | 'none' }) {
  const opacity = (d: string) => (d === direction ? 1 : 0.25);
  return (
    <svg viewBox="0 0 8 12" width="7" height="10" fill="currentColor" aria-hidden="true" focusable="false">
      <path d="m4 0 3 4H1z" opacity={opacity('ascending')} />
      <path d="M4 12 1 8h6z" opacity={opacity('descending')} />
    </svg>
  );
}

/** In GraphiQL's sidebar: a stack of discs, and a bolt. */
export const CacheIcon = () => (
  <svg viewBox="0 0 20 20" height="1em" fill="none" stroke="currentColor" strokeWidth="1.4" strokeLinejoin="round" strokeLinecap="round" aria-hidden="true" focusable="false">
    <ellipse cx="9" cy="4.2" rx="6.5" ry="2.5" />
    <path d="M2.5 4.2v5.4c0 1.4 2.9 2.5 6.5 2.5M15.5 4.2v3.6M2.5 9.6V15c0 1.4 2.9 2.5 6.5 2.5" />
    <path d="m14.6 9.5-3.4 4.6h3l-.8 4 3.8-5h-3z" fill="currentColor" />
  </svg>
);

/** In GraphiQL's toolbar: the stack, struck through. */
export const CacheOffIcon = () => (
  <svg viewBox="0 0 20 20" height="1em" fill="none" stroke="currentColor" strokeWidth="1.4" strokeLinejoin="round" strokeLinecap="round" aria-hidden="true" focusable="false">
    <ellipse cx="10" cy="4.6" rx="6.5" ry="2.5" />
    <path d="M3.5 4.6v10.8c0 1.4 2.9 2.5 6.5 2.5s6.5-1.1 6.5-2.5V4.6M3.5 10c0 1.4 2.9 2.5 6.5 2.5s6.5-1.1 6.5-2.5" />
    <path d="M2 18.5 18 2" strokeWidth="1.8" />
  </svg>
);
