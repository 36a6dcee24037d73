// What pure code may use and ES2023's library does not list: two globals, and a question to texts. Naming them here, and nothing
// more, keeps every clock, timer and socket of a browser or of Node unknown to the compiler in this package.
declare class TextEncoder {
  encode(input?: string): Uint8Array<ArrayBuffer>
  encodeInto(source: string, destination: Uint8Array): { read: number; written: number }
}
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean })
  decode(input?: ArrayBuffer | ArrayBufferView): string
}
interface String {
  isWellFormed(): boolean
}
