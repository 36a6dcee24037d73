/** The page that a client lives in. Where there is none (Node, workers) it is always visible and says nothing. */
import type { Page, PageEvent } from './ports.ts'

export const browserPage: Page = {
  visible: () => typeof document === 'undefined' || document.visibilityState === 'visible',
  on(listener) {
    const stops: (() => void)[] = []
    const heed = (target: EventTarget, type: string, event: (happened: Event) => PageEvent | null): void => {
      const run = (happened: Event): void => {
        const found = event(happened)
        if (found !== null) listener(found)
      }
      target.addEventListener(type, run)
      stops.push(() => target.removeEventListener(type, run))
    }
    if (typeof document !== 'undefined') {
      heed(document, 'visibilitychange', () =>
        document.visibilityState === 'visible' ? 'visible' : 'hidden',
      )
    }
    if (typeof window !== 'undefined') {
      heed(window, 'pagehide', () => 'leave')
      heed(window, 'pageshow', happened =>
        (happened as PageTransitionEvent).persisted === true ? 'back' : null,
      )
      heed(window, 'online', () => 'online')
    }
    return () => {
      for (const stop of stops) stop()
    }
  },
}
