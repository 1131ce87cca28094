import type { Page } from '@playwright/test';

/** A message of a viewer to a desktop's display, in the protocol's own words (RFC 6143). */
export type Sent =
  | { readonly kind: 'key'; readonly keysym: number; readonly down: boolean }
  | { readonly kind: 'pointer'; readonly buttons: number }
  | { readonly kind: 'text' | 'size' | 'other' | 'unknown' };

/** How long each message is (bytes), by its first byte; -1 where it was no such message. */
function length(bytes: Buffer): number {
  switch (bytes[0]) {
    case 0:
      return 20;
    case 2:
      return 4 + 4 * bytes.readUInt16BE(2);
    case 3:
    case 150:
      return 10;
    case 4:
      return 8;
    case 5:
      return 6;
    case 6:
      return 8 + Math.abs(bytes.readInt32BE(4));
    case 248:
      return 9 + (bytes[8] ?? 0);
    case 251:
      return 8 + 16 * (bytes[6] ?? 0);
    case 255:
      return 12;
    default:
      return -1;
  }
}

function read(bytes: Buffer): Sent {
  switch (bytes[0]) {
    case 4:
      return {
        kind: 'key',
        down: bytes[1] === 1,
        keysym: bytes.readUInt32BE(4)
      };
    case 255:
      return {
        kind: 'key',
        down: bytes.readUInt16BE(2) === 1,
        keysym: bytes.readUInt32BE(4)
      };
    case 5:
      return { kind: 'pointer', buttons: bytes[1] ?? 0 };
    case 6:
      return { kind: 'text' };
    case 251:
      return { kind: 'size' };
    default:
      return { kind: 'other' };
  }
}

/** Everything that viewers in a page send from now on; grows. */
export function followSent(page: Page): Sent[] {
  const sent: Sent[] = [];
  page.on('websocket', socket => {
    // The version, the kind of security and whether others may look on.
    let greeting = 14;
    socket.on('framesent', ({ payload }) => {
      let bytes = Buffer.from(payload);
      const skipped = Math.min(greeting, bytes.length);
      greeting -= skipped;
      bytes = bytes.subarray(skipped);
      while (bytes.length > 0) {
        const size = length(bytes);
        if (size < 0) {
          sent.push({ kind: 'unknown' });
          return;
        }
        sent.push(read(bytes));
        bytes = bytes.subarray(size);
      }
    });
  });
  return sent;
}

/** The buttons that were held, one after the other, as a mask. */
export function buttonsOf(sent: Sent[]): number[] {
  return sent.flatMap(one => (one.kind === 'pointer' ? [one.buttons] : []));
}

/** The keys that went down, each by its keysym (hexadecimal). */
export function keysOf(sent: Sent[]): string[] {
  return sent.flatMap(one =>
    one.kind === 'key' && one.down ? [one.keysym.toString(16)] : []
  );
}
