const { TestEnvironment } = require('jest-environment-jsdom');

/** jsdom, with what it lacks of a browser's network taken from Node. */
module.exports = class BrowserEnvironment extends TestEnvironment {
  async setup() {
    await super.setup();
    Object.assign(this.global, {
      AbortController,
      AbortSignal,
      Headers,
      Request,
      Response,
      TextDecoder,
      TextEncoder,
      fetch,
      // What JupyterLab's modules look for when they are loaded.
      DragEvent: class DragEvent extends this.global.Event {},
      matchMedia: () => ({ matches: false, addEventListener: () => undefined }),
      IS_REACT_ACT_ENVIRONMENT: true,
      requestIdleCallback: callback => this.global.setTimeout(callback, 0)
    });
    this.global.Element.prototype.scrollIntoView = () => undefined;
    Object.defineProperty(this.global.navigator, 'clipboard', { value: {} });
    this.global.HTMLCanvasElement.prototype.getContext = () => null;
  }
};
