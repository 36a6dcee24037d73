/**
 * Deflating by Node's own functions: its streams take some twenty turns of the event loop for a frame that is inflated in
 * less time than one of them. So is most of what is deflated, and the relay has it while the rest is made; only what is
 * long goes to another thread.
 */
import { limits } from '@rejoin/core'
import type { Deflation } from './deflating.ts'

interface Zlib {
  deflateRawSync(bytes: Uint8Array): Uint8Array
  deflateRaw(bytes: Uint8Array, done: (error: Error | null, deflated: Uint8Array) => void): void
  inflateRawSync(
    bytes: Uint8Array,
    options: { readonly maxOutputLength: number; readonly chunkSize: number },
  ): Uint8Array
}

interface NodeProcess {
  getBuiltinModule?(name: string): unknown
}

/** Most of what comes is inflated into one piece of memory; many take half as long again. */
const inflatedShare = 4
const deflatedAtOnceMax = 256 * 1024
const chunkBytesMin = 16 * 1024

const zlib = zlibOfNode()

/** Null where there is no Node. */
export const nodeDeflation: Deflation | null =
  zlib === null
    ? null
    : {
        deflate(bytes) {
          if (bytes.length <= deflatedAtOnceMax) return zlib.deflateRawSync(bytes)
          return new Promise(resolve =>
            zlib.deflateRaw(bytes, (error, deflated) => resolve(error === null ? deflated : null)),
          )
        },
        inflate(bytes) {
          try {
            const chunkSize = Math.max(chunkBytesMin, inflatedShare * bytes.length)
            return zlib.inflateRawSync(bytes, { maxOutputLength: limits.frameBytesMax, chunkSize })
          } catch {
            return null
          }
        },
      }

function zlibOfNode(): Zlib | null {
  const { process } = globalThis as { readonly process?: NodeProcess }
  const found: unknown = process?.getBuiltinModule?.('node:zlib')
  return found === undefined ? null : (found as Zlib)
}
