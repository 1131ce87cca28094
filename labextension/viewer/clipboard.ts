/** What came of passing on text: to this computer's clipboard, or only to the panel. */
export type Copied = 'copied' | 'not copied';

/** Put text into the clipboard of this computer, where the browser lets us. */
export async function copyHere(text: string): Promise<Copied> {
  try {
    await navigator.clipboard.writeText(text);
    return 'copied';
  } catch {
    // Not over plain HTTP, not without focus, not where somebody said no.
    return 'not copied';
  }
}

/** The text of this computer's clipboard where a person has allowed that before; else null. */
export async function readHere(): Promise<string | null> {
  try {
    const asked = await navigator.permissions.query({
      name: 'clipboard-read' as PermissionName
    });
    if (asked.state === 'granted') {
      return await navigator.clipboard.readText();
    }
  } catch {
    // A browser that knows no such permission.
  }
  return null;
}

/** The same by the old way, from a field whose text is selected. */
export function copySelected(field: HTMLTextAreaElement): boolean {
  field.select();
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the one way over plain HTTP
  return document.execCommand('copy');
}
