/**
 * A message of a server as one piece, header and payload (RFC 6455, 5.2): what goes to many is framed once, and each
 * socket takes it in one write. ws itself writes the header apart.
 */

const wholeBinary = 0x82
const lengthOf16Bits = 126
const lengthOf64Bits = 127

// What goes to many is sent to one after the other.
let latest: Uint8Array | null = null
let latestMessage: Buffer = Buffer.alloc(0)

/** Neither may change afterwards: sockets hold what they have not written yet. */
export function messageOf(payload: Uint8Array): Buffer {
  if (payload !== latest) {
    latestMessage = frame(payload)
    latest = payload
  }
  return latestMessage
}

function frame(payload: Uint8Array): Buffer {
  const { length } = payload
  const headBytes = length < lengthOf16Bits ? 2 : length < 65_536 ? 4 : 10
  // Of any other bytes a socket makes a Buffer first, and there are thousands that take the same ones.
  const message = Buffer.allocUnsafe(headBytes + length)
  message[0] = wholeBinary
  message[1] = headBytes === 2 ? length : headBytes === 4 ? lengthOf16Bits : lengthOf64Bits
  if (headBytes === 4) message.writeUInt16BE(length, 2)
  if (headBytes === 10) message.writeBigUInt64BE(BigInt(length), 2)
  message.set(payload, headBytes)
  return message
}
