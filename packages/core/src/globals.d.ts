// The two globals that pure code may use and that ES2023's library does not list. Naming them here, and nothing
// more, keeps every clock, timer and socket of a browser or of Node unknown to the compiler in this package.
declare class TextEncoder {
  encode(input?: string): Uint8Array<ArrayBuffer>
  encodeInto(source: string, destination: Uint8Array): { read: number; written: number }
}
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean })
  decode(input?: ArrayBuffer | ArrayBufferView): string
}
