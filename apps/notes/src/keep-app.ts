/** Has the browser keep the app on this device (see the service worker). */

interface TrustedScripts {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): string }
}

const worker = '/service-worker.js'

/** Asks for it, and takes no for an answer: without it, the app only does not open while there is no network. */
export function keepApp(): void {
  if (import.meta.env.DEV || !('serviceWorker' in navigator)) return
  navigator.serviceWorker.register(trust(worker)).catch((error: unknown) => {
    console.info('The app is not kept on this device:', error)
  })
}

/** The server's policy lets no text become a script's address but by this one rule, which knows one address. */
function trust(url: string): string {
  const scripts = (globalThis as { trustedTypes?: TrustedScripts }).trustedTypes
  if (scripts === undefined) return url
  const policy = scripts.createPolicy('keep-app', {
    createScriptURL: asked => (asked === worker ? asked : ''),
  })
  return policy.createScriptURL(url)
}
