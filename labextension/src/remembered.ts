/** What a page has to know again after a reload of it. */
export interface IMemory {
  /** The ids of the operations that were under way. */
  load(): readonly string[];
  save(ids: readonly string[]): void;
}

const KEY = 'ou-vce-ext:operations';

/** Keeps them for as long as the tab of the browser lives; without storage, not at all. */
export class TabMemory implements IMemory {
  load(): readonly string[] {
    try {
      const kept: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? '[]');
      return Array.isArray(kept)
        ? kept.filter(id => typeof id === 'string')
        : [];
    } catch {
      return [];
    }
  }

  save(ids: readonly string[]): void {
    try {
      sessionStorage.setItem(KEY, JSON.stringify(ids));
    } catch {
      // A browser that keeps nothing: an end during a reload is then not told.
    }
  }
}
