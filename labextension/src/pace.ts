/** How often to ask (ms): while something is under way, and otherwise. */
export const QUICK = 500;
export const SLOW = 5_000;

/** How long to wait (ms) at most before a server that is gone is tried again. */
export const PATIENCE = 10_000;

/** How long (ms) hints are gathered before the server is asked: they come in bursts. */
export const GATHER = 100;
