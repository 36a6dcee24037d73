/** The app's icons, drawn on one grid: 20 by 20, strokes of 1.5. They mean nothing on their own, so they are hidden from screen readers. */
import type { ReactNode } from 'react'

const shapes = {
  back: <path d="M12 4.5 6.5 10l5.5 5.5" />,
  bin: <path d="M4 5.5h12M8 5.5V4h4v1.5M5.5 5.5l.7 10.5h7.6l.7-10.5M8.4 8.5l.2 4.5M11.6 8.5l-.2 4.5" />,
  check: <path d="m4.5 10.5 3.5 3.5 7.5-8" />,
  close: <path d="m5.5 5.5 9 9m0-9-9 9" />,
  fork: (
    <>
      <path d="M10 17v-5.5c0-3-4.5-2.5-4.5-6M10 11.5c0-3 4.5-2.5 4.5-6" />
      <circle cx="5.5" cy="4" r="1.5" />
      <circle cx="14.5" cy="4" r="1.5" />
    </>
  ),
  keys: (
    <>
      <rect x="2.5" y="5" width="15" height="10" rx="2" />
      <path d="M5.5 8h.01M8.5 8h.01M11.5 8h.01M14.5 8h.01M6.5 12h7" />
    </>
  ),
  pin: <path d="M7 3.5h6M8 3.5v5l-2.5 3h9L12 8.5v-5M10 11.5v5.5" />,
  plus: <path d="M10 4v12M4 10h12" />,
  search: (
    <>
      <circle cx="9" cy="9" r="5" />
      <path d="m13 13 3.5 3.5" />
    </>
  ),
  stop: (
    <>
      <circle cx="10" cy="10" r="6.5" />
      <path d="m5.5 14.5 9-9" />
    </>
  ),
  warning: <path d="M10 3.5 17.5 16h-15zM10 8.5v3.5M10 14h.01" />,
} satisfies Record<string, ReactNode>

export function Icon({ name }: { readonly name: keyof typeof shapes }): ReactNode {
  return (
    <svg className="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">
      {shapes[name]}
    </svg>
  )
}
