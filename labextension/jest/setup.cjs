/** What a browser has and jsdom does not. */
const { TextDecoder, TextEncoder } = require('node:util');

Object.assign(globalThis, {
  DragEvent: class DragEvent extends Event {},
  IS_REACT_ACT_ENVIRONMENT: true,
  TextDecoder,
  TextEncoder,
  fetch: (...args) => globalThis.nodeFetch(...args),
  requestIdleCallback: callback => setTimeout(callback, 0)
});
