/**
 * Which web pages may connect. Browsers let any page open a WebSocket to any host and say only where the page came
 * from, so the relay has to look: whole origins, compared to the letter. What sends no origin is not a browser.
 */

/** Whether the page of an `Origin` header may connect. */
export type IsOriginAllowed = (origin: string | undefined) => boolean

// Written as browsers write it: lower case, no path, a port only if it is not the scheme's own.
const localOrigin = /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/

/** Exactly those of the list; in development pages of this machine too. */
export function createOriginCheck(origins: readonly string[], development: boolean): IsOriginAllowed {
  const allowed = new Set(origins)
  return origin => origin === undefined || allowed.has(origin) || (development && localOrigin.test(origin))
}

/** Whether a text is an origin as a browser would write it, so that it can ever be equal to one. */
export function isOrigin(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text
}

/** Whether what listens on this host can only be reached from this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
}
