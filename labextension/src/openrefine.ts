import type { ServerConnection } from '@jupyterlab/services';

import { requestJSON } from './request';
import type { IService, IUnsaved } from './tokens';

/** What was changed this recently (ms) may not be on disk yet: see docs/supervision.md. */
const RECENT = 60_000;

/** Nobody waits longer (ms) than this to be asked whether they mean it. */
const PATIENCE = 2_000;

/** On the page that previews a file before it becomes a project. */
const UNFINISHED = '.default-importing-wizard-header';

interface IProjects {
  readonly projects: Readonly<
    Record<string, { readonly name?: string; readonly modified?: string }>
  >;
}

/**
 * What a stop of OpenRefine concerns: projects that it has to save first, and an import in the tab
 * that would be lost. What cannot be found out in time is not told.
 */
export async function unsavedIn(
  service: IService,
  page: Document | null,
  settings: ServerConnection.ISettings,
  now: number
): Promise<IUnsaved> {
  const unfinished = [
    ...(page?.querySelectorAll<HTMLElement>(UNFINISHED) ?? [])
  ].some(header => header.offsetParent !== null);
  const asked = requestJSON<IProjects>(settings, {
    path: ['app', service.name, 'command', 'core', 'get-all-project-metadata']
  })
    .then(({ data }) => recent(data, now))
    .catch(() => []);
  const late = new Promise<string[]>(resolve => {
    setTimeout(() => resolve([]), PATIENCE);
  });
  return { projects: await Promise.race([asked, late]), unfinished };
}

function recent({ projects }: IProjects, now: number): string[] {
  return Object.values(projects)
    .filter(({ modified }) => now - Date.parse(modified ?? '') < RECENT)
    .map(({ name }) => name ?? '');
}
