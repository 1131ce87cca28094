import type { IUndoes } from './backupTokens';

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

/** What a browser knows of what has been undoable, longer than the server does. */
export interface IUndoMemory {
  /** What each safety copy undoes, by the copy's id. */
  load(): Readonly<Record<string, IUndoes>>;
  save(undoes: Readonly<Record<string, IUndoes>>): void;
}

/**
 * Keeps it for this server in the browser: the server's own list of operations ends with it, and a
 * safety copy is wanted longer. Without storage it is as the server says.
 */
export class UndoMemory implements IUndoMemory {
  /** `server` is its address: two of one origin have different backups. */
  constructor(server: string) {
    this._key = `ou-vce-ext:undoes:${server}`;
  }

  load(): Readonly<Record<string, IUndoes>> {
    try {
      const kept: unknown = JSON.parse(localStorage.getItem(this._key) ?? '{}');
      return typeof kept === 'object' && kept !== null
        ? (kept as Record<string, IUndoes>)
        : {};
    } catch {
      return {};
    }
  }

  save(undoes: Readonly<Record<string, IUndoes>>): void {
    try {
      localStorage.setItem(this._key, JSON.stringify(undoes));
    } catch {
      // A browser that keeps nothing: then it is said in general words.
    }
  }

  private readonly _key: string;
}
