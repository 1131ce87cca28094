import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { givenName } from '../branding';
import type { IVCEBranding } from '../tokens';
import { once } from './doubleClicks';

interface IPanelHeadProps {
  readonly branding: IVCEBranding | null;
  readonly trans: TranslationBundle;
  readonly showStatus: () => void;
}

/** What the environment is called, and where there is more about it. */
export function PanelHead(props: IPanelHeadProps): React.JSX.Element {
  const { branding, trans } = props;
  const { logo, help_url, help_text } = branding?.current ?? {};
  return (
    <>
      <div className="jp-vce-header">
        {logo && <img className="jp-vce-logo" src={logo} alt="" />}
        <h2>{givenName(branding) ?? trans.__('Services')}</h2>
        <button
          type="button"
          className="jp-vce-link"
          onClick={once(props.showStatus)}
        >
          {trans.__('Status page')}
        </button>
      </div>
      {help_url && (
        <p className="jp-vce-help">
          <a href={help_url} target="_blank" rel="noopener noreferrer">
            {help_text ?? help_url}
          </a>
        </p>
      )}
    </>
  );
}
