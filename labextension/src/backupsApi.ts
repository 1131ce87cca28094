import { URLExt } from '@jupyterlab/coreutils';
import type { ServerConnection } from '@jupyterlab/services';

import type { IBackup, IResetPreview, IRestoreWish } from './backupTokens';
import {
  languageHeader,
  refusal,
  requestJSON,
  requestText,
  VCEError
} from './request';
import type { IOperation } from './tokens';

/** The server measures what is there before it answers (ms). */
const PATIENT = 60_000;

/** The part of the REST API that is about backups. Everything rejects with a `VCEError` only. */
export class BackupsApi {
  constructor(private readonly _settings: ServerConnection.ISettings) {}

  /** Newest first. */
  async list(): Promise<IBackup[]> {
    const { data } = await requestJSON<{ backups: IBackup[] }>(this._settings, {
      path: ['api', 'backups'],
      timeout: PATIENT
    });
    return data.backups;
  }

  /** All that run, and the last ones that ended; newest first. */
  async operations(): Promise<IOperation[]> {
    const { data } = await requestJSON<{ operations: IOperation[] }>(
      this._settings,
      { path: ['api', 'operations'] }
    );
    return data.operations;
  }

  async backUp(service: string): Promise<IOperation> {
    return this._order(['api', 'services', service, 'backups']);
  }

  async backUpEverything(folders: readonly string[]): Promise<IOperation> {
    return this._order(['api', 'backups', 'all'], { folders });
  }

  async verify(id: string): Promise<IOperation> {
    return this._order(['api', 'backups', id, 'verify']);
  }

  async restore(
    id: string,
    wish: IRestoreWish,
    withoutSafetyCopy: boolean
  ): Promise<IOperation> {
    return this._order(['api', 'backups', id, 'restore'], {
      ...wish,
      without_safety_copy: withoutSafetyCopy
    });
  }

  async preview(service: string): Promise<IResetPreview> {
    const { data } = await requestJSON<IResetPreview>(this._settings, {
      path: ['api', 'services', service, 'reset'],
      timeout: PATIENT
    });
    return data;
  }

  async reset(
    service: string,
    withoutSafetyCopy: boolean
  ): Promise<IOperation> {
    return this._order(['api', 'services', service, 'reset'], {
      without_safety_copy: withoutSafetyCopy
    });
  }

  async pin(id: string, pinned: boolean): Promise<IBackup> {
    const { data } = await requestJSON<IBackup>(this._settings, {
      path: ['api', 'backups', id],
      method: 'PATCH',
      body: { pinned }
    });
    return data;
  }

  async remove(id: string): Promise<void> {
    await requestText(this._settings, {
      path: ['api', 'backups', id],
      method: 'DELETE'
    });
  }

  downloadUrl(id: string): string {
    return this._url('api', 'backups', id, 'download');
  }

  /**
   * Send a file as it is, however large: the browser reads it while it is sent.
   *
   * `fetch` tells nothing of how far it is, so this is the browser's older way.
   */
  async upload(
    service: string,
    file: File,
    told: (part: number) => void,
    cancelled: AbortSignal
  ): Promise<IBackup> {
    const query = URLExt.objectToQueryString({ service, filename: file.name });
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open('POST', this._url('api', 'backups') + query);
      request.setRequestHeader('Content-Type', 'application/octet-stream');
      for (const [name, value] of Object.entries(languageHeader())) {
        request.setRequestHeader(name, value);
      }
      const { token } = this._settings;
      if (token) {
        request.setRequestHeader('Authorization', `token ${token}`);
      }
      const xsrf = cookie('_xsrf');
      if (xsrf !== undefined) {
        request.setRequestHeader('X-XSRFToken', xsrf);
      }
      request.upload.onprogress = ({ loaded, total }) => {
        if (total > 0) {
          told(loaded / total);
        }
      };
      request.onerror = () => reject(new VCEError('unreachable'));
      request.onabort = () => reject(new VCEError('cancelled'));
      request.onload = () => {
        if (request.status !== 201) {
          reject(refusal(request, request.responseText));
          return;
        }
        try {
          resolve(JSON.parse(request.responseText) as IBackup);
        } catch {
          reject(new VCEError('unexpected'));
        }
      };
      cancelled.addEventListener('abort', () => request.abort());
      request.send(file);
    });
  }

  private async _order(path: string[], body?: object): Promise<IOperation> {
    const { data } = await requestJSON<IOperation>(this._settings, {
      path,
      method: 'POST',
      timeout: PATIENT,
      ...(body && { body })
    });
    return data;
  }

  private _url(...path: string[]): string {
    const { baseUrl } = this._settings;
    return URLExt.join(baseUrl, 'vce', ...path.map(encodeURIComponent));
  }
}

/** Where several of a name are sent, the server takes the last. */
function cookie(name: string): string | undefined {
  return document.cookie
    .split(';')
    .map(part => part.trim())
    .filter(part => part.startsWith(`${name}=`))
    .pop()
    ?.slice(name.length + 1);
}
