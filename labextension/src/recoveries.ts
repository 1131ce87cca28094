import type { IService, IVCEModel } from './tokens';

/** Finds out which services have ended and come back by themselves since it was last asked. */
export class Recoveries {
  constructor(private readonly _model: IVCEModel) {}

  /** Of what was there before this page nothing is told: who opens it has missed nothing. */
  news(): readonly IService[] {
    if (!this._model.connected) {
      return [];
    }
    return this._model.services.filter(service => {
      const { name, recovered_from: recovery, state } = service;
      const known = this._known.get(name);
      if (known !== undefined && recovery && state !== 'ready') {
        // Not yet: it may end again.
        return false;
      }
      const at = recovery?.at ?? '';
      this._known.set(name, at);
      return known !== undefined && at !== '' && at !== known;
    });
  }

  /** When each one last ended, as far as is known; empty where it has not. */
  private readonly _known = new Map<string, string>();
}
