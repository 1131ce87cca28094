import * as React from 'react';

import { copyIcon } from '../icons';

interface ICopyButtonProps {
  /** What it does, for those who hear it on its own. */
  readonly label: string;
  /** What stands on it; without, it is its icon alone. */
  readonly words?: string;
  readonly done: string;
  readonly onCopy: () => void;
}

/** A button that says for a moment that it has done its work. */
export function CopyButton(props: ICopyButtonProps): React.JSX.Element {
  const { words } = props;
  const [copied, setCopied] = React.useState(false);
  React.useEffect(() => {
    if (!copied) {
      return;
    }
    const timer = setTimeout(() => setCopied(false), 2_000);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <>
      <button
        type="button"
        className={words ? 'jp-vce-button' : 'jp-vce-icon-button'}
        aria-label={props.label}
        title={words ? undefined : props.label}
        onClick={() => {
          props.onCopy();
          setCopied(true);
        }}
      >
        <copyIcon.react
          className={words ? 'jp-vce-button-icon' : ''}
          tag="span"
          aria-hidden="true"
        />
        {words && <span>{words}</span>}
      </button>
      <span role="status" className="jp-vce-copied">
        {copied ? props.done : ''}
      </span>
    </>
  );
}
