import { LabIcon } from '@jupyterlab/ui-components';

import connectSvg from '../style/icons/action-connect.svg';
import copySvg from '../style/icons/action-copy.svg';
import insertSvg from '../style/icons/action-insert.svg';
import logsSvg from '../style/icons/action-logs.svg';
import openSvg from '../style/icons/action-open.svg';
import restartSvg from '../style/icons/action-restart.svg';
import startSvg from '../style/icons/action-start.svg';
import stopSvg from '../style/icons/action-stop.svg';
import desktopSvg from '../style/icons/service-desktop.svg';
import genericSvg from '../style/icons/service-generic.svg';
import mongoSvg from '../style/icons/service-mongo.svg';
import openrefineSvg from '../style/icons/service-openrefine.svg';
import postgresSvg from '../style/icons/service-postgres.svg';
import webSvg from '../style/icons/service-web.svg';
import backoffSvg from '../style/icons/state-backoff.svg';
import failedSvg from '../style/icons/state-failed.svg';
import readySvg from '../style/icons/state-ready.svg';
import startingSvg from '../style/icons/state-starting.svg';
import stoppedSvg from '../style/icons/state-stopped.svg';
import stoppingSvg from '../style/icons/state-stopping.svg';
import unavailableSvg from '../style/icons/state-unavailable.svg';
import unknownSvg from '../style/icons/state-unknown.svg';
import unresponsiveSvg from '../style/icons/state-unresponsive.svg';
import vceSvg from '../style/icons/vce.svg';
import type { Action, IService, ShownState } from './tokens';

/** The mark of the whole: the panel, the menu, the launcher's section. */
export const vceIcon = named('vce', vceSvg);

export const copyIcon = named('copy', copySvg);

export const insertIcon = named('insert', insertSvg);

/** Drawn in the colour of the text around them, so that CSS colours them. */
export const stateIcons: Record<ShownState, LabIcon> = {
  unavailable: named('state-unavailable', unavailableSvg),
  stopped: named('state-stopped', stoppedSvg),
  starting: named('state-starting', startingSvg),
  ready: named('state-ready', readySvg),
  unresponsive: named('state-unresponsive', unresponsiveSvg),
  stopping: named('state-stopping', stoppingSvg),
  backoff: named('state-backoff', backoffSvg),
  failed: named('state-failed', failedSvg),
  unknown: named('state-unknown', unknownSvg)
};

export const actionIcons: Record<Action, LabIcon> = {
  open: named('open', openSvg),
  connect: named('connect', connectSvg),
  start: named('start', startSvg),
  stop: named('stop', stopSvg),
  restart: named('restart', restartSvg),
  logs: named('logs', logsSvg)
};

const KINDS: Readonly<Record<string, LabIcon>> = {
  openrefine: named('openrefine', openrefineSvg),
  postgres: named('postgres', postgresSvg),
  mongo: named('mongo', mongoSvg),
  web: named('web', webSvg),
  desktop: named('desktop', desktopSvg)
};

const genericIcon = named('service', genericSvg);

/** The picture a service declares, or the one of its kind. */
export function serviceIcon(service: Pick<IService, 'kind' | 'icon'>): LabIcon {
  if (!service.icon) {
    return KINDS[service.kind] ?? genericIcon;
  }
  let icon = pictures.get(service.icon);
  if (!icon) {
    icon = named(`picture:${service.icon}`, picture(service.icon));
    pictures.set(service.icon, icon);
  }
  return icon;
}

/** By address: a second LabIcon of the same name would redraw the first. */
const pictures = new Map<string, LabIcon>();

function named(name: string, svgstr: string): LabIcon {
  return new LabIcon({ name: `ou-vce-ext:${name}`, svgstr });
}

/** JupyterLab takes icons as SVG only, so a picture at an address is wrapped in one. */
function picture(url: string): string {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 32 32');
  svg.setAttribute('width', '16');
  const image = document.createElementNS(svg.namespaceURI, 'image');
  image.setAttribute('href', url);
  image.setAttribute('width', '32');
  image.setAttribute('height', '32');
  svg.append(image);
  // LabIcon decodes what it is given, which would spoil an address with a per cent sign.
  const text = new XMLSerializer().serializeToString(svg);
  return `data:image/svg+xml,${encodeURIComponent(text)}`;
}
